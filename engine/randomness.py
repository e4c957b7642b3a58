"""One stream of random numbers for each purpose, so that changing one thing leaves the draws of the others alone.

Stream of an experiment's seed: SeedSequence(seed, spawn_key=(purpose, ...)).  Any stream can be opened at any place
without the ones before it, which is what makes a run resumable and a single step reproducible.
"""

import numpy as np

DATA, WEIGHTS, BIASES, BATCHES, MASKS = range(5)


def generator(seed: int, *purpose: int) -> np.random.Generator:
    """The generator of one purpose: WEIGHTS and BIASES take the layer, BATCHES the epoch, DATA split and quantity."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=purpose)))
