"""The ward on the home page: a picture for each patient, and a link that opens it."""

from dataclasses import replace

import pytest

from engine import load_dataset
from engine.limits import check_budget
from pages.components.lesson.catalogue import lesson_of, ward
from pages.components.settings.controls import parameters
from pages.components.shell.runs import shared_runs
from pages.text.labels import differences
from tests.pages.opened import opened

# A few steps show the picture, and where a link leads; what becomes of the patients is another test's affair.
QUICK = tuple(replace(case, patient=case.patient | {"steps": 30}) for case in ward())


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def test_there_are_at_least_twelve_patients():
    assert len(ward()) >= 12
    assert len({case.key for case in ward()}) == len({case.name for case in ward()}) == len(ward())


def test_each_may_be_trained():
    for case in ward():
        for network in case.pair:
            dataset = load_dataset(network)
            check_budget(network, dataset.n_in, dataset.n_out)


def test_the_home_page_draws_a_picture_for_each_patient(monkeypatch):
    monkeypatch.setattr("pages.components.lesson.ward.ward", lambda: QUICK)
    home = opened()
    alts = [image.alt for element in home.get("image") for image in element.proto.imgs]
    assert len(alts) == len(ward())
    assert all("Patient: validation loss" in alt for alt in alts)


def test_the_next_visitor_needs_no_histories(monkeypatch: pytest.MonkeyPatch):
    """All of the ward's would push those of the lessons out of what the server keeps."""
    monkeypatch.setattr("pages.components.lesson.ward.ward", lambda: QUICK)
    first = opened().get("image")
    monkeypatch.setattr("pages.components.lesson.ward.histories_of", lambda *_, **__: pytest.fail("trained again"))
    assert [image.proto for image in opened().get("image")] == [image.proto for image in first]


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.key)
def test_its_link_opens_it(case):
    page = opened(case.page, **parameters(lesson_of(case.page), *case.pair))
    assert not page.warning
    message = differences(*case.pair)
    assert any(message in paragraph.value for paragraph in page.markdown)
