"""What every page stands in: title, menu, the tools at the top right, the footer."""

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components.shell.address import BROWSERS_OWN, CHART, DRAW, PART, SEAL, SEALED, VIEW
from pages.components.shell.component import component
from pages.components.shell.first_html import HOME, NAME, ROOT, STYLES
from pages.components.shell.plot import load_plotly, prefetch_plotly
from pages.components.shell.session import this_session
from pages.components.shell.share import share
from pages.components.shell.stage_view import complaint, stage_button, viewing

SIDEBAR_WIDTH = 225  # pixels
LEAST_WIDTH = 288  # pixels: charts, notes and products that are narrower stand below each other


@dataclass(frozen=True)
class Page:
    """A row of the menu.  name: the path in the address; card: what the home page says of it."""

    name: str
    title: str
    icon: str
    card: str = ""

    @property
    def file(self) -> str:
        return f"pages/{self.name}.py" if self.name else "app.py"

    @property
    def exists(self) -> bool:
        return (ROOT / self.file).is_file()


# A new page is a new row.
PAGES = (
    Page("", HOME, ":material/home:"),
    Page(
        "backpropagation", "Backpropagation", ":material/calculate:",
        "One update, with every number.",
    ),
    Page(
        "vanishing_gradients", "Vanishing gradients", ":material/trending_down:",
        "The error signal dies on its way back.",
    ),
    Page(
        "exploding_gradients", "Exploding gradients", ":material/trending_up:",
        "The loss jumps about, or ends in NaN.",
    ),
    Page(
        "overfitting", "Overfitting", ":material/fit_screen:",
        "Nearly perfect on training data, poor on new data.",
    ),
    Page(
        "underfitting", "Underfitting", ":material/horizontal_rule:",
        "Hardly better than the average answer.",
    ),
    Page(
        "data_faults", "Data faults", ":material/dataset:",
        "Nothing is wrong with the network. Its examples are another matter.",
    ),
    Page(
        "laboratory", "Laboratory", ":material/experiment:",
        "Your own data, up to four networks of your own.",
    ),
    Page(
        "mystery_patient", "Mystery patient", ":material/psychology_alt:",
        "Find the cause, and prescribe one change.",
    ),
    Page(
        "lecture", "Lectures", ":material/co_present:",
        "Two of them, ready to give: a question, then the measurement.",
    ),
)  # fmt: skip


def lessons() -> list[Page]:
    """The lessons that there are."""
    return [row for row in PAGES if row.name and row.exists]


_menu_closer = component("menu_closer", styled=False)
_history = component("history", styled=False)
_help_names = component("help_names", styled=False)
_keyboard = component("keyboard", styled=False)
_skip = component("skip")


def page(name: str, folded: bool = False) -> "PageShell":
    """Start a page: what the browser's tab says, the menu, the title.  The first Streamlit call of every page.

    folded: the menu opens only where it is asked for.
    """
    row = next(row for row in PAGES if row.name == name)
    st.set_page_config(
        page_title=f"{row.title} · {NAME}" if name else NAME,
        page_icon=str(ROOT / "assets" / "icon.svg"),
        layout="wide",
        initial_sidebar_state="collapsed" if folded else SIDEBAR_WIDTH,
    )
    unseen = st.container(key="unseen", height=1, border=False)  # of next to no height before the style has come, too
    with unseen:
        _history(key="history")  # comes first: it has to be there before the page writes its address
        for style in STYLES:
            st.html(style)
        if name:
            load_plotly()
        else:
            prefetch_plotly()
    if this_session().controls != name:
        this_session().controls = ""
    if not name:
        this_session().parameters = {}
    if not viewing() and not st.context.is_embedded:
        st.logo(ROOT / "assets" / "icon.svg", size="large")
        with st.sidebar, st.container(key="menu"):
            if name:
                _skip(key="skip")
            _menu(name)
    with unseen:
        _menu_closer(key="menu_closer", data=row.title)
        _help_names(key="help_names")
        _keyboard(key="keyboard")
    header = st.container(horizontal=True, vertical_alignment="center", key="header")
    header.title(row.title if name else NAME, anchor=False, width="stretch")
    places = header.container(horizontal=True, width="content"), header.container(width="content")
    return PageShell(row.title, header, header.empty(), *places)


@dataclass(frozen=True)
class PageShell:
    """A started page: its header still has room for tools."""

    title: str
    header: Any
    waiting: Any  # the place for how far a run is, where it moves no chart
    link: Any  # the place of `share`, and of what else leaves the page
    prepare: Any  # the place of the studio's button

    def share(self, short: str, full: str, note: str = "") -> None:
        """Draw the address of the screen, to be sent to others: what differs from the page's start, and all of it.

        note: what who sends it should know.
        """
        with self.link, st.popover("Share", icon=":material/link:"):
            if note:
                st.markdown(note)
            own = (*BROWSERS_OWN, PART, CHART, DRAW, VIEW, *SEALED, SEAL)
            share(absolute(short), absolute(full), f"{NAME}: {self.title}", own)

    def tools(self) -> None:
        """Draw the button into stage view.

        Comes after the lesson's controls, which read the address before any widget is bound to it.
        """
        with self.header:
            stage_button()
        if message := complaint():
            st.warning(message)


def footer() -> None:
    """The last line of every page."""
    text = (
        f"{NAME} · every number and curve is measured on networks that were trained for this page; nothing is sketched."
    )
    st.markdown(f":small[{text}]")


def link(row: Page, label: str, here: str = "") -> None:
    """A link to a page, drawn on the page `here`; a lesson is found as it was left in this session."""
    left = this_session().addresses.get(row.name) if row.name != here else None
    st.page_link(row.file, label=label, icon=row.icon, query_params=left or None)


def _menu(here: str) -> None:
    """Links to the pages that there are."""
    st.markdown(f"**{NAME}**")
    for row in PAGES:
        if row.exists:
            link(row, row.title, here)


def absolute(address: str) -> str:
    """The address with scheme, host and path as the reader's browser has them."""
    here = st.context.url
    return here.partition("?")[0] + "?" + address.partition("?")[2] if here else address
