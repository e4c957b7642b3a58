"""The notes' words: every finding has a heading, and evidence is numbers with their place."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, diagnose, train, train_many
from engine.doctor import rules
from engine.doctor.confirming import cause_behind, further_runs
from engine.doctor.diagnosis import gap_of_fit
from engine.doctor.rules import Rule
from engine.doctor.thresholds import NOTABLY_RISEN
from engine.formatting import TIMES_TEN
from pages.components.laboratory.data import experiment_of
from pages.components.laboratory.samples import sample
from pages.components.laboratory.selection import examples_of, guessed
from pages.text import findings_text
from pages.text.labels import PERCENT, label, number, percent
from pages.text.own_data import OwnData, at_hand, average_loss
from tests.charts.odd_runs import PAIRS, pair
from tests.engine.house_prices import house_prices

# Its treatment are weights that are not zero.
BLANK = Experiment(depth=4, width=16, activation="relu", initializer="zeros", steps=300, seed=9)


def test_every_code_has_a_heading():
    assert {rule.code for rule in vars(rules).values() if isinstance(rule, Rule)} == set(findings_text.HEADINGS)


@pytest.fixture(scope="module")
def vanishing():
    history = train(Experiment(depth=10, activation="sigmoid", initializer="xavier_normal", steps=100))
    return diagnose(history)[0], history


def test_evidence_is_numbers_and_places(vanishing):
    finding, history = vanishing
    finding = replace(finding, metric="loss")
    message = findings_text.evidence(
        replace(finding, measured=1.5e-6, threshold=0.01, layers=(0, 1, 2, 5), steps=(0, 9)), history
    )
    assert message == f"Loss: 1.5{TIMES_TEN}⁻⁶, threshold 0.01 · layers 1 to 3, 6 · steps 0 to 9"
    once = findings_text.evidence(replace(finding, threshold=float("inf"), layers=(10,), steps=(3, 3)), history)
    assert once.endswith(" · output layer · step 3")
    assert "threshold" not in once
    assert "layer" not in findings_text.evidence(replace(finding, layers=()), history)


def test_layers_are_counted_from_one(vanishing):
    _, history = vanishing
    assert findings_text.spans([]) == []
    assert findings_text.spans((4, 0, 1, 2)) == [(1, 3), (5, 5)]
    assert findings_text.layers_named((3,), history) == "layer 4"
    assert findings_text.layers_named((0, 1, 10), history) == "layers 1 to 2, output layer"
    assert findings_text.layers_named((0, 4), history) == "layers 1, 5"


@pytest.mark.parametrize("name", PAIRS)
def test_whatever_is_found_can_be_said(name):
    for history in pair(name):
        for finding in diagnose(history):
            assert findings_text.HEADINGS[finding.code]
            assert findings_text.evidence(finding, history)
            assert "_" not in findings_text.remedies(finding)


def test_of_a_remedy_that_holds_back_less_helps():
    history = train(Experiment(dropout=0.85, width=8, depth=3))
    assert (finding := diagnose(history)[0]).code == "dropout_too_high"
    assert findings_text.remedies(finding).startswith("less dropout, ")


@pytest.mark.parametrize(
    ("gain", "message"),
    [(1.5, "beyond the threshold of 10: had it not learnt, that would be called exploding gradients."), (1.0, "")],
)
def test_a_network_that_is_well_in_spite_of_its_gradient_has_its_ratio_named(gain, message):
    treated = {"clip": "norm", "clip_threshold": 1.0, "learning_rate": 0.2, "n_train": 250}
    well = train(Experiment(depth=10, initializer="he_normal", gain=gain, steps=300, seed=9, **treated))
    assert diagnose(well) == ()
    ratio = number(float(well.delta_rms[0, 0] / well.delta_rms[0, -2]))
    of_what = "R, the first layer’s error signal over the last hidden layer’s"
    text = findings_text.even_so(well)
    assert text.startswith(f" {of_what}, is {ratio} at step 0, {message}") if message else "at step 0" not in text


def test_a_network_that_is_well_but_far_behind_simple_methods_is_told_so():
    short = train(replace(BLANK, initializer="he_normal"))
    assert diagnose(short) == ()
    assert "a simple method" in findings_text.even_so(short)
    longer = train(replace(BLANK, initializer="he_normal", optimizer="adam", learning_rate=0.02))
    assert "a simple method" not in findings_text.even_so(longer)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({}, True), ({"learning_rate": 0.05}, False), ({"batch_size": 30}, False), ({"dropout": 0.1}, False)],
)
def test_a_loss_that_goes_up_and_down_is_said_of_a_network_that_is_well(settings, said):
    """Batches and masks that differ from step to step have the same effect, and tell nothing of the steps' length."""
    examples = examples_of(sample("iris"), guessed(sample("iris")))
    own = OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)
    history = train(experiment_of(own, **settings), own.arrays)  # without settings, what the laboratory opens with
    rises = np.maximum(np.diff(history.train_loss), 0).sum() / np.ptp(history.train_loss)
    assert not said or rises > 0.1
    text = f"its training loss goes up again and again, together by {percent(rises)} of its whole range"
    with at_hand(own):
        assert findings_text.found_in(history) == ()
        assert (text in findings_text.even_so(history)) is said


