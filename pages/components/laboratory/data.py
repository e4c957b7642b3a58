"""The laboratory's data: a sample, or a table of the visitor's own, and what of it is predicted from what."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import streamlit as st

from engine import Experiment, OutOfRange
from engine.data.loading import HELD_OUT
from pages.components.laboratory.link import (
    CLASSES,
    DIGEST,
    DROP,
    FILE,
    FILL,
    GAP_RULES,
    GAPS,
    HEADER,
    LEAVE,
    LONGEST_FILE,
    NAMES,
    NUMBER,
    PREDICT,
    SAMPLE,
    TARGET,
    VALUES,
)
from pages.components.laboratory.points import DRAWN, POINTS, draw_points, table_of
from pages.components.laboratory.samples import SAMPLES, sample
from pages.components.laboratory.selection import (
    FEWEST_ROWS,
    Examples,
    Selection,
    examples_of,
    guessed,
    may_be_classes,
    unusable,
)
from pages.components.laboratory.tables import Table, TableError, read_file, read_text
from pages.components.shell.address import Address, history_navigation, write_address
from pages.components.shell.session import this_session
from pages.text import data_summary
from pages.text.own_data import OwnData
from pages.walkthrough.user_input import as_code

PREVIEWED = 8  # rows
PLANE_WIDTH = 340  # pixels
PASTED = "pasted table"
MEMORY = "It stays in this server’s memory while you are here, and on no disk. A link has its digest, not the data."
WORDS = {CLASSES: "classes", NUMBER: "a number", DROP: "leave rows out", FILL: "fill by the median"}
FIRST = next(iter(SAMPLES))
CHOICES = SAMPLES | DRAWN


@dataclass
class Laboratory:
    """What a session has brought: its table, under a file's name, or none, and then a sample is shown.

    content: what the table was read from; header: what the visitor says that its first line has, "" for nothing;
    tag: tells the widgets of one table from those of another; uploaded: the upload that was read last; opened: whether
    the field for one is drawn; problem: what is wrong with the last file; made: the examples of the last selection,
    which every rerun asks for.
    """

    table: Table | None = None
    name: str = ""
    content: bytes | str = ""
    header: str = ""
    tag: str = ""
    uploaded: str = ""
    opened: bool = False
    problem: str = ""
    made: tuple[Any, Examples, OwnData] | None = None


def laboratory() -> Laboratory:
    """This session's."""
    session = this_session()
    session.laboratory = session.laboratory or Laboratory()
    return session.laboratory


def choose_data(found: Address, entering: bool) -> OwnData | None:
    """Draw the choice of data, and what they are like; None, and said, where there are none to train on."""
    here = laboratory()
    asked = entering or history_navigation()
    if asked:
        here.uploaded, here.problem = "", ""
        if found.values[FILE] != here.name:
            here.table = None
        st.session_state[SAMPLE] = None if found.values[DIGEST] else found.values[SAMPLE]
    with st.container(border=True, key="own_data", gap="small"):
        waiting = bool(found.values[DIGEST]) and here.table is None
        if waiting:
            file = as_code(found.values[FILE] or "that file", LONGEST_FILE)
            st.info(
                f"This link is about data of the sender’s own, which no link carries. Open {file} here, and the page "
                "is as it was sent.",
                icon=":material/upload_file:",
            )
        row = st.container(horizontal=True, vertical_alignment="bottom", key="use")
        if here.opened or waiting:
            _draw_sources(here)
        if here.problem:
            st.error(here.problem, icon=":material/error:")
        with row:
            _draw_sample(here)
        below = st.container(horizontal=True, key="below")
        with below:
            table, tag = _table(here, found)
            if table is None and not waiting:
                st.markdown(f"Set at least {FEWEST_ROWS} points, and a network is trained on them.", width="stretch")
        if table is None:
            return None
        waited = here.table and f"{TARGET}_{tag}" not in st.session_state and found.values[FILE] == here.name
        link = found if asked or waited else None
        with row:
            selection = _selection(table, tag, link)
            _preview(here, table)
        with below, st.container(width="stretch"):
            return _understand(here, table, selection, link)


