"""When does the gradient vanish or explode, and does it come back?

A map of the error signal rms ∂L/∂z for each network, layer against training step, both on one logarithmic colour scale.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine import RunHistory
from engine.doctor.thresholds import VANISHES
from pages.charts.style.annotations import after_names, captioned, endings, footnotes, marked, row_heading
from pages.charts.style.axes import axis, layer_axis, log_color_axis
from pages.charts.style.chart_tables import Columns, by_layer, table_of
from pages.charts.style.figure import LOOKS, AnimatedFigure, Json, Look, frame, merged, step_line
from pages.charts.style.outlier_range import beyond, within_outlier_range
from pages.charts.style.traces import nothing
from pages.text.clock import thinned, timeline_steps
from pages.text.labels import ending, legends, loss_unit, number, percent

TITLE = "Gradient through training"
QUESTION = "When does the gradient vanish or explode, and does it come back?"
HOW_TO_READ = (
    "Each column is a moment of training, each row a layer, the first at the bottom. Colour is the strength of the "
    "error signal: bright is strong, dark is weak. Healthy: much the same colour from top to bottom. Dark at the "
    "bottom: the signal does not reach the first layers."
)

HEIGHT, PANEL_HEIGHT = 520, 260  # px, of two panels, and that each beyond them adds
GAP = 0.16  # share of the height between two panels, or the half of it where there are two, and so on
LAYER_LABELS = 8  # that stay apart in a panel
FEW_STEPS = 8  # that are all labelled; Plotly would label halves too
MOST_COLUMNS = 150  # more are narrower than two pixels on a phone
MOST_CELLS = 4000  # in a panel: deep networks get fewer columns, so that the page stays light
ZERO_COLOR = "#a3a3a3"  # in none of the scale's hues
BESIDE = 88  # px that the scale of colours takes at the right
ZERO_GAP = 2  # px between layers, which makes stripes: not by colour alone
ZEROS = "Grey stripes: exactly 0."


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """log10 rms ∂L/∂z, (layers, steps), a panel a network; the frames move the line of the step."""
    count = len(histories)
    rows, panels = [f"y{i + 1 if i else ''}" for i in range(count)], _panels(count)
    steps, unit = timeline_steps(*histories), loss_unit(*histories)
    drawn = [_rows(history) for history in histories]
    signals = [history.delta_rms[places] for history, places in zip(histories, drawn, strict=True)]
    traces: list[Json] = []
    for history, places, signal, row in zip(histories, drawn, signals, rows, strict=True):
        traces += _maps(history.step[places], signal, row, unit)

    everything = np.concatenate([signal.ravel() for signal in signals])
    colored = within_outlier_range(everything)
    headings = [
        row_heading(marked(look) + what, panel[1])
        for look, what, panel in zip(looks, after_names(looks, legends(*histories)), panels, strict=True)
    ]
    layout = merged(
        {
            "margin": {"r": BESIDE},
            "xaxis": axis(
                "training step (updates)", range=_span(steps, histories), anchor=rows[-1], **_whole_steps(steps)
            ),
            **{
                f"yaxis{row[1:]}": _layer_axis(look, history, panel)
                for row, look, history, panel in zip(rows, looks, histories, panels, strict=True)
            },
            "coloraxis": log_color_axis(f"error signal, rms ∂L/∂z ({unit})", colored),
        },
        footnotes(
            endings(histories, looks) + _remarks(everything, colored),
            HEIGHT + (count - 2) * PANEL_HEIGHT,
            others=headings,
        ),
    )
    lines = [[line for row in rows for line in step_line(step, f"{row} domain")] for step in steps]
    frames = [frame(step, layout={"shapes": shapes}) for step, shapes in zip(steps, lines, strict=True)]
    return captioned(TITLE, AnimatedFigure(traces, layout, frames), *histories, looks=looks)


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """When the error signal of the first layer is lowest and highest, and how long it is a vanished one, in numbers."""
    return " ".join(f"{look.name}: {_in_words(history)}" for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, drawn update and layer."""
    unit = loss_unit(*histories)

    def columns(history: RunHistory) -> Columns:
        rows = _rows(history)
        return by_layer(history.step[rows], {f"rms ∂L/∂z ({unit})": history.delta_rms[rows]}, step="step (updates)")

    return table_of(histories, looks, columns)


