"""What the studio asks of a goal: of a lesson's two networks, of the mystery patient, of an update."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from engine import SETTINGS
from engine.cures.outcomes import SEEDS
from pages.text.goals import (
    CURED,
    GOAL_MEASURES,
    MOST_ANSWERS,
    MYSTERY_AIMS,
    PRESENT,
    RATIO,
    AnyGoal,
    Goal,
    MysteryGoal,
    UpdateGoal,
)
from pages.text.labels import meaning, percent

Keep = Callable[..., Any]  # draws a widget whose value outlasts the dialog: name, Streamlit's function, its arguments

LABEL = "Goal that the page watches"
NAMES = {
    "": "none", CURED: "cured: the doctor finds nothing",
    **{name: measure.name for name, measure in GOAL_MEASURES.items()}, RATIO: "R at step 0",
}  # fmt: skip
MOST_LOOKS, MOST_UPDATES = 6, 1000
PINNED = "pin1", "pin2", "pin3"  # networks of the laboratory
ANSWERS, LOSS = "answers", "loss"


def pair_goal(keep: Keep) -> AnyGoal | None:
    """Of a lesson's two networks."""
    measure = keep("goal", st.selectbox, LABEL, list(NAMES), format_func=NAMES.__getitem__)
    if not measure:
        return None
    side, bound, seeds = "", 0.0, 0
    with st.container(horizontal=True, vertical_alignment="bottom"):
        network = keep("network", st.selectbox, "Network", ("treated", "patient"))
        if measure != CURED:
            side = keep("side", st.selectbox, "is", _sides(measure))
            unit, usual, one = ("%", 90.0, 100) if GOAL_MEASURES[measure].said is percent else ("number", 0.1, 1)
            bound = keep(f"bound_{one}", st.number_input, unit, value=usual, format="%g") / one
    with st.container(horizontal=True, vertical_alignment="bottom"):
        activations = {"": "any"} | {name: meaning("activation", name) for name in SETTINGS["activation"].choices}
        activation = keep(
            "with", st.selectbox, "with activation", list(activations), format_func=activations.__getitem__
        )
        if measure != RATIO:
            seeds = keep(
                "seeds", st.selectbox, "reached in", (0, *range(SEEDS, 0, -1)),
                format_func=lambda count: f"at least {count} of {SEEDS} seeds" if count else "the run that is shown",
            )  # fmt: skip
    return Goal(network, measure, side, bound, seeds, ("activation", activation) if activation else ())


def laboratory_goal(keep: Keep) -> AnyGoal | None:
    """Of the laboratory's present network."""
    measure = keep("goal", st.selectbox, LABEL, list(NAMES), format_func=NAMES.__getitem__)
    if not measure or measure == CURED:
        return Goal(PRESENT[0]) if measure else None
    unit, usual, one = ("%", 90.0, 100) if GOAL_MEASURES[measure].said is percent else ("number", 0.1, 1)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        side = keep("side", st.selectbox, "Of the present network, is", _sides(measure))
        rivals = {"": "this number", **{name: f"pinned network {i}" for i, name in enumerate(PINNED, 1)}}
        beat = keep("beat", st.selectbox, "than", list(rivals), format_func=rivals.__getitem__)
        bound = 0.0 if beat else keep(f"bound_{one}", st.number_input, unit, value=usual, format="%g") / one
    return Goal(PRESENT[0], measure, side, bound, beat=beat)


def _sides(measure: str) -> tuple[str, ...]:
    """What a number may be, the better first."""
    return ("below", "above") if measure.endswith(("loss", "gap")) else ("above", "below")


def mystery_goal(keep: Keep) -> AnyGoal | None:
    """Of the mystery patient."""
    names = {"": "none"} | MYSTERY_AIMS
    aim = keep("goal", st.selectbox, LABEL, list(names), format_func=names.__getitem__)
    if not aim:
        return None
    counts = [None, *range(MOST_LOOKS + 1)]
    looks = keep(
        "looks", st.selectbox, "Charts opened, at most", counts,
        format_func=lambda count: "any number" if count is None else str(count),
    )  # fmt: skip
    return MysteryGoal(aim, looks)


def update_goal(keep: Keep) -> AnyGoal | None:
    """Of the backpropagation page."""
    names = {"": "none", ANSWERS: "questions answered right", LOSS: "loss after some updates"}
    kind = keep("goal", st.selectbox, LABEL, list(names), format_func=names.__getitem__)
    if not kind:
        return None
    if kind == ANSWERS:
        return UpdateGoal(keep("answers", st.selectbox, "How many", tuple(range(MOST_ANSWERS, 0, -1))))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        side = keep("side", st.selectbox, "The loss is", ("below", "above"))
        bound = keep("bound", st.number_input, "number", value=0.1, format="%g")
        updates = keep("updates", st.number_input, "Updates, at most", 0, MOST_UPDATES, value=10)
    return UpdateGoal(0, side, bound, updates)


GOAL_FORMS: dict[str, Callable[[Keep], AnyGoal | None]] = {
    "pair": pair_goal, "laboratory": laboratory_goal, "mystery": mystery_goal, "update": update_goal,
}  # fmt: skip
