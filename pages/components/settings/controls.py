"""The controls of a lesson, and the address that says how they stand.

Every widget is made from a row of `SETTINGS`.  Its key and its parameter of the address have the name of the
Experiment's field, with the prefix `treated_` for the treated network's own.  A page that is opened, and one that
somebody goes back to, reads the address; a widget that is moved writes it.

A moved control draws again what shows the networks, and nothing else: all the widgets of a page cost more than its
charts.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, NamedTuple
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException, StreamlitInvalidLayoutContextError

from engine.data.sources import DATASETS
from engine.experiment import SETTINGS, Experiment
from engine.limits import check_budget
from engine.settings import OutOfRange
from pages.charts.style.annotations import MARKS
from pages.charts.style.figure import PATIENT, TREATED, Look
from pages.components.settings.control import AS_PATIENT, PREFIX, Answer, Control, write_controls
from pages.components.settings.locks import read_locks
from pages.components.shell.address import (
    ASSIGNMENT,
    CHART,
    DRAW,
    HIDDEN,
    HIDE,
    LOCK,
    PARAMETERS,
    PART,
    PARTS,
    TIMELINE,
    VERSION,
    Address,
    Field,
    all_parameters,
    chart_in,
    drawing_in,
    enter,
    history_navigation,
    mend,
    parameters_here,
    part_in,
    read_address,
    start_again,
    step_in,
    still_ignored,
    with_earlier_defaults,
    write_address,
)
from pages.components.shell.assignment import PARAMETERS as ASKED
from pages.components.shell.assignment import read_assignment
from pages.components.shell.session import this_session
from pages.components.shell.studio import Preparable
from pages.text import labels

COLORS = {"circle": "orange", "diamond": "blue", "square": "green", "triangle-up": "violet"}  # Streamlit's names
NETWORKS = "networks"  # what shows them, by its name for `st.rerun`

# One control for both networks: the data, the draw and what the loss means have to be the same in a fair comparison.
SHARED = ("dataset", "n_train", "noise", "label_noise", "loss", "steps", "seed", "data_seed", "precision")
# A page without an upload has no data of the learner's own.
ABSENT = ("data_digest",)

NAME_WIDTH, BESIDE_WIDTH, GAP = 85, 140, 16  # pixels: no longest option is cut off
BESIDE_A_ROW = 2
MORE_A_ROW, MORE_WIDTH = 4, 200  # "more settings" side by side, and pixels that the longest name needs


@dataclass(frozen=True)
class Lesson:
    """What a lesson's page starts from, and where its settings stand.

    patient, treated: the networks of the bare address.  front: settings on the first screen, for each network its own.
    beside: settings on the first screen with one control; where the treated network may differ, its own control is
    among "more settings", with all the rest.  shared: settings with one control for both.  absent: not on the page.
    segments: choices of the activation that are chosen with one
    click; none: it is a list like the others.
    earlier: the networks that it started from before, the oldest first: links that were shared then count from them.
    ValueError where the two networks differ in what they share.
    """

    page: str
    patient: Experiment
    treated: Experiment
    front: tuple[str, ...] = ("activation", "initializer")
    beside: tuple[str, ...] = ("depth", "dataset", "steps")
    shared: tuple[str, ...] = SHARED
    absent: tuple[str, ...] = ABSENT
    segments: tuple[str, ...] = ("sigmoid", "tanh", "relu")
    earlier: tuple[tuple[Experiment, Experiment], ...] = ()

    @property
    def version(self) -> int:
        """Of the networks that it starts from."""
        return len(self.earlier) + 1

    def __post_init__(self) -> None:
        _answers(self, self.patient, self.treated)


class Choice(NamedTuple):
    """What the controls say.

    patient, treated: the networks to show; notes: sentences about what was not taken as asked, already drawn;
    address: of the controls as they stand, every setting named; short_address: what differs from the lesson's start
    alone; refused: the controls ask for what cannot be made, and
    the networks are the last good ones.
    """

    patient: Experiment
    treated: Experiment
    notes: tuple[str, ...]
    address: str
    short_address: str
    refused: bool


def controls(lesson: Lesson) -> DeltaGenerator:
    """Draw the lesson's controls, "more settings" where they are open; the place for what `networks` says of them.

    Nonsense in the address is ignored, with a sentence.
    """
    widgets = _widgets(lesson)
    found, entering = _read_address(lesson)
    session = this_session()
    locks = session.locks[lesson.page]
    hidden = set(widgets)

    def draw(name: str, **look: Any) -> None:
        hidden.remove(name)
        widgets[name].draw(then=_show_networks, locked=name in locks, **look)

    for name in widgets:
        if entering or history_navigation() or name not in st.session_state or name in found.ignored | locks.keys():
            st.session_state[name] = found.values[name]
    with st.container(key="controls" if session.controls_open else "controls_closed", gap="small"):
        with st.container(key="first_screen", gap="xsmall", horizontal=True, vertical_alignment="bottom"):
            _draw_first_screen(lesson, draw)
        if session.settings_open:
            with st.container(border=True, key="more_settings"):
                _draw_more(lesson, draw)
    place = st.container(key="messages")
    for name in hidden:
        st.session_state[name] = st.session_state[name]  # Streamlit forgets what a widget held that is not drawn
    still_ignored(lesson.page, found.sentences, {name: st.session_state[name] for name in widgets})
    return place


def settings_button() -> None:
    """On a phone, the button that opens and closes all settings; on any other screen they are always open."""
    label = "Close the settings" if this_session().controls_open else "Settings"
    with st.container(key="settings_on_phones"):
        st.button(label, icon=":material/tune:", key="open_controls", on_click=_toggle, args=("controls_open",))


def more_settings_button(lesson: Lesson) -> None:
    """The button that opens and closes "more settings"; it says how many of them differ from the lesson's start."""
    opened = this_session().settings_open
    changed = 0 if opened else _changed(lesson)
    label = "Fewer settings" if opened else f"More settings ({changed} changed)" if changed else "More settings"
    st.button(label, icon=":material/tune:", type="tertiary", key="settings", on_click=_toggle_more, args=(lesson,))