def _panels(count: int) -> list[list[float]]:
    """Domains of so many panels, the first on top, so that a step is at the same place in all."""
    if count == 1:
        return [[0.0, 1.0]]
    gap = GAP / count
    height = (1 - gap * (count - 1)) / count
    lower = [round((height + gap) * (count - 1 - i), 6) for i in range(count)]
    return [[low, round(low + height, 6)] for low in lower]


def _layer_axis(look: Look, history: RunHistory, domain: list[float]) -> Json:
    return layer_axis(history.layers, labels=LAYER_LABELS, look=look, domain=domain, title={"text": "layer"})


def _remarks(everything: np.ndarray, colored: np.ndarray) -> list[str]:
    """What the colours cannot show: exact zeros, and cells beyond the ends of the scale."""
    remarks = [ZEROS] if (everything == 0).any() else []
    outside = everything[beyond(everything, colored)]
    if outside.size:
        many = percent(outside.size / everything.size)
        span = " to ".join(dict.fromkeys(number(float(end)) for end in (outside.min(), outside.max())))
        remarks.append(f"Beyond the scale, in the colour of its end: {many} of the cells, rms ∂L/∂z {span}.")
    return remarks


def _rows(history: RunHistory) -> list[int]:
    """Rows of the updates' clock that are drawn."""
    return thinned(range(len(history.step)), min(MOST_COLUMNS, MOST_CELLS // history.layers))


def _span(steps: list[int], histories: Sequence[RunHistory]) -> list[float]:
    """From the first column's left edge to the last one's right edge, or to the last step where that is later."""
    last_rows = [int(history.step[-1]) for history in histories if len(history.step)]
    half = 0.5 * max(1, max(last_rows, default=0) / MOST_COLUMNS)
    return [-half, max(steps[-1], *last_rows, 0) + half]


def _whole_steps(steps: list[int]) -> Json:
    return {"dtick": 1} if steps[-1] <= FEW_STEPS else {}


def _maps(steps: np.ndarray, signal: np.ndarray, row: str, unit: str) -> list[Json]:
    """The map, and over it, where there are any, the cells without a logarithm."""
    if not len(steps):  # an empty map would leave its panel without axes
        return [nothing(0, 1, yaxis=row, showlegend=False)]
    layers = np.arange(1, signal.shape[1] + 1)
    place: Json = {"type": "heatmap", "x": steps, "y": layers, "yaxis": row}
    with np.errstate(all="ignore"):
        logs = np.where((signal > 0) & np.isfinite(signal), np.log10(signal), np.nan).T
    hover = f"step %{{x}}, layer %{{y}}: 10<sup>%{{z:.2f}}</sup> {unit}<extra></extra>"
    maps = [place | {"z": logs, "coloraxis": "coloraxis", "hovertemplate": hover}]
    if (signal == 0).any():
        flat = [[0, ZERO_COLOR], [1, ZERO_COLOR]]
        zeros = np.where(signal == 0, 0.0, np.nan).T
        hover = "step %{x}, layer %{y}: exactly 0<extra></extra>"
        maps.append(
            place | {"z": zeros, "colorscale": flat, "showscale": False, "ygap": ZERO_GAP, "hovertemplate": hover}
        )
    return maps


def _in_words(history: RunHistory) -> str:
    if not len(history.step):
        return f"{ending(history)}, before there was any gradient."
    unit, first = loss_unit(history), history.delta_rms[:, 0]
    finite = np.flatnonzero(np.isfinite(first))
    if not finite.size:
        return f"the error signal of layer 1 is not finite from the first step on; {ending(history)}."
    low, high = finite[first[finite].argmin()], finite[first[finite].argmax()]
    how = f"; {ending(history)}" if ending(history) else ""
    signal = "the error signal (rms ∂L/∂z) of layer 1 is"
    if first[high] == 0:
        return f"{signal} exactly 0 at every step{how}."
    if len(first) == 1:
        return f"{signal} {number(first[0])} {unit} at step 0{how}."
    depth = history.experiment.depth
    vanished = percent(float((history.gradient_ratio < VANISHES).mean()))
    below = f"; it is below a hundredth of hidden layer {depth}’s at {vanished} of the steps" if depth > 1 else ""
    return (
        f"{signal} {number(first[0])} {unit} at step {history.step[0]} and {number(first[-1])} at step "
        f"{history.step[-1]}, lowest with {number(first[low])} at step {history.step[low]} and highest with "
        f"{number(first[high])} at step {history.step[high]}{below}{how}."
    )
