"""A trained network, opened at one of its frames: its parameters, and what it is shown there."""

import numpy as np

from engine import Experiment, Parameters, RunHistory, batch_indices, dropout_masks, load_dataset
from engine.losses import chosen_loss
from engine.network import architecture_of
from pages.walkthrough.calculation import Problem, Rule


def nearest_frame(history: RunHistory, step: int) -> int:
    """The index of the frame nearest to a training step."""
    return int(np.abs(history.frame_step - step).argmin())


def parameters_at(history: RunHistory, index: int) -> Parameters:
    """The parameters of a frame as a stack of one, in float64 whatever they were trained in."""
    dataset = load_dataset(history.experiment)
    architecture = architecture_of(history.experiment, dataset.n_in, dataset.n_out, dataset.task)
    parameters = Parameters(architecture, np.zeros((1, Parameters.size(architecture))))
    for name in ("weights", "biases", "scales", "shifts", "running_means", "running_variances"):
        for view, frames in zip(getattr(parameters, name), getattr(history, name), strict=True):
            view[0] = frames[index]
    return parameters


def opened(history: RunHistory, index: int, batch: bool, example: int) -> Problem:
    """The network of a frame with the batch and the masks of the update that started from it, or with one example.

    example: of the training set, where it is one.  On its own an example is normalised by the running statistics and
    has no unit dropped.  IndexError for an example that is not there.
    """
    experiment = history.experiment
    dataset = load_dataset(experiment)
    step = int(history.frame_step[index])
    indices = batch_indices(experiment, step) if batch else np.arange(experiment.n_train)[[example]]
    masks = dropout_masks(experiment, step) if batch else None
    return Problem(
        parameters_at(history, index),
        dataset.train_inputs[indices],
        dataset.target_rows("train")[indices],
        chosen_loss(experiment.loss, dataset.task, experiment.output),
        None if masks is None else masks[:, : len(indices)],
        dataset.class_weights(experiment.class_weights),
    )


def rule_of(experiment: Experiment) -> Rule:
    """The update that the experiment takes."""
    e = experiment
    return Rule(e.learning_rate, e.optimizer, e.l1, e.l2, e.clip, e.clip_threshold)
