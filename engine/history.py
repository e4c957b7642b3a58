"""RunHistory: what a run leaves behind, read-only.

Three clocks.  Updates: one row per update of the weights.  Evaluations: the whole data sets, at most about a hundred
times.  Frames: the evaluations at which the parameters themselves are kept, which the timeline moves over.

S updates, V evaluations, K frames, L = depth + 1 layers (index 0 nearest the input, the last one the output), H = depth
hidden layers.  Losses have the unit of the experiment's loss (cross-entropy in nats), norms are Euclidean.
Class weights, where there are any, count in what training minimises, batch_loss and all gradients, δ included, and not
in the losses of evaluations and tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from engine import history_file
from engine.experiment import Experiment
from engine.history_file import File

Array = np.ndarray

STATUSES = ("running", "completed", "stopped_early", "diverged")


@dataclass(frozen=True, eq=False)
class RunHistory:
    """One run.  Arrays are read-only; what a run has not is None (predictions, confusion) or () (scales, ...)."""

    experiment: Experiment
    status: str  # one of STATUSES; running only in what Training.history() gives before the end
    best_step: int  # step of the lowest validation loss, the first of equals
    diverged_at: tuple[int, int | None, str] | None  # step, layer (None: the loss), tensor that first was not finite

    # Updates: update s starts from θ_s; every row is of that update's batch and mask.
    step: Array  # (S,)
    batch_loss: Array  # (S,) data loss that was minimised, with class weights
    gradient_norm: Array  # (S, L) ‖∂L/∂W_l‖ of the data loss, before clipping
    weight_norm: Array  # (S, L) ‖W_l‖
    update_norm: Array  # (S, L) ‖ΔW_l‖
    delta_rms: Array  # (S, L) root mean square of an example's ∂L/∂z_l over batch and units
    weight_factor: Array  # (S, L) rms ∂L/∂h_l over rms ∂L/∂z_{l+1}; NaN at the output
    slope_factor: Array  # (S, L) rms ∂L/∂z_l over rms ∂L/∂h_l; NaN at the output
    data_gradient_norm: Array  # (S,) over all parameters
    penalty_gradient_norm: Array  # (S,)
    total_gradient_norm: Array  # (S,) of data and penalty together
    clipped_norm: Array  # (S,) after clipping
    clip_cosine: Array  # (S,) cosine of the angle that clipping turned the total gradient by; NaN where it has none
    total_update_norm: Array  # (S,) ‖Δθ‖ over all parameters

    # Evaluations, in evaluation mode: no mask, running statistics.
    evaluation_step: Array  # (V,)
    train_loss: Array  # (V,) without penalty and class weights
    validation_loss: Array  # (V,)
    train_accuracy: Array  # (V,) share, NaN for regression
    validation_accuracy: Array  # (V,)
    penalty: Array  # (V,)
    dead_fraction: Array  # (V, L) share of units with z ≤ 0 on all of the probe; NaN where undefined or overflown
    saturated_fraction: Array  # (V, L) share of values with |φ′(z)| < .05 max|φ′|; NaN as above
    activation_mean: Array  # (V, L) of h_l, at the output of what the network puts out
    activation_std: Array  # (V, L)
    probe_delta_rms: Array  # (V, L)

    # Frames
    frame_step: Array  # (K,) a subset of evaluation_step with its first, the best and its last
    weights: tuple[Array, ...]  # L arrays (K, n_in, n_out); float32 where a very large network would not fit otherwise
    biases: tuple[Array, ...]  # L arrays (K, n_out)
    scales: tuple[Array, ...]  # H arrays (K, width): γ
    shifts: tuple[Array, ...]  # H arrays (K, width): β
    running_means: tuple[Array, ...]  # H arrays (K, width)
    running_variances: tuple[Array, ...]  # H arrays (K, width)
    predictions: Array | None  # (K, G, G, n_out) over the plane [axis 1: second input], (K, G, n_out) over the line
    prediction_axes: tuple[Array, ...] | None  # the grid's coordinates (G,), one array an input, in its units
    confusion: Array | None  # (K, C, C) counts on validation data: row the true class, column the predicted one

    test_loss: float  # of the result: the weights of best_step where patience > 0, else the last
    test_accuracy: float
    last_test_loss: float  # of the last weights
    last_test_accuracy: float

    # Of a run that went on as another experiment (Training.branch): where, and which one it had been up to there.
    branches: tuple[tuple[int, Experiment], ...] = ()

    def __post_init__(self) -> None:
        for row in fields(self):
            value = getattr(self, row.name)
            for array in value if isinstance(value, tuple) else (value,):
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # pickling loses the read-only flag

    def save(self, file: File) -> None:
        """Write the run into one .npz file, a path or a file open for bytes: arrays and JSON, no pickle."""
        history_file.write(file, vars(self))

    @classmethod
    def load(cls, file: File) -> "RunHistory":
        """The run that `save` wrote, equal to the last bit.

        Raises OutOfRange for a file that is none, and FileNotFoundError where there is no file.
        """
        return cls(**history_file.read(file, STATUSES))

    @property
    def identity(self) -> tuple:
        """What the run follows from: its experiment, and those that it was before.  Of one identity, runs are equal."""
        return self.experiment, self.branches

    @property
    def layers(self) -> int:
        """L: hidden layers and the output."""
        return self.gradient_norm.shape[1]

    @property
    def gradient_ratio(self) -> Array:
        """R = rms δ_1 / rms δ_H at each update, (S,): far below 1 the gradient vanishes, far above it explodes."""
        with np.errstate(all="ignore"):
            return self.delta_rms[:, 0] / self.delta_rms[:, -2]

    @property
    def result_evaluation(self) -> int:
        """Index of the evaluation whose weights are the result: the best where it may stop early, else the last."""
        step = self.best_step if self.experiment.patience else self.evaluation_step[-1]
        return int(np.searchsorted(self.evaluation_step, step))

    @property
    def result_frame(self) -> int:
        """Index of the frame of that evaluation."""
        return int(np.searchsorted(self.frame_step, self.evaluation_step[self.result_evaluation]))

    @property
    def nbytes(self) -> int:
        """Bytes held by the arrays."""
        values = [getattr(self, row.name) for row in fields(self)]
        flat = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
        return sum(item.nbytes for item in flat if isinstance(item, np.ndarray))


class Rows:
    """A clock's rows while a stack trains: one array a field, (networks, rows, ...), that grows as rows come.

    shapes: field -> shape of one network's row.
    """

    def __init__(self, networks: int, shapes: dict[str, tuple[int, ...]]):
        self._steps: list[int] = []
        self._columns = {name: np.empty((networks, 1, *shape)) for name, shape in shapes.items()}

    def extend(self, steps: Sequence[int], rows: dict[str, Array]) -> None:
        """Add rows, field by field (rows, networks, ...)."""
        start, end = len(self._steps), len(self._steps) + len(steps)
        for name, column in self._columns.items():
            while end > column.shape[1]:
                column = np.concatenate([column, np.empty_like(column)], axis=1)
                self._columns[name] = column
            column[:, start:end] = rows[name].swapaxes(0, 1)
        self._steps += steps

    def keep(self, networks: Array) -> None:
        """Forget all networks but those at these indices."""
        self._columns = {name: column[networks] for name, column in self._columns.items()}

    def of(self, network: int, last_step: int) -> dict[str, Array]:
        """Field -> (rows, ...) of one network up to last_step, with the steps as `step`."""
        steps = np.array(self._steps, dtype=np.int64)
        count = np.searchsorted(steps, last_step, side="right")
        rows = {name: column[network, :count].copy() for name, column in self._columns.items()}
        return {"step": steps[:count], **rows}
