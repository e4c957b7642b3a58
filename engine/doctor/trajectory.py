"""How a run went: its clocks, and how far its weights moved, from its history alone."""

from functools import cached_property

import numpy as np

from engine.doctor.thresholds import SMALL_START
from engine.history import RunHistory

Array = np.ndarray

EARLY_CHECKS, EARLY_SHARE = 5, 0.1  # E: the first max(5, 10 %) of the evaluations
LATE_CHECKS = 10  # the last evaluations, over which what is lasting is judged


class Trajectory:
    """A run's way from the first weights to the last.  Every number may be NaN where it did not get far enough."""

    def __init__(self, history: RunHistory):
        self.history, self.experiment = history, history.experiment
        self.depth = history.experiment.depth

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
        """Index of the evaluation whose weights are the run's result."""
        return self.history.result_evaluation

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

    @cached_property
    def diverged(self) -> bool:
        """Whether the run diverged, or its result has no finite loss."""
        return self.history.status == "diverged" or not np.isfinite(self.history.train_loss[self.result])

    # --- how far ---

    @cached_property
    def update_ratios(self) -> Array:
        """‖ΔW_l‖/‖W_l‖ of the recorded updates, (S, L)."""
        return self.history.update_norm / self.history.weight_norm

    @cached_property
    def farthest(self) -> float:
        """‖W_end − W_start‖/‖W_start‖ of the layer that moved most; weights that start tiny count as of usual size."""
        moved = np.array([np.linalg.norm(kept[-1] - kept[0]) for kept in self.history.weights])
        return float((moved / self.sizes_to_move).max())

    @cached_property
    def starting_sizes(self) -> Array:
        """‖W_l‖ at the start over what Xavier's initializer makes it on average, √(2 n_in n_out/(n_in + n_out)), (L,).

        Glorot & Bengio 2010.
        """
        return self._starting_norms / self._usual_norms

    @cached_property
    def sizes_to_move(self) -> Array:
        """What a step or a way is measured against, (L,): ‖W_l‖ at the start, or the usual where they start tiny.

        To grow from a hundredth of that size to that size is no leap.
        """
        return np.where(self.starting_sizes < SMALL_START, self._usual_norms, self._starting_norms)

    @cached_property
    def _starting_norms(self) -> Array:
        return np.array([np.linalg.norm(kept[0]) for kept in self.history.weights])

    @cached_property
    def _usual_norms(self) -> Array:
        sizes = np.array([kept.shape[1:] for kept in self.history.weights], float)
        return np.sqrt(2 * sizes.prod(axis=1) / sizes.sum(axis=1))

    @cached_property
    def distance(self) -> float:
        """‖W_end − W_start‖/‖W_start‖ of all weights together."""
        moved = np.linalg.norm([np.linalg.norm(kept[-1] - kept[0]) for kept in self.history.weights])
        return float(moved / np.linalg.norm([np.linalg.norm(kept[0]) for kept in self.history.weights]))

    def first_and_last(self, values: Array) -> tuple[float, float]:
        """Medians of the first and of the last tenth of values of the updates (S,)."""
        part = max(1, len(values) // 10)
        return finite_median(values[:part]), finite_median(values[-part:])


def finite_median(values: Array) -> float:
    """Median of what is finite, NaN where nothing is."""
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else float("nan")


def layer_medians(rows: Array) -> Array:
    """The same of each column of (rows, layers)."""
    return np.array([finite_median(column) for column in rows.T])
