"""What comes out of each layer: a signal, or always the same?

Per layer at the current step, on the probe: mean and spread of the activations, and the shares of saturated and of dead
units, all networks on the same axes.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import pandas as pd

from engine import RunHistory
from engine.activations import ACTIVATIONS
from pages.charts.style.annotations import ABOVE, captioned, endings, footnotes, more_above, row_heading
from pages.charts.style.axes import axis, layer_axis
from pages.charts.style.chart_tables import Columns, by_layer, table_of
from pages.charts.style.figure import LOOKS, AnimatedFigure, Array, Json, Look, merged, moving
from pages.charts.style.signed_scale import signed_axis
from pages.charts.style.traces import hover_of, marks, over_layers
from pages.text.clock import rows_at, thinned, timeline_steps
from pages.text.labels import name, number, percent

TITLE = "Activations per layer"
QUESTION = "Does each layer pass on a signal, or always the same value?"
HOW_TO_READ = (
    "Left to right: the layers from input to output. Above, dot and bar show the mean of what a layer’s units "
    "output and its spread over examples and units. Healthy: bars of about the same length in every layer; bars "
    "that shrink to a point pass nothing on. Below, where it is defined, the share of "
    "units that are saturated (their curve is flat) or dead (always 0), best near 0."
)

APART, SPAN = 0.24, 0.54  # of a layer: between two networks' bars, and the most that all take
MOST_LAYERS, FEWEST_FRAMES = 1300, 20  # layers over all frames: deep networks move in fewer frames
HEIGHT = 440
UPPER_ALONE = 310  # px of a figure whose networks have no shares to show
UPPER, LOWER = (0.42, 1), (0, 0.27)
SHARES = {"saturated": "saturated_fraction", "dead": "dead_fraction"}
SYMBOLS = {"saturated": "", "dead": "-open"}
KINDS = {"saturated": "Filled: saturated", "dead": "open: dead"}
FAR_OUT, BOUNDED = 1e4, 10.0  # an activation that is beyond 10 there is taken for one without an end


def figure(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """Above, mean ± standard deviation; below, shares in percent; each against the layer."""
    most_frames = max(FEWEST_FRAMES, MOST_LAYERS // sum(history.layers for history in histories))
    steps = thinned(timeline_steps(*histories), most_frames)
    means = [rows_at(history.evaluation_step, history.activation_mean, steps) for history in histories]
    spreads = [rows_at(history.evaluation_step, history.activation_std, steps) for history in histories]
    bars = [ends_of_bars(*of_one) for of_one in zip(histories, means, spreads, strict=True)]
    low, high = (np.concatenate([ends[side].ravel() for ends in bars]) for side in (0, 1))
    shares = any(_defined(history) for history in histories)
    value_axis, place, on_log = signed_axis(
        "units’ output", low, high, zeroline=True, domain=UPPER if shares else (0, 1)
    )

    traces: list[Json] = []
    moves: dict[int, Json] = {}
    last = len(histories) - 1
    offsets = (np.arange(last + 1) - last / 2) * min(APART, SPAN / max(last, 1))
    for look, offset, mean, std, ends in zip(looks, offsets, means, spreads, bars, strict=True):
        with np.errstate(all="ignore"):
            symmetric = not on_log and np.array_equal(ends, (mean - std, mean + std), equal_nan=True)
        moves[len(traces)] = _bar(mean, ends, place, symmetric)
        traces.append(_means(look, offset, mean.shape[1], symmetric, on_log))
    for look, history in zip(looks, histories, strict=True):
        for kind, share in _defined(history).items():
            moves[len(traces)] = {"y": 100 * rows_at(history.evaluation_step, share, steps)}
            traces.append(_shares(look, kind, history.layers))

    more = more_above(len(histories))
    layout: Json = {
        "margin": {"t": ABOVE + more},
        "xaxis": layer_axis(*(history.layers for history in histories), anchor="y2" if shares else "y"),
        "yaxis": value_axis,
        "hovermode": "closest",
    }
    headings = []
    if shares:
        layout["yaxis2"] = axis("units (%)", domain=LOWER, range=[-6, 106], tickvals=[0, 50, 100])
        headings = [row_heading(_kinds(histories), LOWER[1])]
    height = (HEIGHT if shares else UPPER_ALONE) + more
    return captioned(
        TITLE,
        AnimatedFigure(
            traces,
            merged(layout, footnotes(_notes(histories, looks), height, others=headings)),
            moving(steps, moves),
        ),
        *histories,
        looks=looks,
    )


def alt(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> str:
    """Spread of the first and last hidden layer and the largest share of saturated or dead units, at the end."""
    return " ".join(_sentence(look, history) for look, history in zip(looks, histories, strict=True))


def table(*histories: RunHistory, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network, evaluation and layer; shares where they are defined."""

    def columns(history: RunHistory) -> Columns:
        values = {
            "mean activation": history.activation_mean,
            "standard deviation of the activation": history.activation_std,
            "saturated (share)": history.saturated_fraction,
            "dead (share)": history.dead_fraction,
        }
        return by_layer(history.evaluation_step, values)

    return table_of(histories, looks, columns)


