"""The mystery patient's page: nothing is given away, points are counted, everyone has the same patient."""

import json
import re
from urllib.parse import parse_qs

import pytest
from streamlit.testing.v1 import AppTest

from engine import SETTINGS, diagnose
from engine.doctor.cases import MysteryCase, candidates, counted_loss, holds, recovered
from pages.charts.hidden_patient import FREE, task, views_of
from pages.components.mystery.patient import FIRST
from pages.components.settings.lesson_settings import ABSENT
from pages.components.shell.runs import histories_of
from pages.text import findings_text, mystery_answers
from pages.text.labels import label, meaning, number
from tests.pages.opened import charts, opened, shared_link

PAGE = "mystery_patient"
SEED, LEVEL = 17, "medium"
TOLD = {"dataset", "n_train", "steps"}  # what the page tells of a patient for free


@pytest.fixture(scope="module")
def case() -> MysteryCase:
    return waiting(SEED, LEVEL)


def waiting(seed: int, level: str) -> MysteryCase:
    return next(case for case in candidates(seed, level) if holds(case, *histories_of((case.patient, case.healthy))))


def here() -> AppTest:
    return opened(PAGE, seed=str(SEED), level=LEVEL)


def text_of(page: AppTest) -> str:
    return "\n".join(element.value for element in [*page.markdown, *page.header, *page.warning])


def commit(page: AppTest, diagnosis: str, prescription: str) -> AppTest:
    page.radio(key=f"diagnosis_{LEVEL}_{SEED}").set_value(diagnosis)
    page.selectbox(key=f"prescription_{LEVEL}_{SEED}").set_value(prescription).run()
    page.button(key="commit").click().run()
    assert not page.exception
    return page


def everything_sent(page: AppTest) -> str:
    """All that the page has sent, but for the menu and the numbers of its charts."""
    protos = [str(node.proto) for node in page.main if hasattr(node, "proto")]
    figures = [re.sub(r'"bdata":"[^"]*"', "", json.dumps(chart, ensure_ascii=False)) for chart in charts(page)]
    return "\n".join([*protos, *figures, text_of(page), *(button.label for button in page.button)])


def test_the_patient_and_its_loss_are_free_and_all_else_costs(case):
    page = here()
    (patient,) = histories_of((case.patient,))
    assert task(patient) in text_of(page)
    (chart,) = charts(page)
    assert chart["alt"] == FREE.alt(patient)
    assert "Who opens none gets none of the 30 points" in text_of(page)
    for paid, (key, view) in enumerate(views_of(LEVEL).items(), 1):
        page.button(key=f"look_{key}").click().run()
        assert f"Left: **{35 - 5 * paid}**" in text_of(page)
        assert len(charts(page)) == 1 + paid
        assert charts(page)[-1]["alt"] == view.alt(patient)
    page.button(key="look_units").click().run()
    assert len(charts(page)) == len(views_of(LEVEL)), "folded up"
    page.button(key="look_units").click().run()
    assert len(charts(page)) == 1 + len(views_of(LEVEL))
    assert "Left: **5**" in text_of(page)


@pytest.mark.parametrize(
    ("seed", "level"),
    [*((seed, level) for seed in (2, 3, SEED) for level in ("medium", "hard")), (3, "data"), (6, "flat")],
)
def test_nothing_is_given_away_before_the_commitment(seed, level):
    case = waiting(seed, level)
    page = opened(PAGE, seed=str(seed), level=level)
    for key in views_of(level):
        page.button(key=f"look_{key}").click()
    page.run()
    assert len(charts(page)) == 1 + len(views_of(level))
    text = everything_sent(page)
    assert len(text) > 10_000
    for name, setting in SETTINGS.items():
        value = getattr(case.patient, name)
        if name in TOLD.union(ABSENT) or value in ("none", "auto", ""):
            continue
        words = {str(value), meaning(name, value)} - {"linear", "right", "standardised"}  # axes and answers are, too
        said_of = words if setting.choices else {f"{label(name)} {word}" for word in words}
        for word in {*said_of, f"{name}={value}"}:
            assert not re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE), (name, word)
    assert repr(case.patient) not in text
    assert set(page.query_params) == {"seed", "level"}
    offered = page.selectbox[0].options
    assert offered == [one.name for one in mystery_answers.prescriptions(level)], (
        "the same for every patient of the level"
    )


def test_from_the_patient_to_the_score(case):
    patient, healthy = histories_of((case.patient, case.healthy))
    page = here()
    page.button(key="look_answers").click().run()
    assert page.button(key="commit").disabled
    commit(page, case.fault, "activation")
    (ordered,) = (one for one in mystery_answers.PRESCRIPTIONS if one.key == "activation")
    doses = ordered.doses(case.patient)
    treated_runs = histories_of([dose.experiment for dose in doses])
    treated = treated_runs[mystery_answers.best_dose(treated_runs)]
    points = 30 + 40 + round(30 * recovered(case, patient, healthy, treated))
    assert page.header[0].value.startswith(f"{points} of 100 points.")
    text = text_of(page)
    for said_of in (patient.test_loss, treated.test_loss, healthy.test_loss):
        assert number(said_of) in text
    for finding in diagnose(patient):
        assert findings_text.HEADINGS[finding.code] in text
        assert finding.explanation in text
    for name, (mine, sensible) in case.patient.differences(case.healthy).items():
        assert f"**{meaning(name, mine)}** instead of {meaning(name, sensible)}" in text
    assert page.button(key="try_cures")
    (kept,) = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("_points")]
    assert json.loads(kept.json) == {"patient": f"{LEVEL} {SEED}", "points": points, "most": 100}
    assert not any(name in page.query_params for name in ("points", "score", "committed"))

    page.button(key="next").click().run()
    assert page.query_params["seed"] == str(SEED + 1)
    assert page.radio, "the next one is to be diagnosed"
    page.number_input(key="patient_number").set_value(SEED).run()
    assert page.header[0].value.startswith(f"{points} of 100"), "who comes back finds his own result"
    assert "Who opens none" in text_of(here()), "another session knows nothing of it"


