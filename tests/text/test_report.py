"""The report: what stands in it is what the app says elsewhere, and names are text."""

import pkgutil
import re
from dataclasses import replace

from engine import Experiment, diagnose, train
from engine.cures.changes import changes_of
from engine.cures.outcomes import seeded
from engine.cures.trials import trials_of
from pages.charts import one_run
from pages.text.findings_text import HEADINGS, evidence
from pages.text.labels import percent
from pages.text.report import OF_FINDING, OF_RESULTS, report
from pages.text.verdict import outcome
from tests.engine.made_outcomes import made

SICK = Experiment(depth=10, activation="sigmoid", initializer="xavier_normal", steps=200)
PATIENT, TREATED = train(SICK), train(replace(SICK, activation="relu", initializer="he_normal"))


def test_a_report_says_what_was_found_and_tried():
    untreated, change = changes_of(SICK)[:2]
    seeds = [made(one) for one in seeded(SICK, 5)]
    better = [made(one, test_loss=0.1, result_validation_loss=0.1) for one in seeded(change.experiment, 5)]
    trials = trials_of([(untreated, seeds), (change, better)])
    text = report(
        [("Patient", PATIENT), ("Treated", TREATED)],
        "Vanishing gradients",
        trials,
        "https://clinic.example/vanishing_gradients?v=1",
        [(stem, f"page.html#{stem}") for stem in ("gradient_per_layer", "learning_curves", "weight_sizes")],
    )
    assert text.startswith("# Vanishing gradients\n\n<https://clinic.example/vanishing_gradients?v=1>\n")
    assert "| Activation | sigmoid | ReLU |" in text
    for history in (PATIENT, TREATED):
        assert outcome(history)[1:] in text
        for finding in diagnose(history):
            assert HEADINGS[finding.code] in text
            assert finding.explanation in text
            assert evidence(finding, history) in text
    assert "Nothing found" in text
    assert f"| test data | {' '.join(percent(PATIENT.test_accuracy).split())} right" in text
    row = next(line for line in text.splitlines() if change.name in line)
    assert "0.1 (0.1 to 0.1)" in row
    assert "5 of 5" in row
    assert "| Test loss, median (range) |" in text
    by_class = report([("Patient", PATIENT)], "", [replace(trial, by_class=True) for trial in trials])
    assert "| Test loss, every class alike, median (range) |" in by_class
    sections = dict(part.split("\n", 1) for part in text.split("\n## ")[1:])
    pictures = {name: re.findall(r"\(page\.html#(\w+)\)", part) for name, part in sections.items()}
    assert "learning_curves" in pictures["Results"]
    vanishing = next(part for part in sections["Findings"].split("\n\n") if HEADINGS["vanishing_gradients"] in part)
    assert "[gradient\\_per\\_layer](page.html#gradient_per_layer)" in vanishing
    assert pictures["Other pictures"] == ["weight_sizes"]


def test_pictures_are_named_by_charts_and_findings_that_there_are():
    charts = {found.name for found in pkgutil.iter_modules(one_run.__path__)}
    assert {*OF_RESULTS, *(name for names in OF_FINDING.values() for name in names)} <= charts
    assert set(OF_FINDING) <= set(HEADINGS)


def test_names_are_text_and_one_run_is_enough():
    name = "<img src=x> | *a*\n# b"
    text = report([(name, TREATED)], name)
    assert "<img" not in text.replace("\\<img", "")
    assert "\\<img src=x\\> \\| \\*a\\* \\# b" in text
    assert "Cures" not in text
    assert "icture" not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {3}
