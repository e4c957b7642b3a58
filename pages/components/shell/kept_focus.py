"""The keyboard stays where a button was that goes with what it leads to; assets/components/kept_focus.js says how."""

from pages.components.shell.component import component

_kept_focus = component("kept_focus", styled=False)


def kept_focus(within: str) -> None:
    """Keep it within what this selector finds on the page."""
    _kept_focus(key="kept_focus", data=within)
