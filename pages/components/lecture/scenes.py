"""A scene of a lecture: its question, then what was measured; a clicker goes from one to the next.

The address says which: `lecture`, `scene` (counted from 1, the one after the last is the end), and `hide=verdict` as
long as the question is open.
assets/components/clicker.js has the keys and the clock.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from textwrap import shorten
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.experiment import SETTINGS
from engine.settings import OutOfRange
from pages.charts.style.annotations import MARKS
from pages.charts.style.figure import PATIENT, TREATED
from pages.components.lecture.catalogue import Lecture, LectureError, Scene, lecture_names, lecture_of
from pages.components.lesson.catalogue import glossary_of, lesson_of
from pages.components.lesson.draw_first import draw_comparison, draw_on
from pages.components.lesson.explanations import explanations
from pages.components.lesson.lessons import row
from pages.components.lesson.strip import strip
from pages.components.settings.lesson_address import parameters
from pages.components.shell.address import (
    CHART,
    HIDDEN,
    HIDE,
    TIMELINE,
    Address,
    Field,
    FieldOf,
    chart_in,
    enter,
    hidden_in,
    mend,
    only,
    parameters_here,
    read_address,
    step_in,
    still_ignored,
    write_address,
)
from pages.components.shell.component import component
from pages.components.shell.runs import histories_of, train_meanwhile
from pages.components.shell.session import this_session
from pages.components.shell.stage_view import chosen_chart, stage_keys, viewing
from pages.components.shell.timeline import timeline
from pages.text.clock import timeline_steps
from pages.text.draw_first import canvas
from pages.text.glossary import explained
from pages.text.labels import differences
from pages.text.readings import filled
from pages.walkthrough.user_input import read_number

PAGE = "lecture"
LECTURE, SCENE, SPEAKER = "lecture", "scene", "speaker"  # parameters of its address
LETTERS = "ABCDEFGH"  # of a question's choices
LONGEST_QUESTION = 70  # characters, in the list of scenes

_clicker = component("clicker")


class RequestedScene(NamedTuple):
    """Which scene, counted from 0, of which lecture the address asks for; None: of none.  After the last: the end."""

    lecture: Lecture | None
    scene: int
    address: str


def requested_scene() -> RequestedScene:
    """What the address asks for.  Nonsense in it is ignored, and said; so is a mistake in the lecture's file."""
    enter(PAGE, (TIMELINE, HIDE, CHART))
    found = _read()
    lecture, scene = found.values[LECTURE], found.values[SCENE]
    mend(found, False, {})
    place = st.empty()
    here = {name: found.values.get(name) for name in (LECTURE, SCENE, HIDE)}
    if sentences := still_ignored(PAGE, found.sentences, here):
        place.warning("  \n".join(sentences), icon=":material/info:")
    named = {LECTURE: lecture.name, SCENE: str(scene + 1)} if lecture else {}
    this_session().addresses[PAGE] = named
    this_session().parameters = parameters_here()
    return RequestedScene(lecture, scene, f"/{PAGE}?{urlencode(named)}")


def _read() -> Address:
    fields: dict[str, Field | FieldOf] = {
        LECTURE: Field(_lecture_in, None),
        SCENE: lambda values: Field(partial(_scene_in, values[LECTURE]), 0),
        SPEAKER: Field(_speaker_in, False),
        HIDE: Field(hidden_in), TIMELINE: Field(step_in), CHART: Field(chart_in),
    }  # fmt: skip
    return read_address(parameters_here(), fields, lambda name, texts: "a parameter of this page")


def _lecture_in(texts: Sequence[str]) -> Lecture:
    name = only(LECTURE, texts)
    if name not in lecture_names():
        raise OutOfRange(LECTURE, name, "one of " + ", ".join(lecture_names()))
    try:
        return lecture_of(name)
    except LectureError as problem:
        raise OutOfRange(LECTURE, name, f"a lecture without a mistake. {problem}") from None


def _scene_in(lecture: Lecture | None, texts: Sequence[str]) -> int:
    text = only(SCENE, texts)
    if lecture is None:
        raise OutOfRange(SCENE, text, "given together with a lecture")
    setting = replace(SETTINGS["steps"], name=SCENE, low=1, high=len(lecture.scenes) + 1)
    return int(setting.check(read_number(text))) - 1


def _speaker_in(texts: Sequence[str]) -> bool:
    if (text := only(SPEAKER, texts).lower()) not in ("true", "false"):
        raise OutOfRange(SPEAKER, text, "true or false")
    return text == "true"


def go_to(lecture: Lecture, scene: int, answered: bool = False) -> None:
    """Come to a scene: to its question, unless that is answered.  For a widget's callback."""
    asks = scene < len(lecture.scenes) and bool(lecture.scenes[scene].question) and not answered
    write_address({LECTURE: lecture.name, SCENE: str(scene + 1), HIDE: HIDDEN[0] if asks else None} | _AS_IT_COMES)


