"""Is a network too small for its task, or large enough and badly trained?

Training loss at the end against the learning rate, over 8 seeds.  How low the curve gets is what the network can do;
how far above that the network's own learning rate lies is what training leaves undone.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from engine import Experiment
from engine.cures.outcomes import Outcome, seconds_of, seeded, unit_of
from engine.data.baselines import AVERAGE, average_loss
from engine.doctor.thresholds import UNDERFITS
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import log_axis, loss_axis
from pages.charts.style.figure import NEUTRAL, PATIENT, TREATED, AnimatedFigure, Json, Look, merged
from pages.charts.style.traces import band, level, ring, stroke, trace
from pages.charts.sweeps.groups import MOST_GROUPS, SWEEP_SECONDS, Group
from pages.text.labels import name, number, share

TITLE = "Loss against learning rate"
QUESTION = "Is the network too small, or badly trained? Its training loss at other learning rates, over 8 seeds."
HOW_TO_READ = (
    "Left to right: larger learning rates. Height: the training loss at the end, lower is better; the line is the "
    "median of 8 seeds, the band reaches from the lowest to the highest. The ring is the network’s own rate. "
    "Healthy: it sits at the bottom of the curve."
)
NEEDS = ""

RATES = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0)
BAND_OPACITY = 0.2
KEY = "Line: median of 8 seeds; band: lowest to highest; ring: the network’s own learning rate."
MOST_AVERAGES = 10.0  # times the average's loss: what is higher leaves the picture

Results = Mapping[str, Sequence[Outcome]]


@lru_cache(MOST_GROUPS)
def rates_of(experiment: Experiment) -> Group:
    """The network at other learning rates, its own among them, each over 8 seeds; fewer rates where that takes long."""
    for every in (1, 2, 4):
        rates = sorted({experiment.learning_rate, *RATES[::every]})
        runs = [run for rate in rates for run in seeded(replace(experiment, learning_rate=rate))]
        if seconds_of(runs) <= SWEEP_SECONDS:
            return tuple(runs)
    return tuple(seeded(experiment))


class _Point(NamedTuple):
    """Training losses at one learning rate; infinite for a run that broke off."""

    rate: float
    median: float
    low: float
    high: float
    broken_off: int
    runs: int


class _Curve(NamedTuple):
    """One network's.  average: median over the seeds of the loss of the average answer."""

    look: Look
    name: str
    points: list[_Point]
    average: float

    def at(self, rate: float) -> _Point | None:
        return next((point for point in self.points if point.rate == rate), None)

    @property
    def best(self) -> _Point:
        return min(self.points, key=lambda point: point.median)


def figure(results: Results, *, patient: Experiment, treated: Experiment) -> AnimatedFigure:
    """Median and range over the seeds against the learning rate; a ring at each network's own rate."""
    curves = _curves(results)
    traces: list[Json] = []
    for curve in curves:
        traces += [_range(curve), _median(curve)]
    for look, experiment, curve in _owners(curves, patient, treated):
        if (point := curve.at(experiment.learning_rate)) and math.isfinite(point.median):
            name, hover = f"{look.name}’s own", "its own η<br>%{y:.3g}"
            traces.append(ring(look, [point.rate], [point.median], name, hover, 18))
    averages = [curve.average for curve in curves if curve.average > 0]
    rates = [point.rate for curve in curves for point in curve.points] or RATES
    if averages:
        dashes = stroke(NEUTRAL, 2, "dashdot")
        traces.append(level([min(rates), max(rates)], averages[0], AVERAGE, f"{AVERAGE}: %{{y:.3g}}", **dashes))
    top = MOST_AVERAGES * max(averages, default=math.inf)
    medians = _up_to(top, [point.median for curve in curves for point in curve.points] + averages)
    ends = _up_to(top, [end for curve in curves for point in curve.points for end in (point.low, point.high)])
    unit = next((unit_of(outcome) for outcomes in results.values() for outcome in outcomes), "none yet")
    layout: Json = {
        "xaxis": log_axis("learning rate η", rates),
        "yaxis": loss_axis(f"training loss ({unit})", np.append(medians, ends), medians=medians),
        "hovermode": "closest",
    }
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, footnotes(_notes(curves, top)))), patient, treated)


def alt(results: Results, *, patient: Experiment, treated: Experiment) -> str:
    """The lowest median and the loss at the network's own learning rate, and what follows."""
    sentences = [
        f"{curve.name}: lowest median training loss {number(curve.best.median)} at η = {name(curve.best.rate)}, "
        f"of {len(curve.points)} learning rates from {name(curve.points[0].rate)} to {name(curve.points[-1].rate)}."
        for curve in _curves(results)
    ]
    return " ".join([*sentences, says(results, patient=patient, treated=treated)]).strip()


def table(results: Results, *, patient: Experiment, treated: Experiment) -> pd.DataFrame:
    """One row a run."""
    rows = [
        {
            "network": group,
            "learning rate": outcome.experiment.learning_rate,
            "seed": outcome.experiment.seed,
            f"training loss ({unit_of(outcome)})": outcome.train_loss,
            f"{AVERAGE} ({unit_of(outcome)})": average_loss(outcome.experiment),
            "status": outcome.status,
        }
        for group, outcomes in results.items()
        for outcome in outcomes
    ]
    return pd.DataFrame(rows)