def test_a_wrong_diagnosis_and_a_prescription_that_changes_nothing(case):
    codes = {finding.code for finding in diagnose(histories_of((case.patient,))[0])}
    wrong = next(code for code in mystery_answers.diagnoses(LEVEL) if code not in codes)
    page = commit(here(), wrong, "no_penalty")
    assert page.header[0].value.startswith("0 of 100 points.")
    assert "The doctor does not find that" in text_of(page)
    assert "Who opens none gets none of these points" in text_of(page)
    assert "There was nothing to change" in text_of(page)
    assert "What would have helped: " in text_of(page)


def test_the_right_direction_at_a_wrong_dose_earns_its_share():
    """A rate a thousand times too low, of which ten times is still too little."""
    level = "easy"
    for seed in range(100):
        if next(candidates(seed, level)).fault != "learning_rate_too_low":
            continue
        case = waiting(seed, level)
        patient, healthy = histories_of((case.patient, case.healthy))
        doses = mystery_answers.prescription("learning_rate_up").doses(case.patient)
        runs = histories_of([dose.experiment for dose in doses])
        best = recovered(case, patient, healthy, runs[mystery_answers.best_dose(runs)])
        weak = recovered(case, patient, healthy, runs[0])
        if best >= mystery_answers.CURED > 0.5 > weak:
            break
    page = opened(PAGE, seed=str(seed), level=level)
    page.radio(key=f"diagnosis_{level}_{seed}").set_value(case.fault).run()
    page.selectbox(key=f"prescription_{level}_{seed}").set_value("learning_rate_up").run()
    page.selectbox(key=f"dose_{level}_{seed}").set_value("weak").run()
    page.button(key="commit").click().run()
    assert f"**Prescription: {round(30 * max(weak, best / 2))} of 30**" in text_of(page)
    assert f"The direction is right, the dose is not: {doses[mystery_answers.best_dose(runs)].name}" in text_of(page)


def test_harm_that_counts_from_the_average_answer_says_so():
    """This patient's steps throw its loss far above that of the average answer."""
    seed, level = 3, "hard"
    case = waiting(seed, level)
    run = histories_of((case.patient,))[0]
    counted = counted_loss(case, run)
    assert counted < run.test_loss
    page = opened(PAGE, seed=str(seed), level=level)
    page.radio(key=f"diagnosis_{level}_{seed}").set_value(case.fault).run()
    page.selectbox(key=f"prescription_{level}_{seed}").set_value("clip").run()
    page.button(key="commit").click().run()
    assert f"of the harm, counted from the average answer’s loss, {number(counted)}." in text_of(page)


def test_a_consequence_is_told_from_the_cause():
    level, seed = (
        "medium",
        next(seed for seed in range(50) if next(candidates(seed, "medium")).fault == "learning_rate_too_low"),
    )
    case = waiting(seed, level)
    found = diagnose(histories_of((case.patient,))[0])
    consequence = next(finding.code for finding in found if finding.role == "consequence")
    page = opened(PAGE, seed=str(seed), level=level)
    page.radio(key=f"diagnosis_{level}_{seed}").set_value(consequence).run()
    page.selectbox(key=f"prescription_{level}_{seed}").set_value("learning_rate_up").run()
    page.button(key="commit").click().run()
    assert "as a consequence of the root cause" in text_of(page)
    assert "**Diagnosis: 15 of 40**" in text_of(page)


def test_the_bare_address_and_nonsense_in_it():
    bare = opened(PAGE)
    assert bare.number_input(key="patient_number").value == FIRST
    assert not bare.warning
    odd = opened(PAGE, seed="many", level="deadly", depth="4")
    assert odd.number_input(key="patient_number").value == FIRST
    (warning,) = odd.warning
    assert "`seed=many` in the address was ignored: it must be a whole number" in warning.value
    assert "`level=deadly` in the address was ignored: it must be one of easy, medium, hard" in warning.value
    assert "`depth=4` in the address was ignored" in warning.value
    assert not odd.query_params
    odd.run()
    assert len(odd.warning) == 1
    odd.button_group(key="level").set_value("medium").run()
    assert not odd.warning
    assert odd.query_params == {"seed": str(FIRST), "level": "medium"}
    for seed in ("-1", "1.5", "9" * 5000, "", "2147483648"):
        assert opened(PAGE, seed=seed).warning
    last = opened(PAGE, seed="2147483647", timeline="7")  # the timeline's step, which the browser wrote
    assert not last.warning
    assert "`timeline=-3` in the address was ignored" in opened(PAGE, timeline="-3").warning[0].value


def test_the_link_names_everything():
    page = here()
    assert parse_qs(shared_link(page).partition("?")[2]) == {"seed": [str(SEED)], "level": [LEVEL]}


def test_a_number_without_a_patient_says_so(monkeypatch):
    monkeypatch.setattr("engine.doctor.cases.MOST_CANDIDATES", 0)
    page = opened(PAGE, seed="4")
    assert "There is no patient with this number" in page.info[0].value
    page.button[-1].click().run()
    assert page.query_params["seed"] == "5"
