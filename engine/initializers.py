"""How the weights start, each with its source.

An initializer is a family of draws and the standard deviation of one weight; two initializers of one family, given the
same generator, differ only by scale.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Initializer:
    """draw(generator, n_in, n_out) gives raw weights (n_in, n_out); scale(n_in, n_out) multiplies them.

    variance(n_in, n_out) is that of one finished weight, which mean-field theory needs; for the initializers where
    the weights are not random it is None.
    """

    draw: Callable[[np.random.Generator, int, int], Array]
    scale: Callable[[int, int], float]
    source: str
    variance: Callable[[int, int], float] | None

    def weights(self, generator: np.random.Generator, n_in: int, n_out: int) -> Array:
        """Initial weights of one layer, (n_in, n_out), before the experiment's gain."""
        return self.draw(generator, n_in, n_out) * self.scale(n_in, n_out)


def normal(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Independent draws of N(0, 1)."""
    return generator.standard_normal((n_in, n_out))


def uniform(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Independent draws, uniform on [−1, 1)."""
    return generator.uniform(-1, 1, (n_in, n_out))


def orthogonal(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Columns (or, where there are fewer of them, rows) orthonormal: Q of a Gaussian matrix, signs fixed by R."""
    tall = generator.standard_normal((max(n_in, n_out), min(n_in, n_out)))
    q, r = np.linalg.qr(tall)
    q = q * np.sign(np.diag(r))
    return q if n_in >= n_out else q.T


def ones(generator: np.random.Generator, n_in: int, n_out: int) -> Array:
    """Nothing is drawn: all weights are 1."""
    return np.ones((n_in, n_out))


def _normal(variance: Callable[[int, int], float], source: str) -> Initializer:
    return Initializer(normal, lambda n_in, n_out: variance(n_in, n_out) ** 0.5, source, variance)


def _uniform(variance: Callable[[int, int], float], source: str) -> Initializer:
    # U(-r, r) has variance r²/3
    return Initializer(uniform, lambda n_in, n_out: (3 * variance(n_in, n_out)) ** 0.5, source, variance)


INITIALIZERS = {
    "he_normal": _normal(lambda n_in, n_out: 2 / n_in, "He et al. 2015"),
    "xavier_normal": _normal(lambda n_in, n_out: 2 / (n_in + n_out), "Glorot & Bengio 2010"),
    "xavier_uniform": _uniform(lambda n_in, n_out: 2 / (n_in + n_out), "Glorot & Bengio 2010"),
    "he_uniform": _uniform(lambda n_in, n_out: 2 / n_in, "He et al. 2015"),
    "lecun": _normal(lambda n_in, n_out: 1 / n_in, "LeCun et al. 1998"),
    "orthogonal": Initializer(
        orthogonal, lambda n_in, n_out: 1.0, "Saxe et al. 2013", lambda n_in, n_out: 1 / max(n_in, n_out)
    ),
    "small_normal": _normal(lambda n_in, n_out: 0.01**2, "a common beginner’s choice: standard deviation 0.01"),
    "standard_normal": _normal(lambda n_in, n_out: 1.0, "a common beginner’s choice: standard deviation 1"),
    "constant": Initializer(ones, lambda n_in, n_out: 0.5, "every weight 0.5: nothing breaks the symmetry", None),
    "zeros": Initializer(ones, lambda n_in, n_out: 0.0, "every weight 0", None),
}
