"""Training: one run, many runs as one stack, and the resumable slices underneath.

Step s: the batch's loss and gradients at θ_s, a row of measures, clipping, the optimizer's Δ, θ_{s+1} = θ_s − Δ; then,
where it is due, an evaluation of θ_{s+1}, which recording.py may measure some steps later.
"""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from engine import measures
from engine.batches import Batches
from engine.blas import one_blas_thread
from engine.cost import MAX_FRAMES, MAX_UPDATES, stack_limit
from engine.data.custom import CustomData
from engine.data.loading import Dataset, load_dataset, stacked_class_weights
from engine.endings import Ending, first_in_backward, first_in_forward
from engine.experiment import SETTINGS, Experiment
from engine.history import RunHistory
from engine.limits import UNLIMITED, Limits, check_budget
from engine.losses import LOSSES
from engine.network import Parameters, architecture_of, backward, forward, initial_parameters, track_statistics
from engine.optimizers import OPTIMIZERS
from engine.plan import plan_of
from engine.recording import Recorder, Update
from engine.remedies import clip_by_norm, clip_by_value, penalty_gradient
from engine.schedules import SCHEDULES
from engine.settings import OutOfRange

Array = np.ndarray

# Of which each network of a stack has a value of its own; networks that differ in nothing else train as one stack.
PER_NETWORK = {
    "dataset", "noise", "label_noise", "data_digest", "initializer", "gain", "bias", "bias_mean", "learning_rate",
    "clip_threshold", "seed", "data_seed", "inputs", "input_scale", "input_shift", "target_scale", "target_shift",
    "imbalance", "shuffle", "leakage", "validation_shift", "validation_labels",
}  # fmt: skip

# What a run may be branched with: the network and its parameters stay, and so do data and loss.
BRANCHED = (
    "activation", "residual", "optimizer", "schedule", "learning_rate", "batch_size", "steps", "clip", "clip_threshold",
    "l1", "l2", "dropout", "patience",
)  # fmt: skip


Branches = tuple[tuple[int, Experiment], ...]  # steps, ascending, and what a run goes on as


def initialize(experiment: Experiment, data: CustomData | None = None) -> Parameters:
    """θ_0 of one experiment: a stack of one."""
    dataset = load_dataset(experiment, data)
    return initial_parameters([experiment], architecture_of(experiment, dataset.n_in, dataset.n_out, dataset.task))


def shape_key(experiment: Experiment) -> tuple:
    """What networks on the same data set must share to train as one stack."""
    apart = PER_NETWORK | {"l1", "l2", "dropout"}
    shared = [getattr(experiment, name) for name in SETTINGS if name not in apart]
    l1, l2, in_loss = experiment.l1, experiment.l2, experiment.l2_in_loss
    return (*shared, l1 > 0 or in_loss > 0, l2 > in_loss, experiment.dropout > 0)


def stack_key(experiment: Experiment, dataset: Dataset) -> tuple:
    """What networks must share to train as one stack."""
    sizes = len(dataset.train_inputs), len(dataset.validation_inputs), len(dataset.test_inputs)
    return (*shape_key(experiment), dataset.n_in, dataset.n_out, dataset.task, sizes)


def check_branch(before: Experiment, step: int, experiment: Experiment) -> None:
    """OutOfRange for an experiment that a run cannot go on as from this step."""
    for name, (value, old) in experiment.differences(before).items():
        if name not in BRANCHED:
            raise OutOfRange(name, value, f"{old}, as it was up to step {step}")
    if experiment.steps <= step:
        raise OutOfRange("steps", experiment.steps, f"more than {step}, the step of the branch")


