"""What a setting is: its default, its range, its words, and the error that names it."""

from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np

Value = str | int | float | bool

MOST_QUOTED = 80  # characters of a refused value that a message repeats


class OutOfRange(ValueError):
    """A setting outside its range, or an experiment beyond the limits of what a run may cost.

    field, value and allowed say which, what was asked for, and what may be; the message is a sentence for a learner.
    """

    def __init__(self, field: str, value: object, allowed: str, reason: str = ""):
        self.field, self.value, self.allowed, self.reason = field, value, allowed, reason
        super().__init__(f"{field} is {_quoted(value)}, but it must be {allowed}.{' ' + reason if reason else ''}")

    def __reduce__(self):
        return OutOfRange, (self.field, self.value, self.allowed, self.reason)


@dataclass(frozen=True)
class Setting:
    """One row of the table: what a setting is called, what it may be, and what it does.

    low and high bound a number (low itself excluded where `above`); choices lists the values of a text, choice_labels
    names those that people write otherwise; switch is what False and True stand for, where the choice once was one
    between these; special maps a value outside the range to its meaning; log says that a control should move in
    factors, not in steps.
    """

    name: str
    default: Value
    group: str
    label: str
    help: str
    choices: tuple[str, ...] = ()
    choice_labels: tuple[tuple[str, str], ...] = ()
    switch: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    above: bool = False
    special: tuple[tuple[Value, str], ...] = ()
    log: bool = False

    @property
    def kind(self) -> type:
        """bool, int, float or str."""
        return type(self.default)

    @property
    def allowed(self) -> str:
        """The range in words, for messages."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "the SHA-256 of the data’s arrays in 64 hexadecimal digits, or empty"
        number = "a whole number" if self.kind is int else "a number"
        low, high = f"{self.low:g}", f"{self.high:.0f}" if self.kind is int else f"{self.high:g}"
        span = f"above {low} and at most {high}" if self.above else f"from {low} to {high}"
        allowed = high if self.low == self.high else f"{number} {span}"
        return allowed + "".join(f", or {value:g} for {meaning}" for value, meaning in self.special)

    def in_words(self, value: Value) -> str:
        """A value as people write it: He normal for he_normal, on for True, what a special value stands for."""
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, str):
            return dict(self.choice_labels).get(value, value.replace("_", " "))
        text = str(value) if isinstance(value, int) else f"{value:g}"
        return dict(self.special).get(value, text)

    def check(self, value: object) -> Value:
        """The value as this setting's plain Python type, or OutOfRange."""
        value = _plain(value)
        if self.switch and isinstance(value, bool):
            return self.switch[value]
        if self.kind is bool:
            if isinstance(value, bool):
                return value
        elif self.kind is str:
            if isinstance(value, str) and (value in self.choices if self.choices else _is_digest(value)):
                return str.__str__(value)  # of a subclass too, whose __str__ may say something else
        elif isinstance(value, (Real, Decimal)) and not isinstance(value, bool):
            number = self._number(value)
            if number is not None:
                return number
        raise OutOfRange(self.name, value, self.allowed)

    def _number(self, value: Real | Decimal) -> int | float | None:
        """The number in this setting's type, None where it is outside the range or not whole where it must be."""
        try:
            number = float(value) + 0.0  # −0.0 equals 0.0, and must be the same bits
        except (OverflowError, ValueError):  # larger than every float; a signalling NaN
            return None
        inside = (self.low < number if self.above else self.low <= number) and number <= self.high
        if not inside and number not in dict(self.special):
            return None
        if self.kind is float:
            return number
        return int(number) if number.is_integer() else None


def _plain(value: object) -> object:
    """The Python value of a NumPy scalar or 0-d array, whose comparisons may round, overflow and warn."""
    if isinstance(value, np.generic) or (type(value) is np.ndarray and value.ndim == 0):
        value = value.item()
    return float(value) if isinstance(value, np.floating) else value  # a longdouble's item is a longdouble


def _quoted(value: object) -> str:
    """A refused value for a message: short, and whatever it is."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # an integer of more digits than Python writes
        text = "a number of too many digits to write"
    return text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}…"


def _is_digest(text: str) -> bool:
    return text == "" or (len(text) == 64 and all(character in "0123456789abcdef" for character in text))


def row(default: Value, group: str, label: str, help: str, **bounds: Any) -> Any:
    """A field of Experiment and the row of its Setting.  bounds: what else the row says."""
    return field(default=default, metadata={"group": group, "label": label, "help": help, **bounds})


def choice(options: Any, group: str, label: str, help: str, switch: tuple[str, ...] = (), **labels: str) -> Any:
    """A setting with these choices, the first its default.  labels: of the choices whose name is not their label."""
    choices, named = tuple(options), tuple(labels.items())
    return row(choices[0], group, label, help, choices=choices, choice_labels=named, switch=switch)
