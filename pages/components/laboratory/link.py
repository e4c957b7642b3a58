"""The laboratory's address: which data, how they are read, the settings of the network, and the pinned ones.

A file does not travel in a link: the address has its name and the digest of its numbers, by which it is known again.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qs

from engine.experiment import SETTINGS
from engine.settings import OutOfRange, Value
from pages.charts.sweeps import settings_map
from pages.charts.sweeps.settings_grid import ENDS
from pages.components.laboratory.charts import AT_FIRST, COMPARING
from pages.components.laboratory.points import DRAWN, POINTS, points_in
from pages.components.laboratory.samples import SAMPLES
from pages.components.laboratory.tables import MOST_COLUMNS
from pages.components.settings.control import Answer, Control
from pages.components.settings.locks import Lockable, LockableText, read_locked, read_locks
from pages.components.shell.address import (
    DRAW,
    LOCK,
    PARAMETERS,
    TIMELINE,
    Address,
    Field,
    all_parameters,
    drawing_in,
    enter,
    mend,
    only,
    read_address,
    step_in,
)
from pages.components.shell.assignment import PARAMETERS as ASKED
from pages.components.shell.assignment import Assignment, read_assignment
from pages.components.shell.session import this_session
from pages.text.goals import read_laboratory_goal
from pages.walkthrough.user_input import read_number

PAGE = "laboratory"
SAMPLE, FILE, DIGEST = "sample", "file", "data_digest"
HEADER, NAMES, VALUES = "header", "names", "values"  # what the first line has
TARGET, PREDICT, LEAVE, GAPS = "target", "predict", "leave", "gaps"  # columns are counted from 1
CHARTS = "charts"
MAP = MAP_X, MAP_Y, COLOR = "map_x", "map_y", "map_color"
MAP_AT_FIRST = "depth", "gain", settings_map.R
MAP_CHOICES = tuple(ENDS), tuple(ENDS), settings_map.COLORS
CLASSES, NUMBER = PREDICTIONS = ("classes", "number")
DROP, FILL = GAP_RULES = ("drop", "median")
MOST_PINS = 3  # beside the network that the settings are of
PINS = tuple(f"pin{i + 1}" for i in range(MOST_PINS))
BRANCH = "branch"  # step~pin: up to this step the network that the settings are of is the pinned one
BETWEEN = "~"  # the parts of a pinned network in the address
LONGEST_NAME, LONGEST_FILE = 20, 80  # characters
NAME = re.compile(r"[^\w .,+()=×-]")  # what a network's name may not have: it is shown within Markdown
ALL = 0  # training examples: all that there are

# Settings that data from outside have no use for, or that follow from them.
ABSENT = "dataset", "data_digest", "imbalance"


def _control(name: str) -> Control:
    setting = SETTINGS[name]
    if name == "n_train":
        setting = replace(setting, special=((ALL, "all there are"),), default=ALL)
    return Control(setting, False, (), None if setting.default in dict(setting.special) else setting.default)


SPLITTING = "held_out", "split"  # settings that stand with the data

CONTROLS = {name: _control(name) for name in SETTINGS if name not in ABSENT}

# What a lecturer's link can hide: the verdict, with it notes and cures; either of these; charts, map and seeds.
HIDES = VERDICT, NOTES, CURES, ALL_CHARTS = "verdict", "notes", "cures", "charts"
# What it can lock: the settings; what the address says of the data, as one text; each pinned network.
DATA = "data"
SOURCE = SAMPLE, POINTS, FILE, DIGEST, HEADER, TARGET, PREDICT, LEAVE, GAPS
MOST_LOCKED = 2000  # characters of one of them
LOCKABLES: dict[str, Lockable] = {
    DATA: LockableText(DATA, "Data", MOST_LOCKED),
    **{name: LockableText(name, f"Pinned network {i}", MOST_LOCKED) for i, name in enumerate(PINS, 1)},
    **CONTROLS,
}


class Pin(NamedTuple):
    """A network that is kept to compare with: its name, and in what it differs from the page's start."""

    name: str
    settings: Mapping[str, Value]

    @property
    def text(self) -> str:
        """As the address has it."""
        pairs = [(name, CONTROLS[name].text(CONTROLS[name].answer(value))) for name, value in self.settings.items()]
        return BETWEEN.join([self.name, *(part for pair in pairs for part in pair)])


def pin_in(name: str, texts: Sequence[str]) -> Pin:
    """The pinned network that a parameter describes.  OutOfRange for what describes none."""
    given, *parts = only(name, texts).split(BETWEEN)
    if len(parts) % 2 or not set(parts[::2]) <= CONTROLS.keys():
        raise OutOfRange(name, texts[-1], "a name, and settings with their values")
    controls = [CONTROLS[part] for part in parts[::2]]
    settings = {}
    for control, text in zip(controls, parts[1::2], strict=True):
        value = control.value(control.read([text]))
        assert value is not None  # only the treated network's can be
        settings[control.name] = value
    return Pin(network_name(given), settings)


def network_name(text: str) -> str:
    """What somebody calls a network, fit to be shown; "Network" where nothing of it is."""
    return " ".join(NAME.sub("", text).split())[:LONGEST_NAME].strip() or "Network"


