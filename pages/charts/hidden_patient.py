"""Charts of one network whose settings nobody may read off: neither the drawing nor its words name any of them.

Each answers one question about the run, at its start and at its end, and has a text alternative that says in numbers
what the drawing shows.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from engine import RunHistory
from engine.datasets import DATASETS
from pages.charts.annotations import footnotes, row_heading
from pages.charts.axes import axis, layer_axis, log_axis, marker_size
from pages.charts.baseline import AVERAGE, average_loss
from pages.charts.clock import thinned
from pages.charts.figure import PATIENT, AnimatedFigure, Json, at_step, depth_colors, merged
from pages.charts.loss_axis import loss_axis
from pages.charts.panels import draw
from pages.charts.predictions import answer, answer_rows
from pages.charts.signed_scale import signed_axis
from pages.charts.through_updates import MOST_POINTS, on_log_axis, peaks
from pages.charts.weight_distributions import quantiles
from pages.charts.weight_norms import RULE_OF_THUMB, relative_updates
from pages.charts.wording import ending, loss_unit, number, percent

Array = np.ndarray

SMALL, HEIGHT = 250, 380
UPPER, LOWER = (0.56, 1.0), (0.0, 0.38)
BELOW = 118  # px: tick labels, axis title and a key of colours
NEUTRAL, PENALTY = "#808080", "#0b8f88"  # what belongs to no network; a penalty's pull
START: Json = {"color": PATIENT.color, "dash": "dot", "width": 2}
END: Json = {"color": PATIENT.color, "dash": "solid", "width": 3.5}


@dataclass(frozen=True)
class View:
    """One chart: its title and the question that it answers, and what it draws, says and lists of a run."""

    key: str
    title: str
    question: str
    figure: Callable[[RunHistory], AnimatedFigure]
    alt: Callable[[RunHistory], str]
    table: Callable[[RunHistory], pd.DataFrame]


class _Moment(NamedTuple):
    """A row of the updates', the evaluations' or the frames' clock, and how it is drawn."""

    name: str
    row: int
    line: Json
    symbol: str


def _moments(clock: Array) -> list[_Moment]:
    """Start and end; of a clock with one row the end alone, of an empty one nothing."""
    if not len(clock):
        return []
    end = _Moment(f"at the end, step {clock[-1]}", len(clock) - 1, END, "circle")
    start = _Moment(f"at the start, step {clock[0]}", 0, START, "circle-open")
    return [start, end] if len(clock) > 1 else [end]


# --- the complaint's own curve ---


def _training_loss(history: RunHistory) -> AnimatedFigure:
    """Training loss at every evaluation, and that of always giving the average answer."""
    average, end = average_loss(history.experiment), int(history.evaluation_step[-1])
    traces = [
        _average_line(average, end),
        _curve("training loss", history.evaluation_step, history.train_loss, "%{y:.3g}", END),
    ]
    layout: Json = {
        "height": SMALL,
        "xaxis": axis("training step (updates)", [0, end]),
        "yaxis": loss_axis(f"loss ({loss_unit(history)})", np.append(history.train_loss, average)),
    }
    return AnimatedFigure(traces, merged(layout, footnotes(_endings(history), SMALL)))


def _training_loss_in_words(history: RunHistory) -> str:
    loss = history.train_loss
    finite = loss[np.isfinite(loss)]
    highest = f", at most {number(float(finite.max()))}" if finite.size else ""
    return _sentence(
        f"Training loss from {number(float(loss[0]))} to {number(float(loss[-1]))} {loss_unit(history)} in "
        f"{history.evaluation_step[-1]} steps{highest}; {AVERAGE}: {number(average_loss(history.experiment))}",
        history,
    )


def _training_losses(history: RunHistory) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "training step (updates)": history.evaluation_step,
            f"training loss ({loss_unit(history)})": history.train_loss,
        }
    )


# --- new data ---


