"""Each cure is compared with the untreated network under the same seed."""

import warnings
from dataclasses import replace

import numpy as np
import plotly.io
import pytest

from engine import Experiment
from pages.charts.style.figure import PATIENT, TREATED
from pages.charts.sweeps import cures as chart
from pages.charts.sweeps.groups import UNTREATED
from tests.charts.made_outcomes import drawn, odd
from tests.charts.odd_runs import PAIRS
from tests.engine.made_outcomes import made

MOST_BYTES = 20_000
BASE = Experiment()
BEFORE = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7]


def row(losses, field="test_loss", **changes):
    return [made(replace(BASE, seed=seed, **changes), **{field: loss}) for seed, loss in enumerate(losses)]


RESULTS = {
    UNTREATED: row(BEFORE, "last_test_loss"),
    "L2": row([loss - 0.5 for loss in BEFORE], l2=0.1),
    "Dropout": row([loss + (0.1 if seed < 5 else -0.1) for seed, loss in enumerate(BEFORE)], dropout=0.5),
}


def dots(figure, label):
    return next(one for one in figure._data if one.get("name") == label)


def test_helped_counts_pairs_of_one_seed():
    assert chart.helped(RESULTS, "L2") == (8, 8)
    assert chart.helped(RESULTS, "Dropout") == (3, 8)
    shuffled = RESULTS | {"Dropout": RESULTS["Dropout"][::-1]}
    assert chart.helped(shuffled, "Dropout") == (3, 8)
    assert chart.helped(RESULTS | {"L2": RESULTS["L2"][:3]}, "L2") == (3, 3)
    assert chart.helped({UNTREATED: [], "L2": RESULTS["L2"]}, "L2") == (0, 0)
    equal = RESULTS | {"L2": row(BEFORE)}
    assert chart.helped(equal, "L2") == (0, 8)  # a tie is no help


def test_the_untreated_row_is_of_the_last_weights_and_a_cure_of_its_result():
    stopped = [made(replace(BASE, seed=0, patience=3), test_loss=0.2, last_test_loss=9.0)]
    untreated = [made(BASE, test_loss=0.1, last_test_loss=1.0)]
    assert chart.helped({UNTREATED: untreated, "Early stopping": stopped}, "Early stopping") == (1, 1)


def test_a_dot_a_seed_and_the_median():
    figure = chart.figure(RESULTS)
    figure.validate()
    for label, look in ((UNTREATED, PATIENT), ("L2", TREATED)):
        field = "last_test_loss" if label == UNTREATED else "test_loss"
        trace = dots(figure, label)
        np.testing.assert_array_equal(drawn(trace, "x"), [getattr(outcome, field) for outcome in RESULTS[label]])
        assert (trace["marker"]["color"], trace["marker"]["symbol"]) == (look.color, look.symbol)
    medians = [one["x"] for one in figure._data if one.get("marker", {}).get("symbol") == "line-ns"]
    assert medians == [[pytest.approx(1.35)], [pytest.approx(0.85)], [pytest.approx(1.4)]]
    assert figure.layout.shapes[0].x0 == np.median(BEFORE)
    headings = [note.text for note in figure.layout.annotations]
    assert "<b>L2</b>   helped in 8 of 8" in headings
    assert "<b>Untreated</b>" in headings
    assert figure.layout.xaxis.title.text == "test loss (nats)"


def test_the_sentence_names_the_surest_cure_and_those_that_fail():
    text = chart.says(RESULTS)
    assert text.startswith("**L2** helps in 8 of 8 seeds, with a median test loss of 0.85")
    assert "Dropout (3 of 8)" in text
    assert "No cure helps" in chart.says({name: RESULTS[name] for name in (UNTREATED, "Dropout")})
    assert chart.says({UNTREATED: RESULTS[UNTREATED]}) == "There is no cure to compare."
    assert "Dropout: median test loss" in chart.alt(RESULTS)
    assert "helped in 3 of 8" in chart.alt(RESULTS)


def test_a_cure_that_breaks_off_counts_as_worst():
    broken = [replace(outcome, status="diverged") for outcome in RESULTS["L2"][:2]] + RESULTS["L2"][2:]
    results = RESULTS | {"L2": broken}
    assert chart.helped(results, "L2") == (6, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = chart.figure(results)
    assert "L2: 2 diverged" in figure.layout.annotations[-1].text.replace("<br>", " ")
    assert np.isnan(drawn(dots(figure, "L2"), "x")).sum() == 2
    everything = {label: [replace(outcome, status="diverged") for outcome in some] for label, some in RESULTS.items()}
    chart.figure(everything).validate()
    assert "nan" not in chart.alt(everything) + chart.says(everything)
    wild = RESULTS | {UNTREATED: everything[UNTREATED]}
    assert "0.85 where most untreated runs diverge." in chart.says(wild)
    assert "seeds; most untreated runs diverge." in chart.says(everything)


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair_of_runs_is_drawn(name):
    patient, treated = odd(name)
    results = {UNTREATED: [patient], "Cure": [treated], "Not yet": []}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, text, message = chart.figure(results), chart.alt(results), chart.says(results)
    figure.validate()
    assert len(plotly.io.to_json(figure.to_dict(), validate=False)) < MOST_BYTES
    assert "nan" not in text + message
    assert len(chart.table(results)) == 2


def test_a_sweep_on_its_way_is_drawn():
    chart.figure({UNTREATED: [], "L2": []}).validate()
    figure = chart.figure({UNTREATED: [], "L2": RESULTS["L2"][:3]})
    assert figure.layout.annotations[0].text == "<b>L2</b>"


def test_the_table_is_the_outcomes():
    table = chart.table(RESULTS)
    assert table["test loss of the result (nats)"].tolist() == [
        outcome.test_loss for some in RESULTS.values() for outcome in some
    ]
    assert set(table["cure"]) == set(RESULTS)
