"""Training: one run, many runs as one stack, and the resumable slices underneath.

Step s: the batch's loss and gradients at θ_s, a row of measures, clipping, the optimizer's Δ, θ_{s+1} = θ_s − Δ; then,
where it is due, an evaluation of θ_{s+1}.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine import measures
from engine.blas import one_blas_thread
from engine.cost import stack_limit
from engine.data.custom import CustomData
from engine.data.loading import Dataset, load_dataset
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.limits import check_budget
from engine.losses import LOSSES, chosen_loss
from engine.network import (
    ErrorSignal,
    ForwardPass,
    Parameters,
    architecture_of,
    backward,
    forward,
    initial_parameters,
    track_statistics,
)
from engine.optimizers import OPTIMIZERS
from engine.randomness import BATCHES, MASKS, generator
from engine.recording import MAX_FRAMES, MAX_UPDATES, Recorder, evaluation_steps
from engine.remedies import clip_by_norm, clip_by_value, draw_masks, penalty_gradient

Array = np.ndarray

# One network a value; networks that differ in nothing else train as one stack.
OWN = {
    "dataset", "noise", "label_noise", "data_digest", "initializer", "gain", "bias", "learning_rate", "clip_threshold",
    "seed", "data_seed",
}  # fmt: skip


def batch_indices(experiment: Experiment, step: int) -> Array:
    """Which training examples update `step` uses, (batch,): a permutation an epoch; the last batch may be short."""
    n = experiment.n_train
    batch = min(experiment.batch_size or n, n)
    if batch == n:
        return np.arange(n)
    epoch, position = divmod(step, -(-n // batch))
    order = generator(experiment.seed, BATCHES, epoch).permutation(n)
    return order[position * batch : (position + 1) * batch]


def dropout_masks(experiment: Experiment, step: int) -> Array | None:
    """The masks of one update, (depth, batch, width), or None without dropout.

    Masks are drawn for a whole batch at every update, one number a unit and example, so that any update's can be found
    without those before it; a short last batch uses the first rows.
    """
    if experiment.dropout == 0:
        return None
    batch = min(experiment.batch_size or experiment.n_train, experiment.n_train)
    stream = generator(experiment.seed, MASKS)
    stream.bit_generator.advance(step * experiment.depth * batch * experiment.width)  # type: ignore[attr-defined]
    return draw_masks(stream, experiment.depth, batch, experiment.width, experiment.dropout)


def initialize(experiment: Experiment, data: CustomData | None = None) -> Parameters:
    """θ_0 of one experiment: a stack of one."""
    dataset = load_dataset(experiment, data)
    return initial_parameters([experiment], architecture_of(experiment, dataset.n_in, dataset.n_out, dataset.task))


def shape_key(experiment: Experiment) -> tuple:
    """What networks on the same data set must share to train as one stack."""
    shared = [value for name, value in vars(experiment).items() if name not in OWN | {"l1", "l2", "dropout"}]
    return (*shared, experiment.l1 > 0 or experiment.l2 > 0, experiment.dropout > 0)


def stack_key(experiment: Experiment, dataset: Dataset) -> tuple:
    """What networks must share to train as one stack."""
    sizes = len(dataset.train_inputs), len(dataset.validation_inputs), len(dataset.test_inputs)
    return (*shape_key(experiment), dataset.n_in, dataset.n_out, dataset.task, sizes)


class Training:
    """A run, or a stack of runs of equal shape, that can be advanced, pickled, and advanced elsewhere.

    max_updates and max_frames bound what is recorded; they never change the result.  max_seconds and max_bytes, where
    they are given, bound a run's estimated time on one core and the size of its history.
    Raises OutOfRange for an experiment beyond these limits or data that do not fit, before any work; ValueError for
    experiments of unequal shape.
    """

    def __init__(
        self,
        experiments: Experiment | Sequence[Experiment],
        data: CustomData | None = None,
        max_updates: int = MAX_UPDATES,
        max_frames: int = MAX_FRAMES,
        max_seconds: float | None = None,
        max_bytes: float | None = None,
    ):
        self.experiments = (experiments,) if isinstance(experiments, Experiment) else tuple(experiments)
        first = self.experiments[0]
        self._datasets = [load_dataset(experiment, data) for experiment in self.experiments]
        keys = {stack_key(*pair) for pair in zip(self.experiments, self._datasets, strict=True)}
        if len(keys) > 1:
            raise ValueError("A stack takes experiments of equal shape; train_many takes any.")
        dataset = self._datasets[0]
        for experiment in self.experiments:
            check_budget(experiment, dataset.n_in, dataset.n_out, max_seconds, max_bytes)

        self.step, self.steps = 0, first.steps
        self._loss = chosen_loss(first.loss, dataset.task)
        architecture = architecture_of(first, dataset.n_in, dataset.n_out, dataset.task)
        self._output = architecture.output
        self._evaluations = set(evaluation_steps(first.steps).tolist())
        self._networks = np.arange(len(self.experiments))  # which experiment each network of the stack belongs to
        self._finished: dict[int, RunHistory] = {}
        self._parameters = initial_parameters(self.experiments, architecture)
        self._previous = self._parameters.copy()  # θ_{s-1}: where a run ends whose θ_s has no finite loss
        self._optimizer_state = OPTIMIZERS[first.optimizer].state(self._parameters.flat)
        self._recorder = Recorder(self.experiments, self._datasets, self._parameters, max_updates, max_frames)
        self._open()
        with np.errstate(all="ignore"), one_blas_thread():
            self._evaluate()
            self._recorder.measure()

    # --- what can be rebuilt from experiments and data set is not pickled ---

    def _open(self) -> None:
        """Arrays of the networks that still run, and random streams at the present step."""
        if self.done:
            return
        experiments = [self.experiments[i] for i in self._networks]
        datasets = [self._datasets[i] for i in self._networks]
        kind = experiments[0].precision

        def column(name: str) -> Array:
            return np.array([[getattr(experiment, name)] for experiment in experiments], kind)

        self._rate, self._threshold = column("learning_rate"), column("clip_threshold")
        self._l1, self._l2 = column("l1"), column("l2")

        inputs = np.array([dataset.train_inputs for dataset in datasets], kind)
        self._train = inputs, np.array([dataset.target_rows("train") for dataset in datasets], kind)
        self._gradient = Parameters(self._parameters.architecture, np.empty_like(self._parameters.flat))
        self._masks = [generator(experiment.seed, MASKS) for experiment in experiments]
        if experiments[0].dropout > 0:
            draws = self.step * experiments[0].depth * self._batch_size * experiments[0].width
            for stream in self._masks:
                stream.bit_generator.advance(draws)  # type: ignore[attr-defined]
        self._epoch, self._shuffled = -1, self._train

    REBUILT = "_rate", "_threshold", "_l1", "_l2", "_train", "_gradient", "_masks", "_epoch", "_shuffled"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self.REBUILT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._recorder.open()
        self._open()

    # --- the run ---

    @property
    def done(self) -> bool:
        """Whether every network of the stack has ended."""
        return not len(self._networks)

    def advance(self, steps: int) -> "Training":
        """Take up to `steps` updates more."""
        end = min(self.step + steps, self.steps)
        with np.errstate(all="ignore"), one_blas_thread():
            while self.step < end and not self.done:
                self._update()
            self._recorder.measure()
        return self

    def history(self) -> RunHistory:
        """The run so far, of a Training of one experiment."""
        (history,) = self.histories()
        return history

    def histories(self) -> tuple[RunHistory, ...]:
        """The runs so far, in the order of the experiments; status "running" for those that have not ended."""
        with np.errstate(all="ignore"), one_blas_thread():
            running = {
                int(i): self._recorder.history(index, "running", self.step, self._parameters)
                for index, i in enumerate(self._networks)
            }
        histories = running | self._finished
        return tuple(histories[i] for i in range(len(self.experiments)))

    @property
    def _batch_size(self) -> int:
        first = self.experiments[0]
        return min(first.batch_size or first.n_train, first.n_train)

    def _batch(self) -> tuple[Array, Array]:
        """Inputs and targets of this update, (networks, batch, ...)."""
        inputs, targets = self._train
        n, batch = inputs.shape[1], self._batch_size
        if batch == n:
            return inputs, targets
        epoch, position = divmod(self.step, -(-n // batch))
        if self._epoch != epoch:
            orders = [generator(self.experiments[i].seed, BATCHES, epoch).permutation(n) for i in self._networks]
            rows = np.array(orders) + n * np.arange(len(inputs))[:, None]
            shuffled = (values.reshape(-1, values.shape[2]).take(rows, axis=0) for values in self._train)
            self._epoch, self._shuffled = epoch, tuple(shuffled)
        part = slice(position * batch, (position + 1) * batch)
        return self._shuffled[0][:, part], self._shuffled[1][:, part]

    def _draw_masks(self, batch: int) -> Array | None:
        """(depth, networks, batch, width) for this update."""
        first = self.experiments[0]
        if first.dropout == 0:
            return None
        experiments = [self.experiments[i] for i in self._networks]
        shape = first.depth, self._batch_size, first.width
        drawn = [
            draw_masks(stream, *shape, experiment.dropout)
            for stream, experiment in zip(self._masks, experiments, strict=True)
        ]
        return np.stack(drawn, axis=1)[:, :, :batch].astype(first.precision)

    def _update(self) -> None:
        first = self.experiments[0]
        parameters, gradient, next_parameters = self._parameters, self._gradient, self._previous
        inputs, targets = self._batch()
        masks = self._draw_masks(inputs.shape[1])
        forward_pass = self._recorder.shared_pass(self.step) or forward(parameters, inputs, masks, training=True)
        loss = LOSSES[self._loss].value(forward_pass.output, targets, self._output)
        if not (finite := np.isfinite(loss)).all():
            self._diverge(~finite, self.step, lambda index: _first_in_forward(forward_pass, index))
            return

        output_gradient = LOSSES[self._loss].gradient(forward_pass.output, targets, self._output)
        _, signal = backward(parameters, forward_pass, output_gradient, gradient)
        total, norm = self._with_penalty(gradient.flat)
        clipped = total
        if first.clip == "norm":
            clipped = clip_by_norm(total, norm["total_gradient_norm"][:, None], self._threshold)
        elif first.clip == "value":
            clipped = clip_by_value(total, self._threshold)
        if clipped is not total:
            norm["clipped_norm"] = clipped_norm = measures.norms(clipped)
            norm["clip_cosine"] = measures.clip_cosine(total, clipped, norm["total_gradient_norm"], clipped_norm)
        update = OPTIMIZERS[first.optimizer].update(clipped, self._optimizer_state, self._rate, self.step + 1)
        np.subtract(parameters.flat, update, out=next_parameters.flat)
        next_parameters.running[...] = parameters.running
        track_statistics(next_parameters, forward_pass)

        finite = np.isfinite(norm["total_gradient_norm"]) & np.isfinite(next_parameters.flat).all(axis=1)
        if next_parameters.running.size:
            finite &= np.isfinite(next_parameters.running).all(axis=1)
        ended = not finite.all()
        self._recorder.share(self.step, signal)
        if self._recorder.records_update(self.step, ended):
            row = {"batch_loss": loss, **norm}
            self._recorder.update(self.step, row, gradient.flat, parameters.flat, update, signal)
        self._parameters, self._previous = next_parameters, parameters
        self.step += 1
        if ended:
            self._diverge(
                ~finite, self.step - 1, lambda index: _first_in_backward(signal, gradient, next_parameters, index)
            )
        if self.step in self._evaluations and not self.done:
            self._evaluate()
        if self.step == self.steps and not self.done:
            self._finish(np.ones(len(self._networks), bool), "completed")

    def _with_penalty(self, data_gradient: Array) -> tuple[Array, dict[str, Array]]:
        """The gradient of data loss plus penalty, and the global norms; clipping has not happened yet."""
        first, n_weights = self.experiments[0], self._parameters.n_weights
        total = data_gradient
        data_norm = total_norm = measures.norms(data_gradient)
        penalty_norm = np.zeros(len(data_norm))
        if first.l1 > 0 or first.l2 > 0:
            penalty = penalty_gradient(self._parameters.flat[:, :n_weights], self._l1, self._l2)
            total = data_gradient.copy()
            total[:, :n_weights] += penalty
            penalty_norm, total_norm = measures.norms(penalty), measures.norms(total)
        return total, {
            "data_gradient_norm": data_norm,
            "penalty_gradient_norm": penalty_norm,
            "total_gradient_norm": total_norm,
            "clipped_norm": total_norm,
            "clip_cosine": np.ones(len(total_norm)),
        }

    # --- evaluations and ends ---

    def _evaluate(self) -> None:
        finite = self._recorder.evaluate(self.step, self._parameters)
        if not finite.all():
            forward_pass = forward(self._parameters, self._recorder.inputs)
            self._diverge(~finite, self.step, lambda index: _first_in_forward(forward_pass, index))
        if self.step < self.steps and (stopped := self._recorder.stopped).any():
            self._finish(stopped, "stopped_early")

    def _diverge(self, which: Array, step: int, locate: Callable[[int], tuple[int | None, str]]) -> None:
        """End networks of which something is not finite at `step`, with the θ before, whose loss was finite."""
        self._finish(which, "diverged", {index: (step, *locate(index)) for index in np.flatnonzero(which).tolist()})

    def _finish(
        self, which: Array, status: str, diverged_at: dict[int, tuple[int, int | None, str]] | None = None
    ) -> None:
        """Write the histories of some networks and go on without them."""
        diverged_at = diverged_at or {}
        step, parameters = (max(self.step - 1, 0), self._previous) if diverged_at else (self.step, self._parameters)
        for index in np.flatnonzero(which).tolist():
            history = self._recorder.history(index, status, step, parameters, diverged_at.get(index))
            self._finished[int(self._networks[index])] = history
        kept = np.flatnonzero(~which)
        self._networks = self._networks[kept]
        self._parameters, self._previous = self._parameters[kept], self._previous[kept]
        self._optimizer_state = [state[kept] for state in self._optimizer_state]
        self._recorder.keep(kept)
        self._open()


def _first_in_forward(forward_pass: ForwardPass, index: int) -> tuple[int | None, str]:
    """Layer and tensor that first was not finite on the way forward."""
    for layer, z in enumerate(forward_pass.z):
        if not np.isfinite(z[index]).all():
            return layer, "pre-activation"
        if layer < len(forward_pass.h) and not np.isfinite(forward_pass.h[layer][index]).all():
            return layer, "activation"
    return None, "loss"


def _first_in_backward(
    signal: ErrorSignal, gradient: Parameters, next_parameters: Parameters, index: int
) -> tuple[int | None, str]:
    """Layer and tensor that first was not finite on the way back or in the update."""
    for layer in reversed(range(len(signal.z))):
        for tensor, arrays in (
            ("error signal", signal.z),
            ("gradient", gradient.weights),
            ("gradient", gradient.biases),
        ):
            if not np.isfinite(arrays[layer][index]).all():
                return layer, tensor
    updated = {
        "weights": next_parameters.weights, "biases": next_parameters.biases,
        "scales": next_parameters.scales, "shifts": next_parameters.shifts,
        "running mean": next_parameters.running_means, "running variance": next_parameters.running_variances,
    }  # fmt: skip
    for tensor, arrays in updated.items():
        for layer, array in enumerate(arrays):
            if not np.isfinite(array[index]).all():
                return layer, tensor
    return None, "gradient norm"


def train(
    experiment: Experiment,
    data: CustomData | None = None,
    max_updates: int = MAX_UPDATES,
    max_frames: int = MAX_FRAMES,
    max_seconds: float | None = None,
    max_bytes: float | None = None,
) -> RunHistory:
    """Train one experiment from start to end.

    Same Experiment, same RunHistory, to the last bit.  A run that diverges is a result, not an error.
    data: inputs and targets where the data set is "custom".  The other arguments are those of Training.
    Raises OutOfRange for data that do not fit, and for an experiment beyond limits that were given.
    """
    training = Training(experiment, data, max_updates, max_frames, max_seconds, max_bytes)
    return training.advance(experiment.steps).history()


def stacks(experiments: Sequence[Experiment], data: CustomData | None = None) -> list[list[int]]:
    """Which experiments can train as one stack: groups of indices, none larger than stack_limit allows."""
    groups: dict[tuple, list[list[int]]] = {}
    for i, experiment in enumerate(experiments):
        dataset = load_dataset(experiment, data)
        several = groups.setdefault(stack_key(experiment, dataset), [[]])
        if len(several[-1]) == stack_limit(experiment, dataset.n_in, dataset.n_out):
            several.append([])
        several[-1].append(i)
    return [group for several in groups.values() for group in several]


def train_many(
    experiments: Sequence[Experiment],
    data: CustomData | None = None,
    max_updates: int = MAX_UPDATES,
    max_frames: int = MAX_FRAMES,
    max_seconds: float | None = None,
    max_bytes: float | None = None,
) -> list[RunHistory]:
    """Train many experiments, those of equal shape as one stack; histories in the order of the experiments.

    The other arguments are those of Training; limits are for each run.
    """
    histories: dict[int, RunHistory] = {}
    for group in stacks(experiments, data):
        stack = [experiments[i] for i in group]
        training = Training(stack, data, max_updates, max_frames, max_seconds, max_bytes)
        histories |= zip(group, training.advance(training.steps).histories(), strict=True)
    return [histories[i] for i in range(len(experiments))]