def _new_data(history: RunHistory) -> AnimatedFigure:
    """Loss, and below it accuracy for classes, on training data (thin) and on new data (thick)."""
    steps, is_class = history.evaluation_step, history.confusion is not None
    losses = np.concatenate([history.train_loss, history.validation_loss])
    traces = [
        _curve("training data", steps, history.train_loss, "%{y:.3g}", START),
        _curve("new data", steps, history.validation_loss, "%{y:.3g}", END),
    ]
    place = {"domain": (0.42, 1.0)} if is_class else {}
    layout: Json = {
        "height": HEIGHT,
        "xaxis": axis("training step (updates)", [0, int(steps[-1])], anchor="y2" if is_class else "y"),
        "yaxis": loss_axis(f"loss ({loss_unit(history)})", losses, **place),
    }
    if is_class:
        on_lower = {"yaxis": "y2", "showlegend": False}
        traces += [
            _curve("training data", steps, history.train_accuracy, "%{y:.0%}", START) | on_lower,
            _curve("new data", steps, history.validation_accuracy, "%{y:.0%}", END) | on_lower,
        ]
        ticks = {"range": [-0.04, 1.04], "tickvals": [0, 0.5, 1], "tickformat": ".0%"}
        layout["yaxis2"] = axis("accuracy", domain=(0, 0.3), **ticks)
    return AnimatedFigure(traces, merged(layout, footnotes(_endings(history), HEIGHT)))


def _new_data_in_words(history: RunHistory) -> str:
    loss = history.validation_loss
    text = (
        f"Loss at the end {number(float(history.train_loss[-1]))} {loss_unit(history)} on training data and "
        f"{number(float(loss[-1]))} on new data, where it started from {number(float(loss[0]))} and was lowest with "
        f"{number(float(np.fmin.reduce(loss)))} at step {history.best_step}"
    )
    if history.confusion is not None:
        text += (
            f"; right for {percent(float(history.train_accuracy[-1]))} of the training data and "
            f"{percent(float(history.validation_accuracy[-1]))} of new ones"
        )
    return _sentence(text, history)


def _losses(history: RunHistory) -> pd.DataFrame:
    unit = loss_unit(history)
    return pd.DataFrame(
        {
            "training step (updates)": history.evaluation_step,
            f"loss on training data ({unit})": history.train_loss,
            f"loss on new data ({unit})": history.validation_loss,
            "accuracy on training data (share)": history.train_accuracy,
            "accuracy on new data (share)": history.validation_accuracy,
        }
    )


# --- what it answers ---


def _answers(history: RunHistory) -> AnimatedFigure:
    """The decision surface, the fit, or the confusion matrix at the end."""
    panel = draw(PATIENT, history, [len(history.frame_step) - 1], (history, history))
    traces = [trace | at_step(panel.moves.get(i, {}), 0) for i, trace in enumerate(panel.traces)]
    colors = panel.color_axis
    has_key = panel.has_legend or "colorbar" in colors
    below = BELOW if has_key else 62
    key = -62 / (HEIGHT - 8 - below)
    layout: Json = {
        "height": HEIGHT, "margin": {"t": 8, "b": below}, "showlegend": panel.has_legend,
        "legend": {"x": 0.5, "xanchor": "center", "y": key, "yanchor": "top", "itemwidth": 30},
        "xaxis": panel.xaxis, "yaxis": panel.yaxis,
    }  # fmt: skip
    if colors:
        layout["coloraxis"] = merged(colors, {"colorbar": {"y": key}} if "colorbar" in colors else {})
    return AnimatedFigure(traces, merged(layout, footnotes(panel.notes + _endings(history), HEIGHT, below)))


def _answers_in_words(history: RunHistory) -> str:
    return _sentence(f"At step {history.frame_step[-1]} {answer(history)}", history)


def _answered(history: RunHistory) -> pd.DataFrame:
    return answer_rows(history, len(history.frame_step) - 1)


# --- layer by layer ---


