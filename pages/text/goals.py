"""What a lecturer asks a learner to reach, and whether it is reached.

A goal is a line of text.  Of a lesson's: "treated validation_accuracy above 0.9 in 7 with activation sigmoid": the
network; what is measured, and its bound, or "cured"; in how many of 8 seeds; and what the network must have.  Of the
laboratory's present network: "present validation_accuracy above pin1", a pinned network.  Of the
mystery patient: "cause within 3 looks".  Of the backpropagation page: "loss below 0.1 within 10 updates", "answers 4".
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine import SETTINGS, RunHistory
from engine.cures.outcomes import SEEDS, Outcome, in_unit_of, outcome_of, unit_of
from engine.losses import LOSSES
from engine.settings import OutOfRange
from pages.text.labels import PERCENT, label, meaning, number, percent
from pages.text.own_data import arrays_of
from pages.text.verdict import starting_ratio

CURED, RATIO = "cured", "ratio"
LONGEST = 200  # characters of a goal
_NUMBER = r"-?\d{1,12}(?:\.\d{1,12})?(?:e[+-]?\d{1,3})?"
PAIR, PRESENT = ("patient", "treated"), ("present",)  # networks of a lesson, and of the laboratory
NETWORKS = {"patient": "patient", "treated": "treated network", "present": "present network"}  # in words
_PIN = "pin"
_GOAL = re.compile(
    rf"({'|'.join(NETWORKS)}) (?:{CURED}|(\w+) (above|below) ({_NUMBER}|{_PIN}[1-3]))"
    rf"(?: in ([1-{SEEDS}]))?(?: with (\w+) (\w+))?",
    re.ASCII,
)
CAUSE = "cause"
MYSTERY_AIMS = {CAUSE: "name the root cause", CURED: "prescribe a change that cures the patient"}
MOST_ANSWERS = 4  # questions of the backpropagation page
_MYSTERY_GOAL = re.compile(rf"({'|'.join(MYSTERY_AIMS)})(?: within (\d) looks)?", re.ASCII)
_UPDATE_GOAL = re.compile(
    rf"answers ([1-{MOST_ANSWERS}])|loss (above|below) ({_NUMBER}) within (\d{{1,4}}) updates", re.ASCII
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
_LOSSES = "validation_loss", "training_loss"
_HUBER = LOSSES["huber"].unit
_ALLOWED = (
    f"as in “treated validation_accuracy above 0.9” or “treated {CURED}”, then perhaps “in 7” (of {SEEDS} seeds) and "
    f"“with activation sigmoid”; measured is {', '.join(GOAL_MEASURES)}"
)


@dataclass(frozen=True)
class Goal:
    """What is to be reached.

    network: of NETWORKS; measure: of GOAL_MEASURES, or "cured": the doctor finds nothing that is a warning or
    worse; side, bound: "above" or "below" which number; beat: name of the
    pinned network whose number the bound is, or none; seeds: of 8, in how many, 0: in the run that is shown; setting:
    name and value of what the network must have, or nothing.
    """

    network: str
    measure: str = CURED
    side: str = ""
    bound: float = 0.0
    seeds: int = 0
    setting: tuple[str, str] | tuple[()] = ()
    beat: str = ""

    @property
    def text(self) -> str:
        """As `read_goal` reads it."""
        parts = [self.network, self.measure]
        parts += [] if self.measure == CURED else [self.side, self.beat or f"{self.bound:.12g}"]
        parts += ["in", str(self.seeds)] if self.seeds else []
        return " ".join([*parts, *(("with", *self.setting) if self.setting else ())])

    @property
    def sentence(self) -> str:
        """What is to be reached, in words."""
        network = NETWORKS[self.network]
        if self.measure == CURED:
            aim = f"the doctor finds nothing wrong with the {network}"
        else:
            measure = GOAL_MEASURES[self.measure]
            bound = f"{100 * self.bound:g}{PERCENT}" if measure.said is percent else f"{self.bound:g}"
            bound = f"that of pinned network {self.beat.removeprefix(_PIN)}" if self.beat else bound
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
        if self.measure == RATIO:
            return starting_ratio(history)
        return self._of(outcome_of(history, arrays_of(history.experiment)))

    def against(self, rival: RunHistory, present: RunHistory) -> "tuple[Goal | None, str]":
        """The goal with what a pinned network achieves as its bound, in the unit of the present one's loss, and that
        it was put into that; None, and why, where the two losses cannot be compared.
        """
        if self.measure not in _LOSSES:
            return replace(self, bound=self.measured(rival)), ""
        mine, theirs = (outcome_of(run, arrays_of(run.experiment)) for run in (present, rival))
        units = unit_of(mine), unit_of(theirs)
        scaled = math.isnan(theirs.train_accuracy) and rival.experiment.target_scale != present.experiment.target_scale
        if units[0] != units[1]:
            kinds = " and ".join(units)
            return None, f"{kinds} cannot be compared: give both networks the same loss"
        if scaled and units[0] == _HUBER:
            return None, f"the {_HUBER} has no unit: give both networks the same target scale"
        bound = self._of(in_unit_of(present.experiment, theirs))
        return replace(self, bound=bound), " in the present network’s unit" if scaled else ""

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


@dataclass(frozen=True)
class MysteryGoal:
    """A mystery patient's cause is to be named, or the patient cured.  looks: at most so many charts opened, or any."""

    aim: str
    looks: int | None = None

    @property
    def text(self) -> str:
        return self.aim if self.looks is None else f"{self.aim} within {self.looks} looks"

    @property
    def sentence(self) -> str:
        """What is to be reached, in words."""
        if self.looks is None:
            return f"{MYSTERY_AIMS[self.aim]}."
        return f"{MYSTERY_AIMS[self.aim]}, with at most {_counted(self.looks, 'chart')} opened."

    def reached(self, cause: bool, cured: bool, looks: int) -> bool:
        """Whether who has named the cause, or cured the patient, after so many charts has."""
        return (cause if self.aim == CAUSE else cured) and (self.looks is None or looks <= self.looks)


