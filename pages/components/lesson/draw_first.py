"""Draw it first: the learner draws a curve before the page shows what was measured, and then sees both.

While the address says `draw=...`, nothing that was measured is sent to the browser: the measured curve comes when the
learner has pressed Compare.  assets/components/draw_first.js draws both.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import orjson
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import Experiment, RunHistory
from pages.charts.style.annotations import MARKS
from pages.charts.style.figure import LOOKS, Look
from pages.components.lesson.catalogue import glossary_of
from pages.components.settings.controls import heading
from pages.components.shell.address import DRAW, HIDE, hidden_here, open_part, write_address
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
PAGES = *STAGE_MEASURES, "laboratory"  # that have the button
WHO = tuple(look.key for look in LOOKS)  # as a canvas names the networks, whatever the screen calls them

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
    """The button over a chart that covers it, if it can be drawn."""
    if chart in DRAWN_FOR and this_session().controls in PAGES:
        st.button(
            f"Draw it first: {title}", icon=":material/draw:", type="tertiary", key=f"data_draw_{chart}",
            help="Draw it first", on_click=ask, args=(DRAWN_FOR[chart],),
        )  # fmt: skip


def ask(name: str | None) -> None:
    """Have a curve drawn first, by its name; None: none.  For a button."""
    write_address({DRAW: name})


def drawing(page: str, part: str, name: str, patient: Experiment, treated: Experiment) -> None:
    """The part of a lesson while its charts are covered."""
    if part not in DRAWN_IN:
        st.markdown(f"This is hidden until you have drawn {DRAWINGS[name]}.")
        st.button("Draw", icon=":material/draw:", key="to_drawing", on_click=open_part, args=("look",))
        return

    def opened() -> None:
        write_address({DRAW: None} if waits_for_answer(page) else {DRAW: None, HIDE: None})

    draw_or_say(page, name, (patient, treated), glossary_of(page), opened)


def draw_or_say(
    kept: str,
    name: str,
    pair: tuple[Experiment, Experiment],
    glossary: dict[str, str],
    then: Callable[[], None],
    looks: Sequence[Look] = LOOKS,
) -> None:
    """Draw what is drawn on with `draw_on`, and the way past it; where there is nothing to draw, say so."""
    if on := canvas(name, *pair):
        with draw_on(kept, on, pair, glossary, then, looks):
            show_button()
        return
    st.info(
        "With one hidden layer the gradient has no way to go, and there is nothing to draw: choose more layers, or "
        "draw the learning curves.", icon=":material/info:",
    )  # fmt: skip
    with st.container(horizontal=True):
        st.button("Draw the learning curves", icon=":material/draw:", key="draw_loss", on_click=ask, args=(LOSS,))
        show_button()


def draw_on(
    kept: str,
    on: Canvas,
    pair: tuple[Experiment, Experiment],
    glossary: dict[str, str],
    then: Callable[[], None],
    looks: Sequence[Look] = LOOKS,
) -> DeltaGenerator:
    """Draw what is drawn on; the place below it.

    kept: as what the drawing is kept among the session's predictions; then: is called when Compare was pressed; looks:
    of the pair.
    """

    def compare() -> None:
        drawn = read_drawing(on, st.session_state[KEY]["compare"])
        if drawn is None:
            return
        session = this_session()
        session.predictions[kept, on.name] = orjson.dumps(drawn).decode(), ""
        session.measured[kept, KEY] = on.name, Drawn(pair, drawn)
        then()

    with st.container(key="drawing"):
        with st.container(gap="small"):
            st.subheader("Draw it first", anchor=False)
            st.markdown(explained(on.task, glossary))
        with st.container():
            _component(key=KEY, data=_sent(on, looks), on_compare_change=compare)
        below = st.container(gap="xsmall")
        below.markdown(":small[Nothing that was measured is shown until you press Compare.]")
    return below


def comparison(page: str, part: str, patient: RunHistory, treated: RunHistory) -> bool:
    """Draw what was drawn of these networks beside what was measured, if something was; whether."""
    # What was overlooked ends in the doctor's diagnosis.
    explains = not {"verdict", "notes"}.intersection(hidden_here())
    return part in DRAWN_IN and draw_comparison(page, patient, treated, glossary_of(page), ask, explains)


def draw_comparison(
    kept: str,
    patient: RunHistory,
    treated: RunHistory,
    glossary: dict[str, str],
    again: Callable[[str], None] | None,
    explains: bool = True,
    looks: Sequence[Look] = LOOKS,
) -> bool:
    """The same of what was drawn with `draw_on`.

    again: is called where it is to be drawn once more, None where it cannot be; explains: whether what was overlooked
    is said, too; looks: of both networks.
    """
    name, drawn = this_session().measured.get((kept, KEY), (None, None))
    if drawn is None or drawn.pair != (patient.experiment, treated.experiment):
        return False
    on = canvas(name, *drawn.pair)
    assert on is not None
    runs = {"patient": patient, "treated": treated}
    said = {who: words(on, who, curve, runs[who]) for who, curve in drawn.drawing.items()}
    shown = [(look, said[who]) for who, look in zip(WHO, looks, strict=False) if who in said]
    alt = " ".join(f"{look.name}: {one.said}" for look, one in shown)
    curves = {who: measured(on, runs[who]) for who in drawn.drawing}
    with st.container(key="compared"):
        with st.container(gap="xsmall"):
            with st.container(horizontal=True):
                if again:
                    st.button("Draw again", icon=":material/replay:", key="draw_again", on_click=again, args=(name,))
                st.button("Close", icon=":material/close:", key="close_drawing", on_click=_close, args=(kept,))
            for look, one in shown:
                text = f"**{':material/check_circle: ' if one.right else ''}{one.said}**"
                text += f"  \n{one.explained}" if explains else ""
                with st.container(border=True, gap="xsmall"):
                    st.markdown(f"{heading(look)} {explained(text, glossary)}")
        with st.container():
            _component(key=f"{KEY}_compared", data=_sent(on, looks, drawn=drawn.drawing, measured=curves, alt=alt))
    return True


def show_button() -> None:
    """The way past the drawing."""
    st.button("Show it without drawing", key="show_undrawn", icon=":material/skip_next:", on_click=ask, args=(None,))


def _close(kept: str) -> None:
    this_session().measured.pop((kept, KEY), None)


def _sent(on: Canvas, looks: Sequence[Look], **comparison: object) -> bytes:
    names = {who: f"{MARKS[look.symbol]} {look.name}" for who, look in zip(WHO, looks, strict=False)}
    return orjson.dumps({**on._asdict(), "names": names, **comparison})
