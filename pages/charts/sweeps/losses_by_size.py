"""Training and validation loss against a size (width, depth, training examples): medians and ranges over the seeds.

What the capacity curve and the examples curve have in common.  A run that broke off counts as worse than all others;
where the median is such a run the curve has a gap.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from engine import Experiment
from engine.cures.outcomes import Outcome, losses_of, unit_of
from pages.charts.style.annotations import footnotes
from pages.charts.style.axes import loss_axis, size_axis
from pages.charts.style.figure import (
    LOOK_OF,
    NEUTRAL,
    AnimatedFigure,
    Array,
    Json,
    Look,
    merged,
)
from pages.charts.style.traces import THICK, THIN, band, hover_of, key, ring, stroke, trace
from pages.charts.style.update_curves import on_log_axis
from pages.text.labels import number

Results = Mapping[str, Sequence[Outcome]]

AXES = {"width": "units a layer", "depth": "hidden layers", "n_train": "training examples"}
CLEARLY = 1.05  # factor between two medians below which they are called the same
MOST_SEEDS = 0.75  # share of the seeds that must agree with the medians: 6 of 8, by chance in 14 of 100 sweeps

TRAIN_OPACITY, VALIDATION_OPACITY = 0.1, 0.2  # of the bands
_NONE = np.array([])


@dataclass(frozen=True, eq=False)
class Curve:
    """Losses of one network over its sizes, ascending: (sizes, seeds), infinite where a run has none."""

    sizes: np.ndarray
    train: np.ndarray
    validation: np.ndarray

    @property
    def median_train(self) -> np.ndarray:
        return np.median(self.train, axis=1)

    @property
    def median_validation(self) -> np.ndarray:
        return np.median(self.validation, axis=1)

    def at(self, size: int) -> int | None:
        """Index of a size."""
        found = np.flatnonzero(self.sizes == size)
        return int(found[0]) if found.size else None


def curve_of(outcomes: Sequence[Outcome], field: str) -> Curve:
    """The outcomes by size; sizes of which fewer seeds have come than of others are left out, until they have."""
    by_size: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        by_size.setdefault(getattr(outcome.experiment, field), []).append(outcome)
    most = max(map(len, by_size.values()), default=0)
    complete = {size: sorted(some, key=_seed) for size, some in sorted(by_size.items()) if len(some) == most}

    def losses(name: str) -> np.ndarray:
        return np.array([losses_of(some, name) for some in complete.values()]).reshape(len(complete), most)

    return Curve(np.array(list(complete), int), losses("train_loss"), losses("validation_loss"))


def curves_of(results: Results, field: str) -> dict[str, Curve]:
    """Network -> its curve, of those that have any outcome."""
    return {name: curve_of(outcomes, field) for name, outcomes in results.items() if outcomes}


def figure_of(results: Results, field: str, own: Mapping[str, Experiment]) -> AnimatedFigure:
    """own: network -> its experiment, whose size is marked with a ring."""
    curves = curves_of(results, field)
    losses = np.concatenate([_NONE, *(np.append(one.train, one.validation) for one in curves.values())])
    medians = np.concatenate([_NONE, *(np.append(one.median_train, one.median_validation) for one in curves.values())])
    traces: list[Json] = []
    for name, curve in curves.items():
        look = LOOK_OF[name]
        traces.append(_range(look, curve.sizes, curve.train, TRAIN_OPACITY))
        traces.append(_range(look, curve.sizes, curve.validation, VALIDATION_OPACITY))
        traces += _lines(look, curve)
    traces += [_ring(LOOK_OF[name], curves, name, getattr(experiment, field)) for name, experiment in own.items()]
    traces += _keys()
    sizes = sorted({int(size) for curve in curves.values() for size in curve.sizes})
    unit = " or ".join(dict.fromkeys(unit_of(outcome) for some in results.values() for outcome in some))
    layout: Json = {
        "xaxis": size_axis(AXES[field], sizes),
        "yaxis": loss_axis(f"loss ({unit})" if unit else "loss", losses, medians=medians),
        "legend": {"itemwidth": 34, "tracegroupgap": 0},
        "hovermode": "closest",
    }
    return AnimatedFigure(traces, merged(layout, footnotes(_remarks(results))))


def own_of(patient: Experiment, treated: Experiment | None) -> dict[str, Experiment]:
    """The networks to mark, by name."""
    return {"Patient": patient} | ({"Treated": treated} if treated else {})


def paragraphs(results: Results, field: str, says: Callable[[str, Curve], str]) -> list[str]:
    """What there is to say of each network's curve, with its name where there are two.

    says: of a network's name and its curve.
    """
    curves = curves_of(results, field)
    texts = {name: says(name, curve) for name, curve in curves.items()}
    if len(texts) == 1:
        return [text[0].upper() + text[1:] for text in texts.values()]
    return [f"{name}: {text}" for name, text in texts.items()]


def alt_of(results: Results, field: str) -> str:
    """The medians at every size, in words."""
    sentences = []
    for name, curve in curves_of(results, field).items():
        points = ", ".join(
            f"{size}: {number(train)} and {number(validation)}"
            for size, train, validation in zip(
                curve.sizes.tolist(), curve.median_train.tolist(), curve.median_validation.tolist(), strict=True
            )
        )
        sentences.append(f"{name}, median training and validation loss by {AXES[field]}: {points}.")
    return " ".join(sentences)


def table_of(results: Results, field: str) -> pd.DataFrame:
    """One row a run; losses in the unit that their column names."""
    rows = [
        {
            "network": name,
            AXES[field]: getattr(outcome.experiment, field),
            "seed": outcome.experiment.seed,
            "ended": outcome.status.replace("_", " "),
            f"training loss ({unit_of(outcome)})": outcome.train_loss,
            f"validation loss ({unit_of(outcome)})": outcome.validation_loss,
            "training accuracy (share)": outcome.train_accuracy,
            "validation accuracy (share)": outcome.validation_accuracy,
        }
        for name, outcomes in results.items()
        for outcome in outcomes
    ]
    return pd.DataFrame(rows)


def clearly_more(larger: np.ndarray, smaller: np.ndarray) -> tuple[bool, int]:
    """Whether losses (seeds,) are clearly above others of the same seeds, and in how many seeds they are above.

    Clearly: the median by the factor CLEARLY, and in the same direction in MOST_SEEDS of the seeds.
    """
    seeds = int((larger > smaller).sum())
    return bool(np.median(larger) > CLEARLY * np.median(smaller)) and seeds >= MOST_SEEDS * len(larger), seeds


def _seed(outcome: Outcome) -> int:
    return outcome.experiment.seed


def _range(look: Look, sizes: np.ndarray, losses: np.ndarray, opacity: float) -> Json:
    """From the smallest to the largest finite loss of the seeds."""
    low = np.where(np.isfinite(losses), losses, np.inf).min(axis=1)
    high = np.where(np.isfinite(losses), losses, -np.inf).max(axis=1)
    drawn = np.isfinite(low) & (low > 0)
    return band(sizes[drawn], low[drawn], high[drawn], f"{look.name} range", look.color, opacity)


def _lines(look: Look, curve: Curve) -> list[Json]:
    """A thin line of the medians in training, a thick one in validation."""
    train, validation = on_log_axis(curve.median_train), on_log_axis(curve.median_validation)

    def medians(values: Array, name: str, what: str, width: float, size: float) -> Json:
        hover = hover_of(look, f"{what} loss, %{{x}}: median %{{y:.3g}}")
        common = {"legendgroup": look.name, **look.line(width), **look.marker(size)}
        return trace("lines+markers", curve.sizes, values, name, hover, **common)

    thin = medians(train, f"{look.name} training", "training", THIN, 5)
    return [thin | {"showlegend": False}, medians(validation, look.name, "validation", THICK, 8)]


def _ring(look: Look, curves: Mapping[str, Curve], name: str, size: int) -> Json:
    """Around the two medians at the network's own size: on its own curve, or on the one that it shares."""
    curve = curves.get(name) or next(iter(curves.values()), None)
    place = curve.at(size) if curve else None
    medians = _NONE
    if curve is not None and place is not None:
        medians = np.array([curve.median_train[place], curve.median_validation[place]])
    where, name = [size] * len(medians), f"{look.name} as it is"
    return ring(look, where, on_log_axis(medians), name, "the network above", 20, legendgroup=look.name)


def _keys() -> list[Json]:
    """Legend entries for what both networks share."""
    return [
        key("validation", **stroke(width=THICK + 1)),
        key("training", **stroke(width=THIN)),
        key("the network above", marker={"symbol": "circle-open", "size": 14, "color": NEUTRAL, "line": {"width": 3}}),
    ]


def _remarks(results: Results) -> list[str]:
    every = [outcome for outcomes in results.values() for outcome in outcomes]
    remarks = ["Lines: medians of the seeds; bands: lowest to highest."]
    if broken := sum(outcome.status == "diverged" for outcome in every):
        remarks.append(f"{broken} of {len(every)} runs diverged, and count as worst.")
    return remarks