def _gradients(history: RunHistory) -> AnimatedFigure:
    """rms ∂L/∂z of every layer at the first and at the last update."""
    layers = np.arange(1, history.layers + 1)
    signal = history.delta_rms
    traces = [
        {
            "type": "scatter", "mode": "lines+markers", "x": layers, "y": on_log_axis(signal[moment.row]),
            "name": moment.name, "line": moment.line, "hovertemplate": "layer %{x}: %{y:.2~e}", "cliponaxis": False,
            "marker": {"color": PATIENT.color, "symbol": moment.symbol, "size": marker_size(history.layers)},
        }
        for moment in _moments(history.step)
    ]  # fmt: skip
    drawn = signal[[moment.row for moment in _moments(history.step)]]
    notes = ["A signal of exactly 0 has no place on a log axis."] if (drawn == 0).any() else []
    layout: Json = {
        "height": HEIGHT, "xaxis": layer_axis(history.layers),
        "yaxis": log_axis(f"rms ∂L/∂z ({loss_unit(history)})", drawn),
    }  # fmt: skip
    return AnimatedFigure(traces, merged(layout, footnotes(notes + _endings(history), HEIGHT)))


def _gradients_in_words(history: RunHistory) -> str:
    parts = [
        f"{moment.name} layer 1 receives an error signal of {number(float(history.delta_rms[moment.row, 0]))} "
        f"{loss_unit(history)} and hidden layer {history.layers - 1} one of "
        f"{number(float(history.delta_rms[moment.row, -2]))}"
        for moment in _moments(history.step)
    ]
    return _sentence("; ".join(parts) or "There is no gradient", history)


def _gradient_rows(history: RunHistory) -> pd.DataFrame:
    return _by_layer(history.step, {f"rms ∂L/∂z ({loss_unit(history)})": history.delta_rms})


def _units(history: RunHistory) -> AnimatedFigure:
    """Above, mean ± standard deviation of what each layer puts out; below, shares of dead and of saturated units."""
    shares = _shares(history)
    mean, spread = history.activation_mean, history.activation_std
    moments = _moments(history.evaluation_step)
    rows = [moment.row for moment in moments]
    with np.errstate(all="ignore"):
        value_axis, place, on_log = signed_axis(
            "activation",
            (mean - spread)[rows].ravel(),
            (mean + spread)[rows].ravel(),
            zeroline=True,
            domain=UPPER if shares else (0, 1),
        )
    layers = np.arange(1, history.layers + 1)
    traces: list[Json] = []
    for offset, moment in zip((-0.12, 0.12), moments, strict=False):
        with np.errstate(all="ignore"):
            height = place(mean[moment.row])
            above, below = (abs(place((mean + sign * spread)[moment.row]) - height) for sign in (1, -1))
        bar = {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "color": PATIENT.color}
        traces.append(
            {
                "type": "scatter", "mode": "markers", "x": layers + offset, "y": height, "name": moment.name,
                "error_y": bar | {"thickness": 2.5 if moment.line is END else 1.5, "width": 4},
                "marker": {"color": PATIENT.color, "symbol": moment.symbol, "size": 8},
                **({"hoverinfo": "skip"} if on_log else {"hovertemplate": "layer %{x:.0f}: mean %{y:.3g}"}),
            }
        )  # fmt: skip
    for kind, share in shares.items():
        for moment in moments:
            traces.append(
                {
                    "type": "scatter", "mode": "lines+markers", "x": layers, "y": 100 * share[moment.row],
                    "yaxis": "y2", "name": f"{kind}, {moment.name}", "line": moment.line, "showlegend": False,
                    "marker": {"color": PATIENT.color, "symbol": SYMBOLS[kind][moment.line is END], "size": 9},
                    "hovertemplate": f"layer %{{x}}: %{{y:.0f}} % {kind}", "cliponaxis": False,
                }
            )  # fmt: skip
    layout: Json = {"xaxis": layer_axis(history.layers, anchor="y2" if shares else "y"), "yaxis": value_axis}
    if shares:
        layout["yaxis2"] = axis("share (%)", domain=LOWER, range=[-6, 106], tickvals=[0, 50, 100])
    headings = [row_heading(", ".join(KINDS[kind] for kind in shares), LOWER[1])] if shares else []
    notes = footnotes(["Bars: mean ± standard deviation of what a layer puts out.", *_endings(history)], HEIGHT)
    layout["annotations"] = headings + notes.pop("annotations", [])
    return AnimatedFigure(traces, merged(layout, notes))