def read() -> tuple[Address, bool]:
    """What the address says to the page, nonsense taken out of it; and whether somebody comes to the page."""
    entering = enter(PAGE, (*CONTROLS, TIMELINE))
    locks, asked, requested = _read_asked()
    bound = {
        name: Field(partial(read_locked, control, locks[name]), locks[name])
        if name in locks
        else Field(control.read, control.default, text=None if control.numeric else control.text)
        for name, control in CONTROLS.items()
    }
    fields = {
        SAMPLE: Field(partial(_one_of, SAMPLE, (*SAMPLES, *DRAWN)), next(iter(SAMPLES))),
        POINTS: Field(points_in, ""),
        FILE: Field(partial(_short, FILE), ""),
        DIGEST: Field(_digest, ""),
        HEADER: Field(partial(_one_of, HEADER, (NAMES, VALUES)), ""),
        TARGET: Field(partial(_column, TARGET), None),
        PREDICT: Field(partial(_one_of, PREDICT, PREDICTIONS), None),
        LEAVE: Field(_columns, ()),
        GAPS: Field(partial(_one_of, GAPS, GAP_RULES), DROP),
        CHARTS: Field(_charts, AT_FIRST),
        **{
            name: Field(partial(_one_of, name, choices), first)
            for name, choices, first in zip(MAP, MAP_CHOICES, MAP_AT_FIRST, strict=True)
        },
        **bound,
        **{name: Field(partial(pin_in, name)) for name in PINS},
        BRANCH: Field(_branch, None),
        TIMELINE: Field(step_in),
        DRAW: Field(drawing_in),
        **dict.fromkeys(PARAMETERS, Field(tuple)),
    }
    found = asked | read_address(requested, fields, lambda name, texts: "a setting of this page")
    mend(found, entering, {name: field.default for name, field in bound.items()})
    return found, entering


def asked_here() -> Assignment:
    """What the address asks of a learner."""
    return _read_assignment()[0]


def _read_assignment() -> tuple[Assignment, Address]:
    asking = {name: texts for name, texts in all_parameters().items() if name in ASKED}
    return read_assignment(asking, HIDES, read_laboratory_goal)


def _read_asked() -> tuple[dict[str, Answer], Address, dict[str, list[str]]]:
    """What is locked, by name; what is said of what is asked and locked; all other parameters, as they are locked."""
    requested = {name: texts for name, texts in all_parameters().items() if name not in ASKED}
    start = {name: one.default for name, one in LOCKABLES.items()}
    locks, found = read_locks(requested.pop(LOCK, ()), LOCKABLES, start)
    this_session().locks[PAGE] = locks
    held: dict[str, list[str]] = {}
    if DATA in locks:
        named = parse_qs(str(locks[DATA]))
        held |= {name: named.get(name, []) for name in SOURCE}
    held |= {name: [str(locks[name])] if locks[name] else [] for name in PINS if name in locks}
    moved = {name: texts for name, texts in requested.items() if name in held and texts != held[name]}
    found |= _read_assignment()[1] | read_address(moved, {}, lambda name, texts: "what this link locks it at")
    others = {name: texts for name, texts in requested.items() if name not in held}
    return locks, found, others | {name: texts for name, texts in held.items() if texts}


def is_locked(name: str) -> bool:
    """Whether the link locks this."""
    return name in this_session().locks[PAGE]


def _branch(texts: Sequence[str]) -> tuple[int, str]:
    """Step and pin."""
    step, _, pin = only(BRANCH, texts).partition(BETWEEN)
    if pin not in PINS:
        raise OutOfRange(BRANCH, texts[-1], f"a step, {BETWEEN}, and one of {', '.join(PINS)}")
    return int(replace(SETTINGS["steps"], name=BRANCH).check(read_number(step))), pin


def _one_of(name: str, choices: Sequence[str], texts: Sequence[str]) -> str:
    if (text := only(name, texts)) not in choices:
        raise OutOfRange(name, text, "one of " + ", ".join(choices))
    return text


def _short(name: str, texts: Sequence[str]) -> str:
    if len(text := only(name, texts)) > LONGEST_FILE:
        raise OutOfRange(name, text, f"at most {LONGEST_FILE} characters long")
    return text


def _charts(texts: Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(only(CHARTS, texts).split(".")))
    if not set(names) <= COMPARING.keys():
        raise OutOfRange(CHARTS, texts[-1], "some of " + ", ".join(COMPARING) + ", with a point between them")
    return names


def _digest(texts: Sequence[str]) -> str:
    return str(SETTINGS[DIGEST].check(only(DIGEST, texts)))


def _column(name: str, texts: Sequence[str]) -> int:
    setting = replace(SETTINGS["steps"], name=name, low=1, high=MOST_COLUMNS)
    return int(setting.check(read_number(only(name, texts)))) - 1


def _columns(texts: Sequence[str]) -> tuple[int, ...]:
    return tuple(_column(LEAVE, [text]) for text in only(LEAVE, texts).split(".")[:MOST_COLUMNS])