def _toggle(name: str) -> None:
    session = this_session()
    setattr(session, name, not getattr(session, name))


def _toggle_more(lesson: Lesson) -> None:
    _toggle("settings_open")
    for name in _widgets(lesson):
        st.session_state[name] = st.session_state[name]  # a widget that is new to the page shows only what was written


def _changed(lesson: Lesson) -> int:
    widgets, front = _widgets(lesson), _in_front(lesson)
    return sum(st.session_state[name] != widgets[name].default for name in widgets if name not in front)


def _in_front(lesson: Lesson) -> tuple[str, ...]:
    """The controls of the first screen."""
    return (*lesson.front, *(PREFIX + name for name in lesson.front), *lesson.beside)


@st.fragment(key=NETWORKS)
def networks(lesson: Lesson, place: DeltaGenerator, show: Callable[[Choice], None]) -> None:
    """Show the networks that the drawn controls ask for, and again whenever one of them is moved.

    Never raises.  Settings that do not go together, and runs over budget, leave the last good networks in place, with
    a sentence.
    place: for the sentence.
    """
    try:
        _show_pair(lesson, place, show)
    except StreamlitInvalidLayoutContextError:
        st.rerun()  # the whole page, whose last run was cut off before it had come to the places outside of here


def _show_pair(lesson: Lesson, place: DeltaGenerator, show: Callable[[Choice], None]) -> None:
    widgets = _widgets(lesson)
    # What is disabled in the browser can be moved all the same by who writes to the server himself.
    values: dict[str, Answer] = {name: st.session_state[name] for name in widgets} | this_session().locks[lesson.page]
    notes = still_ignored(lesson.page, (), values)
    last_good = this_session().last_good
    refused = False
    try:
        pair = last_good[lesson.page] = _pair(lesson, values)
    except OutOfRange as problem:
        refused = True
        shown = "the last networks that could be trained" if lesson.page in last_good else "this lesson's own networks"
        pair = last_good.get(lesson.page, (lesson.patient, lesson.treated))
        notes = (*notes, f"{labels.refusal(problem)} What you see below are {shown}, not what the controls say.")
    texts = {name: control.text(values[name]) for name, control in widgets.items()}
    different = {name: text for name, text in texts.items() if text != widgets[name].text(widgets[name].default)}
    asked = {name: st.query_params[name] for name in (HIDE, *ASSIGNMENT) if name in st.query_params}
    this_session().addresses[lesson.page] = different | asked
    write_controls(widgets, values)
    this_session().parameters = parameters_here()
    with place:
        if notes:
            st.warning("  \n".join(notes), icon=":material/info:")
        else:
            st.empty()
    show(Choice(*pair, notes, _link(lesson, texts), _short_link(lesson, different), refused))


