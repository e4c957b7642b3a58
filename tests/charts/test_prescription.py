"""The trials' chart shows what engine/cures/trials.py says, in its order, and grows while trainings come in."""

import math
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment
from engine.cures.changes import UNTREATED
from engine.cures.outcomes import SEEDS, outcome_of
from engine.cures.trials import CURES, HARMS, NO_EFFECT, trials_of
from engine.training import train_many
from pages.charts.style.figure import PATIENT, TREATED
from pages.charts.sweeps import prescription as chart
from pages.charts.sweeps.groups import changes_to, cures_of, trials_over_seeds
from tests.charts.made_outcomes import drawn
from tests.engine.made_outcomes import made

PATIENT_0 = Experiment(depth=2, width=4, steps=20)
GROUPS = trials_over_seeds(PATIENT_0)
SICK = ("vanishing_gradients",)


def outcomes(name, losses, **fields):
    return [
        made(one, **{"result_validation_loss": loss, "test_loss": loss} | fields)
        for one, loss in zip(GROUPS[name], losses, strict=True)
    ]


RESULTS = {
    UNTREATED: outcomes(UNTREATED, np.linspace(1, 2, SEEDS), findings=SICK),
    "L2 0.01": outcomes("L2 0.01", np.linspace(0.1, 0.2, SEEDS)),
    "Dropout 0.2": outcomes("Dropout 0.2", np.linspace(1, 2, SEEDS) + 0.001, findings=SICK),
    "Early stopping": outcomes("Early stopping", [math.inf] * 5 + [2.0] * 3, findings=SICK),
}
ORDER = ["L2 0.01", UNTREATED, "Dropout 0.2", "Early stopping"]


def rows(figure):
    """Name of each row -> its traces: the bar, the stroke, the diamond."""
    names = list(dict.fromkeys(trace["name"] for trace in figure._data))
    return {name: [trace for trace in figure._data if trace["name"] == name] for name in names}


def test_groups_are_the_changes_over_seeds():
    made_ones = {change.name: change.experiment for change in changes_to(PATIENT_0) if change.experiment}
    assert {name: group[0] for name, group in GROUPS.items()} == {
        name: replace(one, seed=0) for name, one in made_ones.items()
    }
    assert set(map(len, GROUPS.values())) == {SEEDS}
    shared = cures_of(PATIENT_0)
    assert shared["L2 0.01"] == GROUPS["L2 0.01"], "two sweeps that train the same networks train them once"


def test_rows_are_ranked_with_bar_stroke_and_diamond():
    figure = chart.figure(RESULTS, patient=PATIENT_0)
    figure.validate()
    drawn_rows = rows(figure)
    assert list(drawn_rows) == ORDER
    for place, (name, traces) in enumerate(drawn_rows.items()):
        losses = np.array([outcome.result_validation_loss for outcome in RESULTS[name]])
        bar, stroke, diamond = traces
        assert {trace["y"][0] for trace in traces if trace["y"]} == {-place}
        look = PATIENT if name == UNTREATED else TREATED
        assert bar["line"]["color"] == stroke["marker"]["color"] == diamond["marker"]["color"] == look.color
        if name == "Early stopping":
            assert drawn(bar, "x").tolist() == [2.0]
            assert stroke["x"] == [None]
        else:
            np.testing.assert_array_equal(drawn(bar, "x"), [losses.min(), losses.max()])
            np.testing.assert_array_equal(drawn(stroke, "x"), [np.median(losses)])
    (line,) = figure._layout["shapes"]
    assert line["x0"] == line["x1"] == 1.5


def test_a_row_says_rank_verdict_and_how_many_are_healed():
    figure = chart.figure(RESULTS, patient=PATIENT_0)
    texts = [note["text"] for note in figure._layout["annotations"]]
    assert texts[:4] == [
        "<b>1. L2 0.01</b>: ✔ cures, 8/8 healed",
        "<b>Untreated</b>: 0/8 healthy",
        "<b>2. Dropout 0.2</b>: ○ no clear effect, 0/8 healed",
        "<b>3. Early stopping</b>: ✖ harms, diverges, 0/8 healed",
    ]


def test_only_what_is_complete_has_a_row():
    growing = RESULTS | {"L2 0.01": RESULTS["L2 0.01"][:5]}
    assert list(rows(chart.figure(growing, patient=PATIENT_0))) == [name for name in ORDER if name != "L2 0.01"]
    nothing = {"L2 0.01": RESULTS["L2 0.01"]}
    for some in ({}, nothing):
        assert not chart.figure(some, patient=PATIENT_0)._data
        assert "no trial is complete" in chart.alt(some, patient=PATIENT_0)
        assert chart.table(some, patient=PATIENT_0).empty


def test_words_have_the_numbers():
    message = chart.says(RESULTS, patient=PATIENT_0)
    assert message.startswith(
        "**L2 0.01** comes first of 3. Its median test loss is 0.15 where the untreated network has 1.5"
    )
    assert "lower in 8 of 8 seeds, and the doctor finds nothing wrong in 8 of 8" in message
    assert message.endswith("No clear effect: Dropout 0.2. Harmful: Early stopping.")
    best = chart.trials(RESULTS, PATIENT_0)[0]
    assert best.verdict == CURES
    explained = chart.explained(best)
    assert "L2 penalty 0 → 0.01" in explained
    assert "90\N{NO-BREAK SPACE}% lower in the median" in explained
    assert "fits its training data less closely" in explained
    alt = chart.alt(RESULTS, patient=PATIENT_0)
    assert (
        "3. Early stopping: ✖ harms, diverges, 0/8 healed; median validation loss infinite, from 2 to infinite" in alt
    )


def test_the_table_has_a_row_a_trial():
    table = chart.table(RESULTS, patient=PATIENT_0)
    assert table["change"].tolist() == ORDER
    assert table["verdict"].tolist() == [CURES, "untreated", NO_EFFECT, HARMS]
    np.testing.assert_allclose(table["median test loss (nats)"][:3], [0.15, 1.5, 1.501])


@pytest.mark.parametrize("settings", [{}, {"dataset": "sine"}, {"dataset": "sine", "learning_rate": 1000.0}])
def test_real_runs(settings):
    patient = replace(PATIENT_0, **settings)
    groups = dict(list(trials_over_seeds(patient).items())[:4])
    results = {name: [outcome_of(run) for run in train_many(group)] for name, group in groups.items()}
    chart.figure(results, patient=patient).validate()
    by_name = {change.name: change for change in changes_to(patient)}
    expected = trials_of([(by_name[name], some) for name, some in results.items()])
    assert [trial.change.name for trial in chart.trials(results, patient)] == [one.change.name for one in expected]
    assert chart.says(results, patient=patient)
    assert all(chart.explained(trial) for trial in expected)
