"""What the engine and its peers are all given: the same examples, first weights and orders of examples."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine import Experiment, initialize, load_dataset, train
from engine.cost import MAX_FRAMES, MAX_UPDATES
from engine.plan import plan_of
from engine.randomness import BATCHES, generator

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Problem:
    """One experiment of two classes with a ReLU network, sgd and cross-entropy, laid open for another library.

    sets: name -> inputs (n, n_in) and targets (n, 1), float32; weights L x (n_in, n_out); evaluations: steps at which
    whole sets are evaluated; frames: those of them at which the parameters are kept, with the decision surface over
    grid (points, n_in); n_probe: training examples that activations are measured on.
    """

    experiment: Experiment
    sets: dict[str, tuple[Array, Array]]
    weights: list[Array]
    evaluations: frozenset[int]
    frames: frozenset[int]
    grid: Array
    n_probe: int

    def batches(self) -> Iterator[Array]:
        """The training examples of each update, (batch,), drawn as they are needed: a permutation an epoch."""
        experiment = self.experiment
        n, batch = experiment.n_train, experiment.batch_size
        for step in range(experiment.steps):
            epoch, position = divmod(step, -(-n // batch))
            if position == 0:
                order = generator(experiment.seed, BATCHES, epoch).permutation(n)
            yield order[position * batch : (position + 1) * batch]


def problem(experiment: Experiment) -> Problem:
    """Prepared before any clock is started, to the advantage of the peers: `train` does this inside its own time."""
    data = load_dataset(experiment)
    plan = plan_of(experiment, data, MAX_UPDATES, MAX_FRAMES)
    sets = {
        name: (getattr(data, f"{name}_inputs").astype(np.float32), data.target_rows(name).astype(np.float32))
        for name in ("train", "validation", "test")
    }
    axes = train(Experiment(n_train=experiment.n_train, depth=1, width=1, steps=1)).prediction_axes
    assert axes is not None
    grid = np.stack([values.ravel() for values in np.meshgrid(*axes)], axis=1)
    weights = [weights[0] for weights in initialize(experiment).weights]
    return Problem(experiment, sets, weights, plan.evaluations, plan.frames, grid, plan.n_probe)