def address(lesson: Lesson, patient: Experiment, treated: Experiment) -> str:
    """Path and parameters of the lesson's page with these networks; every setting of the page is named.

    ValueError where the networks differ in what they share on this page.
    """
    widgets = _widgets(lesson)
    answers = _answers(lesson, patient, treated)
    return _link(lesson, {name: widgets[name].text(answer) for name, answer in answers.items()})


def short_address(lesson: Lesson, patient: Experiment, treated: Experiment) -> str:
    """Path and parameters of the lesson's page with these networks: what differs from its start, and of which version.

    ValueError where the networks differ in what they share on this page.
    """
    widgets = _widgets(lesson)
    answers = _answers(lesson, patient, treated)
    others = {name: answer for name, answer in answers.items() if answer != widgets[name].default}
    return _short_link(lesson, {name: widgets[name].text(answer) for name, answer in others.items()})


def parameters(lesson: Lesson, patient: Experiment, treated: Experiment) -> dict[str, str]:
    """For a link within the app: the settings that the bare address does not have, as Streamlit would write it itself.

    One setting at least, since who comes to a lesson by its bare address finds it as it was left.
    """
    widgets = _widgets(lesson)
    answers = _answers(lesson, patient, treated)
    others = [name for name, answer in answers.items() if answer != widgets[name].default]
    return {name: widgets[name].text(answers[name]) for name in others or [lesson.front[0]]}


def apply(lesson: Lesson, patient: Experiment, treated: Experiment) -> None:
    """Set every control, and with it the address, to these networks.  For a button's on_click, as its last call.

    What a link locks stays as it is.
    """
    widgets = _widgets(lesson)
    answers = _answers(lesson, patient, treated) | this_session().locks.get(lesson.page, {})
    st.session_state.update(answers)
    write_controls(widgets, answers)
    st.rerun()  # the whole page, controls included, wherever the button stands


def labels_of(lesson: Lesson) -> dict[str, str]:
    """What the lesson's controls are called, by name."""
    return {name: control.label for name, control in _widgets(lesson).items()}


def preparable(lesson: Lesson) -> Preparable:
    """The lesson as its controls stand, for a link that is made of it; before `networks`, which may end the run."""
    widgets = _widgets(lesson)
    answers = {name: st.session_state[name] for name in widgets}
    different = {name: answer for name, answer in answers.items() if answer != widgets[name].default}
    texts = {VERSION: str(lesson.version)} | {name: widgets[name].text(answer) for name, answer in different.items()}
    asked = [answers.get(name) for name in ("steps", PREFIX + "steps")]
    steps = max((int(answer) for answer in asked if isinstance(answer, (int, float))), default=lesson.patient.steps)
    return Preparable(lesson.page, texts, widgets, answers, HIDDEN, PARTS, steps, goals=True)


def locked_against(lesson: Lesson, patient: Experiment, treated: Experiment) -> str:
    """Why the controls cannot be set to these networks, in a sentence: a link locks what differs; else nothing."""
    locks = this_session().locks.get(lesson.page)
    if not locks:
        return ""
    answers = _answers(lesson, patient, treated) | locks
    with suppress(OutOfRange):
        if _pair(lesson, answers) == (patient, treated):
            return ""
    return "This link locks some of the settings that this would change."


def _show_networks() -> None:
    with suppress(StreamlitAPIException):  # raised on a page that was left before it was drawn once
        st.rerun(NETWORKS)


@lru_cache
def _widgets(lesson: Lesson) -> dict[str, Control]:
    """The page's controls by name: the patient's, then the treated network's own."""
    made = []
    for treated in (False, True):
        for name, setting in SETTINGS.items():
            if name in lesson.absent or (treated and name in lesson.shared):
                continue
            value = getattr(lesson.treated if treated else lesson.patient, name)
            if (treated and value == getattr(lesson.patient, name)) or (not treated and value in dict(setting.special)):
                default = None if setting.kind in (int, float) else AS_PATIENT
            else:
                default = str(value).lower() if treated and setting.kind is bool else value
            made.append(Control(setting, treated, lesson.segments if name == "activation" else (), default))
    return {control.name: control for control in made}


