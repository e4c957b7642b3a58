"""A lesson's headline never contradicts the doctor's notes, whatever a learner makes of the lesson's networks."""

import ast
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from engine import diagnose, train, train_many
from engine.doctor import thresholds
from pages.components.lesson.catalogue import lesson_of
from pages.text import (
    data_faults_verdict,
    exploding_verdict,
    findings_text,
    overfitting_verdict,
    underfitting_verdict,
    verdict,
)
from pages.text.labels import percent
from pages.text.three_sets import result_recalls

ROOT = Path(__file__).resolve().parents[2]

# What is turned in each lesson's patient, each alone.
OF_ALL = (
    {}, {"seed": 1}, {"seed": 2}, {"width": 2}, {"depth": 1}, {"steps": 50}, {"learning_rate": 0.001},
    {"learning_rate": 0.3}, {"dataset": "digits", "n_train": 100}, {"dataset": "sine"},
    {"dataset": "blobs", "n_train": 20},
)  # fmt: skip
SCALED = {"inputs": "standardised"}
RARE = {"dataset": "moons", "n_train": 500, "noise": 0.9, "imbalance": 0.05}
TURNED = {
    "overfitting": (
        *({"n_train": n} for n in (20, 50, 300, 1000)), *({"label_noise": share} for share in (0.0, 0.05, 0.1, 0.4)),
        *({"noise": noise} for noise in (0.0, 0.3)), *({"l2": dose} for dose in (0.0, 0.001, 0.005, 0.3)),
        *({"width": units} for units in (4, 8, 16, 128)), {"l1": 0.003}, {"dropout": 0.3}, {"patience": 10},
        {"dataset": "sine", "n_train": 10}, {"dataset": "breast_cancer", "n_train": 50}, {"activation": "linear"},
    ),
    "underfitting": (
        *({"width": units} for units in (1, 4, 8, 64)), *({"n_train": n} for n in (5, 20, 1000)),
        *({"l2": dose} for dose in (0.01, 0.3)), {"activation": "linear"}, {"activation": "sigmoid"},
        {"dataset": "moons", "label_noise": 0.3}, {"dataset": "moons", "label_noise": 0.5}, {"dropout": 0.5},
        {"optimizer": "sgd", "learning_rate": 0.1}, {"noise": 1.0}, {"depth": 3, "width": 16, "learning_rate": 1000.0},
    ),
    "vanishing_gradients": (
        {"activation": "tanh"}, {"depth": 3}, {"depth": 20}, {"residual": "plain"},
        {"normalization": "batch"}, {"normalization": "layer"}, {"initializer": "zeros"}, {"gain": 0.5}, {"gain": 4.0},
        {"initializer": "standard_normal"}, {"initializer": "small_normal"}, {"width": 4, "depth": 30},
        {"width": 128, "depth": 3}, {"optimizer": "adam", "learning_rate": 0.01}, {"learning_rate": 10.0},
    ),
    "exploding_gradients": (
        {"clip": "norm", "clip_threshold": 0.01}, {"clip": "value", "clip_threshold": 0.01}, {"gain": 1.0},
        {"gain": 2.5}, {"normalization": "batch"}, {"residual": "plain"}, {"activation": "tanh"}, {"depth": 3},
        {"depth": 20, "gain": 1.0}, {"optimizer": "adam", "learning_rate": 0.01}, {"l2": 0.01}, {"label_noise": 0.4},
        {"dataset": "moons", "noise": 1.0}, {"dataset": "sine", "learning_rate": 10.0},
    ),
    "data_faults": tuple(SCALED | turned for turned in (
        *({"leakage": share} for share in (0.01, 0.3, 1.0)), *({"validation_shift": by} for by in (-2.0, 0.2, 1.0)),
        {"validation_labels": "permuted"}, {"shuffle": False}, {"dataset": "digits", "n_train": 400, "shuffle": False},
        {"input_scale": 100.0}, {"input_scale": 0.001}, {"input_shift": 10.0},
        {"normalization": "batch", "batch_size": 2},
        *(RARE | {"imbalance": share} for share in (0.03, 0.1, 0.5)), RARE | {"class_weights": "balanced"},
        *({"dataset": "sine", **turned} for turned in (
            {"target_scale": 100.0}, {"target_scale": 0.001}, {"output": "sigmoid"}, {"leakage": 1.0},
            {"validation_shift": 2.0},
        )),
    )),
}  # fmt: skip

