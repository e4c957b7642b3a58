"""Medians and ranges are those of the runs, and the sentence follows them."""

import math
import statistics
import warnings
from dataclasses import replace

import pytest

from engine import Experiment, train_many
from engine.cures.outcomes import SEEDS, outcome_of, seconds_of
from engine.data.baselines import average_loss
from pages.charts.sweeps import learning_rate_curve as chart
from pages.charts.sweeps.groups import SWEEP_SECONDS, both
from pages.text.labels import number

SMALL = Experiment(dataset="sine", depth=1, width=2, optimizer="adam", learning_rate=0.02, steps=60, n_train=40, seed=3)
LARGE = replace(SMALL, depth=2, width=12)


def measured(experiments):
    return [outcome_of(history) for history in train_many(experiments, max_updates=0, max_frames=3)]


@pytest.fixture(scope="module")
def context():
    return {"patient": SMALL, "treated": LARGE}


@pytest.fixture(scope="module")
def results(context):
    return {name: measured(group) for name, group in both(chart.rates_of, **context).items()}


def losses(outcomes, rate):
    return [outcome.train_loss for outcome in outcomes if outcome.experiment.learning_rate == rate]


def trace(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


def test_the_rates_hold_the_networks_own_and_stay_within_what_a_sweep_may_take():
    runs = chart.rates_of(SMALL)
    assert sorted({run.learning_rate for run in runs}) == sorted({*chart.RATES, 0.02})
    assert len(runs) == SEEDS * (len(chart.RATES) + 1)
    assert {run.learning_rate for run in chart.rates_of(replace(SMALL, learning_rate=0.03))} == set(chart.RATES)
    heavy = replace(SMALL, dataset="moons", depth=6, width=128, steps=1000, n_train=300)
    assert heavy.learning_rate in {run.learning_rate for run in chart.rates_of(heavy)}
    assert len(chart.rates_of(heavy)) == SEEDS or seconds_of(chart.rates_of(heavy)) <= SWEEP_SECONDS


def test_medians_and_ranges_are_those_of_the_runs(results, context):
    figure = chart.figure(results, **context)
    figure.validate()
    for name, outcomes in results.items():
        line, band = trace(figure, name), trace(figure, f"{name} range")
        for rate, median in zip(line.x, line.y, strict=True):
            assert median == pytest.approx(statistics.median(losses(outcomes, rate)))
            heights = [height for x, height in zip(band.x, band.y, strict=True) if x == rate]
            assert sorted(heights) == [min(losses(outcomes, rate)), max(losses(outcomes, rate))]
        own = trace(figure, f"{name}’s own")
        assert own.x[0] == 0.02
        assert own.y[0] == pytest.approx(statistics.median(losses(outcomes, 0.02)))
    average = statistics.median(average_loss(replace(SMALL, seed=seed)) for seed in range(SEEDS))
    assert trace(figure, "always the average").y[0] == pytest.approx(average)
    assert figure.layout.xaxis.title.text == "learning rate η"
    assert figure.layout.yaxis.title.text == "training loss (squared error)"


def test_too_small_badly_trained_and_fitting_are_told_apart(context):
    average = average_loss(SMALL)

    def outcomes(experiment, by_rate):
        (one,) = measured([replace(experiment, steps=1)])
        runs = [replace(experiment, learning_rate=rate) for rate in by_rate]
        return [replace(one, experiment=run, train_loss=by_rate[run.learning_rate] * average) for run in runs]

    poor = outcomes(SMALL, {0.001: 0.9, 0.02: 0.7, 0.3: 0.8})
    good = outcomes(LARGE, {0.001: 0.9, 0.02: 0.02, 0.3: 0.8})
    text = chart.says({"Patient": poor, "Treated": good}, **context)
    assert text.startswith("The patient is not cured by any of 3 learning rates: the lowest loss, ")
    assert "still 0.7 of the average answer’s" in text
    assert f"The treated network fits: it ends at {number(0.02 * average)} at its own η = 0.02." in text

    edge = outcomes(SMALL, {0.001: 0.9, 0.02: 0.8, 0.3: 0.7})
    assert "at η = 0.3, the largest tried, is still" in chart.says({"Patient": edge}, **context)
    wild = outcomes(SMALL, {0.001: 0.02, 0.02: math.inf})
    assert "diverges in half of the seeds or more at its own η" in chart.says({"Patient": wild}, **context)
    lost = outcomes(SMALL, {0.001: math.inf, 0.02: math.inf})
    assert "at each of 2 learning rates" in chart.says({"Patient": lost}, **context)
    assert "infinite" not in chart.says({"Patient": lost}, **context) + chart.says({"Patient": wild}, **context)

    slow = replace(LARGE, learning_rate=0.001)
    shared = chart.says({"Patient": good}, patient=slow, treated=LARGE)
    assert "The patient is large enough and badly trained" in shared
    assert "The treated network fits" in shared
    figure = chart.figure({"Patient": good}, patient=slow, treated=LARGE)
    assert [trace(figure, f"{name}’s own").x[0] for name in ("Patient", "Treated")] == [0.001, 0.02]
    assert "The treated" not in chart.says({"Patient": good}, patient=LARGE, treated=LARGE)


def test_a_run_that_diverged_counts_as_infinite(results, context):
    broken = [
        replace(outcome, status="diverged", train_loss=1e300) if outcome.experiment.learning_rate > 0.2 else outcome
        for outcome in results["Patient"]
    ]
    figure = chart.figure(results | {"Patient": broken}, **context)
    line = trace(figure, "Patient")
    assert all(math.isnan(y) == (x > 0.2) for x, y in zip(line.x, line.y, strict=True))
    assert "16 of 80 runs diverged" in figure.layout.annotations[0].text.replace("<br>", " ")
    assert figure.layout.yaxis.range[1] < 10


@pytest.mark.parametrize("n", [0, 1, 9, 60])
def test_what_there_is_so_far_is_drawn(results, context, n):
    some = {"Patient": results["Patient"][:n], "Treated": []}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = chart.figure(some, **context)
        text, table = chart.alt(some, **context), chart.table(some, **context)
    figure.validate()
    assert "nan" not in text
    assert len(table) == n


def test_the_table_has_a_row_a_run(results, context):
    table = chart.table(results, **context)
    assert len(table) == sum(map(len, results.values()))
    assert list(table["training loss (squared error)"]) == [
        outcome.train_loss for outcomes in results.values() for outcome in outcomes
    ]