def _answers(lesson: Lesson, patient: Experiment, treated: Experiment) -> dict[str, Answer]:
    """What every control holds for these networks; what is equal follows the patient."""
    unfair = [name for name in patient.differences(treated) if name in lesson.shared + lesson.absent]
    unfair += [name for name in patient.differences(lesson.patient) if name in lesson.absent]
    if unfair:
        raise ValueError(f"{lesson.page} has no controls for this difference in {', '.join(unfair)}")
    answers = {}
    for name, control in _widgets(lesson).items():
        mine, theirs = getattr(patient, control.setting.name), getattr(treated, control.setting.name)
        value = theirs if control.treated else mine
        answers[name] = control.answer(None if control.treated and mine == theirs else value)
    return answers


def _pair(lesson: Lesson, values: dict[str, Answer]) -> tuple[Experiment, Experiment]:
    """The networks that the controls ask for.  OutOfRange where they cannot be made."""
    mine: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    for name, control in _widgets(lesson).items():
        value = control.value(values[name])
        if value is not None:
            (theirs if control.treated else mine)[control.setting.name] = value
    patient = replace(lesson.patient, **mine)
    treated = replace(patient, **theirs)
    for experiment in (patient, treated):
        data = DATASETS[experiment.dataset]
        check_budget(experiment, data.n_in, data.n_out)
    return patient, treated


def _link(lesson: Lesson, texts: dict[str, str]) -> str:
    return f"/{lesson.page}?{urlencode(texts)}"


def _short_link(lesson: Lesson, different: dict[str, str]) -> str:
    return _link(lesson, {VERSION: str(lesson.version), **different})


@lru_cache
def _earlier_defaults(lesson: Lesson) -> tuple[dict[str, str], ...]:
    """Of every earlier version the texts of the controls that had another default then."""
    versions = []
    for patient, treated in lesson.earlier:
        before, now = _widgets(replace(lesson, patient=patient, treated=treated, earlier=())), _widgets(lesson)
        changed = {name: control for name, control in before.items() if control.default != now[name].default}
        versions.append({name: control.text(control.default) for name, control in changed.items()})
    return tuple(versions)


def _read_address(lesson: Lesson) -> tuple[Address, bool]:
    """What the address says to the lesson, and whether somebody comes to it; the address mended."""
    widgets = _widgets(lesson)
    entering = enter(lesson.page, (*widgets, PART, TIMELINE, CHART, HIDE, DRAW, *ASSIGNMENT))
    if not (entering or history_navigation()):
        _keep_assignment(lesson)
    requested, version = with_earlier_defaults(all_parameters(), _earlier_defaults(lesson))
    locks, found = _locks(lesson, requested)
    this_session().locks[lesson.page] = locks
    found = version | found | read_assignment(requested)[1]
    bound = {
        name: Field(
            partial(_read_locked, control, locks[name]) if name in locks else control.read,
            control.default, text=None if control.numeric else control.text,
        )
        for name, control in widgets.items()
    }  # fmt: skip
    bound[PART] = Field(part_in, PARTS[0])
    own = {TIMELINE: Field(step_in), CHART: Field(chart_in), DRAW: Field(drawing_in)}
    fields = {**bound, **own, **dict.fromkeys(PARAMETERS, Field(tuple))}
    others = {name: texts for name, texts in requested.items() if name not in (LOCK, *ASKED)}
    found |= read_address(others, fields, partial(_instead, lesson))
    found = _with_locks(found, locks, widgets)
    if version.values[VERSION] < lesson.version and (history_navigation() or not entering):
        start_again(lesson.page, found.texts)
    mend(found, entering, {name: field.default for name, field in bound.items()} | locks)
    return found, entering


def _keep_assignment(lesson: Lesson) -> None:
    """Write back what a lecturer's link asks, where a link within the page has taken it from the address."""
    left = this_session().addresses.get(lesson.page, {})
    asked = {name: left[name] for name in (HIDE, *ASSIGNMENT) if name in left}
    if any(name in asked and name not in st.query_params for name in ASSIGNMENT):  # what is hidden also opens by itself
        write_address(asked)


