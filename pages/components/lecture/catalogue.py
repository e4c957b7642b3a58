"""The lectures of assets/lectures/: what each is for, and its scenes."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_origin

from engine import Experiment
from engine.limits import APP_LIMITS, check_budget
from pages.charts.style.figure import Chart
from pages.components.lesson.catalogue import ASSETS, lesson_of
from pages.text.draw_first import DRAWINGS, canvas
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
    question, choices, right: what is asked first, if anything, and which answer is right, counted from 0; draw: the
    curve of DRAWINGS that is drawn before it is shown, if one is; says: the sentence over the charts, with numbers of
    the runs as {patient.ratio}; step: where the timeline stands, None: it plays; minutes, notes: for the lecturer,
    notes_before as long as the question is open; claims: what a test holds `says` to.
    """

    title: str
    page: str
    pair: tuple[Experiment, Experiment]
    charts: tuple[Chart, ...]
    says: str
    minutes: float
    notes: str
    notes_before: str = ""
    question: str = ""
    choices: tuple[str, ...] = ()
    right: int = 0
    draw: str = ""
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
    scenes = [_made(where, Scene, _scene, row) for where, row in _tables(file, text, read, "scene")]
    questions = [_made(where, Question, _question, row) for where, row in _tables(file, text, read, "question")]
    if not scenes:
        raise LectureError(f"{file}: a lecture needs at least one [[scene]].")
    return _made(file, Lecture, _lecture, {**read, "name": Path(file).stem, "questions": questions, "scenes": scenes})


def _lecture(row: dict[str, Any]) -> Lecture:
    lists = {name: tuple(row.get(name, ())) for name in ("misconceptions", "questions", "scenes")}
    return Lecture(**row | lists)


def _question(row: dict[str, Any]) -> Question:
    return Question(**row)


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
    if draw := row.get("draw", ""):
        if draw not in DRAWINGS:
            raise ValueError(f"draw is {draw!r}, but it must be one of {', '.join(DRAWINGS)}.")
        if not row.get("question") or canvas(draw, *pair) is None:
            raise ValueError("draw needs a question, and a curve to draw: with one hidden layer there is no gradient.")
    fields_of(row["says"])
    return Scene(pair=pair, **row)


def _chart(name: str) -> Chart:
    try:
        return import_module(f"pages.charts.one_run.{name}")
    except ModuleNotFoundError:
        raise ValueError(f"There is no chart {name!r} in pages/charts/one_run.") from None


def _made(where: str, kind: type, make: Callable[[dict[str, Any]], Any], row: dict[str, Any]) -> Any:
    try:
        _check_kinds(kind, row)
        return make(row)
    except KeyError as problem:
        raise LectureError(f"{where}: {problem} is missing.") from None
    except (TypeError, ValueError, OSError) as problem:
        raise LectureError(f"{where}: {problem}") from None


def _check_kinds(kind: type, row: dict[str, Any]) -> None:
    """ValueError for a field that has a value of another kind than it must."""
    for one in fields(kind):
        wanted, name = (list, "a list") if get_origin(one.type) is tuple else _KINDS.get(one.type, (object, ""))
        if one.name in row and not isinstance(row[one.name], wanted):
            raise ValueError(f"{one.name} is {row[one.name]!r}, but it must be {name}.")


_KINDS: dict[Any, tuple[Any, str]] = {
    str: (str, "text, in quotes"), float: ((int, float), "a number"), int: (int, "a whole number"),
    int | None: (int, "a whole number"),
}  # fmt: skip


def _tables(file: str, text: str, read: dict[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    """The tables [[name]] of a file, taken out of what was read, and for each where it begins."""
    begin = [found.start() for found in re.finditer(rf"^[ \t]*\[\[{name}\]\]", text, re.MULTILINE)]
    rows = read.pop(name, [])
    return [(f"{file}, line {text.count(chr(10), 0, start) + 1}", row) for start, row in zip(begin, rows, strict=True)]
