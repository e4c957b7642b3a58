"""What several of the doctor's detectors need to know of a run, worked out once, when it is asked for.

Everything is measured on the evaluations' clock (whole sets, evaluation mode) where that is possible, so that batches,
masks and thinned rows do not matter.
"""

from functools import cached_property, lru_cache

import numpy as np

from engine.data.baselines import uninformed_loss
from engine.data.custom import CustomData
from engine.data.loading import Dataset, data_settings, load_dataset
from engine.doctor.thresholds import EXCELLENT, FAR, LEARNT, WELL
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.losses import chosen_loss

Array = np.ndarray

EARLY_CHECKS, EARLY_SHARE = 5, 0.1  # E: the first max(5, 10 %) of the evaluations
LATE_CHECKS = 10  # the last evaluations, over which what is lasting is judged
NEIGHBOURS = 1, 5, 15  # sizes of the vote; few for clean data, many for noisy ones
MOST_QUERIES = 300  # validation examples whose neighbours are looked for, which bounds time and memory


class Examination:
    """A run and what it achieved.  Every number may be NaN where a run did not get far enough to have it.

    Numbers stay NumPy's, for which a division by 0 is no exception: there are data without anything to learn.
    """

    def __init__(self, history: RunHistory, data: CustomData | None = None):
        self.history, self.experiment = history, history.experiment
        self.depth = history.experiment.depth
        known = history.experiment.dataset != "custom" or data is not None
        self.dataset: Dataset | None = load_dataset(history.experiment, data) if known else None
        self._data = data

    # --- when ---

    @cached_property
    def early(self) -> slice:
        """E, the evaluations at the beginning."""
        return slice(0, max(EARLY_CHECKS, round(EARLY_SHARE * len(self.history.evaluation_step))))

    @cached_property
    def early_updates(self) -> slice:
        """The recorded updates within E."""
        steps = self.history.evaluation_step[self.early]
        return slice(0, int(np.searchsorted(self.history.step, steps[-1], side="right")))

    @cached_property
    def result(self) -> int:
        """The evaluation whose weights are the run's result: the best where it may stop early, else the last."""
        if self.experiment.patience:
            return int(np.searchsorted(self.history.evaluation_step, self.history.best_step))
        return len(self.history.evaluation_step) - 1

    @cached_property
    def late(self) -> slice:
        """The last evaluations up to the result."""
        return slice(max(0, self.result + 1 - LATE_CHECKS), self.result + 1)

    def steps(self, part: slice = slice(None)) -> tuple[int, int]:
        """First and last step of some evaluations."""
        steps = self.history.evaluation_step[part]
        return int(steps[0]), int(steps[-1])

    @property
    def normalises_batches(self) -> bool:
        """Whether evaluations at the start tell little: running statistics do not know the batches yet."""
        return self.experiment.normalization == "batch"

    # --- what would be easy, and what is possible ---

    @cached_property
    def is_classification(self) -> bool:
        return self.history.confusion is not None

    @cached_property
    def loss_name(self) -> str:
        task = "classes" if self.is_classification else "regression"
        return chosen_loss(self.experiment.loss, task, self.experiment.output)

    @cached_property
    def uninformed(self) -> np.float64:
        """Training loss of the best constant answer; where the data are not known, the loss at the start."""
        if self.dataset is None:
            return self.history.train_loss[0]
        return np.float64(uninformed_loss(self.dataset, self.experiment.loss, self.experiment.output))

    @cached_property
    def unavoidable(self) -> float:
        """Training loss that label noise costs whoever knows the right answers: a share p of labels is wrong.

        cross_entropy: −p ln(p/(C − 1)) − (1 − p) ln(1 − p).  mse: the variance p (1 − p) of two classes with their
        one output; (p (1 − p) + p (1 − p/(C − 1)))/C of more.
        """
        p = self.experiment.label_noise
        if p == 0 or not self.is_classification:
            return 0.0
        n_classes = self._n_classes
        if self.loss_name == "cross_entropy":
            return float(-p * np.log(p / (n_classes - 1)) - (1 - p) * np.log(1 - p))
        if n_classes == 2:
            return p * (1 - p)
        return (p * (1 - p) + p * (1 - p / (n_classes - 1))) / n_classes

    @cached_property
    def neighbours(self) -> float:
        """Validation error of the nearest training examples' vote: what these data make possible without a network.

        A share of wrong answers, or a mean squared error.  NaN where the data are not known.
        """
        if self.dataset is None:
            return np.nan
        if self._data is not None:
            return _neighbours(self.dataset)
        return _known_neighbours(Experiment(**data_settings(self.experiment)._asdict()))

    @cached_property
    def line_share(self) -> float:
        """Validation error of the least squares line that its hidden layers let through, a share like error_share."""
        if self.dataset is None:
            return np.nan
        return float(_line(self.dataset, self.experiment.width) / self._uninformed_error)

    # --- what it achieved; a share is of what the best constant answer costs ---

    @cached_property
    def loss_share(self) -> float:
        """Training loss of the result between the unavoidable (0) and the uninformed (1)."""
        span = self.uninformed - self.unavoidable
        above = float(self.history.train_loss[self.result]) - self.unavoidable
        return above / span if span > 0 else np.nan

    @cached_property
    def error_share(self) -> float:
        """Share of wrong answers on validation data, or mean squared error, over that of the best constant answer."""
        if self.is_classification:
            return float((1 - self.history.validation_accuracy[self.result]) / self._uninformed_error)
        return float(self.history.validation_loss[self.result] / self._uninformed_error)

    @cached_property
    def train_error_share(self) -> float:
        """The same on the training data, less the wrong answers that label noise makes right ones look."""
        if not self.is_classification:
            return float(self.history.train_loss[self.result] / self._uninformed_error)
        wrong = 1 - self.history.train_accuracy[self.result]
        return float((wrong - self.experiment.label_noise) / self._uninformed_error)

    @cached_property
    def neighbours_share(self) -> float:
        """The nearest neighbours' error on validation data, as a share like error_share."""
        return float(self.neighbours / self._uninformed_error)

    @cached_property
    def does_well(self) -> bool:
        """Whether the result does on new data about what these examples allow."""
        enough = min(np.fmax(self.neighbours_share + WELL, EXCELLENT), LEARNT)
        return not self.diverged and bool(self.error_share <= enough)

    @cached_property
    def gap(self) -> Array:
        """How much better it does on its training data than it would on new ones like them, (V,).

        Accuracy above that of a network which is right as often as on validation data, where a share p of the labels
        is wrong; validation less training loss over the best constant answer's, for regression.
        """
        history, p = self.history, self.experiment.label_noise
        if not self.is_classification:
            return (history.validation_loss - history.train_loss) / self.uninformed
        right, n_classes = history.validation_accuracy, self._n_classes
        return history.train_accuracy - (right * (1 - p) + (1 - right) * p / (n_classes - 1))

    @cached_property
    def widest_gap(self) -> np.float64:
        """The gap of a network that makes no error on its training data and learnt nothing for new ones."""
        return self._uninformed_error if self.is_classification else np.float64(1.0)

    @cached_property
    def scatter(self) -> float:
        """Standard error of the validation accuracy of the last checks, √(a (1 − a)/n); 0 for regression."""
        if not self.is_classification:
            return 0.0
        right = finite_median(self.history.validation_accuracy[self.late])
        return float(np.sqrt(right * (1 - right) / self.history.confusion[0].sum()))  # type: ignore[index]

    @cached_property
    def highest_rise(self) -> float:
        """The highest finite training loss over the first, or over the best constant answer's where that is more."""
        losses = self.history.train_loss
        highest = np.fmax.reduce(losses[np.isfinite(losses)], initial=np.nan)
        return float(highest / np.fmax(losses[0], self.uninformed))

    @cached_property
    def loss_oscillation(self) -> float:
        """All rises of the training loss together, over the span that it covers: 0 where it only falls."""
        losses = self._bounded_losses
        return float(np.maximum(np.diff(losses), 0).sum() / np.ptp(losses)) if len(losses) else np.nan

    @cached_property
    def all_rises(self) -> float:
        """The same over the best constant answer's loss: next to 0 where nothing is learnt and nothing lost."""
        return float(np.maximum(np.diff(self._bounded_losses), 0).sum() / self.uninformed)

    @cached_property
    def _bounded_losses(self) -> Array:
        """Finite training losses; those far above the best constant answer's count as that, lest one hides the rest."""
        losses = self.history.train_loss
        return np.minimum(losses[np.isfinite(losses)], FAR * self.uninformed)

    @cached_property
    def update_ratios(self) -> Array:
        """‖ΔW_l‖/‖W_l‖ of the recorded updates, (S, L)."""
        return self.history.update_norm / self.history.weight_norm

    @cached_property
    def farthest(self) -> float:
        """‖W_end − W_start‖/‖W_start‖ of the layer that moved most."""
        return max(float(np.linalg.norm(kept[-1] - kept[0]) / np.linalg.norm(kept[0])) for kept in self.history.weights)

    @cached_property
    def distance(self) -> float:
        """‖W_end − W_start‖/‖W_start‖ of all weights together."""
        moved = np.linalg.norm([np.linalg.norm(kept[-1] - kept[0]) for kept in self.history.weights])
        return float(moved / np.linalg.norm([np.linalg.norm(kept[0]) for kept in self.history.weights]))

    def first_and_last(self, values: Array) -> tuple[float, float]:
        """Medians of the first and of the last tenth of values of the updates (S,)."""
        part = max(1, len(values) // 10)
        return finite_median(values[:part]), finite_median(values[-part:])

    @cached_property
    def _n_classes(self) -> int:
        return self.history.confusion.shape[1]  # type: ignore[union-attr]

    @cached_property
    def _uninformed_error(self) -> np.float64:
        """Error on validation data of the best constant answer."""
        if self.is_classification:
            counts = self.history.confusion[0].sum(axis=1)  # type: ignore[index]
            return 1 - counts.max() / counts.sum()
        return self.uninformed if self.dataset is None else self.dataset.validation_targets.var(axis=0).mean()

    @cached_property
    def diverged(self) -> bool:
        return self.history.status == "diverged" or not np.isfinite(self.history.train_loss[self.result])


def finite_median(values: Array) -> float:
    """Median of what is finite, NaN where nothing is."""
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else float("nan")


def layer_medians(rows: Array) -> Array:
    """The same of each column of (rows, layers)."""
    return np.array([finite_median(column) for column in rows.T])


@lru_cache(maxsize=256)
def _known_neighbours(experiment: Experiment) -> float:
    return _neighbours(load_dataset(experiment))


def _neighbours(dataset: Dataset) -> float:
    """The lowest validation error of the mean of the k nearest training examples' targets, of a few k."""
    zero, one = dataset.units
    train, validation = ((inputs - zero) / one for inputs in (dataset.train_inputs, dataset.validation_inputs))
    validation = validation[:MOST_QUERIES]
    targets, answers = dataset.target_rows("train"), dataset.target_rows("validation")[:MOST_QUERIES]
    distance = (train * train).sum(axis=1) - 2 * validation @ train.T
    most = min(max(NEIGHBOURS), len(train))
    nearest = np.argpartition(distance, most - 1, axis=1)[:, :most]
    order = np.take_along_axis(distance, nearest, axis=1).argsort(axis=1)
    nearest = np.take_along_axis(nearest, order, axis=1)
    return float(min(_error(dataset, targets[nearest[:, :k]].mean(axis=1), answers) for k in NEIGHBOURS))


def _line(dataset: Dataset, rank: int) -> float:
    """Validation error of the least squares line whose answers are made of `rank` numbers: reduced-rank regression."""
    train, validation = (
        np.column_stack([inputs, np.ones(len(inputs))]) for inputs in (dataset.train_inputs, dataset.validation_inputs)
    )
    targets = dataset.target_rows("train")
    weights = np.linalg.lstsq(train, targets)[0]
    mean = targets.mean(axis=0)
    directions = np.linalg.svd(train @ weights - mean, full_matrices=False)[2][:rank]
    given = mean + (validation @ weights - mean) @ directions.T @ directions
    return _error(dataset, given, dataset.target_rows("validation"))


def _error(dataset: Dataset, given: Array, answers: Array) -> float:
    """Share of wrong answers, or mean squared error, of given answers in rows."""
    if dataset.task == "regression":
        return float(((given - answers) ** 2).mean())
    if dataset.task == "binary":
        return float(((given > 0.5) != (answers > 0.5)).mean())
    return float((given.argmax(axis=1) != answers.argmax(axis=1)).mean())
