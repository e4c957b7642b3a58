"""The report: what stands in it is what the app says elsewhere, and names are text."""

from dataclasses import replace

from engine import Experiment, diagnose, train
from engine.cures.changes import changes_of
from engine.cures.outcomes import seeded
from engine.cures.trials import trials_of
from pages.text.findings_text import HEADINGS, evidence
from pages.text.report import report
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
        [("Gradient per layer", "page.html#gradient_per_layer")],
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
    row = next(line for line in text.splitlines() if change.name in line)
    assert "0.1 (0.1 to 0.1)" in row
    assert "5 of 5" in row
    assert "[Gradient per layer](page.html#gradient_per_layer)" in text


def test_names_are_text_and_one_run_is_enough():
    name = "<img src=x> | *a*\n# b"
    text = report([(name, TREATED)], name)
    assert "<img" not in text.replace("\\<img", "")
    assert "\\<img src=x\\> \\| \\*a\\* \\# b" in text
    assert "Cures" not in text
    assert "Pictures" not in text
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in table} == {3}
