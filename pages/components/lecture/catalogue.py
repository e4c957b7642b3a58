"""The lectures of assets/lectures/: what each is for, and its scenes."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from engine import Experiment
from engine.limits import APP_LIMITS, check_budget
from pages.charts.style.figure import Chart
from pages.components.lesson.catalogue import ASSETS, lesson_of
from pages.text.readings import Claim, fields_of

LECTURES = ASSETS / "lectures"


class LectureError(ValueError):
    """A mistake in a lecture's file: the message says in which file and line."""


@dataclass(frozen=True)
class Question:
    """What a teacher may ask, and the answer to expect."""

    ask: str
    expect: str


@dataclass(frozen=True)
class Scene:
    """One picture of a lecture: two networks, a question about them, and what is then shown and said.

    page: the lesson that it belongs to; pair: patient and treated network; charts: modules of pages/charts/one_run;
    question, choices, right: what is asked first, if anything, and which answer is right, counted from 0; says: the
    sentence over the charts, with numbers of the runs as {patient.ratio}; step: where the timeline stands, None: it
    plays; minutes, notes: for the lecturer; claims: what a test holds `says` to.
    """

    title: str
    page: str
    pair: tuple[Experiment, Experiment]
    charts: tuple[Chart, ...]
    says: str
    minutes: float
    notes: str
    question: str = ""
    choices: tuple[str, ...] = ()
    right: int = 0
    step: int | None = None
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True)
class Lecture:
    """A lecture.  misconceptions: that it meets; questions: for afterwards."""

    name: str
    title: str
    minutes: float
    aim: str
    misconceptions: tuple[str, ...]
    questions: tuple[Question, ...]
    scenes: tuple[Scene, ...]


def lecture_names() -> list[str]:
    """Of the lectures that there are, in the order of their files' names."""
    return sorted(file.stem for file in LECTURES.glob("*.toml"))


@lru_cache
def lecture_of(name: str) -> Lecture:
    """The lecture of assets/lectures/<name>.toml.  LectureError where its file has a mistake."""
    file = LECTURES / f"{name}.toml"
    return read_lecture(file.name, file.read_text("utf-8"))


def read_lecture(file: str, text: str) -> Lecture:
    """What a lecture's file says.  LectureError names the line of the first mistake."""
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:  # says the line by itself
        raise LectureError(f"{file}: {problem}") from None
    scenes = [
        _made(f"{file}, line {line}", lambda row=row: _scene(row))
        for row, line in zip(read.pop("scene", []), _lines(text, "scene"), strict=True)
    ]
    questions = [
        _made(f"{file}, line {line}", lambda row=row: Question(**row))
        for row, line in zip(read.pop("question", []), _lines(text, "question"), strict=True)
    ]
    if not scenes:
        raise LectureError(f"{file}: a lecture needs at least one [[scene]].")
    read["misconceptions"] = tuple(read.get("misconceptions", ()))
    return _made(
        file,
        lambda: Lecture(name=Path(file).stem, questions=tuple(questions), scenes=tuple(scenes), **read),
    )


def _scene(row: dict[str, Any]) -> Scene:
    lesson = lesson_of(row["page"])
    patient = replace(lesson.patient, **row.pop("patient", {}))
    pair = patient, replace(patient, **row.pop("treated", {}))
    for experiment in pair:
        check_budget(experiment, 2, 1, APP_LIMITS)
    row["charts"] = tuple(_chart(name) for name in row["charts"])
    row["claims"] = tuple(Claim(*claim) for claim in row.get("claims", ()))
    row["choices"] = tuple(row.get("choices", ()))
    if row["choices"] and not 0 <= row.get("right", 0) < len(row["choices"]):
        raise ValueError(f"right is {row['right']}, but there are {len(row['choices'])} choices, counted from 0.")
    fields_of(row["says"])
    return Scene(pair=pair, **row)


def _chart(name: str) -> Chart:
    try:
        return import_module(f"pages.charts.one_run.{name}")
    except ModuleNotFoundError:
        raise ValueError(f"There is no chart {name!r} in pages/charts/one_run.") from None


def _made(where: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except KeyError as problem:
        raise LectureError(f"{where}: {problem} is missing.") from None
    except (TypeError, ValueError, OSError) as problem:
        raise LectureError(f"{where}: {str(problem).removeprefix('Scene.__init__() ')}") from None


def _lines(text: str, table: str) -> list[int]:
    """Where each [[table]] begins."""
    return [text.count("\n", 0, found.start()) + 1 for found in re.finditer(rf"^\[\[{table}\]\]", text, re.MULTILINE)]
