"""The mystery patient's rules: what is offered, what points are for."""

import re
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from engine import SETTINGS, Experiment, diagnose, train
from engine.cures.changes import changes_of
from engine.cures.outcomes import FRAMES, UPDATE_ROWS
from engine.doctor.cases import DATA_LEVEL, EASY, FAULTS_OF, FLAT, HARD, LEVELS, MEDIUM, candidates, holds, recovered
from engine.doctor.findings import Finding
from engine.training import train_many
from pages.charts.hidden_patient import VIEWS
from pages.components.lesson.catalogue import complaint
from pages.text.mystery_answers import (
    CANONICAL,
    CURED,
    DEFINITIONS,
    MOST_POINTS,
    OF_DATA,
    PRESCRIPTIONS,
    TELLING,
    Score,
    at_dose,
    best_dose,
    canonical,
    companions,
    diagnoses,
    named,
    prescription,
    prescriptions,
    score,
    telling,
)

MANY = 600  # patients, of whom nothing is trained: what chance makes of a rule is within 0.03


def finding(code: str, role: str = "cause", metric: str = "") -> Finding:
    return Finding(code, "severe", (), (0, 0), 1.0, 0.5, metric, "", "", (), role)


@pytest.mark.parametrize("level", LEVELS)
def test_every_cause_of_a_level_can_be_said_and_cured(level):
    offered = {one.key for one in prescriptions(level)}
    assert set(FAULTS_OF[level]) <= set(diagnoses(level)) <= set(DEFINITIONS)
    assert {key for fault in FAULTS_OF[level] for key in CANONICAL[fault]} <= offered
    assert len({named(code) for code in diagnoses(level)}) == len(diagnoses(level))


def test_easy_has_few_answers_and_hard_all():
    counts = [len(diagnoses(level)) for level in (EASY, MEDIUM, HARD)]
    assert counts == sorted(set(counts))
    assert counts[0] <= 5
    assert "not_finite" in diagnoses(HARD)
    assert "overfitting" in set(diagnoses(DATA_LEVEL)) - set(FAULTS_OF[DATA_LEVEL])
    assert set(TELLING) | {"exploding_gradients"} == set(CANONICAL)
    assert set(TELLING.values()) <= set(VIEWS)


def test_prescriptions_stand_for_changes_that_are_tried_and_name_no_value():
    everyday = {"layer", "none", "random"}  # in a random order
    values = {choice for setting in SETTINGS.values() for choice in setting.choices} - everyday
    for one in PRESCRIPTIONS + OF_DATA:
        words = set(re.findall(r"\w+", one.name.lower()))
        assert words.isdisjoint(value.lower() for value in values)
        assert not re.search(r"\d", re.sub("of (0|size 1)", "", one.name))
    sick = Experiment(l1=0.1, l2=0.5, bias=3.0, gain=0.2, label_noise=0.2, initializer="small_normal")
    for one in PRESCRIPTIONS:
        doses = one.doses(sick)
        assert all(dose in changes_of(sick) for dose in doses)
        assert all(dose.code in one.codes and dose.experiment not in (None, sick) for dose in doses)
    lighter = prescription("no_penalty").doses(sick)
    assert {dose.name for dose in lighter} == {"No L1", "Less L1: 0.01", "No L2", "Less L2: 0.05"}
    assert not prescription("l2").doses(sick), "it has one"
    assert {dose.code for dose in prescription("start").doses(sick)} == {"gain", "initializer"}


def test_what_is_not_there_cannot_be_taken_away():
    plain = Experiment()
    without = {one.key for one in PRESCRIPTIONS if not one.doses(plain)}
    assert without == {"start", "no_penalty", "bias", "label_noise"}
    assert [dose.name for dose in prescription("l2").doses(plain)] == ["L2 0.001", "L2 0.01", "L2 0.1"]


def quick(experiment: Experiment):
    return train_many([experiment], max_updates=UPDATE_ROWS, max_frames=FRAMES)[0]


@pytest.mark.parametrize("fault", CANONICAL)
def test_the_canonical_cure_takes_away_most_of_the_harm(fault):
    """The first case of the fault at the easiest level that has it, at the dose that validation data choose."""
    level = next(level for level in LEVELS if fault in FAULTS_OF[level])
    seed = next(seed for seed in count() if next(candidates(seed, level)).fault == fault)
    for case in candidates(seed, level):
        patient, healthy = quick(case.patient), quick(case.healthy)
        if holds(case, patient, healthy):
            break
    runs = [quick(dose.experiment) for dose in canonical(case)]
    assert recovered(case, patient, healthy, runs[best_dose(runs)]) >= CURED


