"""Medians and ranges are those of the outcomes, and the sentence follows them."""

import warnings

import numpy as np
import plotly.io
import pytest

from engine import Experiment
from pages.charts.style.axes import REACH
from pages.charts.sweeps import capacity_curve as chart
from pages.charts.sweeps.losses_by_size import curve_of
from tests.charts.made_outcomes import drawn, odd
from tests.charts.odd_runs import PAIRS
from tests.engine.made_outcomes import curve, made

MOST_BYTES = 20_000
SEEDS = range(8)
WIDTHS = (1, 4, 16, 64)
PATIENT, TREATED = Experiment(width=4), Experiment(width=64)


def losses(*medians: float, spread: float = 0.01) -> dict[int, list[float]]:
    """Eight losses around each median, the same seed always at the same place."""
    return {
        width: [m * (1 + spread * (seed - 3.5)) for seed in SEEDS] for width, m in zip(WIDTHS, medians, strict=False)
    }


def results(train=(0.7, 0.5, 0.3, 0.1), validation=(0.7, 0.5, 0.6, 0.9), **spread):
    return {"Patient": curve("width", losses(*train, **spread), losses(*validation, **spread))}


def trace(figure, name):
    return next(one for one in figure._data if one["name"] == name)


def test_the_lines_are_medians_and_the_bands_ranges():
    outcomes = results()["Patient"]
    figure = chart.figure({"Patient": outcomes[::-1]}, PATIENT)
    figure.validate()
    for name, field in (("Patient", "validation_loss"), ("Patient training", "train_loss")):
        by_width = [[getattr(o, field) for o in outcomes if o.experiment.width == width] for width in WIDTHS]
        np.testing.assert_array_equal(trace(figure, name)["x"], WIDTHS)
        np.testing.assert_allclose(drawn(trace(figure, name), "y"), [np.median(some) for some in by_width])
    bands = [one for one in figure._data if one["name"] == "Patient range"]
    np.testing.assert_allclose(drawn(bands[1], "y")[:4], [max(some) for some in losses(0.7, 0.5, 0.6, 0.9).values()])
    np.testing.assert_allclose(drawn(bands[1], "y")[:3:-1], [min(some) for some in losses(0.7, 0.5, 0.6, 0.9).values()])


def test_the_current_network_is_ringed():
    both = results() | {"Treated": results()["Patient"]}
    figure = chart.figure(both, PATIENT, TREATED)
    ring = trace(figure, "Treated as it is")
    assert set(ring["x"]) == {64}
    np.testing.assert_allclose(drawn(ring, "y"), [0.1, 0.9])
    alone = chart.figure(results(), PATIENT, TREATED)  # one curve for both networks
    assert set(trace(alone, "Patient as it is")["x"]) == {4}
    assert set(trace(alone, "Treated as it is")["x"]) == {64}


@pytest.mark.parametrize(
    ("train", "validation", "words"),
    [
        ((0.7, 0.5, 0.3, 0.1), (0.7, 0.5, 0.6, 0.9), "lowest at width 4 (0.5) and rises again, to 0.9 at width 64"),
        ((0.7, 0.5, 0.3, 0.1), (0.7, 0.5, 0.6, 0.9), "does not rise with it: that is overfitting"),
        ((0.7, 0.5, 0.6, 0.9), (0.7, 0.5, 0.6, 0.9), "harder to train"),
        ((0.7, 0.5, 0.3, 0.1), (0.7, 0.5, 0.4, 0.3), "does not rise with width: it is lowest at width 64 (0.3)"),
        ((0.7, 0.5, 0.3, 0.1), (0.7, 0.5, 0.4, 0.41), "not clearly rise with width: it is lowest at width 16 (0.4)"),
        ((0.7,), (0.7,), "Validation loss is 0.7 at width 1."),
        ((0.7, 0.5, 0.3, 0.1), (0.4, 0.5, 0.6, 0.9), "at width 1 (0.4), the smallest tried, and rises, to 0.9 at"),
    ],
)  # fmt: skip
def test_the_sentence_follows_the_measurement(train, validation, words):
    assert words in chart.says(results(train, validation), PATIENT)
    assert words in chart.alt(results(train, validation), PATIENT)


