"""What stands in assets/: the lessons' networks, texts and things to try, and the patients of the ward."""

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from engine import Experiment
from pages.components.settings.lesson_settings import Lesson
from pages.text.glossary import glossary
from pages.text.outcome_measures import MEASURES, Measure

FIRST_LESSON = "vanishing_gradients"  # has the words that all lessons use
ASSETS = Path(__file__).resolve().parents[3] / "assets"


@lru_cache
def lesson_of(page: str) -> Lesson:
    """The lesson of a page, as assets/lessons/<page>.toml has it.

    Its tables: patient, settings of the default patient; treated, what the default treatment changes; controls, where
    the settings stand on the page (fields of Lesson). Where the default networks change, the tables patient and treated
    as they were are added at the end of the list `earlier`, so that links which were shared still open what they did.
    """
    read = _read(f"lessons/{page}.toml")
    controls: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in read["controls"].items()
    }
    earlier = tuple(_pair(**row) for row in read.get("earlier", ()))
    return Lesson(page, *_pair(read["patient"], read["treated"]), **controls, earlier=earlier)


@dataclass(frozen=True)
class Exercise:
    """One thing to try: how it changes the lesson's networks, and what is to be predicted."""

    key: str
    title: str
    text: str
    patient: dict[str, Any]
    treated: dict[str, Any]
    measure: Measure
    answer: str
    reasons: tuple[str, ...]
    reason: int
    explanation: str

    def pair(self, lesson: Lesson) -> tuple[Experiment, Experiment]:
        """The two experiments."""
        patient = replace(lesson.patient, **self.patient)
        return patient, replace(patient, **self.treated)


@lru_cache
def exercises_of(page: str) -> tuple[Exercise, ...]:
    """The things to try of a lesson."""
    rows = _read(f"lessons/{page}.toml")["trial"]
    return tuple(
        Exercise(**row | {"measure": MEASURES[row["measure"]], "reasons": tuple(row["reasons"])}) for row in rows
    )


@lru_cache
def sections_of(page: str) -> dict[str, str]:
    """The lesson's text: heading -> Markdown below it."""
    text = (ASSETS / "lessons" / f"{page}.md").read_text("utf-8")
    _, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@lru_cache
def glossary_of(page: str) -> dict[str, str]:
    """The words of a page, if it has any, and those of the first lesson, which all use: name -> explanation."""
    own = sections_of(page).get("Words", "") if (ASSETS / "lessons" / f"{page}.md").exists() else ""
    return {**glossary(sections_of(FIRST_LESSON)["Words"]), **glossary(own)}


@dataclass(frozen=True)
class Case:
    """A patient of the ward: a name, what it complains of, and how it changes the networks of its lesson.

    measure: what the treatment makes smaller; complains_of: code of the finding that it complains of, where that is not
    the root cause.
    """

    key: str
    name: str
    complaint: str
    page: str
    patient: dict[str, Any]
    treated: dict[str, Any]
    measure: Measure
    complains_of: str = ""

    @cached_property
    def pair(self) -> tuple[Experiment, Experiment]:
        """The patient, and what the case's treatment makes of it."""
        patient = replace(lesson_of(self.page).patient, **self.patient)
        return patient, replace(patient, **self.treated)


@lru_cache
def ward() -> tuple[Case, ...]:
    """The patients of the ward, in their order."""
    return tuple(Case(**row | {"measure": MEASURES[row["measure"]]}) for row in _read("ward.toml")["case"])


def case_of(page: str, patient: Experiment, treated: Experiment, from_ward: bool) -> Case | None:
    """The patient of the ward that these two networks are, if they are one.

    from_ward: whether somebody came to the page from there; else the lesson's own networks are nobody.
    """
    own = lesson_of(page)
    if not from_ward and (patient, treated) == (own.patient, own.treated):
        return None
    return next((case for case in ward() if case.page == page and case.pair == (patient, treated)), None)


@lru_cache
def complaint(seed: int) -> str:
    """What the mystery patient of this number says, whatever is wrong with it."""
    sentences = _read("lessons/mystery_patient.toml")["complaints"]
    return sentences[seed % len(sentences)]


def _pair(patient: dict[str, Any], treated: dict[str, Any]) -> tuple[Experiment, Experiment]:
    mine = Experiment(**patient)
    return mine, replace(mine, **treated)


def _read(file: str) -> dict[str, Any]:
    return tomllib.loads((ASSETS / file).read_text("utf-8"))
