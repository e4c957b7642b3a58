"""Lectures: what they say holds on any seed, their files are read with care, and their pages go from scene to scene."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from engine import train_many
from pages.components.lecture.catalogue import LectureError, Scene, lecture_names, lecture_of, read_lecture
from pages.components.lesson.catalogue import lesson_of
from pages.components.settings.controls import parameters
from pages.components.shell.runs import histories_of, shared_runs
from pages.text.readings import filled
from tests.pages.opened import charts, headline, opened

SEEDS = 0, 1, 2
FIRST = "before_2010"
SCENES = [(name, number) for name in lecture_names() for number in range(len(lecture_of(name).scenes))]


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def scene_of(name: str, number: int) -> Scene:
    return lecture_of(name).scenes[number]


@pytest.mark.parametrize(("name", "number"), SCENES)
def test_what_a_scene_claims_holds_over_seeds(name, number):
    scene = scene_of(name, number)
    assert scene.claims, "what it says can be checked"
    runs = [train_many([replace(one, seed=seed) for seed in (one.seed, *SEEDS)]) for one in scene.pair]
    for claim in scene.claims:
        failed = [claim.measured(*pair) for pair in zip(*runs, strict=True) if not claim.holds(*pair)]
        assert not failed, claim


@pytest.mark.parametrize(("name", "number"), SCENES)
def test_a_scene_can_be_opened_in_its_lesson(name, number):
    scene = scene_of(name, number)
    assert parameters(lesson_of(scene.page), *scene.pair)


@pytest.mark.parametrize("name", lecture_names())
def test_a_lecture_takes_the_time_of_its_scenes(name):
    lecture = lecture_of(name)
    assert sum(scene.minutes for scene in lecture.scenes) <= lecture.minutes
    assert len(lecture.questions) == 3
    assert lecture.aim
    assert lecture.misconceptions


SCENE = """
title = "T"
minutes = 1
aim = "A"

[[scene]]
title = "One"
page = "vanishing_gradients"
treated = { depth = 1 }
charts = ["learning_curves"]
minutes = 1
says = "R is {patient.ratio}."
notes = ""
"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("minutes = 1\naim", "minutes = \naim", "line 3"),
        ('page = "vanishing_gradients"', 'page = "nowhere"', "line 6"),
        ("depth = 1", "depth = 99", "line 6: depth is 99, but it must be a whole number from 1 to 50"),
        ("depth = 1", "deep = 1", "line 6"),
        ("learning_curves", "pie", "line 6: There is no chart 'pie'"),
        ("patient.ratio", "patient.luck", "line 6: {patient.luck} names no reading"),
        ('notes = ""', "", "line 6"),
        ('notes = ""', 'notes = ""\nclaims = [["patient", "ratio", "under", 1]]', "line 6: A claim says 'under'"),
        ('notes = ""', 'notes = ""\nchoices = ["a", "b"]\nright = 2', "line 6: right is 2"),
        (SCENE[SCENE.index("[[scene]]") :], "", "at least one [[scene]]"),
    ],
)
def test_a_mistake_in_a_lecture_is_said_with_its_line(old, new, says):
    assert old in SCENE
    assert read_lecture("l.toml", SCENE)
    text = SCENE.replace(old, new)
    with pytest.raises(LectureError) as found:
        read_lecture("l.toml", text)
    assert str(found.value).startswith("l.toml")
    assert says in str(found.value)


def turned(page: AppTest, button: str) -> AppTest:
    page.button(button).click().run()
    assert not page.exception
    return page


def test_a_scene_asks_first_and_then_shows_what_was_measured():
    page = opened("lecture", lecture=FIRST, scene="1", hide="verdict")
    scene = scene_of(FIRST, 0)
    assert headline(page) == scene.question
    assert not charts(page)
    page.radio[0].set_value(page.radio[0].options[scene.right]).run()
    turned(page, "scene_next")
    runs = histories_of(scene.pair)
    assert headline(page) == filled(scene.says, *runs)
    assert "You said so." in page.main.markdown[0].value
    assert len(charts(page)) == len(scene.charts)
    turned(page, "scene_next")
    assert headline(page) == scene_of(FIRST, 1).question
    turned(page, "scene_back")
    assert headline(page) == filled(scene.says, *runs), "who goes back sees the answer"


def test_the_last_scene_leads_nowhere_on():
    last = len(lecture_of(FIRST).scenes)
    page = opened("lecture", lecture=FIRST, scene=str(last))
    assert page.button("scene_next").disabled
    assert not page.info, "notes are for the speaker"


def test_the_speaker_has_notes():
    page = opened("lecture", lecture=FIRST, scene="1", hide="verdict", speaker="true")
    assert scene_of(FIRST, 0).notes in page.info[0].value


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"lecture": "none"}, "lecture=none"),
        ({"lecture": FIRST, "scene": "99"}, "scene=99"),
        ({"lecture": FIRST, "scene": "x" * 5000}, "scene=xxx"),
        ({"lecture": FIRST, "speaker": "perhaps"}, "speaker=perhaps"),
        ({"lecture": FIRST, "hide": "all"}, "hide=all"),
        ({"depth": "3"}, "depth=3"),
    ],
)
def test_nonsense_in_the_address_is_said(parameters, says):
    page = opened("lecture", **parameters)
    assert says in page.warning[0].value


def test_the_overview_has_every_lecture_and_a_page_on_each_lesson_for_teachers():
    page = opened("lecture")
    titles = [one.value for one in page.subheader]
    assert titles == [lecture_of(name).title for name in lecture_names()]
    assert {"Vanishing gradients", "Overfitting"} <= {one.label for one in page.expander}
    turned(page, f"prepare_{FIRST}")
    assert headline(page) == scene_of(FIRST, 0).question
    assert page.info
