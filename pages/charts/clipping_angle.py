"""Does clipping keep the gradient's direction?

Angle between the gradient before and after clipping, through training: by norm it is 0, by value it is not.

    α = arccos (g · clipped g / (‖g‖ ‖clipped g‖))
"""

import numpy as np
import pandas as pd

from engine import RunHistory
from pages.charts.clock import timeline_steps
from pages.charts.figure import (
    PATIENT,
    TREATED,
    AnimatedFigure,
    Json,
    Look,
    axis,
    footnotes,
    frame,
    merged,
    step_line,
)
from pages.charts.through_updates import curve, peaks
from pages.charts.wording import ending, number

TITLE = "Angle between raw and clipped gradient"
QUESTION = "Does clipping keep the gradient’s direction?"

Array = np.ndarray

LEAST_SPAN = 45.0  # degrees; angles near 0 should look near 0
AIR = 0.05  # of the span
DEGREES = "°"
# Above 1e-6 of a degree an angle is one; below, it is what rounding leaves of 1 − cos.
NO_ANGLE = 1e-5


def figure(patient: RunHistory, treated: RunHistory) -> AnimatedFigure:
    """The angle in degrees of both networks against the training step."""
    networks = ((PATIENT, patient), (TREATED, treated))
    end = max(int(history.evaluation_step[-1]) for _, history in networks)
    angles = [angle(history) for _, history in networks]
    traces: list[Json] = []
    for (look, history), values in zip(networks, angles, strict=True):
        kept = _kept(values)
        traces.append(curve(look, history.step[kept], values[kept], "angle", DEGREES))
    span = max(LEAST_SPAN, np.nanmax(np.concatenate([[0.0], *angles])))
    layout = {
        "xaxis": axis("training step (updates)", [0, end]),
        "yaxis": axis("angle (degrees)", range=[-AIR * span, (1 + AIR) * span], ticksuffix=DEGREES),
        "hovermode": "closest",
    }
    frames = [frame(step, layout={"shapes": step_line(step, "paper")}) for step in timeline_steps(patient, treated)]
    return AnimatedFigure(traces, merged(layout, footnotes(_notes(networks))), frames)


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """How each network is clipped, and the median and largest angle of the steps that clipping changed."""
    return " ".join(_sentence(look, history) for look, history in ((PATIENT, patient), (TREATED, treated)))


def table(patient: RunHistory, treated: RunHistory) -> pd.DataFrame:
    """One row a network and drawn update; the angle is NaN where the gradient is 0 or not finite."""
    parts = []
    for look, history in ((PATIENT, patient), (TREATED, treated)):
        values = angle(history)
        kept = _kept(values)
        columns = {
            "network": look.name,
            "training step (updates)": history.step[kept],
            "clipping": history.experiment.clip,
            "cosine between raw and clipped gradient": history.clip_cosine[kept],
            "angle (degrees)": values[kept],
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def angle(history: RunHistory) -> Array:
    """Degrees between the gradient before and after clipping, (S,); NaN where there is no direction."""
    degrees = np.degrees(np.arccos(np.clip(history.clip_cosine, -1, 1)))
    return np.where(degrees < NO_ANGLE, 0.0, degrees)


def _kept(angles: Array) -> Array:
    """Places of the updates that are drawn, those with the largest angle of each stretch."""
    return peaks(np.where(np.isnan(angles), -1.0, angles))


def _notes(networks: tuple[tuple[Look, RunHistory], ...]) -> list[str]:
    notes = [f"{look.name}: {_how(history)}." for look, history in networks]
    return notes + [f"{look.name}: {words}." for look, history in networks if (words := ending(history))]


def _how(history: RunHistory) -> str:
    if history.experiment.clip == "none":
        return "not clipped, so no angle"
    if history.experiment.clip == "norm":
        return "clipped by norm, which keeps the direction"
    return "clipped by value, which turns the gradient"


def _sentence(look: Look, history: RunHistory) -> str:
    if not len(history.step):
        return f"{look.name}: {ending(history)}, before there was any gradient."
    text, values = f"{look.name}: {_how(history)}", angle(history)
    turned = values[values > 0]
    if turned.size:
        text += (
            f"; where it does, the median angle is {number(float(np.median(turned)))} degrees and the largest "
            f"{number(float(turned.max()))}"
        )
    elif history.experiment.clip != "none":
        text += "; the angle is 0 degrees at every step"
    return text + (f"; {words}." if (words := ending(history)) else ".")
