"""Tables to begin with: bundled ones, and two that are drawn."""

from functools import lru_cache

import numpy as np

from engine import Experiment, load_dataset
from engine.data.sources import ASSETS
from pages.components.laboratory.tables import Table, read_file, read_text

# By the name in the address, the first one that of the bare address.
SAMPLES = {
    "iris": "Iris: three species of flowers",
    "wine": "Wine: inputs of unlike size",
    "diabetes": "Diabetes: a number to predict",
    "moons": "Two moons, drawn",
    "sine": "A noisy sine, drawn",
}
DRAWN = {"moons": "x1,x2,moon", "sine": "x,y"}  # and their columns
ROWS = 250  # of a drawn one


@lru_cache
def sample(name: str) -> Table:
    """The table of this name in SAMPLES."""
    if name in DRAWN:
        return read_text("\n".join([DRAWN[name], *_drawn(name)]))
    content = (ASSETS / f"{name}.csv").read_bytes()
    return read_file(b"".join(line for line in content.splitlines(keepends=True) if not line.startswith(b"#")))


def _drawn(name: str) -> list[str]:
    """Lines of a table of raw inputs and of targets."""
    dataset = load_dataset(Experiment(dataset=name, n_train=ROWS, inputs="raw"))
    targets = dataset.train_targets.ravel()
    written = [f"{target:.4f}" for target in targets]
    if dataset.class_names:
        written = [dataset.class_names[int(target)] for target in targets]
    rows = np.round(dataset.train_inputs, 4).tolist()
    return [",".join([*map(str, row), target]) for row, target in zip(rows, written, strict=True)]