def _defined(history: RunHistory) -> dict[str, Array]:
    """The shares that this activation has; NaN where the layer's activations are not finite."""
    finite = np.isfinite(history.activation_mean)
    shares = {kind: np.where(finite, getattr(history, measure), np.nan) for kind, measure in SHARES.items()}
    return {kind: share for kind, share in shares.items() if not np.isnan(share).all()}


def ends_of_bars(history: RunHistory, mean: Array, std: Array) -> tuple[Array, Array]:
    """Mean ∓ standard deviation, (..., L), cut where the activation of the hidden layers ends: ReLU puts out no less
    than 0.
    """
    least, most = _limits(history.experiment.activation)
    if history.experiment.residual != "none":  # sums of several layers' outputs
        least, most = (0.0 if least == 0 else -np.inf), np.inf
    with np.errstate(all="ignore"):
        low, high = mean - std, mean + std
    hidden = history.experiment.depth
    low[..., :hidden], high[..., :hidden] = np.maximum(low, least)[..., :hidden], np.minimum(high, most)[..., :hidden]
    return low, high


def output_in_words(mean: float, std: float) -> str:
    """Mean ± standard deviation of what a layer outputs."""
    return f"{number(mean)} ± {number(std)}" if np.isfinite(mean) and np.isfinite(std) else "no finite numbers"


@cache
def _limits(activation: str) -> tuple[float, float]:
    """Between what numbers an activation lies; infinite where it grows for ever."""
    with np.errstate(over="ignore"):
        values = ACTIVATIONS[activation].value(np.append(np.linspace(-8, 8, 3201), [-FAR_OUT, FAR_OUT]))
    least, most = float(values.min()), float(values.max())
    return (least if least > -BOUNDED else -np.inf), (most if most < BOUNDED else np.inf)


def _bar(mean: Array, ends: tuple[Array, Array], place: Callable[[Array], Array], symmetric: bool) -> Json:
    """What moves of one network's means: heights, and lengths of the bars above and, where they differ, below."""
    with np.errstate(all="ignore"):
        height = place(mean)
        below, above = height - place(ends[0]), place(ends[1]) - height
    return {"y": height, "error_y": {"array": above} | ({} if symmetric else {"arrayminus": below})}


def _means(look: Look, offset: float, n_layers: int, symmetric: bool, on_log: bool) -> Json:
    bar = {"type": "data", "symmetric": symmetric, "color": look.color, "thickness": 2.5, "width": 4}
    hover = hover_of(look, "layer %{x:.0f}: mean %{y:.3g}, up to %{error_y.array:.3g} more")
    # On a log scale the heights are places on the axis and not values.
    label, layers = "" if on_log else hover, np.arange(1, n_layers + 1)
    return marks(layers + offset, None, look.name, label, error_y=bar, **look.marker(7))


def _shares(look: Look, kind: str, n_layers: int) -> Json:
    marker = {"symbol": look.symbol + SYMBOLS[kind], "line": {"color": look.color, "width": 2}}
    shares = over_layers(
        look, n_layers, f"{look.name}: {kind}", f"%{{y:.0f}} % {kind}", 9, yaxis="y2", showlegend=False
    )
    return merged(shares, look.line(2) | {"marker": marker})


def _kinds(histories: Sequence[RunHistory]) -> str:
    """What the marks of the lower panel count."""
    counted = {kind for history in histories for kind in _defined(history)}
    return ", ".join(text for kind, text in KINDS.items() if kind in counted).capitalize()


def _notes(histories: Sequence[RunHistory], looks: Sequence[Look]) -> list[str]:
    if not any(_defined(history) for history in histories):
        note = f"Mean ± standard deviation, as far as the activation goes. {_without(histories)}"
        return [note, *endings(histories, looks)]
    missing = dict.fromkeys(
        f"{kind} for {name(history.experiment.activation)}"
        for history in histories
        for kind in SHARES
        if kind not in _defined(history)
    )
    notes = [
        "Above: mean ± standard deviation, as far as the activation goes. Not defined: shares at the output, "
        f"{', '.join(missing)}."
    ]
    return notes + endings(histories, looks)


def _without(histories: Sequence[RunHistory]) -> str:
    """Why no network has a share of saturated or dead units."""
    undefined = [
        name(history.experiment.activation)
        for history in histories
        if all(np.isnan(getattr(history, measure)).all() for measure in SHARES.values())
    ]
    if not undefined:
        return "Shares of saturated and dead units are missing, since no activation is finite."
    return f"Shares of saturated and dead units are not defined for {' and '.join(dict.fromkeys(undefined))}."


def _sentence(look: Look, history: RunHistory) -> str:
    hidden = history.experiment.depth
    mean, std = history.activation_mean[-1], history.activation_std[-1]

    first, last = (output_in_words(mean[layer], std[layer]) for layer in (0, hidden - 1))
    text = f"{look.name} at step {history.evaluation_step[-1]}: layer 1 outputs {first}"
    if hidden > 1:
        text += f", hidden layer {hidden} {last}"
    for kind, share in _defined(history).items():
        layers = share[-1, :hidden]
        if np.isnan(layers).all():
            continue
        worst = int(np.nanargmax(layers))
        most = float(layers[worst])
        text += f"; at most {percent(most)} are {kind}, in layer {worst + 1}" if most > 0 else f"; none is {kind}"
    return text + "."
