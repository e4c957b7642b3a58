"""Points that are drawn: of two classes, or of a curve; as the address has them, and as a table.

A side of the plane has 64 places, each a character, from −2 to 2.  assets/components/plane.js sets them.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

import streamlit as st

from engine.settings import OutOfRange
from pages.components.laboratory.tables import Table, read_text
from pages.components.shell.address import only, write_address
from pages.components.shell.component import component

POINTS = "points"  # parameter of the address
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
MOST = 150  # points, of up to three characters each, that a link takes
REACH = 2.0  # of the plane, to every side
CLASSES, CURVE = "draw", "curve"  # among the samples
DRAWN = {CLASSES: "Draw points of two classes", CURVE: "Draw points of a curve"}
TEXTS = re.compile(r"(?:[01][\w-]{2})*|(?:[\w-]{2})*", re.ASCII)

_plane = component("plane")


def points_in(texts: Sequence[str]) -> str:
    """The points of the address.  OutOfRange where they are none, or too many."""
    text = only(POINTS, texts)
    if not TEXTS.fullmatch(text) or len(text) > 3 * MOST:
        raise OutOfRange(POINTS, text, f"up to {MOST} points, as the laboratory writes them")
    return text


def draw_points(name: str, points: str, locked: bool = False) -> None:
    """Draw the plane with these points, to set others unless they are locked."""

    def write() -> None:
        write_address({POINTS: st.session_state[f"plane_{name}"]["points"] or None})

    kind = "classes" if name == CLASSES else "curve"
    if not locked:
        _plane(key=f"plane_{name}", data={"points": points, "kind": kind, "most": MOST}, on_points_change=write)


@lru_cache(maxsize=64)
def table_of(name: str, points: str) -> Table | None:
    """The points as a table of the kind; None where there are none."""
    size = 3 if name == CLASSES else 2
    if len(points) < size or len(points) % size:
        return None
    rows = [_row(points[i : i + size]) for i in range(0, len(points), size)]
    return read_text("\n".join(["x1,x2,class" if name == CLASSES else "x,y", *rows]), header=True)


def _row(point: str) -> str:
    places = [REACH * (2 * LETTERS.index(letter) / (len(LETTERS) - 1) - 1) for letter in point[-2:]]
    cells = [f"{place:.3f}" for place in places]
    return ",".join([*cells, *(["AB"[int(point[0])]] if len(point) == 3 else [])])
