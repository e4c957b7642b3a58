"""The ward on the home page: a picture for each patient, and a link that opens it."""

import json
from dataclasses import replace

import pytest

from engine import load_dataset
from engine.limits import check_budget
from pages.components.home.ward import FRONT, link_to
from pages.components.lesson.catalogue import lesson_of, ward
from pages.components.shell.address import WARD
from pages.text.labels import differences
from tests.pages.opened import headline, opened, plain

# A few steps show the picture, and where a link leads; what becomes of the patients is another test's affair.
QUICK = tuple(replace(case, patient=case.patient | {"steps": 30}) for case in ward())


def test_there_are_at_least_twelve_patients():
    assert len(ward()) >= 12
    assert len({case.key for case in ward()}) == len({case.name for case in ward()}) == len(ward())


def test_each_may_be_trained():
    for case in ward():
        for network in case.pair:
            dataset = load_dataset(network)
            check_budget(network, dataset.n_in, dataset.n_out)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch):
    """The home page, whose patients take a few steps, and whose lessons have no pictures."""
    monkeypatch.setattr("pages.components.home.ward.ward", lambda: QUICK)
    monkeypatch.setattr("pages.components.home.page.draw_pictures", lambda places: None)
    return opened


def pictures(page) -> list[dict]:
    protos = [element.proto for element in page.get("bidi_component")]
    return [json.loads(proto.json) for proto in protos if proto.component_name == "backprop_clinic_drawing"]


def test_the_home_page_draws_a_picture_for_each_patient_in_front(home):
    drawn = pictures(home())
    assert len(drawn) == len(FRONT) == 5
    assert all("Patient: validation loss" in picture["alt"] and "<polyline" in picture["svg"] for picture in drawn)


def test_all_patients_are_drawn_where_they_are_asked_for(home):
    page = home()
    page.session_state["all_patients"] = True
    page.run()
    assert len(pictures(page)) == len(ward())
    examine = [link for link in page.main.get("page_link") if link.proto.label == "Examine"]
    assert len(examine) == len(ward())


def test_the_next_visitor_needs_no_histories(home, monkeypatch: pytest.MonkeyPatch):
    """All of the ward's would push those of the lessons out of what the server keeps."""
    first = pictures(home())
    monkeypatch.setattr("pages.components.home.ward.histories_of", lambda *_, **__: pytest.fail("trained again"))
    assert pictures(home()) == first


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.key)
def test_its_link_opens_it(case, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pages.components.lesson.catalogue.ward", lambda: QUICK)
    page = opened(case.page, **link_to(case))
    assert not page.warning
    message = plain(" ".join(paragraph.value for paragraph in page.markdown))
    assert differences(*case.pair) in message
    assert f"**{case.name}**" in message
    assert f": “{case.complaint}”" in message


OWN = [case for case in ward() if case.pair == (lesson_of(case.page).patient, lesson_of(case.page).treated)]


def test_a_lessons_own_patient_has_its_name_where_somebody_comes_for_it():
    assert len(OWN) == 5
    case = next(case for case in OWN if case.key == "two_unit_brain")
    assert not named(opened(case.page), case), "a line of the first screen"
    page = opened(case.page, **link_to(case))
    assert named(page, case)
    assert page.header[0].value == opened(case.page).header[0].value
    assert page.query_params == {WARD: "true"}, "who loads the page again finds the name"
    page.query_params[WARD] = "no"
    page.run()
    (warning,) = page.warning
    assert f"`{WARD}=no` in the address was ignored: it must be true or false." in warning.value
    assert named(page, case)
    page.number_input(key="steps").set_value(290).run()
    assert not named(page, case), "another patient has no name"
    assert page.query_params == {"steps": "290"}
    page.run()  # the whole page, controls included
    page.number_input(key="steps").set_value(case.pair[0].steps).run()
    assert named(page, case)
    assert page.query_params == {WARD: "true"}


def named(page, case) -> bool:
    return case.name in plain(" ".join(paragraph.value for paragraph in page.markdown))


def test_a_patient_keeps_its_name_and_its_disease_is_what_the_verdict_speaks_of():
    (case,) = [case for case in ward() if case.key == "blank_slate"]
    page = opened(case.page, **link_to(case))
    assert headline(page).startswith("Units that stay equal: all weights are 0 at the start")
    message = plain(" ".join(paragraph.value for paragraph in page.markdown))
    assert f"**{case.name}** (shown in the lesson on vanishing gradients): “{case.complaint}”" in message
    page.slider(key="depth").set_value(5).run()
    assert not named(page, case), "another patient has no name"
