"""The laboratory's data: a sample, or a table of the visitor's own, and what of it is predicted from what."""

import hashlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import streamlit as st

from engine import Experiment, OutOfRange
from pages.components.laboratory.link import (
    CLASSES,
    DIGEST,
    DROP,
    FILE,
    FILL,
    GAP_RULES,
    GAPS,
    LEAVE,
    LONGEST_FILE,
    NUMBER,
    PREDICT,
    SAMPLE,
    TARGET,
)
from pages.components.laboratory.samples import SAMPLES, sample
from pages.components.laboratory.selection import (
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
PASTED = "pasted table"
MEMORY = "Your data stay in this server’s memory while you are here, and on no disk. A link has their digest, not them."
WORDS = {CLASSES: "classes", NUMBER: "a number", DROP: "leave rows out", FILL: "fill by the median"}


@dataclass
class Laboratory:
    """What a session has brought: its table, under a file's name, or none, and then a sample is shown.

    tag: tells the widgets of one table from those of another; uploaded: the upload that was read last; problem: what
    is wrong with it; made: the examples of the last selection, which every rerun asks for.
    """

    table: Table | None = None
    name: str = ""
    tag: str = ""
    uploaded: str = ""
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
    if asked and not found.values[DIGEST]:
        here.table = None
    if asked or "sample" not in st.session_state:
        st.session_state["sample"] = found.values[SAMPLE]
    with st.container(border=True, key="data", gap="small"):
        with st.container(horizontal=True, vertical_alignment="bottom", key="data_source"):
            st.selectbox(
                "Sample", SAMPLES, format_func=SAMPLES.__getitem__, key="sample", on_change=_take_sample, width=260
            )
            _upload(here)
            with st.popover("Paste a table", icon=":material/content_paste:"):
                _paste(here)
        st.markdown(f":small[{MEMORY}]")
        if here.problem:
            st.error(here.problem, icon=":material/error:")
        if here.table is None and found.values[DIGEST]:
            name = as_code(found.values[FILE] or "a file", LONGEST_FILE)
            st.info(
                f"This link is about data of the sender’s own, which no link carries. Open {name} here, and the page "
                "is as it was sent.",
                icon=":material/upload_file:",
            )
            return None
        name = st.session_state["sample"]
        table, tag = (here.table, here.tag) if here.table else (sample(name), name)
        return _understand(here, table, tag, found if asked or _just_opened(here, found) else None)


def _just_opened(here: Laboratory, found: Address) -> bool:
    """Whether the table is the one that a link was waiting for, whose selection then stands in the address."""
    return bool(here.table) and f"target_{here.tag}" not in st.session_state and found.values[FILE] == here.name


def _take_sample() -> None:
    here = laboratory()
    here.table, here.problem = None, ""
    _write_source()


def _write_source() -> None:
    """Let the address name the data that are shown now, and forget how others were read."""
    here = laboratory()
    name = st.session_state["sample"]
    source = {
        SAMPLE: None if here.table or name == next(iter(SAMPLES)) else name,
        FILE: here.name if here.table else None,
    }
    same_file = here.table and st.query_params.get(FILE) == here.name  # which a link was waiting for
    others = {} if same_file else dict.fromkeys((TARGET, PREDICT, LEAVE, GAPS, DIGEST))
    write_address({**source, **others})


def _upload(here: Laboratory) -> None:
    uploaded = st.file_uploader("Your own data: a CSV file", key="upload", help=MEMORY, width="stretch")
    if uploaded is None or uploaded.file_id == here.uploaded:
        return
    here.uploaded = uploaded.file_id
    content = uploaded.getvalue()
    _take(here, PurePath(uploaded.name).name[-LONGEST_FILE:], content)


def _paste(here: Laboratory) -> None:
    st.text_area("Lines with commas, semicolons or tabs between the cells", key="pasted", height=200)
    st.button("Read it", icon=":material/table:", key="read_pasted", on_click=_take_pasted)
    st.markdown(f":small[{MEMORY}]")


def _take_pasted() -> None:
    _take(laboratory(), PASTED, st.session_state["pasted"])


def _take(here: Laboratory, name: str, content: bytes | str) -> None:
    """Read the table; where it cannot be, the page stays as it was, and says why."""
    try:
        table = read_text(content) if isinstance(content, str) else read_file(content)
    except TableError as problem:
        here.problem = f"{as_code(name, LONGEST_FILE)} was not taken. {problem}"
        return
    raw = content.encode(errors="replace") if isinstance(content, str) else content
    here.table, here.name, here.problem = table, name, ""
    here.tag = hashlib.sha256(raw).hexdigest()[:12]
    _write_source()


def _understand(here: Laboratory, table: Table, tag: str, link: Address | None) -> OwnData | None:
    """Draw what is predicted from what; its examples."""
    selection = _selection(table, tag, link)
    try:
        examples, own = _examples(here, table, tag, selection)
    except (TableError, OutOfRange) as problem:
        st.error(str(problem), icon=":material/error:")
        _preview(table)
        return None
    if link and link.values[DIGEST] not in ("", own.digest):
        here.problem = f"{as_code(here.name, LONGEST_FILE)} has other numbers than the file that the link is about."
        st.warning(here.problem, icon=":material/info:")
    _write_selection(table, selection, own if here.table else None)
    clean = own.dataset(experiment_of(own, inputs="raw"))
    notes = [*examples.notes, *data_summary.oddities(clean)]
    st.markdown(f"{data_summary.size(clean, len(own.inputs))} {data_summary.yardsticks(clean)}")
    if notes:
        st.warning("  \n".join(notes), icon=":material/info:")
    _preview(table)
    return own


def experiment_of(own: OwnData, **settings: Any) -> Experiment:
    """An experiment with these data; all the training examples that there are, unless the settings say how many."""
    held_out = 2 * round(0.2 * len(own.inputs))
    settings["n_train"] = settings.get("n_train") or len(own.inputs) - held_out
    return Experiment(dataset="custom", data_digest=own.digest, **settings)


def _selection(table: Table, tag: str, link: Address | None) -> Selection:
    """Draw target, inputs and what is done about gaps, where there are any."""
    columns = range(len(table.columns))
    quoted = [column.name for column in table.columns]
    first = guessed(table)
    target_key, predict_key, inputs_key, gaps_key = (f"{name}_{tag}" for name in (TARGET, PREDICT, LEAVE, GAPS))
    if link or target_key not in st.session_state:
        requested = link.values[TARGET] if link else None
        st.session_state[target_key] = requested if requested in columns else first.target
    with st.container(horizontal=True, vertical_alignment="bottom", key="data_use"):
        target = st.selectbox("Predict", columns, format_func=quoted.__getitem__, key=target_key, width=220)
        guess = guessed(table, target)
        able = [
            kind
            for kind, can in (
                (CLASSES, may_be_classes(table.columns[target])),
                (NUMBER, table.columns[target].numbers is not None),
            )
            if can
        ]
        kind_key = f"{predict_key}_{target}"
        if link or st.session_state.get(kind_key) not in able:
            requested = link.values[PREDICT] if link else None
            st.session_state[kind_key] = requested if requested in able else CLASSES if guess.classes else NUMBER
        kind = st.segmented_control(
            "as", able, format_func=WORDS.__getitem__, key=kind_key, required=True, width="content"
        )
        others = [i for i in columns if i != target and not unusable(table.columns[i])]
        from_key = f"{inputs_key}_{target}"
        if link or from_key not in st.session_state:
            left = link.values[LEAVE] if link else ()
            st.session_state[from_key] = [i for i in others if i not in left]
        with st.popover(
            f"from {len(st.session_state[from_key])} of {len(table.columns) - 1} columns", icon=":material/view_column:"
        ):
            chosen = st.multiselect("Inputs", others, format_func=quoted.__getitem__, key=from_key)
            if reasons := [unusable(table.columns[i]) for i in columns if i != target and i not in others]:
                st.markdown(":small[Left out: " + "; ".join(reasons) + ".]")
        gaps = any(table.columns[i].gaps.any() for i in chosen)
        rule: str | None = DROP
        if gaps:
            if link or gaps_key not in st.session_state:
                st.session_state[gaps_key] = link.values[GAPS] if link else DROP
            rule = st.segmented_control(
                "Rows with gaps", GAP_RULES, format_func=WORDS.__getitem__, key=gaps_key, required=True, width="content"
            )
    return Selection(target, tuple(chosen), kind == CLASSES, rule == FILL)


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


def _examples(here: Laboratory, table: Table, tag: str, selection: Selection) -> tuple[Examples, OwnData]:
    key = tag, selection
    if here.made is None or here.made[0] != key:
        examples = examples_of(table, selection)
        own = OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)
        here.made = key, examples, own
    return here.made[1:]


def _preview(table: Table) -> None:
    with st.expander(f"How the table was read: {len(table):,} rows, {table.understood}"):
        st.dataframe(table.preview(PREVIEWED), height="content")
