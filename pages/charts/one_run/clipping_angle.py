"""Does clipping keep the gradient's direction?

Angle between the gradient before and after clipping, through training: by norm it is 0, by value it is not.

    α = arccos (g · clipped g / (‖g‖ ‖clipped g‖))
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.style.annotations import ABOVE, captioned, endings, footnotes, more_above, no_network
from pages.charts.style.axes import axis
from pages.charts.style.chart_tables import STEP, Columns, table_of
from pages.charts.style.figure import (
    HEIGHT,
    LOOKS,
    AnimatedFigure,
    Array,
    Json,
    Look,
    merged,
    step_lines,
)
from pages.charts.style.traces import nothing
from pages.charts.style.update_curves import peaks, update_curve
from pages.text.clock import timeline_steps
from pages.text.exploding_verdict import clipped
from pages.text.labels import ending, number

TITLE = "Angle between raw and clipped gradient"
QUESTION = "Does clipping keep the gradient’s direction?"
HOW_TO_READ = (
    "Height: by how many degrees clipping turns the gradient at each update. At 0 only its length is cut; the "
    "further up, the more the update points somewhere else. Healthy: close to 0."
)

AIR = 4.0  # degrees beyond 0 and 90, so that a curve on an edge is seen
# Clipping keeps every entry's sign, so no angle is above 90.
RIGHT_ANGLE, TICKS = 90, [0, 30, 60, 90]
# In degrees: what rounding leaves of an angle of 0, since cos has no slope there.
ROUNDING = 1e-5


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """The angle in degrees against the training step, of the networks that clip."""
    end = max(int(history.evaluation_step[-1]) for history in histories)
    traces: list[Json] = []
    for look, history in zip(looks, histories, strict=True):
        if history.experiment.clip != "none":
            angles = degrees(history)
            kept = peaks(np.nan_to_num(angles))
            name = f"{look.name}: by {history.experiment.clip}"
            traces.append(update_curve(look, name, history.step[kept], angles[kept], "angle: %{y:.3~g}°"))
    traces = traces or [nothing()]
    more = more_above(len(histories))
    layout = {
        "margin": {"t": ABOVE + more},
        "xaxis": axis("training step (updates)", [0, end]),
        "yaxis": axis("angle (degrees)", range=[-AIR, RIGHT_ANGLE + AIR], tickvals=TICKS, ticksuffix="°"),
        "showlegend": any("name" in one for one in traces),
        "hovermode": "closest",
    }
    frames = step_lines(timeline_steps(*histories))
    notes = footnotes(_notes(histories, looks), HEIGHT + more)
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, notes), frames), *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """How each network is clipped, and the median and largest angle of the updates that clipping changed."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network and drawn update; the angle is NaN where the gradient is 0 or not finite."""

    def columns(history: RunHistory) -> Columns:
        angles = degrees(history)
        kept = peaks(np.nan_to_num(angles))
        return {
            STEP: history.step[kept],
            "clipping": history.experiment.clip,
            "cosine between raw and clipped gradient": history.clip_cosine[kept],
            "angle (degrees)": angles[kept],
        }

    return table_of(histories, looks, columns)


def degrees(history: RunHistory) -> Array:
    """Degrees between the gradient before and after clipping, (S,); NaN where there is no direction."""
    angles = np.degrees(np.arccos(np.clip(history.clip_cosine, 0, 1)))
    return np.where(angles < ROUNDING, 0.0, angles)


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    without = [look for look, history in zip(looks, histories, strict=True) if history.experiment.clip == "none"]
    notes = [f"{look.name}: no clipping, hence no angle." for look in without]
    if len(without) == len(looks):
        notes = [f"{no_network(looks)} clips its gradient, so there is no angle."]
    return notes + endings(histories, looks)


def _sentence(look: Look, history: RunHistory) -> str:
    how = f"; {words}" if (words := ending(history)) else ""
    if history.experiment.clip == "none":
        return f"{look.name}: no clipping, so the gradient keeps its direction{how}."
    angles = degrees(history)[clipped(history)].round(1)
    angles = angles[np.isfinite(angles)]
    if not angles.size:
        return f"{look.name}: clipping by {history.experiment.clip} never had anything to clip{how}."
    return (
        f"{look.name}: clipping by {history.experiment.clip} turns the gradient by {number(float(np.median(angles)))} "
        f"degrees in the median of the clipped updates and by at most {number(float(angles.max()))}{how}."
    )