@dataclass(frozen=True)
class UpdateGoal:
    """On the backpropagation page: a loss after at most so many updates, or so many questions answered right."""

    answers: int = 0
    side: str = ""
    bound: float = 0.0
    updates: int = 0

    @property
    def text(self) -> str:
        if self.answers:
            return f"answers {self.answers}"
        return f"loss {self.side} {self.bound:.12g} within {self.updates} updates"

    @property
    def sentence(self) -> str:
        """What is to be reached, in words."""
        if self.answers:
            count = "all" if self.answers == MOST_ANSWERS else f"{self.answers} of the"
            return f"{count} {MOST_ANSWERS} questions below, *Check yourself*, are answered right."
        return f"the loss is {self.side} {self.bound:g} after at most {_counted(self.updates, 'update')}."

    def reached(self, right: int, loss: float, updates: int) -> bool:
        """Whether so many right answers, or this loss after so many updates, are enough."""
        if self.answers:
            return right >= self.answers
        return updates <= self.updates and (loss > self.bound if self.side == "above" else loss < self.bound)


AnyGoal = Goal | MysteryGoal | UpdateGoal


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _match(pattern: re.Pattern[str], text: str, allowed: str) -> re.Match[str]:
    found = pattern.fullmatch(" ".join(text.split())) if len(text) <= LONGEST else None
    if found is None:
        raise OutOfRange("goal", text, allowed)
    return found


def read_mystery_goal(text: str) -> MysteryGoal:
    """The mystery patient's goal that a line of text says.  OutOfRange for what is none."""
    aim, looks = _match(_MYSTERY_GOAL, text, "“cause” or “cured”, then perhaps “within 3 looks”").groups()
    return MysteryGoal(aim, None if looks is None else int(looks))


def read_update_goal(text: str) -> UpdateGoal:
    """The backpropagation page's goal that a line of text says.  OutOfRange for what is none."""
    allowed = f"“loss below 0.1 within 10 updates” or “answers {MOST_ANSWERS}”, of {MOST_ANSWERS} questions"
    answers, side, bound, updates = _match(_UPDATE_GOAL, text, allowed).groups()
    if answers:
        return UpdateGoal(int(answers))
    if not math.isfinite(float(bound)):
        raise OutOfRange("goal", text, allowed)
    return UpdateGoal(0, side, float(bound), int(updates))


def read_laboratory_goal(text: str) -> Goal:
    """The laboratory's goal that a line of text says: of the run that is shown.  OutOfRange for what is none."""
    goal = read_goal(text, PRESENT)
    if goal.seeds:
        raise OutOfRange("goal", text, "without a number of seeds")
    return goal


def read_goal(text: str, networks: Sequence[str] = PAIR) -> Goal:
    """The goal of a lesson that a line of text says, of one of these networks.  OutOfRange for what is none."""
    found = _match(_GOAL, text, _ALLOWED)
    network, measure, side, bound, seeds, name, value = found.groups()
    pinned = (bound or "").startswith(_PIN)
    known = measure is None or (measure in GOAL_MEASURES and (pinned or math.isfinite(float(bound))))
    known = known and network in networks and (networks == PRESENT or not pinned)
    fits = name is None or (name in SETTINGS and value in SETTINGS[name].choices)
    if not (known and fits and not (seeds and measure and GOAL_MEASURES[measure].value is None)):
        raise OutOfRange("goal", text, _ALLOWED)
    what = (measure, side, 0.0 if pinned else float(bound)) if measure else (CURED, "", 0.0)
    setting = (name, value) if name else ()
    return Goal(network, *what, int(seeds or 0), setting, bound if pinned else "")
