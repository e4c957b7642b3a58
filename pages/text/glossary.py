"""The lessons' glossary: its entries, and the places of a text that use one of its words.

A word is marked as a link to `#word-…`; assets/components/explanations.js shows the entry to who points at it, comes to
it with the keyboard, or taps it.
"""

import re
from collections.abc import Mapping

LINK = "#word-"
# Words that a text also uses in their everyday sense, or in another one.
AMBIGUOUS = ("step", "bias", "variance", "range", "median", "draw", "orthogonal", "theory", "step 0")
EXACT = {"He": r"He(?= (?:normal|uniform|initiali))", "R": "R"}  # not the pronoun, nor any r
_UNTOUCHED = re.compile(r"(\$\$[^$]+\$\$|\$[^$]+\$|`[^`]*`|\[[^\]]*\]\([^)]*\)|\w+://\S+)")  # formulas, code, links
_TEX = {
    r"\\partial ?": "∂", r"\\delta": "δ", r"\\Delta": "Δ", r"\\theta": "θ", r"\\eta": "η", r"\\nabla": "∇",
    r"\\ln": "ln", r"\\sum": "Σ", r"\\frac\{1\}\{2\}": "½", r"\\cdot": "·", r"\\\|": "‖", r"10\^\{308\}": "10³⁰⁸",
    r"\^2": "²", r"\$-": "−", r"\$": "", r"\\": "", r" / ": "/",
}  # fmt: skip


def glossary(markdown: str) -> dict[str, str]:
    """A section of words, "- **Saturated**: a unit …", as name -> explanation in plain text."""
    entries = {}
    for item in re.split(r"^- ", markdown, flags=re.MULTILINE)[1:]:
        parts = re.split(r"\*\*([^*]+)\*\*: ", " ".join(item.split()))
        for heading, body in zip(parts[1::2], parts[2::2], strict=True):
            for name in _plain(heading).split(", "):
                if name in EXACT or (name.isascii() and len(name) > 1 and name.lower() not in AMBIGUOUS):
                    entries[name] = _plain(body.replace("**", "")).strip()
    return entries


def used(text: str, entries: Mapping[str, str]) -> list[str]:
    """The names of the entries whose words the text uses, in its order."""
    prose = " ".join(_UNTOUCHED.split(text)[::2])
    return list(dict.fromkeys(_name(match[0], entries) for match in _pattern(entries).finditer(prose)))


def explained(text: str, entries: Mapping[str, str]) -> str:
    """Markdown, with each word of the glossary marked where it first stands."""
    seen: set[str] = set()

    def mark(match: re.Match[str]) -> str:
        name = _name(match[0], entries)
        if name in seen:
            return match[0]
        seen.add(name)
        return f"[{match[0]}]({LINK}{slug(name)})"

    if not entries:
        return text
    parts = _UNTOUCHED.split(text)
    parts[::2] = [_pattern(entries).sub(mark, part) for part in parts[::2]]
    return "".join(parts)


def slug(name: str) -> str:
    """The end of a word's link."""
    return name.lower().replace(" ", "-")


def _name(words: str, entries: Mapping[str, str]) -> str:
    return next(name for name in entries if name.lower() == words.lower())


def _pattern(entries: Mapping[str, str]) -> re.Pattern[str]:
    longest_first = sorted(entries, key=len, reverse=True)
    return re.compile(r"(?<![\w‖-])(?:" + "|".join(map(_written, longest_first)) + r")(?![\w‖-])")


def _written(name: str) -> str:
    """A name with a small or a capital letter."""
    return EXACT.get(name) or f"[{name[0].upper()}{name[0].lower()}]{re.escape(name[1:])}"


def _plain(markdown: str) -> str:
    for tex, sign in _TEX.items():
        markdown = re.sub(tex, sign, markdown)
    return markdown