_AS_IT_COMES: dict[str, str | None] = {TIMELINE: None, CHART: None}


def _turn(lecture: Lecture, scene: int, by: int) -> None:
    """On: from a question to its answer, from there to the next scene, at last to the end.  Back: the same way."""
    asking = HIDE in st.query_params
    if by > 0 and asking:
        write_address({HIDE: None} | _AS_IT_COMES)
    elif by < 0 and not asking and scene < len(lecture.scenes) and lecture.scenes[scene].question:
        go_to(lecture, scene)
    elif 0 <= scene + by <= len(lecture.scenes):
        go_to(lecture, scene + by, answered=by < 0)


def show_scene(lecture: Lecture, index: int, waiting: DeltaGenerator) -> None:
    """A scene from its sentence to the bar that leads on, or the end; the next scene is trained meanwhile."""
    # A scene's question, its answer and the end have one layout, or the browser would take the clicker away from each
    # and put it into the next, deaf meanwhile.
    with st.container(key="lesson", gap="xsmall"):
        sentence = st.container(key="verdict", gap="xsmall")
        above = st.container(key="stage", gap="xsmall")
        place = st.container(key="scene")
        controls = st.container(key="controls", gap="xsmall")
        if viewing() and index < len(lecture.scenes):
            stage_keys()  # before the bar, whose labels hang on what they hide
        with controls:
            _bar(lecture, index)
    if index == len(lecture.scenes):
        _end(lecture, sentence, place)
    else:
        _scene(lecture, index, Places(sentence, above, place, waiting))
    for following in lecture.scenes[index + 1 : index + 2]:
        train_meanwhile(following.pair)


class Places(NamedTuple):
    """Where the parts of a scene are drawn.  waiting: how far its runs are."""

    sentence: DeltaGenerator
    above: DeltaGenerator
    below: DeltaGenerator
    waiting: DeltaGenerator


def _scene(lecture: Lecture, index: int, places: Places) -> None:
    """A scene's question with what is expected, or its answer as it was measured."""
    scene = lecture.scenes[index]
    words = glossary_of(scene.page)
    explanations(words)
    differ = explained(_who_is_who(scene), words)
    if scene.question and HIDE in st.query_params:
        train_meanwhile(scene.pair)
        places.sentence.header(explained(scene.question, words), anchor="verdict")
        places.sentence.container(key="scene_note").markdown(f":small[{differ}]")
        with places.below, st.container(key="scene_question"):
            if scene.draw:
                _draw_first(lecture, index)
            else:
                _choices(lecture, index)
        return
    patient, treated = histories_of(scene.pair, place=places.waiting)
    says = filled(scene.says, patient, treated)
    places.sentence.header(explained(says, words), anchor="verdict")
    places.sentence.container(key="scene_note").markdown(f"{_answer(lecture, index)}:small[{differ}]")
    with places.above:
        steps = timeline_steps(patient, treated)
        timeline(steps, steps[-1], f"timeline_{lecture.name}_{index}", start=scene.step)
        strip(scene.page, says, steps, patient, treated)
    with places.below:
        if not draw_comparison(_kept(lecture, index), patient, treated, words, lambda _: go_to(lecture, index)):
            chosen = chosen_chart(len(scene.charts))
            row(scene.charts if chosen is None else scene.charts[chosen : chosen + 1], patient, treated)


def _end(lecture: Lecture, sentence: DeltaGenerator, place: DeltaGenerator) -> None:
    """What comes after the last scene: the questions to take along, and where the class may go on."""
    sentence.header("That was the last scene. Can you answer these now?", anchor="verdict")
    with place, st.container(key="scene_end"):
        speaker = _speaking()
        for one in lecture.questions:
            st.markdown(f"- {one.ask}" + (f"  \n  :small[Expect: {one.expect}]" if speaker else ""))
        st.markdown(
            "**On your own:** change these networks in the lesson, then say what a mystery patient suffers from."
        )


def _draw_first(lecture: Lecture, index: int) -> None:
    """The plane that the curve is drawn on; Compare leads to the answer, as the clicker does."""
    scene = lecture.scenes[index]
    on = canvas(scene.draw, *scene.pair)
    assert on is not None  # or its file would have a mistake
    draw_on(_kept(lecture, index), on, scene.pair, glossary_of(scene.page), lambda: _turn(lecture, index, 1))


def _who_is_who(scene: Scene) -> str:
    """Which network is which, and how they differ."""
    changes = differences(*scene.pair).removeprefix("Treated differs in: ")
    return f"Patient {MARKS[PATIENT.symbol]} → treated {MARKS[TREATED.symbol]}: {changes}"


