"""Where the laboratory's table comes from: a sample, a file, a pasted text, or points that are drawn."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.components.laboratory.link import (
    DATA,
    DIGEST,
    FILE,
    GAPS,
    HEADER,
    LEAVE,
    LONGEST_FILE,
    NAMES,
    PREDICT,
    SAMPLE,
    TARGET,
    VALUES,
    is_locked,
)
from pages.components.laboratory.points import DRAWN, POINTS, draw_points, table_of
from pages.components.laboratory.samples import SAMPLES, sample
from pages.components.laboratory.selection import FEWEST_ROWS, Examples, check_length
from pages.components.laboratory.tables import Table, TableError, read_file, read_text
from pages.components.shell.address import Address, history_navigation, write_address
from pages.components.shell.into_view import into_view
from pages.components.shell.session import this_session
from pages.text.own_data import OwnData
from pages.walkthrough.user_input import as_code

PREVIEWED = 8  # rows
PLANE_WIDTH = 340  # pixels
PASTED = "pasted table"
MEMORY = "It stays in this server’s memory while you are here, and on no disk. A link has its digest, not the data."
FIRST = next(iter(SAMPLES))
CHOICES = SAMPLES | DRAWN


@dataclass
class Laboratory:
    """What a session has brought: its table, under a file's name, or none, and then a sample is shown.

    read, shown: the last table, and whether the page shows it: who goes back to it need not open it again;
    content: what it was read from; header: what the visitor says that its first line has, "" for nothing;
    tag: tells the widgets of one table from those of another; uploaded: the upload that was read last; opened: whether
    the field for one is drawn; problem: what is wrong with the last file; made: the examples of the last selection,
    which every rerun asks for; rescale: whether targets which are new are still to be scaled.
    """

    read: Table | None = None
    shown: bool = False
    name: str = ""
    content: bytes | str = ""
    header: str = ""
    tag: str = ""
    uploaded: str = ""
    opened: bool = False
    problem: str = ""
    made: tuple[Any, Examples, OwnData] | None = None
    rescale: bool = False

    @property
    def table(self) -> Table | None:
        return self.read if self.shown else None


def laboratory() -> Laboratory:
    """This session's."""
    session = this_session()
    session.laboratory = session.laboratory or Laboratory()
    return session.laboratory


class TableOnPage(NamedTuple):
    """A table that is shown.

    tag: tells its widgets from those of others; link: the address, where that says what is to be selected of it; row:
    where that is selected; below: where the data are described.
    """

    table: Table
    tag: str
    link: Address | None
    row: DeltaGenerator
    below: DeltaGenerator


def choose_table(found: Address, entering: bool) -> TableOnPage | None:
    """Draw the choice of a table; the chosen one, None where there is none yet."""
    here = laboratory()
    asked = entering or history_navigation()
    if asked:
        here.uploaded, here.problem = "", ""
    if asked or is_locked(DATA):
        here.shown = here.read is not None and found.values[FILE] == here.name
        if here.shown and found.values[HEADER] != here.header:
            _take(here, here.name, here.content)
        st.session_state[SAMPLE] = None if found.values[DIGEST] else found.values[SAMPLE]
    waiting = bool(found.values[DIGEST]) and here.table is None
    if waiting:
        file = as_code(found.values[FILE] or "that file", LONGEST_FILE)
        st.info(
            f"This link is about data of the sender’s own, which no link carries. Open {file} here, and the page "
            "is as it was sent.",
            icon=":material/upload_file:",
        )
    row = st.container(horizontal=True, vertical_alignment="bottom", key="use", gap="xsmall")
    if (here.opened and not is_locked(DATA)) or waiting:
        _draw_sources(here)
    if here.problem:
        with st.container(key="refused_file"):
            st.error(here.problem, icon=":material/error:")
            into_view(key=f"refused_{hash(here.uploaded + here.problem)}", data="nearest")
    with row:
        _draw_sample(here)
    below = st.container(horizontal=True, key="below")
    with below:
        table, tag = _table(here, found)
        missing = FEWEST_ROWS - len(table or ())
        if tag in DRAWN and missing > 0:
            few = f"{missing} more point{'' if missing == 1 else 's'}" if table else f"at least {FEWEST_ROWS} points"
            st.markdown(f"Set {few}, and a network is trained on them.", width="stretch")
            return None
    if table is None:
        return None
    waited = here.table and f"{TARGET}_{tag}" not in st.session_state and found.values[FILE] == here.name
    link = found if asked or waited or is_locked(DATA) else None
    return TableOnPage(table, tag, link, row, below)


def refuse_file(here: Laboratory, problem: str) -> None:
    """Say what is wrong with the file that a link was waiting for, and wait for another where it locks its data."""
    here.problem = problem
    st.warning(problem, icon=":material/info:")
    if is_locked(DATA):
        here.read = None
        st.rerun()  # with the field for another file


