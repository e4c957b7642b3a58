"""What the engine and its peers are all given: the same examples, the same first weights, the same batches."""

from dataclasses import dataclass

import numpy as np

from engine import Experiment, batch_indices, initialize, load_dataset
from engine.plan import PROBE, evaluation_steps

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Problem:
    """One experiment of two classes with a ReLU network, sgd and cross-entropy, laid open for another library.

    inputs (n, n_in) and targets (n, 1) float32; batches: steps x (batch,) training examples; weights L x (n_in, n_out);
    evaluations: steps at which whole sets are evaluated; n_probe: training examples that activations are measured on.
    """

    experiment: Experiment
    train_inputs: Array
    train_targets: Array
    validation_inputs: Array
    validation_targets: Array
    weights: list[Array]
    batches: list[Array]
    evaluations: frozenset[int]
    n_probe: int


def problem(experiment: Experiment) -> Problem:
    """Prepared before any clock is started, to the advantage of the peers: `train` does this inside its own time."""
    data = load_dataset(experiment)
    return Problem(
        experiment,
        data.train_inputs.astype(np.float32),
        data.train_targets.astype(np.float32),
        data.validation_inputs.astype(np.float32),
        data.validation_targets.astype(np.float32),
        [weights[0] for weights in initialize(experiment).weights],
        [batch_indices(experiment, step) for step in range(experiment.steps)],
        frozenset(evaluation_steps(experiment.steps).tolist()),
        min(PROBE, experiment.n_train),
    )