def _kept(lecture: Lecture, index: int) -> str:
    """As what a scene's answer and drawing are kept in the session."""
    return f"expected_{lecture.name}_{index}"


def _choices(lecture: Lecture, index: int) -> None:
    """The answers to choose from; what is chosen stays with the session's other predictions."""
    scene, key = lecture.scenes[index], _kept(lecture, index)

    def keep() -> None:
        this_session().predictions[PAGE, key] = st.session_state[key], ""

    choices = [f"**{letter}** {choice}" for letter, choice in zip(LETTERS, scene.choices, strict=False)]
    st.radio("What do you expect?", choices, index=None, key=key, on_change=keep, persist_state="session")


def _answer(lecture: Lecture, index: int) -> str:
    """Which choice was right, and what was expected."""
    scene = lecture.scenes[index]
    if not scene.choices:
        return ""
    expected, _ = this_session().predictions.get((PAGE, _kept(lecture, index)), (None, ""))
    right = f"**{LETTERS[scene.right]}** {scene.choices[scene.right]}"
    said = "" if expected is None else " You said so." if expected == right else f" You said: {expected}."
    return f"Measured: {right}.{said} "


def _speaking() -> bool:
    """Whether the speaker's notes are shown."""
    return st.query_params.get(SPEAKER, "").lower() == "true"


def _bar(lecture: Lecture, index: int) -> None:
    """Where in the lecture one is, and the ways on; for the speaker what to say, and the time used."""
    count, speaker, asking = len(lecture.scenes), _speaking(), HIDE in st.query_params
    scene = lecture.scenes[min(index, count - 1)]
    for_the_speaker = st.empty()
    if speaker and index < count:
        notes = scene.notes_before if asking else scene.notes
        for_the_speaker.info(f"**{scene.minutes:g} min.** {notes}", icon=":material/speaker_notes:")
    with st.container(horizontal=True, vertical_alignment="center", key="ways"):
        st.button(
            "Back", icon=":material/arrow_back:", key="scene_back",
            disabled=index == 0 and (asking or not scene.question),
            on_click=_turn, args=(lecture, index, -1), help="Key: Page up",
        )  # fmt: skip
        label = "Answer" if asking else "Next" if index + 1 < count else "End"
        st.button(
            label, icon=":material/arrow_forward:", key="scene_next", disabled=index == count, type="primary",
            on_click=_turn, args=(lecture, index, 1), help="Key: Page down",
        )  # fmt: skip
        title = "" if asking else f" · {scene.title}"  # which gives the answer
        st.markdown(f"**{index + 1} of {count}**{title}" if index < count else "**End**", width="stretch")
        _turned(lecture, index, speaker)
        st.button(
            "Hide notes" if speaker else "Notes", icon=":material/speaker_notes:", key="scene_notes", type="tertiary",
            on_click=write_address, args=({SPEAKER: None if speaker else "true"},),
            help="The speaker’s notes, and the time used: whoever sees this screen sees them.",
        )  # fmt: skip
        with st.popover("Scenes", icon=":material/list:", key="scenes"), st.container(gap="xxsmall"):
            for number, other in enumerate(lecture.scenes):
                told = number < index or (number == index and not asking) or not other.question
                name = other.title if told else shorten(other.question, LONGEST_QUESTION, placeholder=" …")
                st.button(
                    f"{number + 1}. {name} ({other.minutes:g} min)", key=f"to_scene_{number}", type="tertiary",
                    on_click=go_to, args=(lecture, number), disabled=number == index,
                )  # fmt: skip
            st.button("All lectures", key="all_lectures", icon=":material/home:", type="tertiary", on_click=_leave)
        lesson = lesson_of(scene.page)
        st.page_link(
            f"pages/{scene.page}.py", label="Open in the lesson", icon=":material/open_in_new:",
            query_params=parameters(lesson, *scene.pair),
        )  # fmt: skip
        if index == count:
            st.page_link("pages/mystery_patient.py", label="Mystery patient", icon=":material/psychology_alt:")


def _leave() -> None:
    write_address({LECTURE: None, SCENE: None, HIDE: None, SPEAKER: None} | _AS_IT_COMES)


def _turned(lecture: Lecture, index: int, speaker: bool) -> None:
    """Listen to the clicker, and show the speaker the clock."""

    def turn() -> None:
        press = st.session_state["clicker"]["turn"]
        # Streamlit sends a press twice where another component has something to say in the same moment.
        if press["at"] != this_session().turned:
            this_session().turned = press["at"]
            # From where the address is by now: who presses twice may be ahead of what is drawn.
            _turn(lecture, _read().values[SCENE], int(press["by"]))

    clock = {"lecture": lecture.name, "minutes": lecture.minutes} if speaker else None
    _clicker(key="clicker", data={"clock": clock, "scene": index}, on_turn_change=turn, width="content")
