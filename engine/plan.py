"""What is settled before the first update: the network, its loss, and what is recorded when."""

from dataclasses import dataclass

import numpy as np

from engine.cost import evaluation_interval, frame_limits
from engine.data.loading import Dataset
from engine.experiment import Experiment
from engine.losses import chosen_loss
from engine.network import Architecture, architecture_of

Array = np.ndarray

PROBE = 256  # training examples that activations are measured on


def evaluation_steps(steps: int) -> Array:
    """0, E, 2E, ..., steps with E = max(1, steps // 100)."""
    return np.array([*range(0, steps, evaluation_interval(steps)), steps])


@dataclass(frozen=True)
class Plan:
    """The plan of a run, or of a stack of runs of equal shape.  Training and Recorder share one."""

    architecture: Architecture
    task: str  # binary, classes or regression
    loss: str  # a name in LOSSES
    steps: int  # updates
    batch: int  # examples of an update; the last of an epoch may have fewer
    n_train: int
    n_probe: int  # the first of the training examples
    patience: int
    probe_is_batch: bool  # an update's forward pass is that of an evaluation: same examples, masks and statistics
    update_stride: int  # a row every so many updates; 0: none
    evaluations: frozenset[int]  # steps after which the whole sets are evaluated
    frames: frozenset[int]  # those of them at which the parameters are kept
    frame_type: str  # float64, or float32 where a large network would not fit

    @property
    def output(self) -> str:
        """sigmoid, softmax, linear, tanh or relu."""
        return self.architecture.output


def plan_of(experiment: Experiment, dataset: Dataset, max_updates: int, max_frames: int) -> Plan:
    """The plan of every run that has this one's shape; at most so many rows of updates and frames are recorded."""
    n_train, steps = len(dataset.train_inputs), experiment.steps
    batch = experiment.examples_per_update
    n_probe = min(n_train, PROBE)
    evaluations = evaluation_steps(steps)
    frame_type, frames = frame_limits(experiment, dataset.n_in, dataset.n_out, max_frames)
    # The best evaluation and an early last one are not known beforehand: two frames are left for them.
    chosen = np.linspace(0, len(evaluations) - 1, min(max(frames - 2, 1), len(evaluations))).round().astype(int)
    return Plan(
        architecture_of(experiment, dataset.n_in, dataset.n_out, dataset.task),
        dataset.task,
        chosen_loss(experiment.loss, dataset.task, experiment.output),
        steps,
        batch,
        n_train,
        n_probe,
        experiment.patience,
        batch == n_probe == n_train and not experiment.dropout and experiment.normalization != "batch",
        -(-steps // max_updates) if max_updates else 0,
        frozenset(evaluations.tolist()),
        frozenset(evaluations[chosen].tolist()),
        frame_type,
    )
