"""How the arrays of all hidden layers lie in memory, and how much of them is worked on at once.

All hidden layers of a network have the same size.  What they compute lies along one more leading axis, layer by layer,
(H, networks, batch, width): what is the same for all of them takes one long NumPy call instead of many short ones.
Calls on more than fits into the processor's cache are slower again, and so are cut into blocks of layers.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import repeat

import numpy as np

Array = np.ndarray

AT_ONCE = 65_536  # numbers that stay in a core's second-level cache between two passes
FEW_ROWS = 256  # with fewer examples, repeating what is added to them takes longer than it saves
MOST_REPEATED = 16  # times; more gain nothing
UNPACKED = 1_000_000  # multiplications of a product that OpenBLAS's kernels for AVX-512 take as it lies in memory
FEWEST_ROWS = 64  # in a product cut to this size; fewer gain nothing
NOT_KEPT = np.empty((0, 0, 0, 0))

LayerOut = tuple[Array | None, Array | None, Array | None]  # where z, φ(z) and h of a layer are written; None: anew


def hidden_arrays(shape: tuple[int, ...], kind: np.dtype, h_differs: bool) -> tuple[Array, Array, Array]:
    """Empty arrays for z, φ(z) and h of all hidden layers, shape (H, networks, batch, width); h is φ(z) by default."""
    z, phi = np.empty((2, *shape), kind)
    return z, phi, np.empty(shape, kind) if h_differs else phi


def layer_by_layer(z: Array, phi: Array, h: Array, depth: int) -> Iterator[LayerOut]:
    """The hidden layers' parts of arrays like those of hidden_arrays, or of arrays that are not kept.

    h is None where it is φ(z), which is then written once.
    """
    if not len(z):
        return repeat((None, None, None), depth)
    return zip(z, phi, repeat(None) if h is phi else h, strict=False)


def repeated(rows: Array, batch: int) -> Array:
    """One row a network, (H, networks, width), in the form that add_rows takes for a batch of this size."""
    layers, networks, width = rows.shape
    if networks * batch < FEW_ROWS:
        return rows[:, :, None]
    times = max(times for times in range(1, MOST_REPEATED + 1) if batch % times == 0)
    return rows[:, :, None].repeat(times, axis=2).reshape(layers, networks, 1, times * width)


def add_rows(values: Array, rows: Array) -> None:
    """Add its network's row to every example in place, to several at once: NumPy takes long for many short rows.

    values: (networks, batch, width), contiguous.  rows: a layer of `repeated`, (networks, 1, times · width).
    """
    if rows.shape[2] > values.shape[2]:
        values = values.reshape(len(values), -1, rows.shape[2])
    values += rows


def slopes_downwards(slope: Callable[[Array, Array], Array], z: Array, phi: Array) -> Iterator[tuple[int, Array]]:
    """(layer, φ′(z) of that layer) from the last hidden layer to the first, computed block by block."""
    depth = len(z)
    at_once = max(1, depth if z.size <= AT_ONCE else AT_ONCE * depth // z.size)
    for end in range(depth, 0, -at_once):
        start = max(end - at_once, 0)
        slopes = slope(z[start:end], phi[start:end])
        for layer in range(end - 1, start - 1, -1):
            yield layer, slopes[layer - start]


@lru_cache(maxsize=16)
def row_product(batch: int, width: int) -> Callable[..., Array]:
    """np.matmul of (networks, batch, any) and (networks, any, width), or what gives the same in less time.

    OpenBLAS copies what it multiplies, unless that is little: many rows are multiplied some at a time.
    """
    most = UNPACKED // max(width, 1) ** 2
    fewest_parts = -(-batch // max(most, FEWEST_ROWS))
    parts = next((parts for parts in range(fewest_parts, 2 * fewest_parts) if batch % parts == 0), 1)
    if parts == 1 or most < FEWEST_ROWS:
        return np.matmul
    part = parts, batch // parts, -1

    def by_parts(rows: Array, matrices: Array, out: Array | None = None) -> Array:
        cut = rows.reshape(len(rows), *part)
        if out is None:
            return np.matmul(cut, matrices[:, None]).reshape(-1, batch, width)
        np.matmul(cut, matrices[:, None], out=out.reshape(len(out), *part))
        return out

    return by_parts


@lru_cache(maxsize=4)
def ones_row(count: int, kind: np.dtype) -> Array:
    """(1, count): its product with a matrix is the sum over the rows, faster than `sum`."""
    return np.ones((1, count), kind)
