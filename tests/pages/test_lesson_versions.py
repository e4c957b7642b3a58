"""Links that were shared last: the start of every lesson, in every version of it.

Who changes a lesson's start adds the old one to the list `earlier` of its file, and the new one here; no line goes.
"""

import pytest

from engine import Experiment
from pages.components.lesson.catalogue import lesson_of
from pages.components.settings.lesson_address import short_address

STARTS: dict[str, list[tuple[dict, dict]]] = {
    "vanishing_gradients": [
        (
            {"depth": 10, "activation": "sigmoid", "initializer": "xavier_normal", "steps": 300, "seed": 9},
            {"activation": "relu", "initializer": "he_normal"},
        ),
    ],
    "exploding_gradients": [
        (
            {"n_train": 250, "depth": 10, "gain": 1.5, "learning_rate": 0.2, "steps": 300, "seed": 4513},
            {"clip": "norm"},
        ),
    ],
    "overfitting": [
        (
            {
                "n_train": 100,
                "noise": 0.1,
                "label_noise": 0.2,
                "depth": 3,
                "width": 64,
                "optimizer": "adam",
                "learning_rate": 0.01,
                "steps": 400,
                "seed": 5,
            },
            {"l2": 0.015},
        ),
    ],
    "underfitting": [
        (
            {
                "dataset": "sine",
                "depth": 1,
                "width": 2,
                "optimizer": "adam",
                "learning_rate": 0.03,
                "steps": 300,
                "seed": 13,
            },
            {"depth": 3, "width": 16},
        ),
    ],
    "data_faults": [
        (
            {
                "dataset": "breast_cancer",
                "n_train": 200,
                "inputs": "raw",
                "depth": 2,
                "batch_size": 32,
                "steps": 200,
                "seed": 2,
            },
            {"inputs": "standardised"},
        ),
    ],
}


@pytest.mark.parametrize("page", STARTS)
def test_every_start_that_links_count_from_is_kept(page):
    lesson = lesson_of(page)
    starts = [*lesson.earlier, (lesson.patient, lesson.treated)]
    assert len(starts) == len(STARTS[page])
    for (patient, treated), (mine, theirs) in zip(starts, STARTS[page], strict=True):
        assert {name: value for name, (value, _) in patient.differences(Experiment()).items()} == mine
        assert {name: value for name, (value, _) in treated.differences(patient).items()} == theirs


@pytest.mark.parametrize("page", STARTS)
def test_the_link_to_a_lessons_start_is_short(page):
    lesson = lesson_of(page)
    link = short_address(lesson, lesson.patient, lesson.treated)
    assert link == f"/{page}?v={lesson.version}"
    assert len(f"https://backprop-clinic.streamlit.app{link}&timeline=0") <= 120
