"""What a regression answers for validation examples: a history holds its weights, not these."""

import numpy as np

from engine import RunHistory
from engine.network import Parameters, architecture_of, forward, network_outputs
from pages.charts.style.figure import Array
from pages.text import own_data

MOST_ANSWERS = 200  # validation examples; more hide each other


def validation_answers(history: RunHistory, frames: list[int]) -> tuple[Array, Array] | None:
    """Targets (n,) of the first validation examples, and a regression's answers with the weights of these frames.

    Answers: (frames, n), of the first output, in the unit that the targets came in.  None where the data are not at
    hand.
    """
    dataset = own_data.dataset_of(history.experiment)
    if dataset is None:
        return None
    inputs = dataset.validation_inputs[:MOST_ANSWERS]
    parts = history.weights, history.biases, history.scales, history.shifts
    flat = [kept[frames].reshape(len(frames), -1) for part in parts for kept in part]
    tracked = [kept[frames] for part in (history.running_means, history.running_variances) for kept in part]
    architecture = architecture_of(history.experiment, dataset.n_in, dataset.n_out, dataset.task)
    network = Parameters(
        architecture, np.concatenate(flat, axis=1), np.concatenate(tracked, axis=1) if tracked else None
    )
    with np.errstate(all="ignore"):  # of a run that diverged
        answers = network_outputs(network, forward(network, inputs.astype(network.flat.dtype), keep=False))
    scale, shift = history.experiment.target_scale, history.experiment.target_shift
    return (dataset.validation_targets[:MOST_ANSWERS, 0] - shift) / scale, (answers[..., 0] - shift) / scale
