"""What several of the doctor's detectors need to know of a run, worked out once, when it is asked for.

Everything is measured on the evaluations' clock (whole sets, evaluation mode) where that is possible, so that batches,
masks and thinned rows do not matter.
"""

from functools import cached_property

import numpy as np

from engine.data.baselines import constant_loss, errors, straight_line, uninformed_loss
from engine.data.custom import CustomData
from engine.data.loading import Dataset, load_dataset
from engine.doctor.references import References, label_noise_loss, references_of
from engine.doctor.thresholds import BY_CHANCE, EXCELLENT, FAR, JUMPS, LEARNT, SURELY, TWICE, WELL
from engine.doctor.trajectory import Trajectory, finite_median
from engine.history import RunHistory
from engine.losses import LOSSES, chosen_loss, chosen_output, outputs
from engine.network import ForwardPass, Parameters, architecture_of, forward, network_outputs
from engine.theory import gradient_flow

Array = np.ndarray


def root_mean_square(values: Array) -> float:
    """√ of the mean of the squares."""
    return float(np.sqrt((values * values).mean()))


class Examination(Trajectory):
    """A run, how it went and what it achieved, by its data.  Every number may be NaN where it did not get far enough.

    Numbers stay NumPy's, for which a division by 0 is no exception: there are data without anything to learn.
    """

    def __init__(self, history: RunHistory, data: CustomData | None = None):
        super().__init__(history)
        self.data = data
        known = history.experiment.dataset != "custom" or data is not None
        self.dataset: Dataset | None = load_dataset(history.experiment, data) if known else None

    @cached_property
    def predicted_ratios(self) -> Array | None:
        """rms δ_l / rms δ_H of each hidden layer before the first step by mean-field theory, which knows no seed, (H,).

        None where the theory has no prediction.
        """
        flow = gradient_flow(self.experiment, self.data)
        return None if flow.reason else np.array(flow.delta_ratio[:-1])

    @cached_property
    def input_size(self) -> float:
        """Root mean square of the training inputs, for which initializers take 1; NaN where the data are not known."""
        return np.nan if self.dataset is None else root_mean_square(self.dataset.train_inputs)

    # --- what would be easy, and what is possible ---

    @cached_property
    def is_classification(self) -> bool:
        """Whether the targets are classes, which the history shows without the data."""
        return self.history.confusion is not None

    @property
    def balanced(self) -> bool:
        """Whether class weights make every class count alike; then so do errors and the best constant answer."""
        return self.is_classification and self.experiment.class_weights == "balanced"

    @cached_property
    def loss_name(self) -> str:
        """The loss that it was trained for, a name in LOSSES."""
        task = "classes" if self.is_classification else "regression"
        return chosen_loss(self.experiment.loss, task, self.experiment.output)

    @cached_property
    def uninformed(self) -> np.float64:
        """Training loss of the best constant answer; where the data are not known, the loss at the start."""
        if self.dataset is None:
            return self.history.train_loss[0]
        e = self.experiment
        return np.float64(uninformed_loss(self.dataset, e.loss, e.output, self.balanced))

    @cached_property
    def unavoidable(self) -> float:
        """Training loss that label noise costs whoever knows the right answers."""
        if not self.is_classification:
            return 0.0
        output = chosen_output(self.experiment.output, "classes")
        return label_noise_loss(self.experiment.label_noise, self._n_classes, self.loss_name, output)

    @cached_property
    def references(self) -> References | None:
        """What methods without layers make of these data; None where the data are not known."""
        if self.dataset is None:
            return None
        return references_of(self.experiment, self.dataset, self.loss_name, self.balanced)

    @cached_property
    def line_share(self) -> float:
        """Validation error of the least squares line that its hidden layers let through, a share like error_share."""
        if self.dataset is None:
            return np.nan
        line = straight_line(self.dataset, self.experiment.width, self.loss_name, self.balanced)
        return float(line / self._uninformed_error)

    # --- what it achieved; a share is of what the best constant answer costs ---

    @cached_property
    def loss_share(self) -> float:
        """Training loss of the result between the unavoidable (0) and the uninformed (1)."""
        return float(self.loss_shares[self.result])

    @cached_property
    def loss_shares(self) -> Array:
        """The same of every evaluation, (V,)."""
        span = self.uninformed - self.unavoidable
        return (self.history.train_loss - self.unavoidable) / (span if span > 0 else np.nan)

    @cached_property
    def error_share(self) -> float:
        """Share of wrong answers on validation data, or the loss, over that of the best constant answer."""
        if self.is_classification:
            right = self.recalls.mean() if self.balanced else self.history.validation_accuracy[self.result]
            return float((1 - right) / self._uninformed_error)
        return float(self.history.validation_loss[self.result] / self._uninformed_error)

    @cached_property
    def confusion(self) -> Array:
        """Of the result, on validation data, (C, C)."""
        return self.history.confusion[self.history.result_frame]  # type: ignore[index]

    @property
    def recalls(self) -> Array:
        """Share of right answers of each class that occurs in the validation data."""
        counts = self.confusion.sum(axis=1)
        return np.diag(self.confusion)[counts > 0] / counts[counts > 0]

    @cached_property
    def train_error_share(self) -> float:
        """error_share on the training data, less the wrong answers that label noise makes right ones look.

        Median of the last checks: a run that jumps may end in a bad moment.
        """
        if not self.is_classification:
            return float(np.divide(finite_median(self.history.train_loss[self.late]), self._uninformed_error))
        wrong = 1 - finite_median(self.history.train_accuracy[self.late])
        return float((wrong - self.experiment.label_noise) / self._uninformed_error)

    @cached_property
    def reference_share(self) -> float:
        """Such a share of the better of two references: the nearest neighbours' vote, and kernel ridge regression."""
        return np.nan if self.references is None else float(self.references.best.mean() / self._uninformed_error)

    @cached_property
    def does_well(self) -> bool:
        """Whether the result does on new data about what these examples allow.

        A finite loss on training data far above the first is never well, whatever the answers.
        """
        margin = np.fmax(WELL, BY_CHANCE * self.scatter / self.widest_gap) if self.is_classification else WELL
        enough = min(np.fmax(self.reference_share + margin, EXCELLENT), LEARNT)
        lost = self.history.train_loss[self.result] > JUMPS * np.fmax(self.history.train_loss[0], self.uninformed)
        return not (self.diverged or lost) and bool(self.error_share <= enough)

    @cached_property
    def surely_behind(self) -> bool:
        """Whether it makes more than twice the reference's errors on the same new examples, by more than chance."""
        if not (self.error_share > TWICE * self.reference_share and self.behind_by > SURELY):
            return False
        references = self.references
        assert references is not None
        return bool(self.validation_errors[: len(references.best)].mean() > TWICE * references.best.mean())

    @cached_property
    def behind_by(self) -> float:
        """Mean difference of an example's errors, the network's less the reference's, in standard errors; or NaN."""
        if self.references is None or self.diverged:
            return np.nan
        difference = self.validation_errors[: len(self.references.best)] - self.references.best
        return float(difference.mean() * len(difference) ** 0.5 / difference.std())

    @cached_property
    def validation_errors(self) -> Array:
        """Error of each validation example with the result's weights, (n,): 1 or 0, or its loss."""
        assert self.dataset is not None
        given = self.answers(self.dataset.validation_inputs)
        return errors(self.dataset, given, self.dataset.target_rows("validation"), self.loss_name, self.balanced)

    def answers(self, inputs: Array) -> Array:
        """What the network answers with the result's weights in evaluation mode, (n, n_out)."""
        return network_outputs(self._network, self._forward(inputs))[0]

    def classes_alike(self, split: str) -> tuple[float, float]:
        """Loss and accuracy of the result on "validation" or "test", where every class that occurs counts alike."""
        assert self.dataset is not None
        weights, targets = self.dataset.class_weights("balanced", split), self.dataset.target_rows(split)
        assert weights is not None
        z, output = self._forward(getattr(self.dataset, f"{split}_inputs")).output, self._network.architecture.output
        loss = LOSSES[self.loss_name].weighted_value(z, targets[None], output, weights[None])
        wrong = errors(self.dataset, outputs(z, output)[0], targets, self.loss_name, balanced=True)
        return float(loss[0]), float(1 - wrong.mean())

    def _forward(self, inputs: Array) -> ForwardPass:
        return forward(self._network, inputs.astype(self._network.flat.dtype), keep=False)

    @cached_property
    def _network(self) -> Parameters:
        """The result's parameters, as a stack of one."""
        history, dataset = self.history, self.dataset
        assert dataset is not None
        frame = history.result_frame
        parts = (history.weights, history.biases, history.scales, history.shifts)
        flat = np.concatenate([kept[frame].ravel() for part in parts for kept in part])[None]
        tracked = [kept[frame] for part in (history.running_means, history.running_variances) for kept in part]
        architecture = architecture_of(self.experiment, dataset.n_in, dataset.n_out, dataset.task)
        return Parameters(architecture, flat, np.concatenate(tracked)[None] if tracked else None)

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
        """Standard error of how well it does on validation data, in the unit of the gap.

        Of the accuracy of the last checks, √(a (1 − a)/n).  For regression that of the mean loss, over the best
        constant answer's; 0 where the data are not known.
        """
        if not self.is_classification:
            if self.dataset is None or self.diverged:
                return 0.0
            return float(self.validation_errors.std() / len(self.validation_errors) ** 0.5 / self.uninformed)
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
    def _n_classes(self) -> int:
        return self.history.confusion.shape[1]  # type: ignore[union-attr]

    @cached_property
    def _uninformed_error(self) -> np.float64:
        """Error on validation data of the best constant answer."""
        if self.is_classification:
            counts = self.history.confusion[0].sum(axis=1)  # type: ignore[index]
            return 1 - (1 / (counts > 0).sum() if self.balanced else counts.max() / counts.sum())
        if self.dataset is None:
            return self.uninformed
        return np.float64(constant_loss(self.dataset.validation_targets, self.loss_name))
