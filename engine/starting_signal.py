"""The error signal of a network before its first update: what fades and what explodes, without any training."""

import numpy as np

from engine.batches import Batches
from engine.blas import one_blas_thread
from engine.data.custom import CustomData
from engine.data.loading import load_dataset, stacked_class_weights
from engine.experiment import Experiment
from engine.losses import LOSSES, chosen_loss
from engine.measures import root_mean_squares
from engine.network import architecture_of, backpropagate, forward, initial_parameters

Array = np.ndarray


def starting_signal(experiment: Experiment, data: CustomData | None = None) -> Array:
    """rms ∂L/∂z of every layer at θ_0, (L,): the first row of RunHistory.delta_rms, to the last bit.

    One forward and one backward pass of the first batch.  NaN where its loss is not finite.
    """
    dataset = load_dataset(experiment, data)
    architecture = architecture_of(experiment, dataset.n_in, dataset.n_out, dataset.task)
    loss = LOSSES[chosen_loss(experiment.loss, dataset.task, experiment.output)]
    weights = stacked_class_weights([experiment], [dataset])
    with np.errstate(all="ignore"), one_blas_thread():
        batches = Batches([experiment], [dataset], 0)
        inputs, targets = batches.at(0)
        parameters = initial_parameters([experiment], architecture)
        forward_pass = forward(parameters, inputs, batches.masks(inputs.shape[1]), training=True)
        if not np.isfinite(loss.weighted_value(forward_pass.output, targets, architecture.output, weights)).all():
            return np.full(experiment.depth + 1, np.nan)
        output_gradient = loss.weighted_gradient(forward_pass.output, targets, architecture.output, weights)
        signal = backpropagate(parameters, forward_pass, output_gradient)
        layers = [root_mean_squares([signal.hidden[1]]), root_mean_squares([signal.output[None]])]
        return np.concatenate(layers)[:, 0] * inputs.shape[1]