def _table(here: Laboratory, found: Address) -> tuple[Table | None, str]:
    """The table that is shown, if there is one, and what tells its widgets from those of others."""
    name = st.session_state[SAMPLE]
    if here.table or name is None:
        return here.table, here.tag
    if name in SAMPLES:
        return sample(name), name
    with st.container(width=PLANE_WIDTH):
        draw_points(name, found.values[POINTS], is_locked(DATA))
    return table_of(name, found.values[POINTS]), name


def _draw_sample(here: Laboratory) -> None:
    st.selectbox(
        "Data", CHOICES, index=None, format_func=CHOICES.__getitem__, key=SAMPLE, on_change=_take_sample, width=260,
        placeholder=here.name if here.table else "A sample", disabled=is_locked(DATA),
    )  # fmt: skip
    st.button(
        "Your own data", icon=":material/upload_file:", key="own", on_click=_open, width="content",
        disabled=is_locked(DATA),
    )  # fmt: skip


def _open() -> None:
    laboratory().opened = not laboratory().opened


def _draw_sources(here: Laboratory) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="sources"):
        _upload(here)
        with st.popover("Paste a table", icon=":material/content_paste:", width="content"):
            st.text_area("Lines with commas, semicolons or tabs between the cells", key="pasted", height=200)
            st.button("Read it", icon=":material/table:", key="read_pasted", on_click=_take_pasted)
    st.markdown(f":small[{MEMORY}]")


def _upload(here: Laboratory) -> None:
    uploaded = st.file_uploader("A CSV file: commas, semicolons or tabs, with or without names", key="upload")
    # A file that is taken out of the field stays, since Streamlit takes out the one that another is put over.
    if uploaded and uploaded.file_id != here.uploaded:
        here.uploaded = uploaded.file_id
        _bring(here, PurePath(uploaded.name).name[-LONGEST_FILE:], uploaded.getvalue())
        if not here.problem:
            st.rerun()  # without the field


def _take_sample() -> None:
    here = laboratory()
    if st.session_state[SAMPLE] is None:  # emptied, which Escape does: the data stay
        st.session_state[SAMPLE] = st.query_params.get(SAMPLE, FIRST)
        return
    here.shown, here.problem, here.uploaded, here.opened = False, "", "", False
    _write_source(here)


def _take_pasted() -> None:
    _bring(laboratory(), PASTED, st.session_state["pasted"])


def _bring(here: Laboratory, name: str, content: bytes | str) -> None:
    """Take a table that somebody opens; one that no link waits for has its targets scaled."""
    awaited = not here.shown and st.query_params.get(FILE) == name
    _take(here, name, content)
    if here.table and not here.problem:
        here.rescale = not awaited
        st.toast(f"{as_code(name, LONGEST_FILE)} is opened: {len(here.table):,} rows.", icon=":material/check:")


def _take(here: Laboratory, name: str, content: bytes | str) -> None:
    """Read the table; where it cannot be, the page stays as it was, and says why."""
    same_file = st.query_params.get(FILE) == name  # which a link was waiting for
    header = st.query_params.get(HEADER, "") if same_file else ""
    named = {NAMES: True, VALUES: False}.get(header)
    try:
        table = read_text(content, named) if isinstance(content, str) else read_file(content, named)
        check_length(len(table))
    except TableError as problem:
        here.problem = f"{as_code(name, LONGEST_FILE)} was not taken. {problem}"
        return
    raw = content.encode(errors="replace") if isinstance(content, str) else content
    here.read, here.shown, here.name, here.problem, here.opened = table, True, name, "", False
    here.content, here.header = content, header
    here.tag = hashlib.sha256(raw).hexdigest()[:12] + header
    st.session_state[SAMPLE] = None
    _write_source(here)


def _read_again() -> None:
    """The first line has something else than was thought."""
    here = laboratory()
    write_address({HEADER: st.session_state[f"header_{here.tag}"], DIGEST: None})
    _take(here, here.name, here.content)


def _write_source(here: Laboratory) -> None:
    """Let the address name the data that are shown now, and forget how others were read."""
    name = st.session_state[SAMPLE]
    source = {SAMPLE: None if name == FIRST else name, FILE: here.name if here.table else None}
    same_file = here.table and st.query_params.get(FILE) == here.name  # which a link was waiting for
    others = {} if same_file else dict.fromkeys((HEADER, TARGET, PREDICT, LEAVE, GAPS, DIGEST, POINTS))
    write_address({**source, **others})


def draw_preview(table: Table) -> None:
    """Draw the button that shows the table's first rows as they were read, and how."""
    here = laboratory()
    with st.popover("Preview", icon=":material/table:", width="content"):
        if here.table:
            key = f"header_{here.tag}"
            st.session_state[key] = NAMES if table.named else VALUES
            st.segmented_control(
                "The first line has", (NAMES, VALUES), key=key, required=True, on_change=_read_again,
                disabled=is_locked(DATA),
            )  # fmt: skip
        st.markdown(f"{len(table):,} rows, {table.understood}. Empty cells, and “None”, are gaps.")
        st.dataframe(table.preview(PREVIEWED), height="content")
