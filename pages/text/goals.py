"""What a lecturer asks a learner to reach with a network, and whether a run has.

A goal is a line of text, as in "treated validation_accuracy above 0.9 in 7 with activation sigmoid": the network; what
is measured, and its bound, or "cured"; in how many of 8 seeds; and what the network must have.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine import SETTINGS, RunHistory
from engine.cures.outcomes import SEEDS, Outcome, outcome_of
from engine.settings import OutOfRange
from pages.text.labels import PERCENT, label, meaning, number, percent
from pages.text.verdict import starting_ratio

CURED, RATIO = "cured", "ratio"
LONGEST = 200  # characters of a goal
_NUMBER = r"-?\d{1,12}(?:\.\d{1,12})?(?:e-?\d{1,3})?"
_GOAL = re.compile(
    rf"(patient|treated) (?:{CURED}|(\w+) (above|below) ({_NUMBER}))(?: in ([1-{SEEDS}]))?(?: with (\w+) (\w+))?",
    re.ASCII,
)


@dataclass(frozen=True)
class GoalMeasure:
    """A number of a run that a goal can be about.

    name: in a sentence; said: the number; value: of a run's outcome, None where its whole record is needed.
    """

    name: str
    said: Callable[[float], str]
    value: Callable[[Outcome], float] | None


# Validation data: who tries until a goal is reached has chosen by these, and test data are for what was not.
GOAL_MEASURES = {
    "validation_accuracy": GoalMeasure("accuracy on validation data", percent, lambda end: end.validation_accuracy),
    "training_accuracy": GoalMeasure("accuracy on training data", percent, lambda end: end.train_accuracy),
    "accuracy_gap": GoalMeasure(
        "training accuracy less validation accuracy", percent, lambda end: end.train_accuracy - end.validation_accuracy
    ),
    "validation_loss": GoalMeasure("loss on validation data", number, lambda end: end.validation_loss),
    "training_loss": GoalMeasure("loss on training data", number, lambda end: end.train_loss),
    RATIO: GoalMeasure("R, the first layer’s gradient over the last hidden layer’s at step 0,", number, None),
}
_ALLOWED = (
    f"as in “treated validation_accuracy above 0.9” or “treated {CURED}”, then perhaps “in 7” (of {SEEDS} seeds) and "
    f"“with activation sigmoid”; measured is {', '.join(GOAL_MEASURES)}"
)


@dataclass(frozen=True)
class Goal:
    """What is to be reached.

    network: patient or treated; measure: of GOAL_MEASURES, or "cured": the doctor finds nothing that is a warning or
    worse; side, bound: "above" or "below" which number; seeds: of 8, in how many, 0: in the run that is shown; setting:
    name and value of what the network must have, or nothing.
    """

    network: str
    measure: str = CURED
    side: str = ""
    bound: float = 0.0
    seeds: int = 0
    setting: tuple[str, str] | tuple[()] = ()

    @property
    def text(self) -> str:
        """As `read_goal` reads it."""
        parts = [self.network, self.measure]
        parts += [] if self.measure == CURED else [self.side, f"{self.bound:.12g}"]
        parts += ["in", str(self.seeds)] if self.seeds else []
        return " ".join([*parts, *(("with", *self.setting) if self.setting else ())])

    @property
    def sentence(self) -> str:
        """What is to be reached, in words."""
        network = "patient" if self.network == "patient" else "treated network"
        if self.measure == CURED:
            aim = f"the doctor finds nothing wrong with the {network}"
        else:
            measure = GOAL_MEASURES[self.measure]
            bound = f"{100 * self.bound:g}{PERCENT}" if measure.said is percent else f"{self.bound:g}"
            aim = f"the {network}’s {measure.name} is {self.side} {bound}"
        having = f", with {label(self.setting[0])} {meaning(*self.setting)}" if self.setting else ""
        return f"{aim}{having}{f', in {self.seeds} of {SEEDS} seeds' if self.seeds else ''}."

    def missing(self, history: RunHistory) -> str:
        """What the network has instead of the setting that it must have; nothing where all is well."""
        if not self.setting:
            return ""
        name, value = self.setting
        has = getattr(history.experiment, name)
        return "" if has == value else f"its {label(name)} is {meaning(name, has)}"

    def measured(self, history: RunHistory) -> float:
        """Of a run: the measure; the doctor's findings where it is to be cured."""
        return starting_ratio(history) if self.measure == RATIO else self._of(outcome_of(history))

    def reached(self, history: RunHistory) -> bool:
        """Whether this run does it."""
        diverged = history.status == "diverged" and self.measure != RATIO
        return not self.missing(history) and not diverged and self._within(self.measured(history))

    def seeds_reached(self, outcomes: Sequence[Outcome]) -> int:
        """How many of these runs do it, which all have what they must."""
        return sum(end.status != "diverged" and self._within(self._of(end)) for end in outcomes)

    def said(self, value: float) -> str:
        """A measured value."""
        if self.measure != CURED:
            return GOAL_MEASURES[self.measure].said(value) if math.isfinite(value) else "not a number here"
        return f"{value:.0f} finding{'' if value == 1 else 's'}"

    def _of(self, end: Outcome) -> float:
        if self.measure == CURED:
            return len(end.findings)
        value = GOAL_MEASURES[self.measure].value
        return math.nan if value is None else value(end)

    def _within(self, value: float) -> bool:
        if self.measure == CURED:
            return value == 0
        return math.isfinite(value) and (value > self.bound if self.side == "above" else value < self.bound)


def read_goal(text: str) -> Goal:
    """The goal that a line of text says.  OutOfRange for what is none."""
    found = _GOAL.fullmatch(" ".join(text.split())) if len(text) <= LONGEST else None
    if found is None:
        raise OutOfRange("goal", text, _ALLOWED)
    network, measure, side, bound, seeds, name, value = found.groups()
    known = measure is None or (measure in GOAL_MEASURES and math.isfinite(float(bound)))
    fits = name is None or (name in SETTINGS and value in SETTINGS[name].choices)
    if not (known and fits and not (seeds and measure and GOAL_MEASURES[measure].value is None)):
        raise OutOfRange("goal", text, _ALLOWED)
    what = (measure, side, float(bound)) if measure else (CURED, "", 0.0)
    return Goal(network, *what, int(seeds or 0), (name, value) if name else ())
