"""How large is each input, and are the inputs of one size?

Root mean square of every input over the training examples, all networks, on a log axis; beside it, small, over the
validation examples.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import BELOW_AXIS, MARKS, captioned, footnotes
from pages.charts.style.axes import axis, log_axis, marker_size, named_ticks
from pages.charts.style.figure import HEIGHT, LOOKS, NEUTRAL, PATIENT, AnimatedFigure, Array, Json, Look, moving
from pages.charts.style.panels import dataset_of
from pages.charts.style.traces import hover_of, level, marks, nothing, stroke
from pages.text.clock import timeline_steps
from pages.text.labels import input_unit, number

TITLE = "Inputs by feature"
QUESTION = "How large is each input, and are the inputs of one size?"
HOW_TO_READ = (
    "A mark for each input that the network is given, as high as that input’s typical size, on a scale of powers of "
    "ten. Healthy: all lie near the dashed line at 1, which initializers and learning rates take for granted. Crosses "
    "are validation data; where they lie off their marks, these come from elsewhere."
)

FEW = 4  # inputs whose names stand side by side at 390 px
CROSS = "x-thin"
APART = 0.2  # of an input, between networks where there are more than two, whose marks would hide each other


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Size of the inputs, the first network's largest first; nothing moves."""
    sizes = [_sizes(history) for history in histories]
    order = _order(sizes)
    places = [APART * (i - (len(looks) - 1) / 2) if len(looks) > 2 else 0 for i in range(len(looks))]
    drawn = [
        (look, name, split, place)
        for look, one, place in zip(looks, sizes, places, strict=True)
        for name, split in one.items()
    ]
    names = [_names(histories)[index] for index in order]
    traces: list[Json] = [_marks(look, name, split[order], names, place) for look, name, split, place in drawn]
    values = np.concatenate([split for _, _, split, _ in drawn]) if drawn else np.ones(1)
    whose = "the patient" if looks[0] is PATIENT else looks[0].name
    few = 0 < len(names) <= FEW
    ticks, more = named_ticks(range(1, len(order) + 1), names) if few else ({}, 0)
    across = axis(
        "input" if few else f"input, largest of {whose} first",
        range=[0.4, max(len(order), 1) + 0.6],
        **ticks,
    )
    if traces:
        traces.insert(0, level([0.4, len(order) + 0.6], 1, "size 1", **stroke(NEUTRAL, 2, "dash")))
    layout: Json = {
        "xaxis": across,
        "yaxis": log_axis("size, rms", np.append(values, 1.0)),
        "showlegend": False,
        "hovermode": "closest",
    }
    notes = footnotes(_notes(sizes, looks), HEIGHT + more, BELOW_AXIS + more)
    frames = moving(timeline_steps(*histories), {})
    animated = AnimatedFigure(traces or [nothing()], layout | notes, frames)
    return captioned(TITLE, animated, *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Largest, median and smallest size of each network's inputs."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network and input."""
    parts = []
    for look, history in zip(looks, histories, strict=True):
        sizes = _sizes(history)
        if not sizes:
            continue
        columns = {"network": look.name, "input": _names((history,)), "in": input_unit(history.experiment)}
        parts.append(pd.DataFrame(columns | {f"size, {split} (rms)": values for split, values in sizes.items()}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _sizes(history: RunHistory) -> dict[str, Array]:
    """Root mean square of each input, by set; of data that were handed in, nothing."""
    dataset = dataset_of(history)
    if dataset is None:
        return {}
    inputs = {"training": dataset.train_inputs, "validation": dataset.validation_inputs}
    return {split: np.sqrt((rows * rows).mean(axis=0)) for split, rows in inputs.items()}


def _order(sizes: list[dict[str, Array]]) -> Array:
    """Inputs from the first network's largest to its smallest."""
    known = next((one for one in sizes if one), None)
    return np.argsort(-known["training"], kind="stable") if known else np.arange(0)


def _names(histories: Sequence[RunHistory]) -> list[str]:
    known = next((data for history in histories if (data := dataset_of(history))), None)
    return list(known.input_names) if known else []


def _marks(look: Look, split: str, values: Array, names: list[str], place: float) -> Json:
    size = marker_size(len(names))
    marker = {"color": look.color, "symbol": look.symbol, "size": size}
    if split != "training":
        marker |= {"symbol": CROSS, "size": size - 1, "line": {"color": look.color, "width": 1.5}}
    hover = hover_of(look, f"%{{text}}, {split}: %{{y:.3~g}}")
    shown = np.where(values > 0, values, np.nan)
    places = np.arange(1, len(names) + 1) + place
    return marks(places, shown, f"{look.name} {split}", hover, text=names, marker=marker)


def _notes(sizes: list[dict[str, Array]], looks: Sequence[Look]) -> list[str]:
    notes = [" ".join(f"{MARKS[look.symbol]} {look.name}." for look in looks) + " ×: validation. Dashed: 1."]
    for look, one in zip(looks, sizes, strict=True):
        if not one:
            notes.append(f"{look.name}: its data were handed in, and are not kept.")
        elif zeros := int((one["training"] == 0).sum()):
            notes.append(f"{look.name}: {zeros} inputs that are always 0 have no place on a log axis.")
    return notes


def _sentence(look: Look, history: RunHistory) -> str:
    sizes = _sizes(history)
    if not sizes:
        return f"{look.name}: data that were handed in, and are not kept."
    values, names = sizes["training"], _names((history,))
    positive = np.where(values > 0, values, np.nan)
    if not (values > 0).any():
        return f"{look.name}: all inputs are 0."
    large, small = int(np.nanargmax(positive)), int(np.nanargmin(positive))
    if len(values) == 1:
        unit = input_unit(history.experiment)
        return f"{look.name}: its one input, {names[0]} ({unit}), has size {number(float(values[0]))}."
    return (
        f"{look.name}: the size of its {len(values)} inputs ({input_unit(history.experiment)}) goes from "
        f"{number(float(positive[small]))} ({names[small]}) to {number(float(positive[large]))} ({names[large]})."
    )
