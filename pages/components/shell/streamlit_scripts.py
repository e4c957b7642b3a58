"""The scripts of Streamlit's that a browser loads: which file draws which element, and what it imports."""

import re
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

STATIC = Path(st.__file__).parent / "static"
SCRIPTS = STATIC / "static" / "js"
IMPORTED = re.compile(r'(?:from|import)"\./([^"/]+)"')
IMPORTS_END = 20_000  # characters of a script, at the most: Streamlit's begin with them


def script_of(element: str) -> str:
    """Name of the file that draws this element."""
    (script,) = SCRIPTS.glob(f"{element}.*.js")
    return script.name


def scripts_of(elements: Sequence[str]) -> list[str]:
    """Names of the files that draw these elements, and of all that those import."""
    found: dict[str, None] = {}
    wanted = [script_of(element) for element in elements]
    for script in wanted:
        if script not in found:
            found[script] = None
            with (SCRIPTS / script).open(encoding="utf-8") as text:
                wanted += IMPORTED.findall(text.read(IMPORTS_END))
    return list(found)
