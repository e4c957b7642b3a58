"""The strip: the networks as rows of cells, one a layer, whose brightness the timeline moves.

assets/components/strip.js draws it.  A cell that is clicked marks its layer in every chart.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import orjson
import streamlit as st

from engine import SETTINGS, Experiment, RunHistory
from engine.starting_signal import starting_signal
from pages.charts.style.annotations import MARKS
from pages.charts.style.figure import LOOKS, PATIENT, TREATED, Look
from pages.components.lesson.catalogue import glossary_of
from pages.components.shell.byte_cache import ByteCache
from pages.components.shell.component import component
from pages.components.shell.session import this_session
from pages.text.glossary import explained
from pages.text.stage_measures import ELSEWHERE, STAGE_MEASURES, starting_readout

SENT_BYTES = 1e6  # of strips as they are sent; about 10 kB each
PREVIEW_BYTES = 2e6  # of previews; about 20 kB each
DEPTHS = range(int(SETTINGS["depth"].low), int(SETTINGS["depth"].high) + 1)  # a preview's
MOST_MULTIPLICATIONS = 2e9  # of a preview: about half a second
DIGITS = 3  # significant, of what a cell says
LEAST_DECADES = 1.0  # between the darkest and the brightest cell, so that equal layers look equal
MOST_DECADES = 8.0
USUAL = 90  # per cent of the steps whose largest value is no brighter than the brightest cell

_sent, _previews = ByteCache(SENT_BYTES), ByteCache(PREVIEW_BYTES)
_strip = component("strip", "cells", "numbers")


def strip(page: str, verdict: str, steps: Sequence[int], *histories: RunHistory, looks: Sequence[Look] = LOOKS) -> None:
    """Draw the strip of a page at these steps of the timeline, a row a network.

    verdict: the page's sentence about the networks, which is read out to who cannot see that it has changed.
    """
    networks = tuple(history.experiment for history in histories)
    key = page, *((look.key, look.name) for look in looks), *networks
    _draw(page, verdict, networks, _sent.get(key, lambda: described(page, steps, *histories, looks=looks)))


@st.fragment
def _draw(page: str, verdict: str, networks: tuple[Experiment, ...], told: bytes) -> None:
    """Draw what was described; a session keeps a fragment's arguments, so that they must be small.

    Who touches the slider of the depth gets what every depth would look like at step 0, for the strip to follow.
    """
    session = this_session()
    preview = None
    if session.previewed == (page, networks) and _can_be_previewed(page, *networks):
        preview = orjson.Fragment(_previews.get(networks, lambda: _preview(*networks)))
    data = orjson.dumps({"strip": orjson.Fragment(told), "preview": preview, "verdict": verdict})
    _strip(key="strip", data=data, on_touched_change=lambda: setattr(session, "previewed", (page, networks)))


def _can_be_previewed(page: str, *networks: Experiment) -> bool:
    """Whether step 0 says what the strip shows, and soon enough."""
    examples = [min(one.batch_size or one.n_train, one.n_train) for one in networks]
    layers = sum(rows * one.width**2 for rows, one in zip(examples, networks, strict=True))
    return STAGE_MEASURES.get(page, ELSEWHERE).at_start and 3 * sum(DEPTHS) * layers < MOST_MULTIPLICATIONS


def _preview(patient: Experiment, treated: Experiment) -> bytes:
    """For both networks and every depth: cells and readout at step 0.  follows: whether one slider moves both."""
    rows = {}
    for look, experiment in ((PATIENT, patient), (TREATED, treated)):
        signals = [starting_signal(replace(experiment, depth=depth)) for depth in DEPTHS]
        rows[look.key] = {
            "cells": [[_rounded(value) for value in signal.tolist()] for signal in signals],
            "readouts": [starting_readout(signal) for signal in signals],
        }
    return orjson.dumps(rows | {"follows": patient.depth == treated.depth})


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
            "readout": measure.readout(history, steps),
        }
        for look, history, values in zip(looks, histories, cells, strict=True)
    ]
    return orjson.dumps(
        {
            "steps": steps,
            "name": explained(measure.name, words),
            "caption": explained(measure.caption, words),
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
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None