SYMBOLS = {"dead": ("x-thin-open", "x"), "saturated": ("square-open", "square")}
KINDS = {"dead": "✖ dead: 0 for every example", "saturated": "■ saturated: where it is flat"}


def _shares(history: RunHistory) -> dict[str, Array]:
    """Shares of dead and of saturated units, where such a thing can be."""
    both = {"dead": history.dead_fraction, "saturated": history.saturated_fraction}
    return {kind: share for kind, share in both.items() if np.isfinite(share).any()}


def _units_in_words(history: RunHistory) -> str:
    parts = []
    for moment in _moments(history.evaluation_step):
        mean, spread = history.activation_mean[moment.row], history.activation_std[moment.row]
        text = (
            f"{moment.name} layer 1 puts out {number(float(mean[0]))} ± {number(float(spread[0]))} and hidden layer "
            f"{history.layers - 1} {number(float(mean[-2]))} ± {number(float(spread[-2]))}"
        )
        for kind, share in _shares(history).items():
            row = share[moment.row, :-1]
            if np.isfinite(row).any():
                text += f", {kind} are up to {percent(float(np.nanmax(row)))}, in layer {int(np.nanargmax(row)) + 1}"
        parts.append(text)
    return _sentence("; ".join(parts), history)


def _unit_rows(history: RunHistory) -> pd.DataFrame:
    columns = {"mean activation": history.activation_mean, "standard deviation": history.activation_std}
    shares = {f"{kind} units (share)": share for kind, share in _shares(history).items()}
    return _by_layer(history.evaluation_step, columns | shares)


def _weights(history: RunHistory) -> AnimatedFigure:
    """Quantiles of each layer's weights at the start and at the end."""
    moments = _moments(history.frame_step)
    boxes = quantiles(history, [moment.row for moment in moments])
    value_axis, place, on_log = signed_axis("weight", boxes[..., 0].ravel(), boxes[..., -1].ravel(), zeroline=True)
    traces = [
        {
            "type": "box", "x": np.arange(1, history.layers + 1), "name": moment.name, "whiskerwidth": 0.6,
            "fillcolor": "rgba(213, 94, 0, 0.55)" if moment.line is END else "rgba(0, 0, 0, 0)",
            "line": {"color": PATIENT.color, "width": 2}, "offsetgroup": moment.name,
            "hoverinfo": "skip" if on_log else "y+name",
            **dict(zip(("lowerfence", "q1", "median", "q3", "upperfence"), place(values).T, strict=True)),
        }
        for moment, values in zip(moments, boxes, strict=True)
    ]  # fmt: skip
    layout: Json = {
        "height": HEIGHT, "xaxis": layer_axis(history.layers), "yaxis": value_axis,
        "boxmode": "group", "boxgap": 0.25, "boxgroupgap": 0.15, "hovermode": "closest",
    }  # fmt: skip
    notes = ["Box: the middle half of the weights. Whiskers: 5 % to 95 % of them.", *_endings(history)]
    return AnimatedFigure(traces, merged(layout, footnotes(notes, HEIGHT)))


def _weights_in_words(history: RunHistory) -> str:
    parts = []
    for moment in _moments(history.frame_step):
        first, *_, last = quantiles(history, [moment.row])[0]
        parts.append(
            f"{moment.name} the middle half of layer 1’s weights lies between {number(float(first[1]))} and "
            f"{number(float(first[3]))}, of the output layer’s between {number(float(last[1]))} and "
            f"{number(float(last[3]))}"
        )
    return _sentence("; ".join(parts), history)


