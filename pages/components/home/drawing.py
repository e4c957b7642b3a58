"""Pictures of runs on the home page's cards, made once for all visitors.

assets/components/drawing.js draws them when they come into sight.
"""

import json
from collections.abc import Callable, Hashable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.charts.one_run.preview import BLANK, Picture
from pages.components.shell.byte_cache import ByteCache
from pages.components.shell.component import component

PICTURE_BYTES = 1e6  # about 6 kB each; the histories of the whole ward would push out those of the lessons

_drawing = component("drawing", styled=False)
_pictures = ByteCache(PICTURE_BYTES)


def leave_room() -> DeltaGenerator:
    """A picture's place, as high as it will be."""
    room = st.empty()
    room.image(BLANK, width="stretch", alt="")
    return room


def draw(room: DeltaGenerator, name: str, key: Hashable, make: Callable[[], Picture]) -> None:
    """The picture that is kept under the key, else what `make` gives, which may train.  name: of its place."""
    kept = _pictures.find(key)
    if kept is None:
        picture = make()  # outside of the cache, which would let others wait for a visitor that leaves
        kept = _pictures.get(key, lambda: json.dumps(picture._asdict()).encode())
    with room:
        _drawing(key=f"drawing_{name}", data=json.loads(kept))
