"""All lectures, and what a teacher wants to know before giving one: aim, time, misconceptions, questions."""

import streamlit as st

from pages.components.lecture.catalogue import Lecture, LectureError, lecture_names, lecture_of
from pages.components.lecture.scenes import LECTURE, PAGE, SCENE, SPEAKER, go_to
from pages.components.lesson.catalogue import sections_of
from pages.components.shell.address import HIDDEN, HIDE, VIEW, write_address
from pages.components.shell.frame import absolute
from pages.components.shell.stage_view import STAGE

TEACHING = "teaching"  # the text with a section for each lesson


def overview() -> None:
    """Draw a card for each lecture, then a page for teachers on each lesson."""
    st.markdown(
        "Each scene asks first and then shows what was measured, on networks that are trained while you speak. "
        "*Page up* and *Page down*, which a clicker sends, go from one to the next."
    )
    for name in lecture_names():
        with st.container(border=True, key=f"lecture_{name}"):
            try:
                _card(lecture_of(name))
            except LectureError as problem:
                st.error(f"This lecture has a mistake in its file. {problem}", icon=":material/error:")
    st.header("For teachers: the lessons", anchor=False)
    for title, text in sections_of(TEACHING).items():
        with st.expander(title):
            st.markdown(text)


def _card(lecture: Lecture) -> None:
    st.subheader(lecture.title, anchor=False)
    st.markdown(f"{len(lecture.scenes)} scenes, about {lecture.minutes:g} minutes. {lecture.aim}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Give it", icon=":material/slideshow:", key=f"give_{lecture.name}", type="primary",
            on_click=_give, args=(lecture,), help="In stage view, for a projector.",
        )  # fmt: skip
        st.button(
            "Prepare, with notes", icon=":material/speaker_notes:", key=f"prepare_{lecture.name}",
            on_click=_prepare, args=(lecture,), help="On your own screen, with the speaker’s notes and the time used.",
        )  # fmt: skip
        with st.popover("Links", icon=":material/link:"):
            st.markdown("For the class: the first question.")
            st.code(_link(lecture), language=None, wrap_lines=True)
            st.markdown("For you: with your notes and the time used.")
            st.code(f"{_link(lecture)}&{SPEAKER}=true", language=None, wrap_lines=True)
    with st.expander("What it meets, what to ask, its scenes"):
        st.markdown("**Misconceptions that it meets**\n\n" + "\n".join(f"- {one}" for one in lecture.misconceptions))
        asked = "\n".join(f"- {one.ask}  \n  *Expect:* {one.expect}" for one in lecture.questions)
        st.markdown(f"**Questions for afterwards**\n\n{asked}")
        st.markdown("**Scenes**, with the speaker’s notes")
        for number, one in enumerate(lecture.scenes):
            st.button(
                f"{number + 1}. {one.title} ({one.minutes:g} min)", key=f"scene_{lecture.name}_{number}",
                type="tertiary", on_click=_prepare, args=(lecture, number),
            )  # fmt: skip


def _link(lecture: Lecture) -> str:
    asks = f"&{HIDE}={HIDDEN[0]}" if lecture.scenes[0].question else ""
    return absolute(f"/{PAGE}?{LECTURE}={lecture.name}&{SCENE}=1{asks}")


def _give(lecture: Lecture) -> None:
    write_address({VIEW: STAGE})
    go_to(lecture, 0)


def _prepare(lecture: Lecture, scene: int = 0) -> None:
    write_address({SPEAKER: "true"})
    go_to(lecture, scene)