def _weight_rows(history: RunHistory) -> pd.DataFrame:
    values = quantiles(history, range(len(history.frame_step)))
    names = ("5 %", "25 %", "50 %", "75 %", "95 %")
    return _by_layer(history.frame_step, {f"{name} quantile": values[..., i] for i, name in enumerate(names)})


# --- step by step ---


def _steps(history: RunHistory) -> AnimatedFigure:
    """Above, how much of its weights each layer changes in a step; below, what pulls: the data, and any penalty."""
    ratio, colors = relative_updates(history), depth_colors(history.layers)
    rows = thinned(range(len(history.step)), MOST_POINTS)
    end = int(history.evaluation_step[-1])
    traces: list[Json] = [
        {
            "type": "scatter", "mode": "lines", "x": [0, end], "y": [RULE_OF_THUMB] * 2, "name": "rule of thumb",
            "line": {"color": NEUTRAL, "dash": "dash", "width": 1.5}, "hoverinfo": "skip", "showlegend": False,
        }
    ]  # fmt: skip
    for layer in range(history.layers):
        first, last = layer == 0, layer == history.layers - 1
        traces.append(
            {
                "type": "scatter", "mode": "lines", "x": history.step[rows], "y": on_log_axis(ratio[rows, layer]),
                "name": "output layer" if last else f"layer {layer + 1}", "showlegend": first or last,
                "line": {"color": colors[layer], "width": 3.5 if first else 1.5, "dash": "dot" if last else "solid"},
                "hovertemplate": "step %{x}: %{y:.2~e}",
            }
        )  # fmt: skip
    for name, values, line in _pulls(history):
        places = peaks(values)
        traces.append(
            _curve(name, history.step[places], on_log_axis(values[places]), "%{y:.2~e}", line) | {"yaxis": "y2"}
        )
    pulls = np.concatenate([values for _, values, _ in _pulls(history)])
    layout: Json = {
        "height": HEIGHT, "xaxis": axis("training step (updates)", [0, end], anchor="y2"),
        "yaxis": log_axis("‖ΔW‖ / ‖W‖", np.append(ratio[rows].ravel(), RULE_OF_THUMB), 5, domain=UPPER),
        "yaxis2": log_axis("‖gradient‖", pulls, 5, domain=LOWER),
    }  # fmt: skip
    notes = [f"Dashed: a rule of thumb, {number(RULE_OF_THUMB)} of the weights a step."]
    if len(_pulls(history)) == 1:
        notes.append("Nothing but the data pulls at the weights.")
    return AnimatedFigure(traces, merged(layout, footnotes(notes + _endings(history), HEIGHT)))


def _pulls(history: RunHistory) -> list[tuple[str, Array, Json]]:
    """What pulls at the weights: name, gradient norm (S,), line."""
    pulls = [("pull of the data", history.data_gradient_norm, END)]
    if (history.penalty_gradient_norm > 0).any():
        line = {"color": PENALTY, "dash": "dash", "width": 3}
        pulls.append(("pull of a penalty", history.penalty_gradient_norm, line))
    return pulls


def _steps_in_words(history: RunHistory) -> str:
    ratio = relative_updates(history)

    def median(values: Array) -> str:
        finite = values[np.isfinite(values)]
        return number(float(np.median(finite))) if finite.size else "not defined"

    text = (
        f"A step changes layer 1 by {median(ratio[:, 0])} of its weights in the median and the output layer by "
        f"{median(ratio[:, -1])}"
    )
    for name, values, _ in _pulls(history):
        finite = values[np.isfinite(values)]
        if finite.size:
            text += (
                f"; the {name} is {number(float(finite[0]))} at the start, {number(float(finite[-1]))} at the end and "
                f"at most {number(float(finite.max()))}"
            )
    if len(_pulls(history)) == 1:
        text += "; nothing but the data pulls at the weights"
    return _sentence(text, history)


