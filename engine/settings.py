"""What a setting is: its default, its range, its words, and the error that names it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Value = str | int | float | bool


class OutOfRange(ValueError):
    """A setting outside its range, or an experiment over budget.

    field, value and allowed say which, what was asked for, and what may be; the message is a sentence for a learner.
    """

    def __init__(self, field: str, value: object, allowed: str, reason: str = ""):
        self.field, self.value, self.allowed, self.reason = field, value, allowed, reason
        super().__init__(f"{field} is {value!r}, but it must be {allowed}.{' ' + reason if reason else ''}")

    def __reduce__(self):
        return OutOfRange, (self.field, self.value, self.allowed, self.reason)


@dataclass(frozen=True)
class Setting:
    """One row of the table: what a setting is called, what it may be, and what it does.

    low and high bound a number (low itself excluded where `above`); choices lists the values of a text; special maps a
    value outside the range to its meaning; log says that a control should move in factors, not in steps.
    """

    name: str
    default: Value
    group: str
    label: str
    help: str
    choices: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    above: bool = False
    special: tuple[tuple[Value, str], ...] = ()
    log: bool = False

    @property
    def kind(self) -> type:
        return type(self.default)

    @property
    def allowed(self) -> str:
        """The range in words, for messages."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "the SHA-256 of the data's arrays in 64 hexadecimal digits, or empty"
        number = "a whole number" if self.kind is int else "a number"
        low, high = f"{self.low:g}", f"{self.high:.0f}" if self.kind is int else f"{self.high:g}"
        span = f"above {low} and at most {high}" if self.above else f"from {low} to {high}"
        return f"{number} {span}" + "".join(f", or {value:g} for {meaning}" for value, meaning in self.special)

    def check(self, value: object) -> Value:
        """The value as this setting's plain type, or OutOfRange."""
        if self.kind is bool:
            if isinstance(value, (bool, np.bool_)):
                return bool(value)
        elif self.kind is str:
            if isinstance(value, str) and (value in self.choices if self.choices else _is_digest(value)):
                return value
        elif isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
            inside = (self.low < value if self.above else self.low <= value) and value <= self.high
            if (inside or value in dict(self.special)) and self.kind(value) == value:
                return self.kind(value) + 0  # −0.0 equals 0.0, and must be the same bits
        raise OutOfRange(self.name, value, self.allowed)


def _is_digest(text: str) -> bool:
    return text == "" or (len(text) == 64 and all(character in "0123456789abcdef" for character in text))


def row(default: Value, group: str, label: str, help: str, **bounds: Any) -> Any:
    return field(default=default, metadata={"group": group, "label": label, "help": help, **bounds})


def choice(options: Any, group: str, label: str, help: str) -> Any:
    choices = tuple(options)
    return row(choices[0], group, label, help, choices=choices)
