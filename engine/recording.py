"""Recording: rows of updates, evaluations and frames of a stack of networks while it trains, and histories of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine import measures
from engine.data.loading import Dataset, stacked_class_weights
from engine.endings import Ending, first_in_forward
from engine.experiment import Experiment
from engine.history import Rows, RunHistory
from engine.losses import LOSSES
from engine.network import ErrorSignal, ForwardPass, Parameters, backpropagate, forward
from engine.plan import Plan
from engine.predictions import predictions_of
from engine.remedies import EarlyStopping

Array = np.ndarray

ALIGNED = 8  # numbers: 32 bytes of float32
WAITING, MOST_AT_ONCE = 1_000_000, 16  # numbers and steps that are measured together; more gain nothing

# glibc gives freed memory back beyond twice the largest block freed so far, 128 kB at first, and every evaluation pays
# for it again, page by page: up to a quarter of a run.  This block, freed untouched, raises the limit to 32 MB.
np.empty(16_000_000, np.uint8)

Network = tuple[Array, Array]  # flat parameters and running statistics of one network


@dataclass
class Update:
    """What an update computed, for all networks of the stack."""

    row: dict[str, Array]  # numbers (networks,) by the names of RunHistory's fields
    parameters: Array  # θ_s, flat
    gradient: Array  # of the data loss, flat
    change: Array  # Δ, flat: θ_{s+1} = θ_s − Δ
    forward_pass: ForwardPass
    signal: ErrorSignal


@dataclass
class Waiting:
    """An evaluation that waits to be measured; its passes through the probe, if the update after it makes them."""

    step: int
    forward_pass: ForwardPass | None = None
    signal: ErrorSignal | None = None


@dataclass(frozen=True)
class Networks:
    """The last network of a run that has finite losses, and the best; stacks of one.

    extra: the evaluation of the last, where none was due at its step.
    """

    last_step: int
    last: Parameters
    best_step: int
    best: Parameters
    extra: dict[str, Array] | None


class Recorder:
    """What a stack of networks leaves behind.  A network is known by its index in the stack, until others end.

    Training calls, for s = 0, 1, 2, ...:
        evaluate(s, θ_s, θ_{s-1})   where plan.evaluations has s;
        update(s, ...)              with what update s computed;
        measure()                   before evaluate where `full`, after it where `may_stop`, and before networks end,
                                    a history is asked for, or pickling.

    All that is measured waits until there is enough for a few long NumPy calls: several steps of a network are measured
    like several networks, which changes no bit.  Evaluations wait too, as long as no network can run out of patience
    meanwhile; where the probe is the batch of every update, an evaluation uses the passes of the update that follows.
    measure() says which networks had no finite loss at an evaluation: their run had ended there.
    Arrays that can be made anew are not pickled: whoever unpickles a Recorder opens it.
    """

    def __init__(
        self, plan: Plan, experiments: Sequence[Experiment], datasets: Sequence[Dataset], parameters: Parameters
    ):
        self._plan, self._experiments, self._datasets = plan, list(experiments), list(datasets)
        self._frames: dict[int, tuple[Array, Array]] = {}  # step -> parameters and running statistics

        n_layers, n_classes = plan.architecture.depth + 1, len(datasets[0].class_names)
        self._starts = [*parameters.weight_starts, parameters.n_weights]
        self._update_rows = Rows(len(experiments), measures.update_shapes(n_layers))
        self._evaluation_rows = Rows(len(experiments), measures.evaluation_shapes(n_layers, n_classes))
        self._stopping = [EarlyStopping(plan.patience) for _ in experiments]
        start: list[Network] = list(zip(parameters.flat.copy(), parameters.running.copy(), strict=True))
        # of the best evaluation, and of the last with finite losses and its step
        self._best, self._last = start, [(0, network) for network in start]
        self._branches: tuple[tuple[int, Experiment], ...] = ()
        self._updates: list[tuple[int, dict[str, Array], ErrorSignal]] = []  # not measured yet, with their step
        self._evaluations: list[Waiting] = []
        self.open()

    REBUILT = "_inputs", "_train_targets", "_class_weights", "_sets", "_l1", "_l2", "_flats", "_evaluated"

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self.REBUILT}

    @np.errstate(over="ignore")  # a target too large for float32 has a loss that is not finite
    def open(self) -> None:
        """Make the arrays of the networks that still run."""
        if not self._experiments:
            return
        plan, datasets, kind = self._plan, self._datasets, self._experiments[0].precision
        inputs = [np.concatenate([dataset.train_inputs, dataset.validation_inputs]) for dataset in datasets]
        self._inputs = np.array(inputs, kind)
        self._train_targets = np.array([dataset.target_rows("train") for dataset in datasets], kind)
        self._class_weights = stacked_class_weights(self._experiments, datasets)
        validation_targets = np.array([dataset.target_rows("validation") for dataset in datasets], kind)
        n = plan.n_train
        self._sets = ("train", slice(0, n), self._train_targets), ("validation", slice(n, None), validation_targets)
        self._l1 = np.array([[experiment.l1] for experiment in self._experiments], kind)
        self._l2 = np.array([[experiment.l2_in_loss] for experiment in self._experiments], kind)

        networks, (flat, running) = len(datasets), self._best[0]
        units = plan.architecture.depth * plan.architecture.width
        updates_at_once = _at_once(networks * (3 * len(flat) + 2 * plan.batch * units))
        # Every row begins at a multiple of so many numbers: some BLAS kernels add up others in another order.
        row = -(-len(flat) // ALIGNED) * ALIGNED
        self._flats = np.empty((updates_at_once, networks, 3, row), kind)[..., : len(flat)]
        at_once = _at_once(networks * (2 * len(flat) + plan.n_probe * units))
        # Of the evaluations that wait, what θ is and was a step before: flat parameters, and running statistics.
        self._evaluated = [np.empty((2, at_once, networks, len(part)), kind) for part in (flat, running)]

    def keep(self, indices: Array) -> None:
        """Forget all networks but those at these indices; nothing waits to be measured."""
        self._experiments = [self._experiments[index] for index in indices]
        self._datasets = [self._datasets[index] for index in indices]
        self._update_rows.keep(indices)
        self._evaluation_rows.keep(indices)
        self._frames = {step: (flat[indices], running[indices]) for step, (flat, running) in self._frames.items()}
        self._stopping = [self._stopping[index] for index in indices]
        self._best = [self._best[index] for index in indices]
        self._last = [self._last[index] for index in indices]
        self.open()

    def branch(self, step: int, plan: Plan, experiment: Experiment) -> None:
        """Go on from this step with the one network as another experiment's; nothing waits to be measured."""
        self._branches = (*self._branches, (step, self._experiments[0]))
        self._plan, self._experiments = plan, [experiment]
        self._frames = {at: frame for at, frame in self._frames.items() if at in plan.frames}
        (stopping,) = self._stopping
        self._stopping = [replace(stopping, patience=plan.patience, waited=stopping.waited if plan.patience else 0)]
        self.open()

    # --- while it trains ---

    def evaluate(self, step: int, parameters: Parameters, previous: Parameters) -> None:
        """Have every network evaluated at θ_step; a network whose loss overflows there ends with θ_{step-1}."""
        index = len(self._evaluations)
        flats, runnings = self._evaluated
        flats[:, index] = parameters.flat, previous.flat
        runnings[:, index] = parameters.running, previous.running
        self._evaluations.append(Waiting(step))

    def update(self, step: int, update: Update, ended: bool) -> None:
        """Take down an update, if a row of it is due; that of an update that ends a network always is."""
        if self._plan.probe_is_batch and self._evaluations and self._evaluations[-1].step == step:
            waiting = self._evaluations[-1]
            waiting.forward_pass, waiting.signal = update.forward_pass, update.signal
        stride = self._plan.update_stride
        if not stride or not (ended or step % stride == 0):
            return
        if self._updates and self._updates[-1][2].output.shape != update.signal.output.shape:
            self._measure_updates()  # the last batch of an epoch is short
        flats = self._flats[len(self._updates)]
        flats[:, 0], flats[:, 1], flats[:, 2] = update.gradient, update.parameters, update.change
        self._updates.append((step, update.row, update.signal))
        if len(self._updates) == len(self._flats):
            self._measure_updates()

    @property
    def full(self) -> bool:
        """Whether no other evaluation may wait."""
        return len(self._evaluations) == self._evaluated[0].shape[1]

    @property
    def may_stop(self) -> bool:
        """Whether the evaluations that wait could be those that exhaust a network's patience."""
        return any(stopping.may_stop(len(self._evaluations)) for stopping in self._stopping)

    @property
    def stopped(self) -> list[int]:
        """Networks that have waited for their patience."""
        return [index for index, stopping in enumerate(self._stopping) if stopping.stop]

    # --- what is measured ---

    def measure(self) -> dict[int, Ending]:
        """Measure what waits; index -> ending of each network that had no finite loss at an evaluation."""
        if self._updates:
            self._measure_updates()
        return self._measure_evaluations() if self._evaluations else {}

    def _measure_updates(self) -> None:
        steps, rows, signals = zip(*self._updates, strict=True)
        fields = measures.update_rows(self._flats[: len(steps)], self._starts, signals)
        self._update_rows.extend(steps, fields | {name: np.array([row[name] for row in rows]) for name in rows[0]})
        self._updates.clear()

    def _measure_evaluations(self) -> dict[int, Ending]:
        waiting, self._evaluations = self._evaluations, []
        count, networks, plan = len(waiting), len(self._experiments), self._plan
        (flats, previous), (runnings, previous_running) = (part[:, :count] for part in self._evaluated)
        indices = np.arange(networks)
        if plan.probe_is_batch:
            probes = [
                (one.forward_pass, one.signal)
                if one.forward_pass and one.signal
                else self._probe(Parameters(plan.architecture, flats[i], runnings[i]), indices)
                for i, one in enumerate(waiting)
            ]
        indices = np.tile(indices, count)
        # several evaluations of a network are computed like one of several networks
        stack = Parameters(plan.architecture, flats.reshape(len(indices), -1), runnings.reshape(len(indices), -1))
        if not plan.probe_is_batch:
            probes = [self._probe(stack, indices)]
        fields = self._evaluation_fields(stack, indices, probes)
        rows = {name: values.reshape(count, networks, *values.shape[1:]) for name, values in fields.items()}
        steps = [one.step for one in waiting]
        self._evaluation_rows.extend(steps, rows)
        for i, step in enumerate(steps):
            if step in plan.frames:
                self._frames[step] = flats[i].astype(plan.frame_type), runnings[i].astype(plan.frame_type)

        overflown = {}
        finite = np.isfinite(rows["train_loss"]) & np.isfinite(rows["validation_loss"])
        for index, stopping in enumerate(self._stopping):
            n_finite = count if finite[:, index].all() else int(finite[:, index].argmin())
            losses = rows["validation_loss"][:n_finite, index].tolist()
            better = [i for i, loss in enumerate(losses) if stopping.evaluate(steps[i], loss)]
            if better:
                self._best[index] = flats[better[-1], index].copy(), runnings[better[-1], index].copy()
            if n_finite:
                last = flats[n_finite - 1, index].copy(), runnings[n_finite - 1, index].copy()
                self._last[index] = steps[n_finite - 1], last
            if n_finite < count:
                network, before = (
                    self._alone((flat[n_finite, index].copy(), running[n_finite, index].copy()))
                    for flat, running in ((flats, runnings), (previous, previous_running))
                )
                step, forward_pass = steps[n_finite], forward(network, self._inputs[[index]])
                diverged_at = step, *first_in_forward(forward_pass, 0)
                overflown[index] = Ending("diverged", max(step - 1, 0), before, diverged_at)
        return overflown

    def _probe(self, parameters: Parameters, indices: Array) -> tuple[ForwardPass, ErrorSignal]:
        """The passes of networks through the probe."""
        n_probe, loss, output = self._plan.n_probe, LOSSES[self._plan.loss], self._plan.output
        forward_pass = forward(parameters, _of(self._inputs[:, :n_probe], indices))
        targets = _of(self._train_targets[:, :n_probe], indices)
        weights = None if self._class_weights is None else _of(self._class_weights, indices)
        output_gradient = loss.weighted_gradient(forward_pass.output, targets, output, weights)
        return forward_pass, backpropagate(parameters, forward_pass, output_gradient)

    def _evaluation_fields(
        self, parameters: Parameters, indices: Array, probes: Sequence[tuple[ForwardPass, ErrorSignal]]
    ) -> dict[str, Array]:
        """All that is measured at an evaluation, of each network of a stack; the one of a row belongs to its index.

        probes: passes through the probe, of the first networks, the next, and so on.
        """
        passes, signals = zip(*probes, strict=True)
        loss, output = LOSSES[self._plan.loss], self._plan.output
        rest = forward(parameters, _of(self._inputs[:, self._plan.n_probe :], indices), keep=False)
        on_probe = np.concatenate([forward_pass.output for forward_pass in passes])
        z = np.concatenate([on_probe, rest.output], axis=1)
        fields = {"penalty": measures.penalty_value(parameters, self._l1[indices], self._l2[indices])}
        for name, part, all_targets in self._sets:
            targets = _of(all_targets, indices)
            value = loss.value(z[:, part], targets, output).astype(np.float64)
            fields[f"{name}_loss"] = value
            fields[f"{name}_accuracy"] = measures.accuracy(z[:, part], targets, output, value, self._plan.task)
        if self._plan.task != "regression":
            fields["confusion"] = measures.confusion(z[:, part], targets, output)  # on validation data
        return fields | measures.probe_rows(self._plan.architecture, passes, signals)

    # --- at the end ---

    def history(self, index: int, ending: Ending) -> RunHistory:
        """The history of one network of the stack; nothing waits to be measured."""
        experiment, dataset = self._experiments[index], self._datasets[index]
        networks = self._networks(index, ending)
        evaluations = self._evaluations_until(index, networks)
        frame_step, frames = self._frames_until(index, networks)
        confusion = evaluations.pop("confusion", None)
        if confusion is not None:
            confusion = confusion[np.isin(evaluations["evaluation_step"], frame_step)].astype(np.int32)
        axes, predictions = predictions_of(frames, dataset, self._plan.output)
        test_loss, test_accuracy = self._test(networks.best if experiment.patience else networks.last, dataset)
        last_test_loss, last_test_accuracy = self._test(networks.last, dataset)
        return RunHistory(
            experiment=experiment,
            status=ending.status,
            best_step=networks.best_step,
            diverged_at=ending.diverged_at,
            **self._updates_until(index, ending),
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
            branches=self._branches,
        )

    def _networks(self, index: int, ending: Ending) -> Networks:
        """Which network is the last and which the best; the last is evaluated once more, where that was not due."""
        last_step, last, extra = ending.step, ending.parameters, None
        evaluated_step, evaluated = self._last[index]
        if evaluated_step < last_step:
            row = np.array([index])
            extra = self._evaluation_fields(last, row, [self._probe(last, row)]) | {"step": np.array([last_step])}
        overflown = extra and not np.isfinite([extra["train_loss"], extra["validation_loss"]]).all()
        if overflown or evaluated_step > last_step:
            # the loss of a batch and that of the whole sets need not overflow at the same step
            last_step, last, extra = evaluated_step, self._alone(evaluated), None
        stopping = self._stopping[index]
        if extra and extra["validation_loss"][0] < stopping.best_loss:
            return Networks(last_step, last, last_step, last, extra)
        return Networks(last_step, last, stopping.best_step, self._alone(self._best[index]), extra)

    def _updates_until(self, index: int, ending: Ending) -> dict[str, Array]:
        """The fields of the updates' clock."""
        rows = self._update_rows.of(index, ending.step)
        due = rows["step"] % max(self._plan.update_stride, 1) == 0
        if ending.diverged_at:
            due |= rows["step"] == ending.diverged_at[0]
        return measures.update_fields({name: values[due] for name, values in rows.items()})

    def _evaluations_until(self, index: int, networks: Networks) -> dict[str, Array]:
        """The fields of the evaluations' clock, and confusion at all of them."""
        rows = self._evaluation_rows.of(index, networks.last_step)
        if networks.extra:
            rows = {name: np.concatenate([values, networks.extra[name]]) for name, values in rows.items()}
        return {"evaluation_step": rows.pop("step"), **rows}

    def _frames_until(self, index: int, networks: Networks) -> tuple[Array, Parameters]:
        """Steps of the frames, and the parameters at them as a stack: those that were due, the best and the last."""
        kept = {
            step: (flat[index], running[index])
            for step, (flat, running) in self._frames.items()
            if step < networks.last_step
        }
        for step, network in ((networks.best_step, networks.best), (networks.last_step, networks.last)):
            kept[step] = tuple(part[0].astype(self._plan.frame_type) for part in (network.flat, network.running))
        kept = dict(sorted(kept.items()))
        stack = Parameters(self._plan.architecture, *(np.array(part) for part in zip(*kept.values(), strict=True)))
        return np.array(list(kept)), stack

    def _alone(self, network: Network) -> Parameters:
        """A network as a stack of one."""
        flat, running = network
        return Parameters(self._plan.architecture, flat[None], running[None])

    def _test(self, parameters: Parameters, dataset: Dataset) -> tuple[float, float]:
        """Loss and accuracy of one network on the test set."""
        kind, output = parameters.flat.dtype, self._plan.output
        z = forward(parameters, dataset.test_inputs.astype(kind), keep=False).output
        targets = dataset.target_rows("test").astype(kind)[None]
        loss = LOSSES[self._plan.loss].value(z, targets, output)
        return float(loss[0]), float(measures.accuracy(z, targets, output, loss, self._plan.task)[0])


def _of(values: Array, indices: Array) -> Array:
    """Rows of the networks at these indices; of a single network its one row, which broadcasts."""
    return values if len(values) == 1 else values[indices]


def _at_once(numbers: int) -> int:
    """How many steps wait for each other, one of which has so many numbers to be measured."""
    return min(max(1, WAITING // numbers), MOST_AT_ONCE)