class Training:
    """A run, or a stack of runs of equal shape, that can be advanced, pickled, and advanced elsewhere.

    max_updates and max_frames bound what is recorded; they never change the result.  limits: what a run may cost.
    branches: steps, ascending, at which it goes on as another experiment, see `branch`; one that ends before does not.
    Raises OutOfRange for an experiment beyond these limits or data that do not fit, before any work; ValueError for
    experiments of unequal shape, or branches that do not ascend.
    """

    def __init__(
        self,
        experiments: Experiment | Sequence[Experiment],
        data: CustomData | None = None,
        max_updates: int = MAX_UPDATES,
        max_frames: int = MAX_FRAMES,
        limits: Limits = UNLIMITED,
        branches: Branches = (),
    ):
        if list(branches) != sorted(branches, key=lambda branch: branch[0]):
            raise ValueError("A run is branched at ascending steps.")
        self._branches = branches  # to come
        self.experiments = (experiments,) if isinstance(experiments, Experiment) else tuple(experiments)
        first = self.experiments[0]
        self._datasets = [load_dataset(experiment, data) for experiment in self.experiments]
        keys = {stack_key(*pair) for pair in zip(self.experiments, self._datasets, strict=True)}
        if len(keys) > 1:
            raise ValueError("A stack takes experiments of equal shape; train_many takes any.")
        dataset = self._datasets[0]
        for experiment in self.experiments:
            check_budget(experiment, dataset.n_in, dataset.n_out, limits)

        self._recorded, self._limits = (max_updates, max_frames), limits
        self._plan = plan_of(first, dataset, *self._recorded)
        self.step, self.steps = 0, first.steps
        self._networks = np.arange(len(self.experiments))  # which experiment each network of the stack belongs to
        self._finished: dict[int, RunHistory] = {}
        self._parameters = initial_parameters(self.experiments, self._plan.architecture)
        self._previous = self._parameters.copy()  # θ_{s-1}: where a run ends whose θ_s has no finite loss
        self._optimizer_state = OPTIMIZERS[first.optimizer].state(self._parameters.flat)
        self._optimizer_start = 0  # the step from which it counts its updates
        self._recorder = Recorder(self._plan, self.experiments, self._datasets, self._parameters)
        self._open()
        with np.errstate(all="ignore"), one_blas_thread():
            self._recorder.evaluate(0, self._parameters, self._previous)
            self._measure()

    # --- what can be rebuilt from experiments and data set is not pickled ---

    @np.errstate(over="ignore")  # a target too large for float32 has a loss that is not finite
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
        self._l1, self._l2, self._decay = column("l1"), column("l2_in_loss"), column("l2")
        self._zeros, self._ones = np.zeros(len(experiments)), np.ones(len(experiments))
        self._class_weights = stacked_class_weights(experiments, datasets)
        self._batches = Batches(experiments, datasets, self.step)
        self._gradient = Parameters(self._parameters.architecture, np.empty_like(self._parameters.flat))

    REBUILT = (
        "_rate", "_threshold", "_l1", "_l2", "_decay", "_zeros", "_ones", "_class_weights", "_batches", "_gradient",
    )  # fmt: skip

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
        end = self.step + steps
        while self._branches and self._branches[0][0] <= end and not self.done:
            (step, experiment), *others = self._branches
            self._advance_to(step)
            if not self.done:
                vars(self).update(vars(self.branch(experiment)))
                self._branches = tuple(others)
        return self._advance_to(min(end, self.steps))

    def _advance_to(self, end: int) -> "Training":
        with np.errstate(all="ignore"), one_blas_thread():
            while self.step < end and not self.done:
                self._update()
            self._measure()
        return self

    def branch(self, experiment: Experiment) -> "Training":
        """Another Training, which goes on from here as this experiment: the same parameters, another future.

        The optimizer keeps its state unless it is another one, which starts anew.  Batches and masks are those that the
        experiment has at these steps.  With the same experiment the future is the same, to the last bit.  The history
        has the rows of both, and says in `branches` which experiment it was up to where.
        Raises ValueError unless this is one run that has not ended; OutOfRange for an experiment that differs in more
        than BRANCHED, that has no steps left, or that is beyond the limits of this Training.
        """
        if len(self.experiments) > 1 or self.done:
            raise ValueError("One run that has not ended can be branched.")
        (before,), (dataset,) = self.experiments, self._datasets
        check_branch(before, self.step, experiment)
        check_budget(experiment, dataset.n_in, dataset.n_out, self._limits)
        other = copy.deepcopy(self)
        other._branches = ()
        other.experiments, other.steps = (experiment,), experiment.steps
        other._plan = plan_of(experiment, dataset, *self._recorded)
        other._parameters, other._previous = (
            Parameters(other._plan.architecture, one.flat, one.running) for one in (other._parameters, other._previous)
        )
        if experiment.optimizer != before.optimizer:
            other._optimizer_state = OPTIMIZERS[experiment.optimizer].state(other._parameters.flat)
            other._optimizer_start = self.step
        other._recorder.branch(self.step, other._plan, experiment)
        other._open()
        return other

    def history(self) -> RunHistory:
        """The run so far, of a Training of one experiment."""
        (history,) = self.histories()
        return history

    def histories(self) -> tuple[RunHistory, ...]:
        """The runs so far, in the order of the experiments; status "running" for those that have not ended."""
        with np.errstate(all="ignore"), one_blas_thread():
            running = {
                int(self._networks[index]): self._recorder.history(index, ending)
                for index, ending in self._now("running", range(len(self._networks))).items()
            }
        histories = running | self._finished
        return tuple(histories[i] for i in range(len(self.experiments)))

    def _update(self) -> None:
        """Step s, as this module's first lines have it; networks that diverge in it end."""
        first, plan, step = self.experiments[0], self._plan, self.step
        objective = LOSSES[plan.loss]
        parameters, gradient, next_parameters = self._parameters, self._gradient, self._previous
        inputs, targets = self._batches.at(step)
        masks = self._batches.masks(inputs.shape[1])
        forward_pass = forward(parameters, inputs, masks, training=True)
        loss = objective.weighted_value(forward_pass.output, targets, plan.output, self._class_weights)
        if not (finite := np.isfinite(loss)).all():
            ends = np.flatnonzero(~finite).tolist()
            where = {index: (step, *first_in_forward(forward_pass, index)) for index in ends}
            self._end({i: Ending("diverged", max(step - 1, 0), self._previous[[i]], where[i]) for i in ends})
            return

        output_gradient = objective.weighted_gradient(forward_pass.output, targets, plan.output, self._class_weights)
        _, signal = backward(parameters, forward_pass, output_gradient, gradient)
        clipped, norms = self._penalised_and_clipped(gradient.flat)
        optimizer, rate = OPTIMIZERS[first.optimizer], self._rate
        if first.schedule != "constant":
            rate = rate * SCHEDULES[first.schedule](step, self.steps)
        change = optimizer.update(clipped, self._optimizer_state, rate, step + 1 - self._optimizer_start)
        if first.l2 > first.l2_in_loss:
            weights = slice(0, parameters.n_weights)
            change[:, weights] += rate * self._decay * parameters.flat[:, weights]
        np.subtract(parameters.flat, change, out=next_parameters.flat)
        next_parameters.running[...] = parameters.running
        track_statistics(next_parameters, forward_pass)

        finite = np.isfinite(next_parameters.flat).all(axis=1)
        if norms:
            finite &= np.isfinite(norms["total_gradient_norm"])  # θ is finite where infinities were clipped
        if next_parameters.running.size:
            finite &= np.isfinite(next_parameters.running).all(axis=1)
        ended = not finite.all()
        row = {"batch_loss": loss, **norms}
        update = Update(row, parameters.flat, gradient.flat, change, forward_pass, signal)
        self._recorder.update(step, update, ended)
        self._parameters, self._previous = next_parameters, parameters
        self.step += 1
        if ended:
            ends = np.flatnonzero(~finite).tolist()
            where = {index: (step, *first_in_backward(signal, gradient, next_parameters, index)) for index in ends}
            self._end({i: Ending("diverged", step, parameters[[i]], where[i]) for i in ends})
        if self.step in plan.evaluations:
            self._evaluate()
        if self.step == self.steps:
            self._end(self._now("completed", range(len(self._networks))))

    def _penalised_and_clipped(self, data_gradient: Array) -> tuple[Array, dict[str, Array]]:
        """The gradient that the optimizer gets, of data loss plus penalty, clipped; and its norms on the way there.

        No norms where it is that of the data loss, unclipped.
        """
        first, n_weights = self.experiments[0], self._parameters.n_weights
        penalised = first.l1 > 0 or first.l2_in_loss > 0
        if not penalised and first.clip == "none":
            return data_gradient, {}
        total, penalty_norm, cosine = data_gradient, self._zeros, self._ones
        if penalised:
            penalty = penalty_gradient(self._parameters.flat[:, :n_weights], self._l1, self._l2)
            total = data_gradient.copy()
            total[:, :n_weights] += penalty
            penalty_norm = measures.norms(penalty)
        total_norm = measures.norms(total)
        clipped, clipped_norm = total, total_norm
        if first.clip != "none":
            if first.clip == "norm":
                clipped = clip_by_norm(total, total_norm[:, None], self._threshold)
            else:
                clipped = clip_by_value(total, self._threshold)
            clipped_norm = measures.norms(clipped)
            cosine = measures.clip_cosine(total, clipped, total_norm, clipped_norm)
        return clipped, {
            "penalty_gradient_norm": penalty_norm,
            "total_gradient_norm": total_norm,
            "clipped_norm": clipped_norm,
            "clip_cosine": cosine,
        }

    # --- evaluations and ends ---

    def _evaluate(self) -> None:
        if self._recorder.full:
            self._measure()
        if not self.done:
            self._recorder.evaluate(self.step, self._parameters, self._previous)
        if self._recorder.may_stop:
            self._measure()

    def _now(self, status: str, indices: Iterable[int]) -> dict[int, Ending]:
        """How some networks end, or stand, at the present step."""
        return {index: Ending(status, self.step, self._parameters[[index]]) for index in indices}

    def _measure(self) -> None:
        """Measure what waits, which may end networks."""
        self._end({})

    def _end(self, endings: dict[int, Ending]) -> None:
        """Write the histories of some networks, by their index, and go on without them.

        An evaluation that waited may show that a network had ended before, or has to stop.
        """
        overflown = self._recorder.measure()
        stopped = self._recorder.stopped if self.step < self.steps else []
        endings = self._now("stopped_early", stopped) | endings | overflown
        if not endings:
            return
        for index, ending in endings.items():
            self._finished[int(self._networks[index])] = self._recorder.history(index, ending)
        kept = np.array([index for index in range(len(self._networks)) if index not in endings], int)
        self._networks = self._networks[kept]
        self._parameters, self._previous = self._parameters[kept], self._previous[kept]
        self._optimizer_state = [state[kept] for state in self._optimizer_state]
        self._recorder.keep(kept)
        self._open()


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
    data: inputs and targets where the data set is "custom".  max_updates and max_frames are those of Training;
    max_seconds and max_bytes, where they are given, bound the run's estimated time on one core and its history's size.
    Raises OutOfRange for data that do not fit, and for an experiment beyond limits that were given.
    """
    training = Training(experiment, data, max_updates, max_frames, Limits(max_seconds, max_bytes))
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

    The other arguments are those of train; max_seconds and max_bytes are for each run.
    """
    histories: dict[int, RunHistory] = {}
    limits = Limits(max_seconds, max_bytes)
    for group in stacks(experiments, data):
        stack = [experiments[i] for i in group]
        training = Training(stack, data, max_updates, max_frames, limits)
        histories |= zip(group, training.advance(training.steps).histories(), strict=True)
    return [histories[i] for i in range(len(experiments))]
