"""What a network of one or two inputs computes, over the line or the plane of its inputs."""

import numpy as np

from engine.data.loading import Dataset
from engine.network import Parameters, forward, network_outputs

Array = np.ndarray

GRID, LINE = 32, 200  # points a side of the input plane, points of the input line
GRID_REACH = 2.75  # half the side, in standard deviations of the inputs
FRAMES_AT_ONCE = 4  # as many as stay in the processor's cache


def predictions_of(frames: Parameters, dataset: Dataset, output: str) -> tuple[tuple[Array, ...] | None, Array | None]:
    """The input grid and the outputs on it, (K, G, G, n_out) or (K, G, n_out), in float32: a picture's data.

    None and None for networks of more inputs.
    """
    if dataset.n_in > 2:
        return None, None
    zero, one = dataset.units
    reach = max(GRID_REACH, float(np.abs((dataset.train_inputs - zero) / one).max()))
    line = np.linspace(-reach, reach, GRID if dataset.n_in == 2 else LINE, dtype=np.float32)
    axes = tuple((start + step * line).astype(np.float32) for start, step in zip(zero, one, strict=True))
    grid = np.stack([values.ravel() for values in np.meshgrid(*axes)], axis=1)
    few = [frames[slice(i, i + FRAMES_AT_ONCE)].astype("float32") for i in range(0, len(frames.flat), FRAMES_AT_ONCE)]
    predictions = np.concatenate([network_outputs(part, forward(part, grid, keep=False)) for part in few])
    return axes, predictions.reshape(-1, *[len(line)] * dataset.n_in, predictions.shape[-1])
