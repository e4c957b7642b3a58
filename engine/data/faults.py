"""What spoils data: classes of unequal size, wrong labels, and validation examples that are not what they seem.

Every function takes clean examples and returns spoilt ones; nothing is changed in place.  Randomness comes from streams
of their own, so that a fault changes nothing else, and more of a fault spoils the same examples and others beside.
"""

from collections.abc import Callable

import numpy as np

from engine.randomness import DATA, generator

Array = np.ndarray
Examples = tuple[Array, Array]  # inputs and targets

LABEL_NOISE, LEAKAGE, LABEL_CODE = 5, 6, 7  # streams of the data's own seed; the first five are loading's


def imbalanced(draw: Callable[[Array, Array], Examples], uniform: Array, share: float) -> Array:
    """The uniform numbers (n, 3) with which a generator of two classes draws a share of its second class.

    Example i is of the second class where round(share · i) grows, so that of the first n examples round(share · n)
    are, for every n.  Half a turn of the first uniform number leads to the other class in every generator, and leaves
    an example's position within its class as it was.
    """
    count = np.floor(share * np.arange(len(uniform) + 1) + 0.5)
    _, labels = draw(uniform, np.zeros((len(uniform), 2)))
    turned = uniform.copy()
    turned[:, 0] = np.where(labels == np.diff(count), uniform[:, 0], (uniform[:, 0] + 0.5) % 1)
    return turned


def with_label_noise(targets: Array, n_classes: int, share: float, seed: int) -> Array:
    """Class labels (n,) of which a share, on average, is replaced by another class, each as likely."""
    # Example by example, so that more training examples, or more noise, flip the same labels and others beside.
    draws = generator(seed, DATA, LABEL_NOISE).random((len(targets), 2))
    wrong = (targets + 1 + np.floor(draws[:, 1] * (n_classes - 1))) % n_classes
    return np.where(draws[:, 0] < share, wrong, targets)


def in_another_code(targets: Array, n_classes: int, seed: int) -> Array:
    """Class labels (n,) in another code: a permutation of the classes, one cycle, so that no class keeps its number."""
    cycle = generator(seed, DATA, LABEL_CODE).permutation(n_classes)
    code = np.empty(n_classes, targets.dtype)
    code[cycle] = np.roll(cycle, 1)
    return code[targets.astype(int)]


def with_leakage(validation: Examples, train: Examples, share: float, seed: int) -> Examples:
    """Validation examples of which round(share · n) are training examples, no one twice while another is left."""
    stream = generator(seed, DATA, LEAKAGE)
    leaked = stream.permutation(len(validation[0]))[: round(share * len(validation[0]))]
    source = np.resize(stream.permutation(len(train[0])), len(leaked))
    inputs, targets = validation[0].copy(), validation[1].copy()
    inputs[leaked], targets[leaked] = train[0][source], train[1][source]
    return inputs, targets