def _locks(lesson: Lesson, requested: Mapping[str, Sequence[str]]) -> tuple[dict[str, Answer], Address]:
    """What the address locks; at the start of its version where it does not say otherwise."""
    widgets = _widgets(lesson)
    start = {name: control.default for name, control in widgets.items()}
    versions = {name: requested[name] for name in (VERSION,) if name in requested}
    earlier, _ = with_earlier_defaults(versions, _earlier_defaults(lesson))
    start |= {name: widgets[name].read(texts) for name, texts in earlier.items()}
    return read_locks(requested.get(LOCK, ()), widgets, start)


def _read_locked(control: Control, locked: Answer, texts: Sequence[str]) -> Answer:
    """The same as what is locked.  OutOfRange for anything else."""
    if control.read(texts) != locked:
        raise OutOfRange(control.name, texts[-1], f"{control.text(locked)}, at which this link locks it")
    return locked


def _with_locks(found: Address, locks: dict[str, Answer], widgets: dict[str, Control]) -> Address:
    """What the address says, with the locked settings at what they are locked at."""
    texts = {name: text for name, text in found.texts.items() if name not in locks}
    texts |= {name: widgets[name].text(held) for name, held in locks.items() if held != widgets[name].default}
    return replace(found, values={**found.values, **locks}, texts=texts)


def _instead(lesson: Lesson, name: str, texts: Sequence[str]) -> str:
    """What a parameter should have been that the page does not have."""
    shared = name.removeprefix(PREFIX)
    return f"{shared}, one for both networks" if shared in lesson.shared else "a setting of this page"


def _draw_first_screen(lesson: Lesson, draw: Callable[..., None]) -> None:
    """A row for the patient and one for the treated network; at their right what is one for both."""
    with st.container(gap="xsmall", key="own_settings"):
        for prefix, look in (("", PATIENT), (PREFIX, TREATED)):
            with st.container(horizontal=True, vertical_alignment="bottom", key=f"row_{look.name.lower()}"):
                st.markdown(heading(look), width=NAME_WIDTH)
                for name in lesson.front:
                    draw(prefix + name)
    across = min(len(lesson.beside), BESIDE_A_ROW)
    with st.container(gap="xsmall", width=across * (BESIDE_WIDTH + GAP), key="beside"):
        for start in range(0, len(lesson.beside), across):
            with st.container(horizontal=True, vertical_alignment="bottom", key=f"beside_{start}"):
                for name in lesson.beside[start : start + across]:
                    draw(name, width=BESIDE_WIDTH)


def _draw_more(lesson: Lesson, draw: Callable[..., None]) -> None:
    """What is one for both; then, by groups, what each network has of its own, the treated below the patient."""
    widgets = _widgets(lesson)
    shown = (*lesson.front, *lesson.beside)
    st.markdown("**Both networks**")
    with st.grid(MORE_A_ROW, min_column_width=MORE_WIDTH):
        for name in lesson.shared:
            if name in widgets and name not in shown:
                draw(name)
    st.markdown(f"{heading(PATIENT)}, and {heading(TREATED)} below it")
    own = [name for name in widgets if PREFIX + name in widgets and name not in lesson.front]
    own.sort(key=lambda name: name in shown)  # last: those whose control for the patient is on the first screen
    for group in dict.fromkeys(setting.group for setting in SETTINGS.values()):
        names = [name for name in own if SETTINGS[name].group == group]
        if names:
            st.markdown(f"**{group.capitalize()}**")
            pairs = st.grid(MORE_A_ROW, min_column_width=MORE_WIDTH)
            for name in names:
                with pairs.cell(), st.container(border=True, gap="xsmall"):
                    if name not in shown:
                        draw(name)
                    draw(PREFIX + name)
    st.button(
        "Back to this lesson's start", icon=":material/restart_alt:",
        on_click=apply, args=(lesson, lesson.patient, lesson.treated),
    )  # fmt: skip


def heading(look: Look) -> str:
    """The network's name in its colour, with its marker: never by colour alone."""
    return f":{COLORS[look.symbol]}[{MARKS[look.symbol]} **{look.name}**]"