def test_a_rise_needs_most_of_the_seeds():
    outcomes = results()["Patient"]
    best = [o.validation_loss for o in outcomes if o.experiment.width == 4]
    mixed = [
        made(o.experiment, validation_loss=0.9 if o.experiment.seed < 5 else best[o.experiment.seed] - 0.1)
        if o.experiment.width == 64
        else o
        for o in outcomes
    ]
    rises, seeds = chart.rises_again(curve_of(mixed, "width"))
    assert (rises, seeds) == (False, 5)
    assert "does not clearly rise" in chart.says({"Patient": mixed}, PATIENT)


def test_a_broken_run_counts_as_worst_and_flattens_nothing():
    outcomes = results()["Patient"]
    outcomes[0] = made(outcomes[0].experiment, status="diverged", validation_loss=1e200)
    outcomes[1] = made(outcomes[1].experiment, validation_loss=1e100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = chart.figure({"Patient": outcomes}, PATIENT)
    assert "1 of 32 runs diverged" in figure.layout.annotations[0].text
    assert figure.layout.yaxis.range[1] <= np.log10(0.9 * REACH) + 1
    assert np.isfinite(drawn(trace(figure, "Patient"), "y")).all()
    large = [made(o.experiment, status="diverged") if o.experiment.width == 64 else o for o in results()["Patient"]]
    assert "at width 64 it does not end finite" in chart.says({"Patient": large}, PATIENT)
    assert "infinite" not in chart.says({"Patient": large}, PATIENT)
    all_broken = [made(o.experiment, status="diverged") for o in outcomes]
    assert "finite" in chart.says({"Patient": all_broken}, PATIENT)
    chart.figure({"Patient": all_broken}, PATIENT).validate()


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("field", ["width", "depth"])
def test_every_pair_of_runs_is_drawn(name, field):
    patient, treated = odd(name)
    context = {"patient": patient.experiment, "treated": treated.experiment, "field": field}
    both = {"Patient": [patient], "Treated": [treated]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = chart.figure(both, **context)
        text, message = chart.alt(both, **context), chart.says(both, **context)
    figure.validate()
    assert len(plotly.io.to_json(figure.to_dict(), validate=False)) < MOST_BYTES
    assert message.replace("\n\n", " ") in text
    assert "nan" not in text
    assert set(chart.table(both, **context)["network"]) == {"Patient", "Treated"}


def test_a_sweep_on_its_way_is_drawn():
    outcomes = results()["Patient"]
    chart.figure({"Patient": []}, PATIENT).validate()
    assert chart.says({"Patient": []}, PATIENT) == ""
    figure = chart.figure({"Patient": outcomes[:19], "Treated": []}, PATIENT, TREATED)  # 8, 8 and 3 seeds
    np.testing.assert_array_equal(trace(figure, "Patient")["x"], [1, 4])


def test_the_table_is_the_outcomes():
    outcomes = results()["Patient"]
    table = chart.table({"Patient": outcomes}, PATIENT)
    assert table["validation loss (nats)"].tolist() == [o.validation_loss for o in outcomes]
    assert table["units a layer"].tolist() == [o.experiment.width for o in outcomes]
    assert table["seed"].tolist() == [o.experiment.seed for o in outcomes]


@pytest.mark.parametrize(("train", "validation"), [((0.7, 0.5, 0.3, 1e-5), (0.7, 0.5, 0.6, 3)), ((0.7,), (0.7,))])
def test_axes_have_titles_and_hold_the_medians(train, validation):
    figure = chart.figure(results(train, validation), PATIENT)
    assert figure.layout.yaxis.title.text == "loss (nats)"
    assert figure.layout.xaxis.title.text == "units a layer"
    span = figure.layout.yaxis.range
    shown = np.log10([*train, *validation]) if figure.layout.yaxis.type == "log" else np.array([*train, *validation])
    assert span[0] <= shown.min()
    assert span[1] >= shown.max()
