"""The link that opens the page as it stands, to be copied; assets/components/share.js says what the browser adds."""

from collections.abc import Sequence

from pages.components.shell.component import component

_share = component("share")


def share(address: str, browsers_own: Sequence[str]) -> None:
    """Draw the link.  address: of the controls as they stand; browsers_own: the other parameters of the page's."""
    _share(key="share", data={"address": address, "browsers_own": browsers_own})
