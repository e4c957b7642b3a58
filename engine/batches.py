"""Which examples each update uses, and which units it drops."""

from collections.abc import Sequence

import numpy as np

from engine.data.custom import CustomData
from engine.data.loading import Dataset, load_dataset
from engine.experiment import Experiment
from engine.randomness import BATCHES, MASKS, generator
from engine.remedies import draw_masks

Array = np.ndarray

EPOCHS_AT_ONCE = 8  # orders drawn together: twice as fast as one by one, when the processor does other things between


def batch_indices(experiment: Experiment, step: int, data: CustomData | None = None) -> Array:
    """Which training examples update `step` uses, (batch,): a permutation an epoch; the last batch may be short.

    data: as for load_dataset, where the data set is custom and not shuffled.
    """
    n, batch = experiment.n_train, experiment.examples_per_update
    if batch == n:
        return np.arange(n)
    epoch, position = divmod(step, -(-n // batch))
    order = _shuffled(experiment, epoch) if experiment.shuffle else _sorted(load_dataset(experiment, data))
    return order[position * batch : (position + 1) * batch]


def _shuffled(experiment: Experiment, epoch: int) -> Array:
    return generator(experiment.seed, BATCHES, epoch).permutation(experiment.n_train)


def _sorted(dataset: Dataset) -> Array:
    """The training examples in the order of their classes, or of their (first) target."""
    return np.argsort(dataset.train_targets.reshape(len(dataset.train_targets), -1)[:, 0], kind="stable")


def dropout_masks(experiment: Experiment, step: int) -> Array | None:
    """The masks of one update, (depth, batch, width), or None without dropout.

    Masks are drawn for a whole batch at every update, one number a unit and example, so that any update's can be found
    without those before it; a short last batch uses the first rows.
    """
    if experiment.dropout == 0:
        return None
    return _next_masks(experiment, _mask_stream(experiment, step))


def _mask_stream(experiment: Experiment, step: int) -> np.random.Generator:
    """The stream of masks from those of `step` on."""
    stream = generator(experiment.seed, MASKS)
    drawn = step * experiment.depth * experiment.examples_per_update * experiment.width
    stream.bit_generator.advance(drawn)  # type: ignore[attr-defined]
    return stream


def _next_masks(experiment: Experiment, stream: np.random.Generator) -> Array:
    return draw_masks(stream, experiment.depth, experiment.examples_per_update, experiment.width, experiment.dropout)


class Batches:
    """The same for every network of a stack and one update after the other, from `step` on."""

    def __init__(self, experiments: Sequence[Experiment], datasets: Sequence[Dataset], step: int):
        first = experiments[0]
        self._experiments, self._datasets, self._batch = experiments, datasets, first.examples_per_update
        self._inputs = np.array([dataset.train_inputs for dataset in datasets], first.precision)
        self._targets = np.array([dataset.target_rows("train") for dataset in datasets], first.precision)
        n = self._inputs.shape[1]
        self._n, self._each_epoch = n, -(-n // self._batch)
        self._epoch, self._shuffled = -1, (self._inputs, self._targets)
        self._orders: dict[int, Array] = {}  # epoch -> rows of the inputs of all networks, (networks, n)
        self._streams = [_mask_stream(experiment, step) for experiment in experiments]

    def at(self, step: int) -> tuple[Array, Array]:
        """Inputs and targets of an update, (networks, batch, ...)."""
        if self._batch == self._n:
            return self._inputs, self._targets
        epoch, position = divmod(step, self._each_epoch)
        if epoch != self._epoch:
            self._shuffle(epoch)
        inputs, targets = self._shuffled
        part = slice(position * self._batch, (position + 1) * self._batch)
        return inputs[:, part], targets[:, part]

    def _shuffle(self, epoch: int) -> None:
        if epoch not in self._orders:
            last = (self._experiments[0].steps - 1) // self._each_epoch
            epochs = range(epoch, min(epoch + EPOCHS_AT_ONCE, last + 1))
            offsets = self._n * np.arange(len(self._experiments))[:, None]
            orders = [
                [
                    _shuffled(experiment, epoch) if experiment.shuffle else _sorted(dataset)
                    for experiment, dataset in zip(self._experiments, self._datasets, strict=True)
                ]
                for epoch in epochs
            ]
            self._orders = dict(zip(epochs, np.array(orders) + offsets, strict=True))
        rows = self._orders[epoch]
        inputs, targets = (values.reshape(-1, values.shape[2]) for values in (self._inputs, self._targets))
        self._epoch, self._shuffled = epoch, (inputs.take(rows, axis=0), targets.take(rows, axis=0))

    def masks(self, batch: int) -> Array | None:
        """Masks of the next update, whose batch has so many examples, (depth, networks, batch, width), or None."""
        first = self._experiments[0]
        if first.dropout == 0:
            return None
        drawn = list(map(_next_masks, self._experiments, self._streams))
        return np.stack(drawn, axis=1)[:, :, :batch].astype(first.precision)
