"""The laboratory's data: what of the table is predicted from what, how it is split, and in which units."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from engine import Experiment, OutOfRange
from engine.data.loading import standardising
from engine.data.sources import n_training
from engine.experiment import SETTINGS
from pages.components.laboratory.link import (
    CLASSES,
    CONTROLS,
    DATA,
    DIGEST,
    DROP,
    FILL,
    GAP_RULES,
    GAPS,
    LEAVE,
    LONGEST_FILE,
    NUMBER,
    PREDICT,
    SPLITTING,
    TARGET,
    is_locked,
)
from pages.components.laboratory.selection import (
    Examples,
    Selection,
    examples_of,
    guessed,
    may_be_classes,
    unusable,
)
from pages.components.laboratory.sources import Laboratory, choose_table, draw_preview, laboratory, refuse_file
from pages.components.laboratory.tables import Table, TableError
from pages.components.shell.address import Address, write_address
from pages.text import data_summary
from pages.text.own_data import OwnData
from pages.walkthrough.user_input import as_code

UNSCALED = {"target_scale": 1.0, "target_shift": 0.0}
STEADY = 0.03  # learning rate that scaled targets are begun with (tuned: at 0.1 one run in twelve diverges)
RAW, SCALED = "raw", "scaled"  # targets that are numbers
WORDS = {CLASSES: "classes", NUMBER: "a number", DROP: "leave rows out", FILL: "fill by the median"}


def choose_data(found: Address, entering: bool) -> OwnData | None:
    """Draw the choice of data, and what they are like; None, and said, where there are none to train on."""
    here = laboratory()
    with st.container(border=True, key="own_data", gap="small"):
        chosen = choose_table(found, entering)
        if chosen is None:
            return None
        with chosen.row:
            selection = _selection(chosen.table, chosen.tag, chosen.link)
            targets = st.container(width="content", key="targets")
            _draw_split()
            draw_preview(chosen.table)
        with chosen.below, st.container(width="stretch"):
            own = _understand(here, chosen.table, selection, chosen.link)
        if own:
            with targets:
                _scale_targets(here, own)
        return own


def _understand(here: Laboratory, table: Table, selection: Selection, link: Address | None) -> OwnData | None:
    """Draw what the selected data are like; the data.  link: the address, where it says what is to be selected."""
    try:
        examples, own = _examples(here, table, selection)
        clean = own.dataset(experiment_of(own, inputs="raw", **{name: st.session_state[name] for name in SPLITTING}))
    except (TableError, OutOfRange) as problem:
        st.error(str(problem), icon=":material/error:")
        return None
    if link and link.values[DIGEST] not in ("", own.digest):
        refuse_file(here, f"{as_code(here.name, LONGEST_FILE)} has other numbers than the file that the link is about.")
    _write_selection(table, selection, own if here.table else None)
    st.markdown(f"{data_summary.size(clean, len(own.inputs))} {data_summary.yardsticks(clean)}")
    if notes := [*examples.notes, *data_summary.oddities(clean)]:
        st.warning(" ".join(notes), icon=":material/info:")
    return own


def _scale_targets(here: Laboratory, own: OwnData) -> None:
    """Draw whether numbers to predict are as in the table or scaled, which target scale and shift say.

    Whoever opens a table finds them scaled, and a learning rate that suits them: none would suit raw prices.
    """
    split = {name: st.session_state[name] for name in SPLITTING}
    targets = own.dataset(experiment_of(own, **split)).train_targets
    number, fixed = own.targets.dtype.kind == "f", any(map(is_locked, UNSCALED))

    def choose(scaled: bool) -> None:
        st.session_state.update(standardising(Experiment(), targets) if scaled else UNSCALED)

    if here.rescale and not fixed:
        choose(number)
        usual = CONTROLS["learning_rate"].default
        if number and st.session_state["learning_rate"] == usual and not is_locked("learning_rate"):
            st.session_state["learning_rate"] = STEADY
    here.rescale = False
    if not number:
        return
    raw = all(st.session_state[name] == value for name, value in UNSCALED.items())
    st.session_state["targets_are"] = RAW if raw else SCALED
    st.segmented_control(
        "Targets", (RAW, SCALED), key="targets_are", required=True, disabled=fixed, width="content",
        on_change=lambda: choose(st.session_state["targets_are"] == SCALED),
        help="Scaled: multiplied and shifted so that those to train on have mean 0 and standard deviation 1, which "
        "usual learning rates suit. They are the target scale and the target shift of the settings; with them a table "
        f"that you open begins at the learning rate {STEADY:g}. Errors are told in the table’s own unit.",
    )  # fmt: skip


def experiment_of(own: OwnData, **settings: Any) -> Experiment:
    """An experiment with these data; all the training examples that there are, unless the settings say how many."""
    everything = n_training(len(own.inputs), settings.get("held_out", SETTINGS["held_out"].default))
    # Where the split leaves too few, the data themselves say so, and not their number.
    settings["n_train"] = settings.get("n_train") or max(everything, int(SETTINGS["n_train"].low))
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
    fixed = is_locked(DATA)
    target = st.selectbox(
        "Predict", range(len(columns)), format_func=names.__getitem__, key=key, width=180, disabled=fixed,
        on_change=_other_targets,
    )  # fmt: skip
    guess = guessed(table, target)
    able = [CLASSES] * may_be_classes(columns[target]) + [NUMBER] * (columns[target].numbers is not None)
    key = begin(f"{PREDICT}_{tag}_{target}", PREDICT, able, CLASSES if guess.classes else NUMBER)
    kind = st.segmented_control(
        "as", able, format_func=WORDS.__getitem__, key=key, required=True, width="content", disabled=fixed,
        on_change=_other_targets,
    )  # fmt: skip
    inputs = _inputs(table, target, f"{LEAVE}_{tag}_{target}", link)
    rule: str | None = DROP
    if any(columns[i].gaps.any() for i in inputs):
        key = begin(f"{GAPS}_{tag}", GAPS, GAP_RULES, DROP)
        rule = st.segmented_control(
            "Rows with gaps", GAP_RULES, format_func=WORDS.__getitem__, key=key, required=True, width="content",
            disabled=fixed,
        )  # fmt: skip
    return Selection(target, inputs, kind == CLASSES, rule == FILL)


def _other_targets() -> None:
    here = laboratory()
    here.rescale = here.table is not None  # samples are as they always were


def _draw_split() -> None:
    """Draw what is held out, behind a button that says it; the networks' settings have session state already."""
    share = round(100 * st.session_state["held_out"])
    label = f"split {100 - 2 * share} : {share} : {share}"
    with st.popover(label, icon=":material/splitscreen:", width="content"):
        st.markdown("To train on, to validate, and to test: the same for the networks of all settings.")
        for name in SPLITTING:
            CONTROLS[name].draw(locked=is_locked(name))


def _inputs(table: Table, target: int, key: str, link: Address | None) -> tuple[int, ...]:
    """Draw the choice of inputs, behind a button that says how many there are."""
    columns = table.columns
    reasons = {i: unusable(column) for i, column in enumerate(columns) if i != target}
    able = [i for i, reason in reasons.items() if not reason]
    if link or key not in st.session_state:
        left = link.values[LEAVE] if link else ()
        st.session_state[key] = [i for i in able if i not in left]
    else:
        st.session_state[key] = st.session_state[key]  # in a closed popover a field hears only what the last run set
    label = f"from {len(st.session_state[key])} of {len(reasons)} columns"
    with st.popover(label, icon=":material/view_column:", width="content"):
        chosen = st.multiselect(
            "Inputs", able, format_func=lambda i: columns[i].name, key=key, disabled=is_locked(DATA)
        )
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
