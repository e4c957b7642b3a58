"""Draw it first: the learner draws a curve before the page shows what was measured, and then sees both.

While the address says `draw=...`, nothing that was measured is sent to the browser: the measured curve comes when the
learner has pressed Compare.  assets/components/draw_first.js draws both.
"""

from typing import NamedTuple

import orjson
import streamlit as st

from engine import Experiment, RunHistory
from pages.charts.style.figure import LOOKS
from pages.components.lesson.catalogue import glossary_of
from pages.components.settings.controls import heading
from pages.components.shell.address import DRAW, HIDE, open_part, write_address
from pages.components.shell.assignment import waits_for_answer
from pages.components.shell.component import component
from pages.components.shell.session import this_session
from pages.text.draw_first import DRAWINGS, LOSS, Canvas, Drawing, canvas, measured, read_drawing, words
from pages.text.glossary import explained
from pages.text.stage_measures import STAGE_MEASURES

KEY = "draw_first"
DRAWN_IN = "look", "why", "more", "stage"  # parts of a lesson that have charts
# Charts that have the button -> which drawing it asks for.
DRAWN_FOR = {**{name: name for name in DRAWINGS}, "generalization_gap": LOSS}

_component = component("draw_first", "numbers")


class Drawn(NamedTuple):
    """What was drawn of these networks."""

    pair: tuple[Experiment, Experiment]
    drawing: Drawing


def asked() -> str | None:
    """Which drawing the address asks for: what is measured is covered until it is there."""
    name = st.query_params.get(DRAW)
    return name if name in DRAWINGS else None


def draw_button(chart: str, title: str) -> None:
    """The button over a lesson's chart that covers it, if it can be drawn."""
    if chart in DRAWN_FOR and this_session().controls in STAGE_MEASURES:
        st.button(
            f"Draw it first: {title}", icon=":material/draw:", type="tertiary", key=f"data_draw_{chart}",
            help="Draw it first", on_click=_ask, args=(DRAWN_FOR[chart],),
        )  # fmt: skip


def _ask(name: str | None) -> None:
    write_address({DRAW: name})


def drawing(page: str, part: str, name: str, patient: Experiment, treated: Experiment) -> None:
    """The part of a lesson while its charts are covered."""
    if part not in DRAWN_IN:
        st.markdown(f"This is hidden until you have drawn {DRAWINGS[name]}.")
        st.button("Draw", icon=":material/draw:", key="to_drawing", on_click=open_part, args=("look",))
        return
    on = canvas(name, patient, treated)
    if on is None:
        st.info(
            "With one hidden layer the gradient has no way to go, and there is nothing to draw: choose more layers, or "
            "draw the learning curves.", icon=":material/info:",
        )  # fmt: skip
        with st.container(horizontal=True):
            st.button("Draw the learning curves", icon=":material/draw:", key="draw_loss", on_click=_ask, args=(LOSS,))
            _show_button()
        return
    session = this_session()

    def compare() -> None:
        drawn = read_drawing(on, st.session_state[KEY]["compare"])
        if drawn is None:
            return
        session.predictions[page, name] = orjson.dumps(drawn).decode(), ""
        session.measured[page, KEY] = name, Drawn((patient, treated), drawn)
        opens = not waits_for_answer(page)
        if opens:
            st.session_state["hide_verdict"] = False
        write_address({DRAW: None, **({HIDE: None} if opens else {})})

    with st.container(key="drawing"):
        with st.container(gap="small"):
            st.subheader("Draw it first", anchor=False)
            st.markdown(explained(on.task, glossary_of(page)))
        with st.container():
            _component(key=KEY, data=_sent(on), on_compare_change=compare)
        with st.container(gap="xsmall"):
            st.markdown(":small[Nothing that was measured is shown until you press Compare.]")
            _show_button()


def comparison(page: str, part: str, patient: RunHistory, treated: RunHistory) -> bool:
    """Draw what was drawn of these networks beside what was measured, if something was; whether."""
    name, drawn = this_session().measured.get((page, KEY), (None, None))
    if drawn is None or part not in DRAWN_IN or drawn.pair != (patient.experiment, treated.experiment):
        return False
    on = canvas(name, *drawn.pair)
    assert on is not None
    runs = {"patient": patient, "treated": treated}
    said = {who: words(on, who, curve, runs[who]) for who, curve in drawn.drawing.items()}
    alt = " ".join(f"{who.capitalize()}: {one.said}" for who, one in said.items())
    curves = {who: measured(on, runs[who]) for who in drawn.drawing}
    with st.container(key="compared"):
        with st.container(gap="xsmall"):
            with st.container(horizontal=True):
                st.button("Draw again", icon=":material/replay:", key="draw_again", on_click=_ask, args=(name,))
                st.button("Close", icon=":material/close:", key="close_drawing", on_click=_close, args=(page,))
            for look in LOOKS:
                if one := said.get(look.name.lower()):
                    text = f"**{':material/check_circle: ' if one.right else ''}{one.said}**  \n{one.explained}"
                    with st.container(border=True, gap="xsmall"):
                        st.markdown(f"{heading(look)} {explained(text, glossary_of(page))}")
        with st.container():
            _component(key=f"{KEY}_compared", data=_sent(on, drawn=drawn.drawing, measured=curves, alt=alt))
    return True


def _show_button() -> None:
    st.button("Show it without drawing", key="show_undrawn", type="tertiary", on_click=_ask, args=(None,))


def _close(page: str) -> None:
    this_session().measured.pop((page, KEY), None)


def _sent(on: Canvas, **comparison: object) -> bytes:
    return orjson.dumps({**on._asdict(), **comparison})