def _step_rows(history: RunHistory) -> pd.DataFrame:
    pulls = {f"{name} (‖gradient‖)": np.repeat(values, history.layers) for name, values, _ in _pulls(history)}
    return _by_layer(history.step, {"‖ΔW‖ / ‖W‖": relative_updates(history)}).assign(**pulls)


# --- what they share ---


def _curve(name: str, steps: Array, values: Array, value: str, line: Json) -> Json:
    mode = "lines+markers" if len(steps) == 1 else "lines"
    return {
        "type": "scatter", "mode": mode, "x": steps, "y": values, "name": name, "line": line,
        "hovertemplate": f"step %{{x}}: {value}",
    }  # fmt: skip


def _average_line(average: float, end: int) -> Json:
    return {
        "type": "scatter", "mode": "lines", "x": [0, end], "y": [average, average], "name": AVERAGE,
        "line": {"color": NEUTRAL, "width": 2, "dash": "dashdot"}, "hovertemplate": "%{y:.3g}",
    }  # fmt: skip


def _endings(history: RunHistory) -> list[str]:
    text = ending(history)
    return [f"{text[0].upper()}{text[1:]}."] if text else []


def _sentence(text: str, history: RunHistory) -> str:
    how = f"; {ending(history)}" if ending(history) else ""
    return f"{text[0].upper()}{text[1:]}{how}."


def _by_layer(steps: Array, columns: dict[str, Array]) -> pd.DataFrame:
    """One row a step and layer; columns: name -> (steps, layers)."""
    n_layers = next(iter(columns.values())).shape[1]
    place = {"step": np.repeat(steps, n_layers), "layer": np.tile(np.arange(1, n_layers + 1), len(steps))}
    return pd.DataFrame(place | {name: values.ravel() for name, values in columns.items()})


def task(history: RunHistory) -> str:
    """What the network is asked to learn, of how much, and how long it has trained."""
    e = history.experiment
    source = DATASETS[e.dataset]
    kind = "a number to predict" if source.task == "regression" else f"{max(2, source.n_out)} classes to tell apart"
    inputs = "1 input" if source.n_in == 1 else f"{source.n_in} inputs"
    return f"**{source.label}**: {kind} from {inputs}. {e.n_train} training examples, {e.steps} training steps."


def symptom(history: RunHistory) -> str:
    """What anyone can see: "broke_off", "worse" than the average answer, "nothing", "halfway" or "well" on its data."""
    share = float(history.train_loss[-1]) / average_loss(history.experiment)
    if history.status == "diverged" or not math.isfinite(share):
        return "broke_off"
    if share > 1.1:
        return "worse"
    return "nothing" if share > 0.9 else "halfway" if share > 0.3 else "well"


FREE = View(
    "loss", "Training loss", "Does it learn its own examples?", _training_loss, _training_loss_in_words,
    _training_losses,
)  # fmt: skip
VIEWS = (
    View("new_data", "New data", "Does it do as well on examples that it has never seen?", _new_data,
         _new_data_in_words, _losses),
    View("answers", "Its answers", "What does it put out, over all inputs?", _answers, _answers_in_words, _answered),
    View("gradients", "Gradient, layer by layer", "How much of the error signal reaches each layer?", _gradients,
         _gradients_in_words, _gradient_rows),
    View("units", "Units, layer by layer", "What do the units put out? Are any dead or saturated?", _units,
         _units_in_words, _unit_rows),
    View("weights", "Weights, layer by layer", "How large are the weights, and do they differ?", _weights,
         _weights_in_words, _weight_rows),
    View("steps", "Steps and pulls", "How far does a step go, and what pulls at the weights?", _steps,
         _steps_in_words, _step_rows),
)  # fmt: skip
