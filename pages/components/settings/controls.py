"""The controls of a lesson: how they are drawn, and what is shown when one of them is moved.

A page that is opened, and one that somebody goes back to, reads the address; a widget that is moved writes it.  A moved
control draws again what shows the networks, and nothing else: all the widgets of a page cost more than its charts.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException, StreamlitInvalidLayoutContextError

from engine.experiment import SETTINGS, Experiment
from engine.settings import OutOfRange
from pages.charts.style.annotations import MARKS
from pages.charts.style.figure import PATIENT, TREATED, Look
from pages.components.settings.control import PREFIX, Answer, write_controls
from pages.components.settings.dragging import dragging
from pages.components.settings.lesson_address import link, read_lesson_address, short_link
from pages.components.settings.lesson_settings import Lesson, answers_of, controls_of, networks_of
from pages.components.shell.address import (
    HIDDEN,
    PARTS,
    SEAL,
    SEALED,
    VERSION,
    WARD,
    history_navigation,
    parameters_here,
    still_ignored,
)
from pages.components.shell.session import this_session
from pages.components.shell.studio import Preparable
from pages.text import labels

COLORS = {"circle": "orange", "diamond": "blue", "square": "green", "triangle-up": "violet"}  # Streamlit's names
NETWORKS = "networks"  # what shows them, by its name for `st.rerun`

NAME_WIDTH, BESIDE_WIDTH, GAP = 85, 140, 16  # pixels: no longest option is cut off
BESIDE_A_ROW = 2
MORE_A_ROW, MORE_WIDTH = 4, 200  # "more settings" side by side, and pixels that the longest name needs


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
    """Draw the lesson's controls, "more settings" where they are open; the container for the messages of `networks`.

    Nonsense in the address is ignored, with a sentence.
    """
    widgets = controls_of(lesson)
    found, entering = read_lesson_address(lesson)
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
            dragging((*lesson.front, *lesson.beside))
        if session.settings_open:
            with st.container(border=True, key="more_settings"):
                _draw_more(lesson, draw)
    messages = st.container(key="messages")
    for name in hidden:
        st.session_state[name] = st.session_state[name]  # Streamlit forgets what a widget held that is not drawn
    still_ignored(lesson.page, found.sentences, {name: st.session_state[name] for name in widgets})
    return messages


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
    widgets = controls_of(lesson)
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
        "Back to this lesson’s start", icon=":material/restart_alt:",
        on_click=apply, args=(lesson, lesson.patient, lesson.treated),
    )  # fmt: skip


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
    for name in controls_of(lesson):
        st.session_state[name] = st.session_state[name]  # a widget that is new to the page shows only what was written


def _changed(lesson: Lesson) -> int:
    widgets, front = controls_of(lesson), _in_front(lesson)
    return sum(st.session_state[name] != widgets[name].default for name in widgets if name not in front)


def _in_front(lesson: Lesson) -> tuple[str, ...]:
    """The controls of the first screen."""
    return (*lesson.front, *(PREFIX + name for name in lesson.front), *lesson.beside)


@st.fragment(key=NETWORKS)
def networks(lesson: Lesson, messages: DeltaGenerator, show: Callable[[Choice], None]) -> None:
    """Show the networks that the drawn controls ask for, and again whenever one of them is moved.

    Never raises.  Settings that do not go together, and runs over budget, leave the last good networks in place, with
    a sentence.
    messages: the container for that sentence.
    """
    try:
        _show_pair(lesson, messages, show)
    except StreamlitInvalidLayoutContextError:
        st.rerun()  # the whole page, whose last run was cut off before it had come to the places outside of here


def _show_pair(lesson: Lesson, messages: DeltaGenerator, show: Callable[[Choice], None]) -> None:
    widgets = controls_of(lesson)
    # What is disabled in the browser can be moved all the same by who writes to the server himself.
    values: dict[str, Answer] = {name: st.session_state[name] for name in widgets} | this_session().locks[lesson.page]
    notes = still_ignored(lesson.page, (), values)
    last_good = this_session().last_good
    refused = False
    try:
        pair = last_good[lesson.page] = networks_of(lesson, values)
    except OutOfRange as problem:
        refused = True
        shown = "the last networks that could be trained" if lesson.page in last_good else "this lesson’s own networks"
        pair = last_good.get(lesson.page, (lesson.patient, lesson.treated))
        notes = (*notes, f"{labels.refusal(problem)} What you see below are {shown}, not what the controls say.")
    texts = {name: control.text(values[name]) for name, control in widgets.items()}
    different = {name: text for name, text in texts.items() if text != widgets[name].text(widgets[name].default)}
    assignment = {name: st.query_params[name] for name in (*SEALED, SEAL) if name in st.query_params}
    if named := _named_by_ward(lesson, values):
        texts, different = texts | {WARD: named}, different | {WARD: named}
    this_session().addresses[lesson.page] = different | assignment
    write_controls(widgets, values, {WARD: named})
    this_session().parameters = parameters_here()
    with messages:
        if notes:
            st.warning("  \n".join(notes), icon=":material/info:")
        else:
            st.empty()
    show(Choice(*pair, notes, link(lesson, texts), short_link(lesson, different), refused))


def _named_by_ward(lesson: Lesson, answers: Mapping[str, Answer]) -> str | None:
    """The ward's parameter where the networks are the lesson's own, and somebody came to them from there; else None."""
    own = all(answers[name] == control.default for name, control in controls_of(lesson).items())
    return "true" if own and lesson.page in this_session().from_ward else None


def apply(lesson: Lesson, patient: Experiment, treated: Experiment) -> None:
    """Set every control, and with it the address, to these networks.  For a button's on_click, as its last call.

    What a link locks stays as it is.
    """
    widgets = controls_of(lesson)
    answers = answers_of(lesson, patient, treated) | this_session().locks.get(lesson.page, {})
    st.session_state.update(answers)
    write_controls(widgets, answers, {WARD: _named_by_ward(lesson, answers)})
    st.rerun()  # the whole page, controls included, wherever the button stands


def preparable(lesson: Lesson) -> Preparable:
    """The lesson as its controls stand, for a link that is made of it; before `networks`, which may end the run."""
    widgets = controls_of(lesson)
    answers = {name: st.session_state[name] for name in widgets}
    different = {name: answer for name, answer in answers.items() if answer != widgets[name].default}
    texts = {VERSION: str(lesson.version)} | {name: widgets[name].text(answer) for name, answer in different.items()}
    both = [answers.get(name) for name in ("steps", PREFIX + "steps")]
    steps = max((int(answer) for answer in both if isinstance(answer, (int, float))), default=lesson.patient.steps)
    return Preparable(lesson.page, texts, widgets, answers, HIDDEN, PARTS, steps, goals="pair")


def locked_against(lesson: Lesson, patient: Experiment, treated: Experiment) -> str:
    """Why the controls cannot be set to these networks, in a sentence: a link locks what differs; else nothing."""
    locks = this_session().locks.get(lesson.page)
    if not locks:
        return ""
    answers = answers_of(lesson, patient, treated) | locks
    with suppress(OutOfRange):
        if networks_of(lesson, answers) == (patient, treated):
            return ""
    return "This link locks some of the settings that this would change."


def _show_networks() -> None:
    with suppress(StreamlitAPIException):  # raised on a page that was left before it was drawn once
        st.rerun(NETWORKS)


def heading(look: Look) -> str:
    """The network's name in its colour, with its marker: never by colour alone."""
    return f":{COLORS[look.symbol]}[{MARKS[look.symbol]} **{look.name}**]"
