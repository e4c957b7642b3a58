"""Draw it first: what a learner draws before the measured curve is shown, and what is said of the difference.

Two curves can be drawn, both on a log axis, at some points:

- gradient per layer: the error signal of every hidden layer at step 0 as a share of the last hidden layer's,
  R_l = rms δ_l / rms δ_H = ∏ w_k s_k over the layers k from l to H − 1;
- learning curves: the loss on validation data at every tenth of the run.

What there is to draw on depends on the experiments and the data alone, so that nothing measured is in it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine import Experiment, RunHistory
from engine.doctor.thresholds import FALLING, GREW, LEARNT_NOTHING
from pages.text.clock import latest
from pages.text.findings_text import HEADINGS, found_in
from pages.text.labels import ending, loss_unit, number, share, unit_of_loss
from pages.text.own_data import average_loss, dataset_of
from pages.text.verdict import average_factor

GRADIENT, LOSS = "gradient_per_layer", "learning_curves"
DRAWINGS = {GRADIENT: "the gradient per layer", LOSS: "the learning curves"}
"""What can be drawn, by its name in the address."""

PARTS = 10  # of a run, between which there is a point
# Powers of ten that an axis reaches below and above the level from which the learner starts.
LOSS_DECADES = -2.0, 1.0
LEAST_DECADES, MOST_DECADES = (-6.0, 3.0), (-40.0, 20.0)  # of the gradient; between them one, or half of one, a layer
CLOSE = 2.0  # the factor within which a drawing is right (tuned)
TURNED = 1.2  # the last loss on validation data over the lowest: from here on the curve is said to turn (tuned)
REPEATED = 3  # layers from which on one may overlook that a factor counts once a layer (convention)
COUNTED = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

Drawing = Mapping[str, Sequence[float]]  # network, "patient" or "treated" -> log10 of the curve at its points


class Canvas(NamedTuple):
    """What a curve is drawn on.

    points: network -> where it has points, layers or steps; fixed: whether the last of them stays at the level; level:
    log10 of what the learner starts from, and its name; low, high: ends of the axis, log10.
    """

    name: str
    task: str
    points: dict[str, list[int]]
    fixed: bool
    level: float
    level_name: str
    low: float
    high: float
    across: str  # titles of the axes
    up: str
    point: str  # as in "layer 3"


@dataclass(frozen=True)
class Words:
    """What is said of a drawn and a measured curve.  right: whether they are close."""

    said: str
    explained: str
    right: bool


def canvas(name: str, patient: Experiment, treated: Experiment) -> Canvas | None:
    """What the curves of these networks are drawn on; None where there is nothing to draw."""
    pair = {"patient": patient} if patient == treated else {"patient": patient, "treated": treated}
    return _for_gradient(pair) if name == GRADIENT else _for_loss(pair)


def _for_gradient(pair: dict[str, Experiment]) -> Canvas | None:
    points = {who: list(range(1, one.depth + 1)) for who, one in pair.items() if one.depth > 1}
    if not points:
        return None
    between = max(map(len, points.values())) - 1
    low = max(min(-float(between), LEAST_DECADES[0]), MOST_DECADES[0])
    high = min(max(between / 2, LEAST_DECADES[1]), MOST_DECADES[1])
    task = (
        "How much of the last hidden layer’s error signal reaches each layer before it, at step 0? "
        "Each labelled line is ten or more times the one below."
    )
    return Canvas(
        GRADIENT, task, points, True, 0.0, "as much as in the last hidden layer", low, high,
        "hidden layer (1 = nearest the input)", "share of the last hidden layer’s signal (log)", "layer",
    )  # fmt: skip


def _for_loss(pair: dict[str, Experiment]) -> Canvas:
    patient = pair["patient"]
    average = average_loss(patient)
    level = math.log10(average) if average > 0 else 0.0
    steps = sorted({round(patient.steps * part / PARTS) for part in range(PARTS + 1)})
    dataset = dataset_of(patient)
    regression = dataset is not None and dataset.task == "regression"
    units = " or ".join(dict.fromkeys(unit_of_loss(one, regression) for one in pair.values()))
    task = (
        "How does the loss on validation data move during training? Lower is better; the line is the loss of always "
        "giving the average answer."
    )
    return Canvas(
        LOSS, task, dict.fromkeys(pair, steps), False, level, "always the average answer",
        level + LOSS_DECADES[0], level + LOSS_DECADES[1], "training step (updates)",
        f"loss on validation data ({units}, log)", "step",
    )  # fmt: skip


def read_drawing(on: Canvas, given: Any) -> Drawing | None:
    """The drawing that a browser sent, its numbers brought onto the axis; None where it is none of this canvas."""
    if not isinstance(given, dict) or not given or not given.keys() <= on.points.keys():
        return None
    drawn = {}
    for who, values in given.items():
        if not isinstance(values, list) or len(values) != len(on.points[who]):
            return None
        if not all(isinstance(one, int | float) and math.isfinite(one) for one in values):
            return None
        drawn[who] = [min(max(float(one), on.low), on.high) for one in values]
        if on.fixed:
            drawn[who][-1] = on.level
    return drawn


def measured(on: Canvas, history: RunHistory) -> tuple[list[float], list[float]]:
    """The measured curve, all that was recorded of it: layers or steps, and values, which may be 0 or not finite."""
    if on.name == LOSS:
        return history.evaluation_step.tolist(), history.validation_loss.tolist()
    shares = _signal_shares(history)
    return list(range(1, len(shares) + 1)), shares.tolist()


def _signal_shares(history: RunHistory) -> np.ndarray:
    """R_l of the hidden layers at step 0, (H,); NaN without a first step, or where the last gets no signal."""
    if not len(history.step):
        return np.full(history.layers - 1, np.nan)
    with np.errstate(all="ignore"):
        return history.delta_rms[0, :-1] / history.delta_rms[0, -2]


def words(on: Canvas, who: str, drawn: Sequence[float], history: RunHistory) -> Words:
    """What is said of a network's drawn curve, log10 at the canvas' points, beside its measured one."""
    return (_of_gradient if on.name == GRADIENT else _of_loss)(on, on.points[who], drawn, history)


def off(drawn: float, found: float) -> str:
    """How far two numbers, given by their log10, are apart: "by five powers of ten"; nothing where they are close."""
    decades = abs(drawn - found)
    if decades <= math.log10(CLOSE):
        return ""
    if decades < 1:
        return f"by a factor of {number(10**decades)}"
    powers = round(decades)
    counted = COUNTED[powers] if powers < len(COUNTED) else str(powers)
    return f"by {counted} power{'' if powers == 1 else 's'} of ten"


def _of_gradient(on: Canvas, points: Sequence[int], drawn: Sequence[float], history: RunHistory) -> Words:
    shares = _signal_shares(history)
    expected = f"In layer 1 you expected {_much(10 ** drawn[0])} the last hidden layer’s signal; "
    first = float(shares[0])
    if not len(history.step):
        return Words(expected + "there is none.", f"Nothing could be measured: {ending(history)}.", False)
    if first == 0 or math.isnan(first):
        layers = "it" if first == 0 else "any hidden layer"
        return Words(expected + f"no signal at all reaches {layers}.", _blocked(history), False)
    if math.isinf(first):
        return Words(expected + "it is larger than all numbers.", average_factor(history), False)
    found = math.log10(first)
    said = expected + f"it is {_much(first)} it"
    apart = off(drawn[0], found)
    with np.errstate(all="ignore"):
        gaps = np.abs(np.log10(shares) - np.asarray(drawn))
    farthest = int(np.nanargmax(np.where(np.isfinite(gaps), gaps, np.nan)))
    if apart:
        return Words(f"{said}: off {apart}.", _overlooked(drawn[0], found, history), False)
    if between := off(gaps[farthest], 0):
        said = f"{said}, as you drew it. Farthest off is layer {points[farthest]}, {between}."
        return Words(said, average_factor(history), False)
    return Words(f"{said}: as you drew it.", average_factor(history), True)


def _much(value: float) -> str:
    """A share of something, as in `share`, but for one that is said to be all of it."""
    return "all of" if number(value) == "1" else share(value)


def _blocked(history: RunHistory) -> str:
    """Which factor is exactly 0."""
    n = history.experiment.depth - 1
    for name, factors in (("weights", history.weight_factor), ("slopes", history.slope_factor)):
        if (zeros := np.flatnonzero(factors[0, : n + 1] == 0)).size:
            return f"What was overlooked: the {name} behind layer {zeros[-1] + 1} multiply the signal by exactly 0."
    return "The output layer passes no signal on."


def _overlooked(drawn: float, found: float, history: RunHistory) -> str:
    """The factor of the chain rule that makes up most of the difference between drawn and measured log10 R."""
    n = history.experiment.depth - 1
    residual = history.experiment.residual != "none"
    with np.errstate(all="ignore"):
        factors = {
            "the weights and the skip connections" if residual else "the weights": history.weight_factor[0, :n],
            "the slope": history.slope_factor[0, :n],
        }
        totals = {name: float(np.log10(one).sum()) for name, one in factors.items()}
    sign = 1 if found > drawn else -1
    name = max(totals, key=lambda one: sign * totals[one])
    rest = next(total for one, total in totals.items() if one != name)
    averages = f"{average_factor(history)} You drew {number(10 ** (drawn / n))} a layer."
    if n >= REPEATED and off(drawn, 0) and not off(drawn, found / n):
        return f"You drew what one layer does; it does so {n} times over. {averages}"
    if sign * totals[name] < math.log10(CLOSE):
        return f"No single factor makes the difference: compare yours with the one that was measured. {averages}"
    does = "makes the signal grow" if sign > 0 else "shrinks the signal"
    does = does if name == "the slope" else does.replace("makes", "make").replace("shrinks", "shrink")
    left = f"Without that, {_much(10**rest)} the signal would reach layer 1."
    return f"What was overlooked: {name} {does}. {left} {averages}"


def _of_loss(on: Canvas, points: Sequence[int], drawn: Sequence[float], history: RunHistory) -> Words:
    steps, losses = history.evaluation_step, history.validation_loss
    at_points = np.array([losses[latest(steps, step)] if step <= steps[-1] else np.nan for step in points])
    with np.errstate(all="ignore"):
        gaps = np.abs(np.log10(at_points) - np.asarray(drawn))
    known = np.flatnonzero(np.isfinite(gaps))
    unit = loss_unit(history)
    unit = unit if unit == "nats" else f"({unit})"
    expected = f"At step {points[-1]} you expected a loss of {number(10 ** drawn[-1])} {unit} on validation data; "
    if ended := ending(history):
        said = f"{expected}the run {'is ' if history.diverged_at else ''}{ended}"
        if not known.size:
            return Words(f"{said}.", _why(history), False)
        last = known[-1]
        apart = off(drawn[last], math.log10(at_points[last]))
        before = f"off {apart}" if apart else "as you drew it"
        said += f". At step {points[last]} it is {number(at_points[last])}, {before}."
        return Words(said, _course(points, drawn, history), not history.diverged_at and not apart)
    last = len(points) - 1
    if last not in known:
        return Words(f"{expected}it is {number(at_points[-1])}.", _why(history), False)
    said = f"{expected}it is {number(at_points[last])}: "
    if apart := off(drawn[last], math.log10(at_points[last])):
        return Words(f"{said}off {apart}.", _course(points, drawn, history), False)
    farthest = int(known[np.argmax(gaps[known])])
    if between := off(gaps[farthest], 0):
        said += f"as you drew it. Farthest off is step {points[farthest]}, {between}."
        return Words(said, _course(points, drawn, history), False)
    return Words(f"{said}as you drew it.", _course(points, drawn, history), True)


def _course(points: Sequence[int], drawn: Sequence[float], history: RunHistory) -> str:
    """What the run does, beside what was drawn: it grows, turns, learns nothing, is too slow, or levels out."""
    train, new = history.train_loss, history.validation_loss
    best = latest(history.evaluation_step, history.best_step)
    average = average_loss(history.experiment)
    if history.diverged_at or not np.isfinite(new[-1]) or train[-1] > GREW * train[0]:
        return f"The training loss goes from {number(train[0])} to {number(train[-1])}. {_why(history)}"
    if new[-1] > TURNED * new[best] and train[-1] < train[best]:
        turns = 10 ** (drawn[-1] - min(drawn)) > TURNED
        drew = "You drew that it turns" if turns else "You drew no turn"
        return (
            f"{drew}: on validation data it is lowest at step {history.best_step}, {number(new[best])}, and ends at "
            f"{number(new[-1])}, while on the training data it goes on falling, to {number(train[-1])}. {_why(history)}"
        )
    if new[best] >= LEARNT_NOTHING * average:
        return (
            f"It never gets far below the loss of always giving the average answer, {number(average)}: next to "
            f"nothing of the inputs gets into its answers. {_why(history)}"
        )
    before = latest(history.evaluation_step, round(0.9 * history.evaluation_step[-1]))
    if new[-1] < (1 - FALLING) * new[before] and math.log10(new[-1]) > drawn[-1]:
        return (
            f"It is slower than you drew, and not at its end: in the last tenth of the steps the loss on validation "
            f"data still falls, from {number(new[before])} to {number(new[-1])}. {_why(history)}"
        )
    return f"{_pace(points, drawn, history)} {_why(history)}"


def _pace(points: Sequence[int], drawn: Sequence[float], history: RunHistory) -> str:
    """When half of the way down is done, in powers of ten."""
    with np.errstate(all="ignore"):
        logs = np.log10(history.validation_loss)
    step = int(history.evaluation_step[np.argmax(logs <= (logs[0] + np.nanmin(logs)) / 2)])
    text = f"Half of its way down, in powers of ten, is done by step {step}"
    if min(drawn) < drawn[0]:
        yours = points[int(np.argmax(np.asarray(drawn) <= (drawn[0] + min(drawn)) / 2))]
        text += f"; of yours by step {yours}"
    return f"{text}. Its lowest is {number(float(np.nanmin(history.validation_loss)))}."


def _why(history: RunHistory) -> str:
    """What the doctor finds in the run."""
    found = found_in(history)
    return f"The doctor’s diagnosis: {_small(HEADINGS[found[0].code])}." if found else "The doctor finds nothing wrong."


def _small(text: str) -> str:
    return text[0].lower() + text[1:]
