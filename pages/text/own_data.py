"""A visitor's own data, which no history holds: at hand for charts and sentences while his page is drawn.

Names from a file are shown as text: they are made plain here, so that neither Plotly nor Markdown nor a spreadsheet
takes them for anything else.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from engine import Dataset, Experiment, data_digest, load_dataset
from engine.data import baselines
from engine.data.custom import Array, CustomData, checked, problem_of
from engine.data.loading import DataSettings, data_settings

LONGEST = 24  # characters of a name beside an axis
# Characters that Plotly, Markdown or a spreadsheet reads, and what is shown in their place.
LOOK_ALIKES = str.maketrans("<>&{}[]`$*~\\:@_", "‹›＆()()'＄∗∼＼∶＠ ")
FORMULA = re.compile(r"=|[+-](?![\d.]+$)")  # how a cell begins that a spreadsheet would work out
MOST_DATASETS = 16  # kept made, of the seeds and shares that are on the page


@dataclass(frozen=True, eq=False)
class OwnData:
    """inputs (n, n_in) and targets (n,), as `train` takes them, and what a file calls them.

    kept: what others made with these data last, by experiment; it goes where they go.
    """

    inputs: Array
    targets: Array
    input_names: tuple[str, ...]
    target_name: str
    digest: str = field(init=False)
    kept: dict[Experiment, Any] = field(default_factory=dict, repr=False)
    _made: dict[tuple[DataSettings, str], Dataset] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", data_digest(self.inputs, self.targets))

    @property
    def arrays(self) -> CustomData:
        return self.inputs, self.targets

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """Inputs and outputs of a network for these data."""
        source, targets = problem_of(*checked(*self.arrays))
        n_out = len(source.class_names) if source.task == "classes" else targets.reshape(len(targets), -1).shape[1]
        return self.inputs.shape[1], n_out

    def named(self, text: str) -> str:
        """A sentence of the engine's, which counts the inputs, x1, x2 and so on, with their names."""
        names = {f"x{i + 1}": plain(name) for i, name in enumerate(self.input_names)}
        return re.sub(r"\bx\d+\b", lambda found: names.get(found[0], found[0]), text)

    def dataset(self, experiment: Experiment) -> Dataset:
        """The examples of an experiment with these data, inputs and classes named.  OutOfRange as `load_dataset`."""
        settings = data_settings(experiment), experiment.loss  # which may ask for classes
        if settings not in self._made:
            while len(self._made) >= MOST_DATASETS:
                del self._made[next(iter(self._made))]
            made = load_dataset(experiment, self.arrays)
            inputs, classes = (tuple(map(plain, names)) for names in (self.input_names, made.class_names))
            self._made[settings] = replace(made, input_names=inputs, class_names=classes)
        return self._made[settings]


_at_hand: ContextVar[OwnData | None] = ContextVar("own data", default=None)


@contextmanager
def at_hand(own: OwnData | None) -> Iterator[None]:
    """Within this block, charts and sentences of networks that were trained on these data know them; None: no data."""
    token = _at_hand.set(own)
    try:
        yield
    finally:
        _at_hand.reset(token)


def own_data(experiment: Experiment) -> OwnData | None:
    """The data that were handed in for this experiment, if they are at hand."""
    own = _at_hand.get()
    return own if own and experiment.data_digest == own.digest else None


def arrays_of(experiment: Experiment) -> CustomData | None:
    """Their arrays: the `data` of `diagnose` and other functions of the engine."""
    own = own_data(experiment)
    return own.arrays if own else None


def in_unit_of_table(experiment: Experiment, values: Array) -> Array:
    """Targets or answers of a network, in the unit that a table at hand has them in; of other data as they are."""
    if own_data(experiment) is None or (experiment.target_scale, experiment.target_shift) == (1, 0):
        return values
    return (values - experiment.target_shift) / experiment.target_scale


def dataset_of(experiment: Experiment) -> Dataset | None:
    """The examples of an experiment; None for data that were handed in and are not at hand."""
    if experiment.dataset != "custom":
        return load_dataset(experiment)
    own = own_data(experiment)
    return own.dataset(experiment) if own else None


def average_loss(experiment: Experiment) -> float:
    """Training loss of the best constant answer; NaN for data that were handed in and are not at hand."""
    own = own_data(experiment)
    if own is None:
        return baselines.average_loss(experiment)
    return baselines.uninformed_loss(own.dataset(experiment), experiment.loss, experiment.output)


def plain(name: str, most: int = LONGEST) -> str:
    """A name from outside, in one short line that is markup and formula nowhere."""
    text = "".join(character if character.isprintable() else " " for character in name).translate(LOOK_ALIKES)
    text = " ".join(text.split()).replace("www.", "www․")  # which would be a link
    text = f"'{text}" if FORMULA.match(text) else text
    return text if len(text) <= most else f"{text[: most - 1]}…"
