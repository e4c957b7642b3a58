"""The doctor's notes on the lessons: what stands there, where a click leads, and how a cure is applied."""

import json
import re
import time
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from engine import Experiment, diagnose, train
from engine.cures.outcomes import Outcome
from engine.doctor.confirming import cause_behind, further_runs
from pages.charts.sweeps import prescription
from pages.charts.sweeps.groups import trials_of_search
from pages.components.lesson.catalogue import lesson_of
from pages.components.lesson.findings import HIDE, SHOW
from pages.components.lesson.sweep_jobs import shared_sweeps
from pages.components.shell.runs import histories_of
from pages.text import findings_text
from pages.text.labels import number
from tests.pages.opened import LESSONS, charts, in_part, opened, plain
from tests.patience import SOON

# Of the first lesson, so that a sweep takes a second.
QUICK = {"depth": "2", "width": "4", "steps": "20"}
SMALL = replace(lesson_of("vanishing_gradients").patient, depth=2, width=4, steps=20)


def text_of(page: AppTest) -> str:
    return plain("\n".join(paragraph.value for paragraph in page.markdown))


def try_the_cures(page: AppTest) -> dict[str, list[Outcome]]:
    """Press the button, and look again and again as the page does, until nothing more is wanted."""
    page.button(key="try_cures").click().run()
    end = time.monotonic() + SOON
    known: dict[Experiment, Outcome] = {}
    while True:
        groups = trials_of_search(SMALL, known)
        wanted = [one for group in groups.values() for one in group]
        known = shared_sweeps().known(wanted)
        if len(known) == len(wanted) and trials_of_search(SMALL, known) == groups:
            break
        assert time.monotonic() < end
        time.sleep(0.5)
        page.run()
    page.run()
    return {name: [known[one] for one in group] for name, group in groups.items()}


def timeline(page: AppTest) -> dict:
    """What the timeline was sent."""
    (proto,) = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("_timeline")]
    return json.loads(proto.json)


def expect_notes(page: AppTest, histories) -> None:
    for who, history in zip(("Patient", "Treated"), histories, strict=True):
        for finding in diagnose(history):
            assert findings_text.HEADINGS[finding.code] in text_of(page)
            assert finding.explanation in text_of(page)
            assert page.button(key=f"evidence_{who}_{finding.code}").label == SHOW
            assert findings_text.evidence(finding, history) in text_of(page)
    healthy = sum(not diagnose(history) for history in histories)
    assert (
        text_of(page).count("**Nothing found.** On validation data it does about as well as its training data allow")
        == healthy
    )


@pytest.mark.parametrize("name", LESSONS)
def test_every_lesson_has_the_notes_of_both_networks(name):
    lesson = lesson_of(name)
    histories = histories_of((lesson.patient, lesson.treated))
    assert diagnose(histories[0])
    page = opened(name, part="cure")
    assert "The doctor’s notes" in [heading.value for heading in page.subheader]
    expect_notes(page, histories)
    assert page.button(key="try_cures").label == "Try the cures"


@pytest.mark.parametrize(
    "odd",
    [
        {"learning_rate": "1000", "activation": "relu", "gain": "4", "dataset": "sine", "steps": "60"},
        {"depth": "1", "width": "1", "steps": "1"},
        {"initializer": "zeros", "activation": "tanh", "steps": "20"},
    ],
)
def test_odd_runs_have_notes(odd):
    page = opened("vanishing_gradients", part="cure", **odd)
    assert "Severe" in text_of(page) or "Nothing found" in text_of(page)


