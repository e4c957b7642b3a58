"""The timeline: one range over the training steps that moves every animated chart of the page, in the browser.

assets/components/timeline.js says how.  Elements that are no Plotly charts follow the event `backprop-clinic:step` on
window, whose detail is {step}; the step of the moment is document.documentElement.dataset.backpropClinicStep.  Beside
it stands what is marked, backpropClinicMark: JSON of {network, spans}, or nothing; a change is the event
`backprop-clinic:mark`.  The step is written into the address, and read from it where the page is loaded.
"""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from engine.settings import OutOfRange
from pages.components.shell.address import TIMELINE, step_in
from pages.components.shell.component import component

_timeline = component("timeline", "stepper")


def timeline(
    steps: Sequence[int],
    updates_total: int,
    key: str = "timeline",
    start: int | None = None,
    jump: tuple[object, int] | None = None,
    mark: tuple[str, Sequence[tuple[int, int]]] | None = None,
) -> None:
    """Draw the timeline over the steps that have a frame; the charts below it follow without a rerun.

    steps: ascending, at least one; a chart without a frame at the current step shows its latest before it.
    updates_total: the run's length in updates, for "step 240 of 500".
    key: the position is remembered under it in the browser, across reruns and other runs: the end stays the end,
    any other position the nearest step.  It starts at the address's step, else at `start`; without either it plays once
    from the first step to the end, or, for who asked for reduced motion, stands there, which is what the charts' base
    figures show.
    jump: (token, step) goes to the nearest step once for each new token; the same token again does nothing.
    mark: (network, spans of layers counted from 1) are marked in every chart with an axis of that network's layers.
    """
    if not len(steps):
        raise ValueError("A timeline needs at least one step.")
    if TIMELINE in st.query_params:
        with suppress(OutOfRange):  # the page says so
            start = step_in(st.query_params.get_all(TIMELINE))
    _timeline(
        key=key,
        data={
            "key": key,
            "steps": [int(step) for step in steps],
            "updates_total": int(updates_total),
            "start": start,
            "jump": None if jump is None else [str(jump[0]), int(jump[1])],
            "mark": None if mark is None else {"network": mark[0], "spans": mark[1]},
        },
    )
