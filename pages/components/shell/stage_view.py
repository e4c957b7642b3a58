"""Stage view: a page for a projector, without menu, in type that grows with the window; charts fill what is left.

It stands in the address, `view=stage`, and so did its forerunner, `projector=true`.  assets/components/stage.js has the
keys, stage_focus.js beside it says who has the keyboard at first.
"""

from pathlib import Path

import streamlit as st

from engine.settings import OutOfRange
from pages.components.shell.address import CHART, HIDDEN, HIDE, PROJECTOR, VIEW, chart_in, ignored, write_address
from pages.components.shell.component import component

STAGE = "stage"
KEYS = (
    "In a lesson: Space plays, arrows step, 1 to 9 choose a chart, 0 shows the first three, H hides the verdict, "
    "F fills the screen."
)
STYLE = Path(__file__).resolve().parents[3] / "assets" / "stage.css"

_KEY = "stage_keys"
_keys = component("stage", styled=False)
_focus = component("stage_focus", styled=False)


def stage_keys() -> None:
    """Listen to the keys of a lesson on the stage; what they hide or show is in the address when this returns."""
    pressed = _keys(key=_KEY, on_chart_change=lambda: None, on_hide_change=lambda: None)
    if pressed.hide:
        write_address({HIDE: None if HIDE in st.query_params else HIDDEN[0]})


def chosen_chart(count: int) -> int | None:
    """Which of so many charts fills the stage, counted from 0; None: the first ones side by side.

    The key of one that there is not does nothing; of one that the address names, a sentence is drawn.
    """
    pressed = st.session_state.get(_KEY, {}).get("chart")
    if pressed is not None and pressed <= count:
        write_address({CHART: str(pressed) if pressed else None})
    try:
        number = chart_in(st.query_params.get_all(CHART)) if CHART in st.query_params else 0
    except OutOfRange:  # the page says so
        return None
    if number > count:
        st.warning(ignored(CHART, str(number), f"a number from 1 to {count}"), icon=":material/info:")
        write_address({CHART: None})
        return None
    return number - 1 if number else None


def viewing() -> bool:
    """Whether the page is in stage view."""
    return st.query_params.get(VIEW) == STAGE or st.query_params.get(PROJECTOR, "").lower() == "true"


def stage_button() -> None:
    """Draw the button into stage view or out of it, and its style where it is on."""
    on = viewing()
    st.button(
        "Leave the stage" if on else "Stage view",
        icon=":material/close_fullscreen:" if on else ":material/slideshow:",
        key="stage_view",
        on_click=write_address,
        args=({VIEW: None if on else STAGE, PROJECTOR: None},),
        help=f"For a projector: no menu, large type, the charts fill the window. {KEYS}",
    )
    if on:
        st.html(STYLE)
        _focus(key="stage_focus")


def complaint() -> str:
    """What the address says of the view and does not mean anything; nothing where all is well."""
    view, projector = st.query_params.get(VIEW, STAGE), st.query_params.get(PROJECTOR, "true")
    if view != STAGE:
        return ignored(VIEW, view, STAGE)
    if projector.lower() not in ("true", "false"):
        return ignored(PROJECTOR, projector, "true or false")
    return ""