def test_evidence_moves_the_timeline_marks_the_layers_and_lets_go_again():
    lesson = lesson_of("vanishing_gradients")
    (history,) = histories_of((lesson.patient,))
    finding = diagnose(history)[0]
    page = opened("vanishing_gradients", part="cure")
    assert timeline(page)["jump"] is None
    button = f"evidence_Patient_{finding.code}"
    page.button(key=button).click().run()
    first = timeline(page)
    assert first["jump"][1] == finding.steps[0]
    assert first["mark"] == {
        "network": "patient",
        "spans": [list(span) for span in findings_text.spans(finding.layers)],
    }
    assert charts(page), "the part with the charts is open"
    assert timeline(in_part(page, "cure"))["jump"] == first["jump"], "a rerun is no click"
    assert page.button(key=button).label == HIDE
    page.button(key=button).click().run()
    assert timeline(page)["mark"] is timeline(page)["jump"] is None
    in_part(page, "cure").button(key="to_evidence").click().run()
    assert timeline(page)["jump"] != first["jump"], "clicked again, it goes there again"
    assert charts(page)
    page.button(key="to_evidence").click().run()
    assert timeline(page)["mark"] == first["mark"], "the verdict's link always leads there"
    page.segmented_control(key="activation").set_value("tanh").run()
    assert timeline(page)["mark"] is timeline(page)["jump"] is None, "other networks have other layers"


def test_cures_are_tried_ranked_and_applied_unless_both_networks_share_them():
    page = opened("vanishing_gradients", part="cure", **QUICK)
    results = try_the_cures(page)
    assert prescription.says(results, patient=SMALL) in text_of(page)
    cause = diagnose(histories_of((SMALL,))[0])[0].code
    beside = prescription.beside_the_cause(results, patient=SMALL, cause=cause)
    assert beside
    assert text_of(page).count(beside) == 1, "in the notes"
    tried = [trial for trial in prescription.trials(results, SMALL) if trial.verdict]
    more = page.toggle(key="whole_prescription")
    left_out = prescription.left_out(results, patient=SMALL)
    assert more.label == f"Show {left_out} more"
    assert f"Not shown: {left_out} more" in json.dumps(charts(page)[-1], ensure_ascii=False)
    more.set_value(True).run()
    assert "Not shown" not in json.dumps(charts(page)[-1])
    assert page.selectbox(key="cure").options == [
        f"{f'{trial.rank}. ' if trial.rank else ''}{trial.change.name}: {prescription.MARKS[trial.verdict]}"
        for trial in tried
    ]

    options = page.selectbox(key="cure").options
    shared = next(i for i, option in enumerate(options) if re.search(r"\b\d+ steps", option))
    page.selectbox(key="cure").set_value(shared).run()
    button = page.button(key="apply_cure")
    assert button.disabled, "both networks have it"
    assert "both networks share: training steps" in button.help

    rank = next(rank for rank, trial in enumerate(tried) if trial.change.remedy == "Tanh with Xavier")
    page.selectbox(key="cure").set_value(rank).run()
    assert prescription.explained(tried[rank]) in text_of(page)
    page.button(key="apply_cure").click().run()
    assert not page.exception
    assert page.query_params["treated_activation"] == "tanh"
    expect_notes(page, histories_of((SMALL, tried[rank].experiment)))

    other = opened("vanishing_gradients", part="cure", **QUICK)
    assert other.button(key="try_cures")
    assert "cure" not in [box.key for box in other.selectbox], "who has not asked does not pay for the table"


def test_the_run_that_confirms_a_cause_is_made_and_compared():
    page = opened("vanishing_gradients", part="cure", **QUICK)
    (before,) = histories_of((SMALL,))
    finding = diagnose(before)[0]
    assert findings_text.mistaken_for(finding) in text_of(page)
    button = f"confirm_Patient_{finding.code}"
    assert page.button(key=button).label == "Confirm: train one network"
    page.button(key=button).click().run()
    assert not page.exception
    after = train(finding.confirm.experiment(SMALL))
    shown = text_of(page)
    assert finding.confirm.shows in shown
    assert f"Before: training loss {number(before.train_loss[-1])}, on validation data" in shown
    assert f"After: training loss {number(after.train_loss[-1])}, on validation data" in shown
    behind = cause_behind(finding, after)
    further = [train(one) for one in further_runs(behind, before, after)] if behind else []
    assert findings_text.confirmation(finding, before, after, further) in shown
    assert button not in [one.key for one in page.button]
    page.segmented_control(key="activation").set_value("tanh").run()
    assert "**Tried:**" not in text_of(page), "another patient has not been asked about"