def says(results: Results, *, patient: Experiment, treated: Experiment) -> str:
    """For each network: whether it fits, is badly trained, or reaches no better loss at any learning rate."""
    curves = _curves(results)
    return " ".join(
        _judged(f"The {look.name.lower()}" + (" network" if look is TREATED else ""), experiment.learning_rate, curve)
        for look, experiment, curve in _owners(curves, patient, treated)
        if curve.at(experiment.learning_rate)
    )


def _judged(who: str, rate: float, curve: _Curve) -> str:
    own, best = curve.at(rate), curve.best
    assert own is not None
    if not math.isfinite(best.median):
        return f"{who} diverges in half of the seeds or more, at each of {len(curve.points)} learning rates."
    ends = f"ends at {number(own.median)}" if math.isfinite(own.median) else "diverges in half of the seeds or more"
    here = f"{ends} at its own η = {name(rate)}"
    there = f"{number(best.median)} at η = {name(best.rate)}"
    if not curve.average > 0:
        return f"{who} {here}; the lowest is {there}."
    if own.median <= UNDERFITS * curve.average:
        return f"{who} fits: it {here}."
    if best.median <= UNDERFITS * curve.average:
        return f"{who} is large enough and badly trained: it {here}; it ends at {there}."
    edges = {curve.points[0].rate: ", the smallest tried", curve.points[-1].rate: ", the largest tried"}
    return (
        f"{who} is not cured by any of {len(curve.points)} learning rates: the lowest loss, "
        f"{there}{edges.get(best.rate, '')}, is still "
        f"{share(best.median / curve.average)} the average answer’s. It is too small, or something else holds it back."
    )


def _curves(results: Results) -> list[_Curve]:
    """One a group that has results.  A group alone stands for both networks, which differ in learning rate at most."""
    curves = []
    for look in (PATIENT, TREATED):
        if outcomes := results.get(look.name):
            averages = [average_loss(outcome.experiment) for outcome in outcomes]
            whose = look.name if len(results) > 1 else "Both networks"
            curves.append(_Curve(look, whose, _points(outcomes), float(np.median(averages))))
    return curves


def _points(outcomes: Sequence[Outcome]) -> list[_Point]:
    """Ascending; learning rates of which fewer seeds have come than of others are left out, until they have."""
    by_rate: dict[float, list[Outcome]] = {}
    for outcome in outcomes:
        by_rate.setdefault(outcome.experiment.learning_rate, []).append(outcome)
    most = max(map(len, by_rate.values()))
    return [_point(rate, some) for rate, some in sorted(by_rate.items()) if len(some) == most]


def _point(rate: float, outcomes: Sequence[Outcome]) -> _Point:
    losses = [math.inf if outcome.status == "diverged" else outcome.train_loss for outcome in outcomes]
    broken_off = sum(outcome.status == "diverged" for outcome in outcomes)
    return _Point(rate, statistics.median(losses), min(losses), max(losses), broken_off, len(losses))


def _owners(curves: list[_Curve], patient: Experiment, treated: Experiment) -> list[tuple[Look, Experiment, _Curve]]:
    """Each network with its curve, as far as there are curves."""
    if not curves:
        return []
    if curves[0].name == "Both networks":
        pairs = [(PATIENT, patient, curves[0]), (TREATED, treated, curves[0])]
        return pairs[: 1 if patient == treated else 2]
    return [(curve.look, patient if curve.look is PATIENT else treated, curve) for curve in curves]


def _up_to(top: float, values: Sequence[float]) -> np.ndarray:
    array = np.array(values)
    return array[array <= top]


def _finite(values: Sequence[float]) -> np.ndarray:
    """NaN where there is nothing to draw."""
    array = np.array(values)
    return np.where(np.isfinite(array), array, np.nan)


def _range(curve: _Curve) -> Json:
    """Lowest to highest of the seeds, as far as no run broke off."""
    points = [point for point in curve.points if math.isfinite(point.high)]
    rates, low, high = np.array([(point.rate, point.low, point.high) for point in points]).reshape(-1, 3).T
    return band(rates, low, high, f"{curve.name} range", curve.look.color, BAND_OPACITY)


def _median(curve: _Curve) -> Json:
    rates, medians = [point.rate for point in curve.points], _finite([point.median for point in curve.points])
    hover = f"median of the seeds<br>η %{{x:.2~e}}: %{{y:.3g}}<extra>{curve.name}</extra>"
    return trace("lines+markers", rates, medians, curve.name, hover, **curve.look.line(), **curve.look.marker(8))


def _notes(curves: list[_Curve], top: float) -> list[str]:
    notes = [KEY]
    for curve in curves:
        if broken_off := sum(point.broken_off for point in curve.points):
            runs = sum(point.runs for point in curve.points)
            notes.append(f"{curve.name}: {broken_off} of {runs} runs diverged; their loss counts as infinite.")
        if any(top < point.median < math.inf for point in curve.points):
            notes.append(f"{curve.name}: above {number(top)} the curve leaves the chart.")
    return notes
