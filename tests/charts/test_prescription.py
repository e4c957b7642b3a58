"""The trials' chart shows what engine/cures/trials.py says, in its order, and grows while trainings come in."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment
from engine.cures.changes import UNTREATED
from engine.cures.outcomes import SCREENED, SEEDS, outcome_of, seeded
from engine.cures.search import middle_doses
from engine.cures.trials import CURES, HARMS, SET_ASIDE
from engine.formatting import TIMES_TEN
from engine.training import train_many
from pages.charts.style.figure import PATIENT, TREATED
from pages.charts.sweeps import prescription as chart
from pages.charts.sweeps.groups import changes_to, cures_of, trials_of_search
from tests.charts.made_outcomes import drawn
from tests.engine.made_outcomes import made

PATIENT_0 = Experiment(depth=2, width=4, steps=20)
FIRST = trials_of_search(PATIENT_0, {})
GROUPS = {change.name: seeded(change.experiment) for change in changes_to(PATIENT_0) if change.experiment}
SICK = ("vanishing_gradients",)


def outcomes(name, losses, **fields):
    return [
        made(one, **{"result_validation_loss": loss, "test_loss": loss} | fields)
        for one, loss in zip(GROUPS[name], losses, strict=True)
    ]


def first(name, losses, **fields):
    return outcomes(name, losses, **fields)[:SCREENED]


SICK_AS_BEFORE = {name: first(name, np.full(SEEDS, 1.5), findings=SICK) for name in GROUPS}
SICK_AS_BEFORE[UNTREATED] = outcomes(UNTREATED, np.linspace(1, 2, SEEDS), findings=SICK)
# Two doses of L2 help, one of them cures; early stopping breaks off in most seeds, but not in the first.
RESULTS = SICK_AS_BEFORE | {
    "L2 0.01": outcomes("L2 0.01", np.linspace(0.1, 0.2, SEEDS)),
    "L2 0.1": first("L2 0.1", np.full(SEEDS, 0.6), findings=SICK),
    "Dropout 0.2": first("Dropout 0.2", np.linspace(1, 2, SEEDS) + 0.001, findings=SICK),
    "Early stopping": outcomes("Early stopping", [0.5] * 3 + [math.inf] * 5, findings=SICK, test_loss=3.0),
}
PAIR = "Early stopping + L2 0.01"
ORDER = ["L2 0.01", UNTREATED, "Early stopping"]  # of what is tried over all seeds


def rows(figure):
    """Name of each row -> its traces: the bar, the stroke, the diamond."""
    names = list(dict.fromkeys(trace["name"] for trace in figure._data))
    return {name: [trace for trace in figure._data if trace["name"] == name] for name in names}


def test_groups_are_the_changes_over_the_first_seeds():
    made_ones = {change.name: change.experiment for change in middle_doses(changes_to(PATIENT_0))}
    assert {"L2 0.01", "Dropout 0.2", "Learning rate 0.01"} <= set(made_ones)
    assert {name: group[0] for name, group in FIRST.items()} == {
        name: replace(one, seed=0) for name, one in made_ones.items()
    }
    assert {name: len(group) for name, group in FIRST.items()} == dict.fromkeys(FIRST, SCREENED) | {UNTREATED: SEEDS}
    shared = cures_of(PATIENT_0)
    assert list(shared["L2 0.01"][:SCREENED]) == FIRST["L2 0.01"], "what two sweeps want is trained once"


def test_rows_are_ranked_with_bar_stroke_and_diamond():
    figure = chart.figure(RESULTS, patient=PATIENT_0, whole=True)
    figure.validate()
    drawn_rows = rows(figure)
    assert list(drawn_rows)[: len(ORDER)] == ORDER
    for place, name in enumerate(ORDER):
        losses = np.array([outcome.result_validation_loss for outcome in RESULTS[name]])
        bar, stroke, diamond, *curve = drawn_rows[name]
        assert {trace["y"][0] for trace in (bar, stroke, diamond) if trace["y"]} == {-place}
        look = PATIENT if name == UNTREATED else TREATED
        assert bar["line"]["color"] == stroke["marker"]["color"] == diamond["marker"]["color"] == look.color
        assert len(curve) == (2 if name == "L2 0.01" else 0)
        if name == "Early stopping":
            assert drawn(bar, "x").tolist() == [0.5]
            assert stroke["x"] == [None]
        else:
            np.testing.assert_array_equal(drawn(bar, "x"), [losses.min(), losses.max()])
            np.testing.assert_array_equal(drawn(stroke, "x"), [np.median(losses)])
    lines = figure._layout["shapes"]
    assert {end for line in lines for end in (line["x0"], line["x1"])} == {1.5}
    assert all(
        line["y1"] < place + chart._TEXT_ABOVE for place, line in zip(range(0, -len(lines), -1), lines, strict=True)
    )
    far = RESULTS | {"L1 0.003": first("L1 0.003", np.full(SEEDS, 1e65), findings=SICK)}
    figure = chart.figure(far, patient=PATIENT_0, whole=True)
    assert figure._layout["xaxis"]["range"][1] < 10, "in decades: one that nearly diverged leaves the others apart"
    assert "loss 10⁶⁵" in chart.alt(far, patient=PATIENT_0, whole=True).replace(f"1{TIMES_TEN}", "10")


def test_the_curve_goes_through_all_doses_and_the_row_stands_at_its_own():
    _, dots = rows(chart.figure(RESULTS, patient=PATIENT_0))["L2 0.01"][3:]
    assert dots["customdata"] == ["L2 0.001", "L2 0.01", "L2 0.1"]
    # The median of the first three of eight from .1 to .2 is the second.
    np.testing.assert_allclose(drawn(dots, "x"), [1.5, 0.1 + 0.1 / 7, 0.6])
    np.testing.assert_allclose(drawn(dots, "y"), [chart.DOSE_APART, 0, -chart.DOSE_APART])


def test_a_row_says_rank_verdict_and_how_many_are_healed():
    figure = chart.figure(RESULTS, patient=PATIENT_0, whole=True)
    texts = [note["text"].replace("<br>", "   ") for note in figure._layout["annotations"]]
    assert texts[:3] == [
        "<b>1. L2 0.01</b>   ✔ cures, 8/8 healthy",
        "<b>Untreated</b>   0/8 healthy",
        "<b>2. Early stopping</b>   ✖ harms, diverges, 0/8 healthy",
    ]
    assert "   – first 3 seeds only, 0/3 healthy" in texts[3]
    assert not re.match(r"<b>\d", texts[3]), "what is not judged has no rank"
    assert texts.count("× diverged") == 1, "the row is not left empty"
    assert "at least 7 of 8 seeds, and by at least 5% in the median.\n- **Cures**: it helps, and the doc" in chart.RULES
    assert "at least 20 points up and at most" in chart.RULES


def test_a_figure_has_at_first_what_helps_and_says_how_many_rows_it_leaves_out():
    every = chart.trials(RESULTS, PATIENT_0)
    figure, whole = (chart.figure(RESULTS, patient=PATIENT_0, whole=one) for one in (False, True))
    assert list(rows(figure)) == ["L2 0.01", UNTREATED]
    assert len(rows(whole)) == len(every) == len(chart.table(RESULTS, patient=PATIENT_0))
    n = chart.left_out(RESULTS, patient=PATIENT_0)
    assert n == len(every) - 2
    left_out = f"Not shown: {n} more, of which none helps."
    assert left_out in figure._layout["annotations"][-1]["text"].replace("<br>", " ")
    assert "Not shown" not in whole._layout["annotations"][-1]["text"]
    assert figure._layout["height"] < whole._layout["height"] / 4
    assert left_out in chart.alt(RESULTS, patient=PATIENT_0)

    nothing = {name: some for name, some in RESULTS.items() if name != "L2 0.01"}
    shown = [trial.change.name for trial in chart.trials(nothing, PATIENT_0)]
    assert list(rows(chart.figure(nothing, patient=PATIENT_0))) == [UNTREATED, *shown[1 : chart.FEWEST_ROWS + 1]]


def test_what_is_wanted_grows_with_what_is_known():
    """Other doses of what promises, then finer ones and all seeds, and pairs where nothing leaves the patient well."""
    screened = {name: some[:SCREENED] for name, some in RESULTS.items() if name != UNTREATED}
    few = {one.experiment: one for some in screened.values() for one in some}
    few |= {one.experiment: one for one in RESULTS[UNTREATED]}
    doses = {*FIRST, "L2 0.001", "L2 0.1"}
    assert set(trials_of_search(PATIENT_0, few)) == doses, "a dose that leaves nothing wrong is not refined"
    assert len(trials_of_search(PATIENT_0, few)["L2 0.01"]) == SEEDS
    sick = {key: replace(one, findings=SICK) if one.experiment.l2 else one for key, one in few.items()}
    assert set(trials_of_search(PATIENT_0, sick)) - doses == {"L2 0.0032", "L2 0.032"}

    known = {one.experiment: one for some in RESULTS.values() for one in some}
    assert set(trials_of_search(PATIENT_0, known)) == doses, "no pairs where one remedy alone is enough"
    late = {key: replace(one, findings=SICK) if one.experiment.seed >= SCREENED else one for key, one in known.items()}
    assert set(trials_of_search(PATIENT_0, late)) - doses == {"L2 0.01 + Early stopping"}


def test_other_doses_are_tried_of_what_is_named_and_of_what_diverged():
    known = {one.experiment: one for name, some in SICK_AS_BEFORE.items() if name in FIRST for one in some}
    assert set(trials_of_search(PATIENT_0, known)) == set(FIRST)
    named = known | {key: replace(one, remedies=("dropout",)) for key, one in known.items() if key in GROUPS[UNTREATED]}
    assert set(trials_of_search(PATIENT_0, named)) - set(FIRST) == {"Dropout 0.1", "Dropout 0.4"}
    (first, *_) = GROUPS["L1 0.003"]
    diverged = known | {first: replace(known[first], status="diverged")}
    assert set(trials_of_search(PATIENT_0, diverged)) - set(FIRST) == {"L1 0.0003", "L1 0.03"}


def test_only_what_is_complete_has_a_row():
    growing = RESULTS | {"L2 0.01": RESULTS["L2 0.01"][:2]}
    assert next(iter(rows(chart.figure(growing, patient=PATIENT_0)))) == UNTREATED
    assert "L2 0.01" not in rows(chart.figure(growing, patient=PATIENT_0))
    nothing = {"L2 0.01": RESULTS["L2 0.01"]}
    for some in ({}, nothing):
        assert not chart.figure(some, patient=PATIENT_0)._data
        assert "no trial is complete" in chart.alt(some, patient=PATIENT_0)
        assert chart.table(some, patient=PATIENT_0).empty


def test_words_have_the_numbers():
    message = chart.says(RESULTS, patient=PATIENT_0)
    assert message.startswith("**L2 0.01** comes first of ")
    assert "Its median test loss is 0.15 where the untreated network has 1.5" in message
    assert "lower in 8 of 8 seeds, and the doctor finds nothing wrong in 8 of 8" in message
    assert message.endswith("Harmful: Early stopping.")
    best = chart.trials(RESULTS, PATIENT_0)[0]
    assert best.verdict == CURES
    explained = chart.explained(best)
    assert "L2 penalty 0 → 0.01" in explained
    assert "over the first seeds: L2 0.001: 1.5; L2 0.01: 0.11; L2 0.1: 0.6." in explained
    assert "90\N{NO-BREAK SPACE}% lower in the median" in explained
    assert "fits its training data less closely" in explained
    alt = chart.alt(RESULTS, patient=PATIENT_0, whole=True)
    assert "2. Early stopping: ✖ harms, diverges, 0/8 healthy; median validation loss infinite, from 0.5 to" in alt


def test_what_the_root_cause_calls_for_and_does_not_help_is_said_with_what_is_left():
    def message(remedy):
        sick = [replace(one, remedies=(remedy,)) for one in RESULTS[UNTREATED]]
        return chart.says(RESULTS | {UNTREATED: sick}, patient=PATIENT_0)

    assert (
        "**Early stopping** is what the doctor names first against the root cause, “The gradient vanishes”; alone it "
        "makes the loss higher. With it the doctor finds nothing wrong in 0 of 8, without in 0; the root cause is then "
        "“The gradient vanishes” in 8."
    ) in message("patience")
    assert "alone it did no better over the first 3 seeds" in message("dropout")
    assert "root cause" not in message("l2"), "it cures"

    def beside(remedy, cause=SICK[0]):
        sick = [replace(one, remedies=(remedy,)) for one in RESULTS[UNTREATED]]
        return chart.beside_the_cause(RESULTS | {UNTREATED: sick}, patient=PATIENT_0, cause=cause)

    assert beside("patience") == "Early stopping, named first, was tried: alone it makes the loss higher."
    assert beside("l2") == beside("patience", "overfitting") == ""


def test_the_table_has_a_row_a_trial():
    table = chart.table(RESULTS, patient=PATIENT_0)
    assert table["change"].tolist()[:3] == ORDER
    assert table["verdict"].tolist()[:4] == [CURES, "untreated", HARMS, SET_ASIDE]
    assert table["rank"].fillna(0).tolist()[:4] == [1, 0, 2, 0]
    np.testing.assert_allclose(table["median test loss (nats)"][:2], [0.15, 1.5])


@pytest.mark.parametrize(
    "settings", [{}, {"imbalance": 0.1}, {"dataset": "sine"}, {"dataset": "sine", "learning_rate": 1000.0}]
)
def test_real_runs(settings):
    patient = replace(PATIENT_0, **settings)
    groups = dict(list(trials_of_search(patient, {}).items())[:4])
    results = {name: [outcome_of(run) for run in train_many(group)] for name, group in groups.items()}
    figure = chart.figure(results, patient=patient)
    figure.validate()
    weighs = "imbalance" in settings
    assert ("every class counts alike" in figure.layout.xaxis.title.text) == weighs
    assert (chart.CLASSES_ALIKE in chart.says(results, patient=patient)) == weighs
    rows = chart.trials(results, patient)
    assert {trial.change.name for trial in rows} <= set(groups)
    assert chart.says(results, patient=patient)
    assert all(("Test loss, every class alike:" in chart.explained(trial)) == weighs for trial in rows)