SORTED_DIGITS = SCALED | {
    "dataset": "digits",
    "n_train": 400,
    "batch_size": 100,
    "shuffle": False,
    "learning_rate": 1.0,
}


@cache
def runs(page):
    """(what is turned, run) of all variants, and of the lesson's treated network."""
    lesson, turned = lesson_of(page), []
    for change in (*OF_ALL, *TURNED[page], lesson.patient.differences(lesson.treated)):
        settings = {name: value[1] if isinstance(value, tuple) else value for name, value in change.items()}
        turned.append(settings)
    experiments = [replace(lesson.patient, **settings) for settings in turned]
    return list(zip(turned, train_many(experiments, max_updates=100, max_frames=3), strict=True))


def disagreements(page, says, contradicts):
    """What is turned, the headline and the codes, where the two contradict each other."""
    found = []
    for change, history in runs(page):
        text, codes = says(history, history), [finding.code for finding in diagnose(history)]
        if contradicts(text, codes, history):
            found.append((change, text, codes))
    return found


def test_overfitting():
    def contradicts(text, codes, history):
        if history.status == "diverged":
            return False
        if ("by heart" in text) != ("overfitting" in codes):
            return True
        return ("examples allow" in text) > (not codes)

    assert len(runs("overfitting")) > 30
    assert disagreements("overfitting", overfitting_verdict.verdict, contradicts) == []


def test_underfitting():
    def contradicts(text, codes, history):
        if history.status == "diverged":
            return False
        average = re.search(r"average answer( \(.*?\))?\.", text) or "worse than always" in text
        if "underfitting" in codes:
            return not ("underfits" in text or average)
        return "underfits" in text or (average and not codes)

    assert disagreements("underfitting", underfitting_verdict.verdict, contradicts) == []


def test_vanishing():
    def contradicts(text, codes, history):
        for words, code in (("vanishes", "vanishing_gradients"), ("grows on the way back", "exploding_gradients")):
            if words in text:
                overcome = f"be called {code.replace('_', ' ')}" in findings_text.even_so(history) and not codes
                if ("and yet the network learns" in text) != overcome or (code not in codes and not overcome):
                    return True
            elif code == "vanishing_gradients" and code in codes:
                return "No gradient" not in text and "no gradient" not in text
        return False

    assert disagreements("vanishing_gradients", verdict.verdict, contradicts) == []


def test_exploding():
    def contradicts(text, codes, history):
        return "than the average answer" in text and not codes

    assert disagreements("exploding_gradients", exploding_verdict.verdict, contradicts) == []


def test_data_faults():
    def contradicts(text, codes, history):
        if history.status == "diverged":
            return False
        untrue = {code for code, words in data_faults_verdict.UNTRUE.items() if words in text}
        if untrue != data_faults_verdict.UNTRUE.keys() & codes:
            return True
        if codes and codes[0] not in untrue and not text.startswith(f"{findings_text.HEADINGS[codes[0]]}: the patient"):
            return True
        misses = "and recognises" in text  # fewer than half of a class
        return ("one_answer" in codes and not misses) or (misses and not codes)

    assert disagreements("data_faults", data_faults_verdict.verdict, contradicts) == []


def test_a_class_that_is_recognised_again_is_counted_beside_it():
    lesson = lesson_of("data_faults")
    patient, treated = train_many([lesson.patient, lesson.treated])
    recall = percent(float(result_recalls(treated)[int(result_recalls(patient).argmin())]))
    text = data_faults_verdict.verdict(patient, treated)
    assert text.endswith(f"With inputs standardised: {percent(treated.test_accuracy)} and {recall}.")
    leaky = train(replace(lesson.patient, leakage=0.5))
    assert data_faults_verdict.verdict(leaky, treated).endswith(" of that class.")
    shifted = train(replace(lesson.treated, validation_shift=1.0))
    assert "recognises" not in data_faults_verdict.verdict(shifted, treated), "its validation data do not tell"
    assert "the network is right for" in data_faults_verdict.verdict(patient, shifted)


