"""The ward: every patient is as ill as it says, its treatment helps, and its link opens it."""

from dataclasses import replace

import pytest

from engine import train_many
from pages.charts.wording import differences
from pages.components.catalogue import lesson_of, ward
from pages.components.controls import parameters
from pages.components.runs import shared_runs
from tests.pages.opened import opened

SEEDS = range(8)


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def test_there_are_at_least_twelve_patients():
    assert len(ward()) >= 12
    assert len({case.key for case in ward()}) == len({case.name for case in ward()}) == len(ward())


@pytest.mark.parametrize("case", ward(), ids=lambda case: case.key)
def test_the_treatment_helps_in_7_of_8_seeds(case):
    patient, treated = (
        train_many([replace(experiment, seed=seed) for seed in SEEDS], max_updates=50, max_frames=3)
        for experiment in case.pair
    )
    found = [case.measure.direction(a, b) for a, b in zip(patient, treated, strict=True)]
    assert found.count("less") >= 7, found


def test_the_home_page_draws_a_picture_for_each_patient():
    home = opened()
    alts = [image.alt for element in home.get("image") for image in element.proto.imgs]
    assert len(alts) == len(ward())
    assert all("Patient: validation loss" in alt for alt in alts)


@pytest.mark.parametrize("case", ward(), ids=lambda case: case.key)
def test_its_link_opens_it(case):
    page = opened(case.page, **parameters(lesson_of(case.page), *case.pair))
    assert not page.warning
    said = differences(*case.pair)
    assert any(said in paragraph.value for paragraph in page.markdown)
