"""The strip: the networks as rows of cells, one a layer, whose brightness the timeline moves.

assets/components/strip.js draws it.  A cell that is clicked marks its layer in every chart.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import streamlit as st

from engine import SETTINGS, Experiment, RunHistory
from engine.starting_signal import starting_signal
from pages.charts.style.annotations import MARKS
from pages.charts.style.figure import LOOKS, PATIENT, TREATED, Look
from pages.components.lesson.catalogue import glossary_of
from pages.components.settings.dragging import stops
from pages.components.shell.byte_cache import ByteCache
from pages.components.shell.component import component
from pages.components.shell.session import this_session
from pages.text.glossary import explained
from pages.text.stage_measures import ELSEWHERE, NO_SIGNAL, STAGE_MEASURES, ratio_in_words, starting_sentence

SENT_BYTES = 1e6  # of strips as they are sent; about 10 kB each
PREVIEW_BYTES = 2e6  # of previews; about 30 kB each
# What can be previewed while it is dragged, and at which values.
PREVIEWED: dict[str, tuple[float, ...]] = {
    "depth": tuple(range(int(SETTINGS["depth"].low), int(SETTINGS["depth"].high) + 1)),
    "gain": stops("gain"),
}
MOST_MULTIPLICATIONS = 2e9  # of a preview: about half a second
DIGITS = 3  # significant, of what a cell says
LEAST_DECADES = 1.0  # between the darkest and the brightest cell, so that equal layers look equal
MOST_DECADES = 8.0
USUAL = 90  # per cent of the steps whose largest value is no brighter than the brightest cell

_sent, _previews = ByteCache(SENT_BYTES), ByteCache(PREVIEW_BYTES)
_strip = component("strip", "cells", "numbers")


def strip(
    page: str,
    verdict: str,
    steps: Sequence[int],
    *histories: RunHistory,
    looks: Sequence[Look] = LOOKS,
    hidden: bool = False,
    refused: bool = False,
) -> None:
    """Draw the strip of a page at these steps of the timeline, a row a network.

    verdict: the page's sentence about the networks, which is read out to who cannot see that it has changed; hidden:
    whether it is none yet, and a dragged setting must not say one either; refused: whether the controls ask for other
    networks, which cannot be trained and are not previewed.
    """
    networks = tuple(history.experiment for history in histories)
    key = page, *((look.key, look.name) for look in looks), *(history.identity for history in histories)
    told = _sent.get(key, lambda: described(page, steps, *histories, looks=looks))
    _draw(page, verdict, hidden, refused, networks, told)


@st.fragment
def _draw(page: str, verdict: str, hidden: bool, refused: bool, networks: tuple[Experiment, ...], told: bytes) -> None:
    """Draw what was described; a session keeps a fragment's arguments, so that they must be small.

    Who touches a setting that can be previewed gets what every value of it would look like at step 0, for the strip to
    follow.
    """
    session = this_session()
    preview, name = None, session.previewed[2] if session.previewed[:2] == (page, networks) else ""
    if name and not refused and _can_be_previewed(page, name, *networks):
        preview = orjson.Fragment(_previews.get((name, networks), lambda: _preview(name, *networks)))

    def touched() -> None:
        session.previewed = page, networks, st.session_state["strip"]["touched"]

    said = {"verdict": verdict, "hidden": hidden}
    data = orjson.dumps({"strip": orjson.Fragment(told), "preview": preview, **said})
    _strip(key="strip", data=data, on_touched_change=touched)


def _can_be_previewed(page: str, name: str, *networks: Experiment) -> bool:
    """Whether step 0 says what the strip shows, and soon enough."""
    if name not in PREVIEWED or not STAGE_MEASURES.get(page, ELSEWHERE).at_start:
        return False
    values = PREVIEWED[name]
    examples = [one.examples_per_update for one in networks]
    layers = [sum(values) if name == "depth" else one.depth * len(values) for one in networks]
    costs = [count * rows * one.width**2 for count, rows, one in zip(layers, examples, networks, strict=True)]
    return 3 * sum(costs) < MOST_MULTIPLICATIONS


def _preview(name: str, patient: Experiment, treated: Experiment) -> bytes:
    """For both networks and every value of a setting: cells, readout and sentence at step 0.

    now: its values in the two networks; follows: whether one field moves both.
    """
    now = [getattr(patient, name), getattr(treated, name)]
    values = sorted({*PREVIEWED[name], *now})
    rows: dict[str, Any] = {}
    for look, who, experiment in (
        (PATIENT, "Untrained, the patient", patient),
        (TREATED, "The treated network", treated),
    ):
        signals = [starting_signal(replace(experiment, **{name: value})) for value in values]
        rows[look.key] = {
            "cells": [[_rounded(value) for value in signal.tolist()] for signal in signals],
            "readouts": [ratio_in_words(signal) for signal in signals],
            "sentences": [starting_sentence(who, signal) for signal in signals],
        }
    return orjson.dumps(rows | {"name": name, "values": values, "now": now, "follows": now[0] == now[1]})


def described(page: str, steps: Sequence[int], *histories: RunHistory, looks: Sequence[Look] = LOOKS) -> bytes:
    """What the strip's script is told of the networks."""
    measure, words = STAGE_MEASURES.get(page, ELSEWHERE), glossary_of(page)
    cells = [measure.cells(history, steps) for history in histories]
    rows = [
        {
            "who": look.key,
            "name": f"{MARKS[look.symbol]} {look.name}",
            "size": _size(history),
            "cells": [[_rounded(value) for value in row] for row in values.tolist()],
            "readout": [
                explained(NO_SIGNAL, words) if one == NO_SIGNAL else one for one in measure.readout(history, steps)
            ],
        }
        for look, history, values in zip(looks, histories, cells, strict=True)
    ]
    return orjson.dumps(
        {
            "steps": steps,
            "name": explained(measure.name, words),
            "caption": explained(measure.caption, words),
            "short": measure.short,
            "decades": _decades(cells),
            "rows": rows,
        }
    )


def _size(history: RunHistory) -> str:
    """As in "10 × 16": hidden layers, and units in each."""
    return f"{history.experiment.depth} × {history.experiment.width}"


def _decades(cells: Sequence[np.ndarray]) -> tuple[float, float]:
    """Powers of ten at the dark and at the bright end, the same for all networks and all steps.

    The few steps of a run on its way to overflow are beyond the bright end, lest all others are dark.
    """
    logs = [np.log10(one[np.isfinite(one) & (one > 0)]) for step in zip(*cells, strict=True) for one in step]
    largest = [one.max() for one in logs if len(one)]
    if not largest:
        return 0.0, 1.0
    high = max(np.percentile(largest, USUAL), *largest[:2])
    low = min(one.min() for one in logs if len(one))
    return float(min(max(low, high - MOST_DECADES), high - LEAST_DECADES)), float(high)


def _rounded(value: float) -> float | None:
    """None: not a number, or beyond all numbers."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