# --- where the table comes from ---


def _table(here: Laboratory, found: Address) -> tuple[Table | None, str]:
    """The table that is shown, if there is one, and what tells its widgets from those of others."""
    name = st.session_state[SAMPLE]
    if here.table or name is None:
        return here.table, here.tag
    if name in SAMPLES:
        return sample(name), name
    with st.container(width=PLANE_WIDTH):
        draw_points(name, found.values[POINTS])
    return table_of(name, found.values[POINTS]), name


def _draw_sample(here: Laboratory) -> None:
    st.selectbox(
        "Data", CHOICES, index=None, format_func=CHOICES.__getitem__, key=SAMPLE, on_change=_take_sample, width=230,
        placeholder=here.name if here.table else "A sample",
    )  # fmt: skip
    st.button("Your own data", icon=":material/upload_file:", key="own", on_click=_open, width="content")


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
        _take(here, PurePath(uploaded.name).name[-LONGEST_FILE:], uploaded.getvalue())
        if not here.problem:
            st.rerun()  # without the field


def _take_sample() -> None:
    here = laboratory()
    if st.session_state[SAMPLE] is None:
        st.session_state[SAMPLE] = FIRST
    here.table, here.problem, here.uploaded, here.opened = None, "", "", False
    _write_source(here)


def _take_pasted() -> None:
    here = laboratory()
    _take(here, PASTED, st.session_state["pasted"])


def _take(here: Laboratory, name: str, content: bytes | str) -> None:
    """Read the table; where it cannot be, the page stays as it was, and says why."""
    same_file = st.query_params.get(FILE) == name  # which a link was waiting for
    header = st.query_params.get(HEADER, "") if same_file else ""
    named = {NAMES: True, VALUES: False}.get(header)
    try:
        table = read_text(content, named) if isinstance(content, str) else read_file(content, named)
    except TableError as problem:
        here.problem = f"{as_code(name, LONGEST_FILE)} was not taken. {problem}"
        return
    raw = content.encode(errors="replace") if isinstance(content, str) else content
    here.table, here.name, here.problem, here.opened = table, name, "", False
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


# --- what is made of it ---


def _understand(here: Laboratory, table: Table, selection: Selection, link: Address | None) -> OwnData | None:
    """Draw what the selected data are like; the data.  link: the address, where it says what is to be selected."""
    try:
        examples, own = _examples(here, table, selection)
    except (TableError, OutOfRange) as problem:
        st.error(str(problem), icon=":material/error:")
        return None
    if link and link.values[DIGEST] not in ("", own.digest):
        here.problem = f"{as_code(here.name, LONGEST_FILE)} has other numbers than the file that the link is about."
        st.warning(here.problem, icon=":material/info:")
    _write_selection(table, selection, own if here.table else None)
    clean = own.dataset(experiment_of(own, inputs="raw"))
    st.markdown(f"{data_summary.size(clean, len(own.inputs))} {data_summary.yardsticks(clean)}")
    if notes := [*examples.notes, *data_summary.oddities(clean)]:
        st.warning("  \n".join(notes), icon=":material/info:")
    return own


def experiment_of(own: OwnData, **settings: Any) -> Experiment:
    """An experiment with these data; all the training examples that there are, unless the settings say how many."""
    everything = len(own.inputs) - 2 * round(HELD_OUT * len(own.inputs))
    settings["n_train"] = settings.get("n_train") or everything
    return Experiment(dataset="custom", data_digest=own.digest, **settings)


