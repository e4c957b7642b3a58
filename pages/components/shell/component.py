"""Components of our own: markup, style and script of one name in assets/components/."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

COMMENT = re.compile(r"(?<=[;{,]) // .*$")  # that ends a line
_ASSETS = Path(__file__).parents[3] / "assets" / "components"


def component(name: str, *shared: str, styled: bool = True) -> Callable[..., Any]:
    """Streamlit's function that mounts <name>.html of assets/components/, moved by <name>.js and styled by <name>.css.

    shared: scripts whose functions several components use, such as "cells" for cells.js; they come first.
    styled: in a shadow tree, with what component.css says of all; else without a style, within the page's.
    """

    def text(file: str) -> str:
        return (_ASSETS / file).read_text("utf-8")

    return st.components.v2.component(
        f"backprop_clinic_{name}",
        html=text(f"{name}.html"),
        css=text("component.css") + text(f"{name}.css") if styled else None,
        js=_shortened("\n".join(text(f"{one}.js") for one in (*shared, name))),
        isolate_styles=styled,
    )


def _shortened(script: str) -> str:
    """Without indentation and comments: it is sent with each of a component's elements, such as every chart."""
    lines = (COMMENT.sub("", line.strip()) for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))
