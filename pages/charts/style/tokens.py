"""The design's tokens, as assets/tokens.css has them for page, components and charts alike: name -> text."""

import re
from pathlib import Path

_FILE = Path(__file__).resolve().parents[3] / "assets" / "tokens.css"

TOKENS = dict(re.findall(r"^  --([\w-]+): (.+);", _FILE.read_text("utf-8"), flags=re.MULTILINE))