@pytest.mark.parametrize(
    ("of_both", "of_treated", "named"),
    [
        ({"shuffle": False}, {"inputs": "standardised"}, "Inputs are not scaled"),
        ({"dataset": "sine"}, {"inputs": "standardised"}, "Numbers grow beyond all bounds"),  # both steps are too long
        (SORTED_DIGITS, {"learning_rate": 0.1}, "Steps are too long"),  # it does well, though its digits are sorted
        (SORTED_DIGITS, {"learning_rate": 0.1, "shuffle": True}, "Examples come sorted"),
    ],
)
def test_a_headline_names_what_the_treatment_takes_away(of_both, of_treated, named):
    patient = replace(lesson_of("data_faults").patient, **of_both)
    text = data_faults_verdict.verdict(*train_many([patient]), *train_many([replace(patient, **of_treated)]))
    assert text.startswith(f"{named}: the patient"), text


def constants(path):
    """Names in capitals that a module gives a value."""
    for statement in ast.parse(path.read_text("utf-8")).body:
        if isinstance(statement, ast.Assign):
            for name in ast.walk(statement):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store) and name.id.isupper():
                    yield name.id


def test_each_threshold_is_defined_once():
    judged = {name for name in vars(thresholds) if name.isupper()}
    assert len(judged) > 40
    for folder in ("engine", "pages"):
        for path in (ROOT / folder).rglob("*.py"):
            if path.name != "thresholds.py":
                assert not judged & set(constants(path)), path
    for path in [*ROOT.glob("engine/doctor/*_detectors.py"), *ROOT.glob("pages/text/*verdict.py")]:
        counts = {
            "MOST_FACTORS",
            "NEED_THEIR_LABEL",
            "SAID_OF_CHANGES",
            "RANGES",
            "UNTRUE",
        }  # of a sentence, of an output
        assert set(constants(path)) <= counts, f"{path.name}: thresholds live in engine/doctor/thresholds.py"


# What other tools and papers state with that very number; tests/zoo/published.py has the tools' rules.
STATED = {
    "SCATTER": "Hanin & Nica 2018", "DEAD_SHARE": "SageMaker Debugger, TheDeepChecker",
    "SATURATED_SHARE": "DeepDiagnosis, TheDeepChecker", "LARGE_UPDATE": "TheDeepChecker",
    "PENALTY_RULES": "TheDeepChecker", "HIGH_DROPOUT": "Srivastava et al. 2014", "GENERALIZATION_LOSS": "Prechelt 1998",
}  # fmt: skip
ARITHMETIC = {"WELL", "FEW_UNITS", "OVERSHOOTS"}  # follow from what stands beside them


def test_a_threshold_is_attributed_only_to_those_who_state_it():
    text = (ROOT / "engine" / "doctor" / "thresholds.py").read_text("utf-8")
    lines = [line for line in text.splitlines() if line[:1].isupper()]
    definitions = [line.split(" = ") for line in lines if " = " in line]
    assert len(definitions) > 35
    for names, text in definitions:
        comment = text.partition("#")[2]
        if names in STATED:
            assert STATED[names] in comment, names
        elif names not in ARITHMETIC:
            assert "(tuned" in comment or "(convention" in comment, names


@pytest.mark.parametrize(
    "change", [{}, {"l2": 100.0, "learning_rate": 0.05, "optimizer": "sgd"}], ids=["overfitting", "penalty overshoots"]
)
def test_a_finding_is_attributed_only_to_those_who_state_its_rule(change):
    cause = diagnose(train(replace(lesson_of("overfitting").patient, **change)))[0]
    assert cause.code == ("over_regularized" if change else "overfitting")
    assert "AutoTrainer" not in cause.source
    assert "Loshchilov" not in cause.source
    assert ("Prechelt 1998" in cause.source) == (not change)
