"""Links that open the page as it stands, to be copied, scanned and embedded.

assets/components/share.js says what the browser adds to them.
"""

from collections.abc import Sequence
from functools import lru_cache

import segno
import streamlit as st

from pages.components.shell.component import component

# The distance from which a code can be read is that from which its modules can be told apart.  This is version 20 with
# 97 modules a side, two and a half times as many as the code of a lesson's start.
MOST_CHARACTERS = 850
BORDER = 4  # modules of white around it, which the standard asks for

_share = component("share")


@st.fragment
def share(short: str, full: str, title: str, browsers_own: Sequence[str]) -> None:
    """Draw the links.

    short, full: addresses of the controls as they stand; browsers_own: the other parameters of the page's.
    """
    requested = st.session_state.get("share", {}).get("link")
    _share(
        key="share",
        data={
            "short": short, "full": full, "title": title, "browsers_own": browsers_own,
            "code": {"link": requested, "picture": qr_code(requested)} if requested else None,
        },
        on_link_change=lambda: None,
    )  # fmt: skip


@lru_cache(maxsize=64)
def qr_code(link: str) -> str | None:
    """The link's QR code as SVG without a size; None where it would be too fine to be read from afar.

    The smallest version has the largest modules, which is what counts on a screen; the error correction is the best
    that fits into it.
    """
    if len(link) > MOST_CHARACTERS:
        return None
    return segno.make_qr(link, error="l").svg_inline(border=BORDER, omitsize=True, light="#fff")