def test_validation_data_can_be_drawn_anew_where_something_is_wrong_with_them():
    for wrong in ({"leakage": 0.5}, {"validation_shift": 1.0}, {"validation_labels": "permuted"}):
        (dose,) = prescription("validation").doses(Experiment(**wrong))
        assert dose.experiment == Experiment()
    assert not prescription("validation").doses(Experiment())


def test_patients_of_one_curve_know_of_each_other():
    assert companions(FLAT, 6).startswith("Patients 4 to 7 have the same data")
    assert not companions(MEDIUM, 6)


def test_doses_of_a_prescription():
    sick = Experiment(l2=0.5, activation="sigmoid", learning_rate=0.01)
    down, penalty = prescription("learning_rate_down").doses(sick), prescription("no_penalty").doses(sick)
    for doses, weak, strong in (
        (down, ["Learning rate 0.001"], ["Learning rate 0.0001"]),
        (penalty, ["Less L2: 0.05", "No L2"], ["Less L2: 0.05", "No L2"]),
    ):
        assert at_dose(doses, "best") == doses
        assert sorted(one.name for one in at_dose(doses, "weak")) == weak
        assert sorted(one.name for one in at_dose(doses, "strong")) == strong


def test_a_quote_says_nothing_about_the_cause():
    """A rule that names the most frequent cause of each quote, learnt from half of the patients, tried on the rest."""
    quotes = [complaint(seed) for seed in range(2 * MANY)]
    for level in (EASY, MEDIUM, DATA_LEVEL, FLAT):
        causes = [next(candidates(seed, level)).fault for seed in range(2 * MANY)]
        by_quote = {quote: Counter() for quote in quotes}
        for quote, cause in zip(quotes[:MANY], causes[:MANY], strict=True):
            by_quote[quote][cause] += 1
        assert all(len(found) > len(FAULTS_OF[level]) / 2 for found in by_quote.values())
        rule = {quote: found.most_common(1)[0][0] for quote, found in by_quote.items()}
        right = sum(rule[quote] == cause for quote, cause in zip(quotes[MANY:], causes[MANY:], strict=True)) / MANY
        chance = max(Counter(causes[MANY:]).values()) / MANY
        assert right <= chance + 0.03


def test_points():
    assert Score(1, "cause", 1.0).points == MOST_POINTS == 100, "the first look is free"
    assert Score(0, "cause", 1.0).points == 70, "who looks at nothing guesses"
    assert Score(2, "cause", 0.5).points == 25 + 40 + 15
    assert Score(7, "consequence", 0.0).points == 15
    assert Score(1, "consequence", 0.0).points == 30 + 15
    assert Score(0, "", 0.0).points == 0
    assert Score(9, "", 0.0).points == 0
    assert Score(1, "context", 0.333).points == 0 + 0 + 10


def test_the_score_of_a_made_case():
    healthy = Experiment(depth=2, dataset="circles", optimizer="adam", learning_rate=0.01, steps=200)
    case = replace(next(candidates(0, "easy")), fault="learning_rate_too_low", healthy=healthy,
                   patient=replace(healthy, learning_rate=1e-5))  # fmt: skip
    patient, well = train(case.patient), train(case.healthy)
    findings = diagnose(patient)
    consequence = next(found.code for found in findings if found.role == "consequence")
    assert score(case, 1, case.fault, findings, patient, well, well) == Score(1, "cause", 1.0)
    assert score(case, 0, consequence, findings, patient, well, patient) == Score(0, "consequence", 0.0)
    assert score(case, 3, "overfitting", findings, patient, well, None) == Score(3, "", 0.0)
    assert score(case, 1, case.fault, findings, patient, well, patient, best=well) == Score(1, "cause", 0.5)


def test_the_best_dose_has_the_lowest_validation_loss_and_has_not_broken_off():
    history = train(Experiment(depth=1, width=4, steps=40))
    worse = replace(history, validation_loss=history.validation_loss + 1)
    broken = replace(history, status="diverged", validation_loss=history.validation_loss - 1)
    assert best_dose([worse, history, broken]) == 1
    risen = history.validation_loss.copy()
    risen[-1] = 100
    stopped = replace(history, experiment=replace(history.experiment, patience=5), validation_loss=risen, best_step=0)
    assert best_dose([replace(history, validation_loss=risen), stopped]) == 1, "early stopping takes its best step"


def test_the_chart_that_tells():
    assert telling(finding("exploding_gradients", metric="R, the first layer's")) == "gradients"
    assert telling(finding("exploding_gradients", metric="size of the output's pre-activation")) == "units"
    assert telling(finding("overfitting")) == "new_data"
