"""The design's tokens, as assets/tokens.css has them for page, components and charts alike: name -> text."""

import re
from pathlib import Path

_FILE = Path(__file__).resolve().parents[3] / "assets" / "tokens.css"

TOKENS = dict(re.findall(r"^  --([\w-]+): (.+);", _FILE.read_text("utf-8"), flags=re.MULTILINE))
# Its colours in the light theme, which charts are made for; chart.js has those of the dark one.
LIGHT = {name: text.removeprefix("light-dark(")[:7] for name, text in TOKENS.items() if "#" in text}