def _selection(table: Table, tag: str, link: Address | None) -> Selection:
    """Draw target, inputs and what is done about gaps, where there are any.  link: see _understand."""
    columns = table.columns
    names = [column.name for column in columns]

    def begin(key: str, name: str, allowed: Sequence[Any], otherwise: Any) -> str:
        """Give a widget its first value: what the link says, where that is possible; its key."""
        if link or key not in st.session_state or st.session_state[key] not in allowed:
            requested = link.values[name] if link else None
            st.session_state[key] = requested if requested in allowed else otherwise
        return key

    key = begin(f"{TARGET}_{tag}", TARGET, range(len(columns)), guessed(table).target)
    target = st.selectbox("Predict", range(len(columns)), format_func=names.__getitem__, key=key, width=220)
    guess = guessed(table, target)
    able = [CLASSES] * may_be_classes(columns[target]) + [NUMBER] * (columns[target].numbers is not None)
    key = begin(f"{PREDICT}_{tag}_{target}", PREDICT, able, CLASSES if guess.classes else NUMBER)
    kind = st.segmented_control("as", able, format_func=WORDS.__getitem__, key=key, required=True, width="content")
    inputs = _inputs(table, target, f"{LEAVE}_{tag}_{target}", link)
    rule: str | None = DROP
    if any(columns[i].gaps.any() for i in inputs):
        key = begin(f"{GAPS}_{tag}", GAPS, GAP_RULES, DROP)
        rule = st.segmented_control(
            "Rows with gaps", GAP_RULES, format_func=WORDS.__getitem__, key=key, required=True, width="content"
        )
    return Selection(target, inputs, kind == CLASSES, rule == FILL)


def _inputs(table: Table, target: int, key: str, link: Address | None) -> tuple[int, ...]:
    """Draw the choice of inputs, behind a button that says how many there are."""
    columns = table.columns
    reasons = {i: unusable(column) for i, column in enumerate(columns) if i != target}
    able = [i for i, reason in reasons.items() if not reason]
    if link or key not in st.session_state:
        left = link.values[LEAVE] if link else ()
        st.session_state[key] = [i for i in able if i not in left]
    label = f"from {len(st.session_state[key])} of {len(reasons)} columns"
    with st.popover(label, icon=":material/view_column:", width="content"):
        chosen = st.multiselect("Inputs", able, format_func=lambda i: columns[i].name, key=key)
        if unable := [reason for reason in reasons.values() if reason]:
            st.markdown(f":small[Left out: {'; '.join(unable)}.]")
    return tuple(chosen)


def _write_selection(table: Table, selection: Selection, own: OwnData | None) -> None:
    """Let the address say in what the selection differs from what is guessed, and which file it is of."""
    guess, target = guessed(table, selection.target), selection.target
    left = [i for i in guess.inputs if i not in selection.inputs]
    wanted = {
        TARGET: None if target == guessed(table).target else str(target + 1),
        PREDICT: None if selection.classes == guess.classes else CLASSES if selection.classes else NUMBER,
        LEAVE: ".".join(str(i + 1) for i in left) or None,
        GAPS: FILL if selection.fill else None,
        DIGEST: own.digest if own else None,
    }
    changed = {name: text for name, text in wanted.items() if st.query_params.get(name) != text}
    if changed:
        write_address(changed)


def _examples(here: Laboratory, table: Table, selection: Selection) -> tuple[Examples, OwnData]:
    key = table, selection
    if here.made is None or here.made[0] != key:
        examples = examples_of(table, selection)
        own = OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)
        here.made = key, examples, own
    return here.made[1:]


def _preview(here: Laboratory, table: Table) -> None:
    with st.popover("How it was read", icon=":material/table:", width="content"):
        if here.table:
            key = f"header_{here.tag}"
            st.session_state[key] = NAMES if table.named else VALUES
            st.segmented_control("The first line has", (NAMES, VALUES), key=key, required=True, on_change=_read_again)
        st.markdown(f"{len(table):,} rows, {table.understood}.")
        st.dataframe(table.preview(PREVIEWED), height="content")
