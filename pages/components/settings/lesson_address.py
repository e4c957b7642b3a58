"""What the address says to a lesson, and the address that says how its controls stand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from urllib.parse import urlencode

import streamlit as st

from engine.experiment import Experiment
from pages.components.settings.control import PREFIX, Answer
from pages.components.settings.lesson_settings import Lesson, answers_of, controls_of
from pages.components.settings.locks import read_locked, read_locks, with_locks
from pages.components.shell.address import (
    ASSIGNMENT,
    CHART,
    DRAW,
    LOCK,
    PARAMETERS,
    PART,
    PARTS,
    SEAL,
    SEALED,
    TIMELINE,
    VERSION,
    WARD,
    Address,
    Field,
    all_parameters,
    chart_in,
    drawing_in,
    enter,
    history_navigation,
    mend,
    part_in,
    read_address,
    start_again,
    step_in,
    ward_in,
    with_earlier_defaults,
    write_address,
)
from pages.components.shell.assignment import PARAMETERS as ASSIGNED
from pages.components.shell.assignment import read_assignment
from pages.components.shell.session import this_session


def read_lesson_address(lesson: Lesson) -> tuple[Address, bool]:
    """What the address says to the lesson, and whether somebody comes to it; the address mended."""
    widgets = controls_of(lesson)
    entering = enter(lesson.page, (*widgets, PART, TIMELINE, CHART, DRAW, *SEALED, SEAL))
    if not (entering or history_navigation()):
        _keep_assignment(lesson)
    requested, version = with_earlier_defaults(all_parameters(), _earlier_defaults(lesson))
    locks, found = locks_in(lesson, requested)
    this_session().locks[lesson.page] = locks
    found = version | found | read_assignment(requested)[1]
    bound = {
        name: Field(
            partial(read_locked, control, locks[name]) if name in locks else control.read,
            control.default, text=None if control.numeric else control.text,
        )
        for name, control in widgets.items()
    }  # fmt: skip
    bound[PART] = Field(part_in, PARTS[0])
    own = {WARD: Field(ward_in, False), TIMELINE: Field(step_in), CHART: Field(chart_in), DRAW: Field(drawing_in)}
    fields = {**bound, **own, **dict.fromkeys(PARAMETERS, Field(tuple))}
    others = {name: texts for name, texts in requested.items() if name not in (LOCK, *ASSIGNED)}
    found |= read_address(others, fields, partial(_instead, lesson))
    if found.values[WARD]:
        this_session().from_ward.add(lesson.page)
    elif entering or history_navigation():
        this_session().from_ward.discard(lesson.page)
    if not widgets.keys().isdisjoint(found.texts):  # whose names the networks themselves say
        found = replace(found, texts={name: text for name, text in found.texts.items() if name != WARD})
    found = with_locks(found, locks, widgets)
    if version.values[VERSION] < lesson.version and (history_navigation() or not entering):
        start_again(lesson.page, found.texts)
    mend(found, entering, {name: field.default for name, field in bound.items()} | locks)
    return found, entering


def _keep_assignment(lesson: Lesson) -> None:
    """Write back what a lecturer's link asks, where a link within the page has taken it from the address."""
    left = this_session().addresses.get(lesson.page, {})
    kept = {name: left[name] for name in (*SEALED, SEAL) if name in left}
    if any(name in kept and name not in st.query_params for name in ASSIGNMENT):  # what is hidden also opens by itself
        write_address(kept)


def locks_in(lesson: Lesson, requested: Mapping[str, Sequence[str]]) -> tuple[dict[str, Answer], Address]:
    """What the address locks; at the start of its version where it does not say otherwise."""
    widgets = controls_of(lesson)
    start = {name: control.default for name, control in widgets.items()}
    versions = {name: requested[name] for name in (VERSION,) if name in requested}
    earlier, _ = with_earlier_defaults(versions, _earlier_defaults(lesson))
    start |= {name: widgets[name].read(texts) for name, texts in earlier.items()}
    return read_locks(requested.get(LOCK, ()), widgets, start)


def _instead(lesson: Lesson, name: str, texts: Sequence[str]) -> str:
    """What a parameter should have been that the page does not have."""
    shared = name.removeprefix(PREFIX)
    return f"{shared}, one for both networks" if shared in lesson.shared else "a setting of this page"


def address(lesson: Lesson, patient: Experiment, treated: Experiment) -> str:
    """Path and parameters of the lesson's page with these networks; every setting of the page is named.

    ValueError where the networks differ in what they share on this page.
    """
    widgets = controls_of(lesson)
    answers = answers_of(lesson, patient, treated)
    return link(lesson, {name: widgets[name].text(answer) for name, answer in answers.items()})


def short_address(lesson: Lesson, patient: Experiment, treated: Experiment) -> str:
    """Path and parameters of the lesson's page with these networks: what differs from its start, and of which version.

    ValueError where the networks differ in what they share on this page.
    """
    widgets = controls_of(lesson)
    answers = answers_of(lesson, patient, treated)
    others = {name: answer for name, answer in answers.items() if answer != widgets[name].default}
    return short_link(lesson, {name: widgets[name].text(answer) for name, answer in others.items()})


def parameters(lesson: Lesson, patient: Experiment, treated: Experiment) -> dict[str, str]:
    """For a link within the app: the settings that the bare address does not have, as Streamlit would write it itself.

    One setting at least, since who comes to a lesson by its bare address finds it as it was left.
    """
    widgets = controls_of(lesson)
    answers = answers_of(lesson, patient, treated)
    others = [name for name, answer in answers.items() if answer != widgets[name].default]
    return {name: widgets[name].text(answers[name]) for name in others or [lesson.front[0]]}


def link(lesson: Lesson, texts: dict[str, str]) -> str:
    """The lesson's page with these parameters."""
    return f"/{lesson.page}?{urlencode(texts)}"


def short_link(lesson: Lesson, different: dict[str, str]) -> str:
    """The lesson's page with these parameters, which count from its defaults of today."""
    return link(lesson, {VERSION: str(lesson.version), **different})


@lru_cache
def _earlier_defaults(lesson: Lesson) -> tuple[dict[str, str], ...]:
    """Of every earlier version the texts of the controls that had another default then."""
    versions = []
    for patient, treated in lesson.earlier:
        before, now = controls_of(replace(lesson, patient=patient, treated=treated, earlier=())), controls_of(lesson)
        changed = {name: control for name, control in before.items() if control.default != now[name].default}
        versions.append({name: control.text(control.default) for name, control in changed.items()})
    return tuple(versions)
