"""Recording: rows of updates, evaluations and frames of a stack of networks while it trains, and histories of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import measures
from engine.cost import frame_limits
from engine.data.loading import Dataset
from engine.experiment import Experiment
from engine.history import Rows, RunHistory
from engine.losses import LOSSES, chosen_loss
from engine.network import (
    Architecture,
    ErrorSignal,
    ForwardPass,
    Parameters,
    backpropagate,
    forward,
    network_outputs,
)
from engine.remedies import EarlyStopping

Array = np.ndarray

MAX_UPDATES = 2000  # rows of the updates' clock, thinned evenly beyond
MAX_FRAMES = 60  # frames that the timeline moves over
EVALUATIONS = 100  # evaluations that a run is divided into
PROBE = 256  # training examples that activations are measured on
GRID, LINE = 32, 200  # points a side of the input plane, points of the input line
WAITING, MOST_AT_ONCE = 250_000, 16  # numbers and steps that are measured together; more gain nothing
FRAMES_AT_ONCE = 4  # as many as stay in the processor's cache
GRID_REACH = 2.75  # half the side, in standard deviations of the inputs

# glibc gives freed memory back beyond twice the largest block freed so far, 128 kB at first, and every evaluation pays
# for it again, page by page: up to a quarter of a run.  This block, freed untouched, raises the limit to 32 MB.
np.empty(16_000_000, np.uint8)


def evaluation_steps(steps: int) -> Array:
    """0, E, 2E, ..., steps with E = max(1, steps // 100)."""
    every = max(1, steps // EVALUATIONS)
    return np.unique([*range(0, steps, every), steps])


@dataclass
class Evaluation:
    """What an evaluation computed at once, and what the rest of it needs."""

    parameters: Parameters
    probe: ForwardPass
    z: Array  # at the output, on training and validation set, one after the other
    losses: dict[str, Array]
    signal: ErrorSignal | None = None  # on the probe, where the update that follows has it


class Recorder:
    """What a stack of networks leaves behind.  A network is known by its index in the stack, until others end.

    Most of what is measured waits until there is enough for a few long NumPy calls: several steps of a network are
    measured like several networks, which changes no bit.  Where the probe is the batch of every update, an evaluation
    and the update that follows share the pass through it, forward and back.  max_updates and max_frames bound what is
    recorded.  Arrays that can be made anew are not pickled: whoever pickles a Recorder has it measure before, and opens
    it afterwards.
    """

    def __init__(
        self,
        experiments: Sequence[Experiment],
        datasets: Sequence[Dataset],
        parameters: Parameters,
        max_updates: int,
        max_frames: int,
    ):
        self._experiments, self._datasets = list(experiments), list(datasets)
        first, dataset = experiments[0], datasets[0]
        self._loss = chosen_loss(first.loss, dataset.task)
        self._architecture, self._output = parameters.architecture, parameters.architecture.output
        self._starts = [*parameters.weight_starts, parameters.n_weights]
        self._stride = -(-first.steps // max_updates) if max_updates else 0
        evaluations = evaluation_steps(first.steps)
        self._frame_type, frames = frame_limits(first, dataset.n_in, dataset.n_out, max_frames)
        # The best evaluation and an early last one are not known beforehand: two frames are left for them.
        chosen = np.linspace(0, len(evaluations) - 1, min(max(frames - 2, 1), len(evaluations))).round().astype(int)
        self._framed = set(evaluations[chosen].tolist())
        self._frames: dict[int, tuple[Array, Array]] = {}  # step -> parameters and running statistics

        n_layers, n_classes = first.depth + 1, len(dataset.class_names)
        self._update_rows = Rows(len(experiments), measures.update_shapes(n_layers))
        self._evaluation_rows = Rows(len(experiments), measures.evaluation_shapes(n_layers, n_classes))
        self._stopping = [EarlyStopping(first.patience) for _ in experiments]
        start = list(zip(parameters.flat.copy(), parameters.running.copy(), strict=True))
        # flat parameters and running statistics of the best evaluation, and of the last with finite losses and its step
        self._best, self._last = start, [(0, network) for network in start]
        self._updates: list[tuple[int, dict[str, Array], ErrorSignal]] = []  # not measured yet, with their step
        self._evaluations: list[tuple[int, Evaluation]] = []
        self.open()

    REBUILT = "inputs", "_train_targets", "_sets", "_l1", "_l2", "_flats"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self.REBUILT}

    def open(self) -> None:
        """Make the arrays of the networks that still run."""
        if not self._experiments:
            return
        datasets, kind = self._datasets, self._experiments[0].precision
        inputs = [np.concatenate([dataset.train_inputs, dataset.validation_inputs]) for dataset in datasets]
        self.inputs = np.array(inputs, kind)
        self._train_targets = np.array([dataset.target_rows("train") for dataset in datasets], kind)
        validation_targets = np.array([dataset.target_rows("validation") for dataset in datasets], kind)
        n = self._train_targets.shape[1]
        self._sets = ("train", slice(0, n), self._train_targets), ("validation", slice(n, None), validation_targets)
        self._l1 = np.array([[experiment.l1] for experiment in self._experiments], kind)
        self._l2 = np.array([[experiment.l2] for experiment in self._experiments], kind)

        self._n_probe = min(n, PROBE)
        first, n_parameters = self._experiments[0], Parameters.size(self._architecture)
        batch, units = min(first.batch_size or first.n_train, first.n_train), first.depth * first.width
        # A forward pass of an update and one of an evaluation differ by masks and batch statistics.
        self._shares = batch == self._n_probe == n and not first.dropout and first.normalization != "batch"
        self._evaluations_at_once = _at_once(len(datasets) * self._n_probe * units)
        updates_at_once = _at_once(len(datasets) * (3 * n_parameters + 2 * batch * units))
        self._flats = np.empty((updates_at_once, len(datasets), 3, n_parameters))

    def keep(self, indices: Array) -> None:
        """Forget all networks but those at these indices."""
        self.measure()
        self._experiments = [self._experiments[index] for index in indices]
        self._datasets = [self._datasets[index] for index in indices]
        self._update_rows.keep(indices)
        self._evaluation_rows.keep(indices)
        self._frames = {step: (flat[indices], running[indices]) for step, (flat, running) in self._frames.items()}
        self._stopping = [self._stopping[index] for index in indices]
        self._best = [self._best[index] for index in indices]
        self._last = [self._last[index] for index in indices]
        self.open()

    # --- while it trains ---

    def shared_pass(self, step: int) -> ForwardPass | None:
        """The forward pass of update `step`, where an evaluation has just made it."""
        if self._shares and self._evaluations and self._evaluations[-1][0] == step:
            return self._evaluations[-1][1].probe
        return None

    def share(self, step: int, signal: ErrorSignal) -> None:
        """Keep the error signal of update `step` for the evaluation whose pass it began from, if there is one."""
        if self.shared_pass(step):
            self._evaluations[-1][1].signal = signal

    def records_update(self, step: int, ended: bool) -> bool:
        """Whether a row of this update is due; that of an update that ends a network always is."""
        return self._stride > 0 and (ended or step % self._stride == 0)

    def update(
        self, step: int, row: dict[str, Array], gradient: Array, parameters: Array, update: Array, signal: ErrorSignal
    ) -> None:
        """Take down an update: a row of numbers (networks,), flat gradient of the data loss, θ and Δ, error signal."""
        if self._updates and self._updates[-1][2].output.shape != signal.output.shape:
            self._measure_updates()  # the last batch of an epoch is short
        flats = self._flats[len(self._updates)]
        flats[:, 0], flats[:, 1], flats[:, 2] = gradient, parameters, update
        self._updates.append((step, row, signal))
        if len(self._updates) == len(self._flats):
            self._measure_updates()

    def evaluate(self, step: int, parameters: Parameters) -> Array:
        """Evaluate every network at θ_step; whether its losses are finite, (networks,)."""
        if len(self._evaluations) == self._evaluations_at_once:  # not before the update that shared the last one's pass
            self._measure_evaluations()
        evaluation = self._evaluation(parameters, slice(None))
        self._evaluations.append((step, evaluation))
        flat, running, loss = evaluation.parameters.flat, evaluation.parameters.running, evaluation.losses
        if step in self._framed:
            self._frames[step] = flat.astype(self._frame_type), running.astype(self._frame_type)
        finite = np.isfinite(loss["train_loss"]) & np.isfinite(loss["validation_loss"])
        for index in np.flatnonzero(finite).tolist():
            network = flat[index], running[index]
            self._last[index] = step, network
            if self._stopping[index].evaluate(step, float(loss["validation_loss"][index])):
                self._best[index] = network
        if len(self._evaluations) == self._evaluations_at_once and not self._shares:
            self._measure_evaluations()
        return finite

    @property
    def stopped(self) -> Array:
        """Which networks have waited for their patience, (networks,)."""
        return np.array([stopping.stop for stopping in self._stopping], bool)

    # --- what is measured ---

    def measure(self) -> None:
        """Measure what waits for it."""
        if self._updates:
            self._measure_updates()
        if self._evaluations:
            self._measure_evaluations()

    def _measure_updates(self) -> None:
        steps, rows, signals = zip(*self._updates, strict=True)
        fields = {name: np.array([row[name] for row in rows]) for name in rows[0]}
        self._update_rows.extend(steps, fields | measures.update_rows(self._flats[: len(steps)], self._starts, signals))
        self._updates.clear()

    def _measure_evaluations(self) -> None:
        steps, evaluations = zip(*self._evaluations, strict=True)
        fields = self._evaluation_fields(evaluations, np.tile(np.arange(len(self._experiments)), len(steps)))
        shape = len(steps), len(self._experiments)
        rows = {name: values.reshape(*shape, *values.shape[1:]) for name, values in fields.items()}
        self._evaluation_rows.extend(steps, rows)
        self._evaluations.clear()

    def _evaluation(self, parameters: Parameters, indices: slice | list[int]) -> "Evaluation":
        """Whole sets through the networks at some indices; layers of the probe are kept if they are not made again."""
        inputs, n_probe = self.inputs[indices], self._n_probe
        probe = forward(parameters, inputs[:, :n_probe], keep=self._shares or self._evaluations_at_once == 1)
        rest = forward(parameters, inputs[:, n_probe:], keep=False)
        z = np.concatenate([probe.output, rest.output], axis=1)
        losses = {}
        for name, part, targets in self._sets:
            value = LOSSES[self._loss].value(z[:, part], targets[indices], self._output)
            losses[f"{name}_loss"] = value.astype(np.float64)
        return Evaluation(parameters.copy(), probe, z, losses)

    def _evaluation_fields(self, evaluations: Sequence["Evaluation"], indices: Array) -> dict[str, Array]:
        """All that is measured at some evaluations, as of one stack of networks, which belong to these indices."""
        flat = np.concatenate([evaluation.parameters.flat for evaluation in evaluations])
        running = np.concatenate([evaluation.parameters.running for evaluation in evaluations])
        parameters = Parameters(self._architecture, flat, running)
        z = np.concatenate([evaluation.z for evaluation in evaluations])
        fields = {"penalty": measures.penalty_value(parameters, self._l1[indices], self._l2[indices])}
        for name, part, targets in self._sets:
            loss = np.concatenate([evaluation.losses[f"{name}_loss"] for evaluation in evaluations])
            fields[f"{name}_loss"] = loss
            fields[f"{name}_accuracy"] = measures.accuracy(z[:, part], targets[indices], self._output, loss)
        if self._output != "linear":
            fields["confusion"] = measures.confusion(z[:, part], targets[indices], self._output)  # on validation data
        passes = [evaluation.probe for evaluation in evaluations]
        if len(passes[0].h):
            each = zip(evaluations, np.split(indices, len(evaluations)), strict=True)
            signals = [one.signal or self._signal(one.parameters, one.probe, part) for one, part in each]
        else:  # layers were not kept
            passes = [forward(parameters, self.inputs[indices, : self._n_probe])]
            signals = [self._signal(parameters, passes[0], indices)]
        return fields | measures.probe_rows(self._architecture, passes, signals)

    def _signal(self, parameters: Parameters, forward_pass: ForwardPass, indices: Array) -> ErrorSignal:
        """The error signal on the probe."""
        targets = self._train_targets[indices, : self._n_probe]
        return backpropagate(
            parameters, forward_pass, LOSSES[self._loss].gradient(forward_pass.output, targets, self._output)
        )

    # --- at the end ---

    def history(
        self,
        index: int,
        status: str,
        last_step: int,
        parameters: Parameters,
        diverged_at: tuple[int, int | None, str] | None = None,
    ) -> RunHistory:
        """The history of one network of the stack that ends with these parameters at last_step."""
        self.measure()
        experiment, dataset = self._experiments[index], self._datasets[index]
        last = parameters[[index]]
        stopping = self._stopping[index]

        updates = self._update_rows.of(index, last_step)
        due = (updates["step"] % max(self._stride, 1) == 0) | (updates["step"] == (diverged_at or [None])[0])
        updates = measures.update_fields({name: values[due] for name, values in updates.items()})

        evaluated_step, evaluated = self._last[index]
        extra = None
        if evaluated_step < last_step:
            extra = self._evaluation_fields([self._evaluation(last, [index])], np.array([index]))
            extra["step"] = np.array([last_step])
        overflown = extra and not np.isfinite([extra["train_loss"], extra["validation_loss"]]).all()
        if overflown or evaluated_step > last_step:
            # the loss of a batch and that of the whole sets need not overflow at the same step
            last_step, last, extra = evaluated_step, _alone(last.architecture, evaluated), None
        evaluations = self._evaluation_rows.of(index, last_step)
        if extra:
            evaluations = {name: np.concatenate([values, extra[name]]) for name, values in evaluations.items()}
        evaluations["evaluation_step"] = evaluations.pop("step")
        best_step = stopping.best_step
        best = _alone(last.architecture, self._best[index])
        if extra and extra["validation_loss"][0] < stopping.best_loss:
            best_step, best = last_step, last
        result = best if experiment.patience else last

        kept = {
            step: (flat[index], running[index]) for step, (flat, running) in self._frames.items() if step < last_step
        }
        for step, network in ((best_step, best), (last_step, last)):
            kept[step] = network.flat[0].astype(self._frame_type), network.running[0].astype(self._frame_type)
        kept = dict(sorted(kept.items()))
        frames = Parameters(last.architecture, *(np.array(part) for part in zip(*kept.values(), strict=True)))
        frame_step = np.array(list(kept))
        confusion = evaluations.pop("confusion", None)
        if confusion is not None:
            confusion = confusion[np.isin(evaluations["evaluation_step"], frame_step)].astype(np.int32)
        axes, predictions = _predictions(frames, dataset, self._output)
        test_loss, test_accuracy = self._test(result, dataset)
        last_test_loss, last_test_accuracy = self._test(last, dataset)
        return RunHistory(
            experiment=experiment,
            status=status,
            best_step=best_step,
            diverged_at=diverged_at,
            **updates,
            **evaluations,
            frame_step=frame_step,
            weights=tuple(frames.weights),
            biases=tuple(frames.biases),
            scales=tuple(frames.scales),
            shifts=tuple(frames.shifts),
            running_means=tuple(frames.running_means),
            running_variances=tuple(frames.running_variances),
            predictions=predictions,
            prediction_axes=axes,
            confusion=confusion,
            test_loss=test_loss,
            test_accuracy=test_accuracy,
            last_test_loss=last_test_loss,
            last_test_accuracy=last_test_accuracy,
        )

    def _test(self, parameters: Parameters, dataset: Dataset) -> tuple[float, float]:
        """Loss and accuracy of one network on the test set."""
        kind = parameters.flat.dtype
        z = forward(parameters, dataset.test_inputs.astype(kind), keep=False).output
        targets = dataset.target_rows("test").astype(kind)[None]
        loss = LOSSES[self._loss].value(z, targets, self._output)
        return float(loss[0]), float(measures.accuracy(z, targets, self._output, loss)[0])


def _at_once(numbers: int) -> int:
    """How many steps wait for each other, one of which has so many numbers to be measured."""
    return min(max(1, WAITING // numbers), MOST_AT_ONCE)


def _alone(architecture: Architecture, network: tuple[Array, Array]) -> Parameters:
    """A network's flat parameters and running statistics as a stack of one."""
    flat, running = network
    return Parameters(architecture, flat[None], running[None])


def _predictions(frames: Parameters, dataset: Dataset, output: str) -> tuple[tuple[Array, ...] | None, Array | None]:
    """The input grid and the outputs on it, (K, G, G, n_out) or (K, G, n_out), in float32: a picture's data."""
    if dataset.n_in > 2:
        return None, None
    reach = max(GRID_REACH, float(np.abs(dataset.train_inputs).max()))
    axis = np.linspace(-reach, reach, GRID if dataset.n_in == 2 else LINE, dtype=np.float32)
    axes = (axis,) * dataset.n_in
    grid = np.stack([values.ravel() for values in np.meshgrid(*axes)], axis=1)
    few = [frames[slice(i, i + FRAMES_AT_ONCE)].astype("float32") for i in range(0, len(frames.flat), FRAMES_AT_ONCE)]
    predictions = np.concatenate([network_outputs(part, forward(part, grid, keep=False)) for part in few])
    return axes, predictions.reshape(-1, *[len(axis)] * dataset.n_in, predictions.shape[-1])