def test_a_ratio_that_the_doctor_accepts_is_not_held_against_a_network():
    """A normalised layer takes a larger gradient."""
    deep = Experiment(depth=10, activation="tanh", initializer="xavier_normal", normalization="batch", steps=300)
    well = train(deep)
    assert diagnose(well) == ()
    assert well.delta_rms[0, 0] / well.delta_rms[0, -2] > 10
    assert "exploding" not in findings_text.even_so(well)


def test_a_loss_that_has_risen_is_said_of_a_network_that_is_well():
    well = train(Experiment(dataset="breast_cancer", depth=10, initializer="he_normal", steps=300, seed=9))
    lowest = int(np.argmin(well.validation_loss))
    rise = 100 * (well.validation_loss[-1] / well.validation_loss[lowest] - 1)
    assert rise > NOTABLY_RISEN
    where = f"{PERCENT} above its lowest, which was at step {well.evaluation_step[lowest]}"
    assert findings_text.risen(well).startswith(f" Its loss on validation data ends {number(rise)}{where}")
    assert ("surer of its mistakes" in findings_text.risen(well)) == (
        well.validation_accuracy[-1] > well.validation_accuracy[lowest] - findings_text.SAME_ACCURACY
    )
    gap, threshold, examples = gap_of_fit(well)
    assert 0 <= gap <= threshold
    why = f"{number(100 * gap)} percentage points more often right" if gap else "no more often right"
    assert f"It is not called overfitting: it is {why} on training data" in findings_text.risen(well)
    assert f"what {examples} new examples make by chance." in findings_text.risen(well)
    assert findings_text.risen(train(replace(well.experiment, patience=5))) == ""
    assert findings_text.risen(train(Experiment(dataset="breast_cancer", steps=30))) == ""


def test_a_confirmation_says_what_came_of_it_in_one_unit_and_names_two_causes_in_their_order():
    rows = house_prices(4)
    own = OwnData(*rows, tuple("abcdefghi"), "price")
    experiment = Experiment(dataset="custom", data_digest=own.digest, n_train=180, steps=300)
    before = train(experiment, rows)
    with at_hand(own):
        finding = diagnose(before, rows)[0]
        after = train(finding.confirm.experiment(experiment), rows)
        behind = cause_behind(finding, after, rows)
        further = train_many(list(further_runs(behind, before, after)), rows)
        message = findings_text.confirmation(finding, before, after, further)
        average = average_loss(after.experiment)
    assert f"After: training loss {number(after.train_loss[-1] / average)} times the average answer’s" in message
    assert "Before: training loss 1 times the average answer’s" in message
    assert message.startswith(
        "**Partly confirmed.** It takes both changes, since there are two causes: first, targets are not scaled; "
        "behind that, steps are too long."
    )
    alike = replace(BLANK, initializer="he_normal")
    symmetric, different = train(BLANK), train(alike)
    assert findings_text.confirmation(diagnose(symmetric)[0], symmetric, different).startswith("**Confirmed.** **What")


def test_a_patients_disease_is_its_root_cause_and_what_becomes_of_it():
    patient, treated = train(BLANK), train(replace(BLANK, initializer="he_normal"))
    before, after = (number(history.train_loss[-1]) for history in (patient, treated))
    assert findings_text.disease(patient, treated) == (
        "Units that stay equal: all weights are 0 at the start, so the units of a layer get equal gradients and stay "
        "equal: together they do no more than one unit. "
        f"Its training loss ends at {before}; treated, at {after}."
    )
    assert findings_text.disease(treated, patient) == ""
    assert findings_text.disease(patient, patient).endswith("; there the doctor still finds: units that stay equal.")


def test_what_follows_from_a_disease_is_named_where_the_patient_complains_of_it():
    history = train(BLANK)
    named = findings_text.disease(history, history, "dead_units")
    assert named.startswith(
        "Units that stay equal: all weights are 0 at the start, so the units of a layer get equal gradients and stay "
        "equal. Hence units are dead: layers 1 to"
    )
    assert findings_text.disease(history, history, "overfitting") == findings_text.disease(history, history)


@pytest.mark.parametrize(
    "fault", [{"leakage": 1.0}, {"validation_shift": 5.0}, {"validation_labels": "permuted"}], ids=str
)
def test_a_fault_is_not_offered_as_its_own_remedy(fault):
    (field,) = fault
    cause = findings_text.found_in(train(Experiment(n_train=40, **fault)))[0]
    assert findings_text.remedies(cause).startswith("validation ")
    assert findings_text.remedies(cause) != label(field)


def test_what_is_not_finite_is_compared_with_no_threshold():
    history = train(Experiment(initializer="standard_normal", depth=30, width=64, gain=20.0, steps=5))
    finding = next(one for one in findings_text.found_in(history) if one.code == "not_finite")
    assert findings_text.evidence(finding, history) == "The first tensor that is not finite · layer 6 · step 1"


def test_one_step_is_one():
    history = train(Experiment(steps=1, learning_rate=1000.0))
    assert not [one for one in findings_text.found_in(history) if "1 steps" in one.explanation]
