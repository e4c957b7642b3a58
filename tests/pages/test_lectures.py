"""Lectures: what they say holds on any seed, their files are read with care, and their pages go from scene to scene."""

import re
from dataclasses import replace
from functools import cache

import orjson
import pytest
from streamlit.testing.v1 import AppTest

from engine import train_many
from pages.components.lecture.catalogue import LectureError, Scene, lecture_names, lecture_of, read_lecture
from pages.components.lesson.catalogue import lesson_of
from pages.components.lesson.draw_first import KEY, Drawn
from pages.components.settings.lesson_address import parameters
from pages.components.shell.frame import lessons
from pages.components.shell.runs import histories_of
from pages.text.readings import filled
from tests.pages.opened import charts, headline, opened

SEEDS = 0, 1, 2
FIRST = "before_2010"
SCENES = [(name, number) for name in lecture_names() for number in range(len(lecture_of(name).scenes))]


def scene_of(name: str, number: int) -> Scene:
    return lecture_of(name).scenes[number]


@cache  # a network stands in up to three scenes
def over_seeds(one):
    """Its own run first, then those of SEEDS."""
    return train_many([replace(one, seed=seed) for seed in (one.seed, *SEEDS)], max_frames=3)


@pytest.mark.parametrize(("name", "number"), SCENES)
def test_what_a_scene_claims_holds_over_seeds(name, number):
    scene = scene_of(name, number)
    assert scene.claims, "what it says can be checked"
    runs = map(over_seeds, scene.pair)
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
        ("minutes = 1\nsays", 'minutes = "one"\nsays', "line 6: minutes is 'one', but it must be a number"),
        ('notes = ""', 'notes = ""\nstep = "end"', "line 6: step is 'end', but it must be a whole number"),
        ('["learning_curves"]', '"learning_curves"', "line 6: charts is 'learning_curves', but it must be a list"),
        ('title = "T"', "title = 5", "title is 5, but it must be text"),
        ('notes = ""', 'notes = ""\ndraw = "weights"', "line 6: draw is 'weights'"),
        ('notes = ""', 'notes = ""\ndraw = "gradient_per_layer"', "line 6: draw needs a question"),
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


def titles(page: AppTest) -> set[str]:
    """What the bar and the list of scenes call the scenes."""
    listed = [re.match(r"\d+\. (.*) \(", one.label) for one in page.button if one.key.startswith("to_scene_")]
    here = [one.value.partition(" · ")[2] for one in page.markdown if re.match(r"\*\*\d+ of \d+\*\*", one.value)]
    return {found[1] for found in listed if found} | set(here)


def test_a_scene_asks_first_and_then_shows_what_was_measured():
    page = opened("lecture", lecture=FIRST, scene="1", hide="verdict")
    scene = scene_of(FIRST, 0)
    assert headline(page) == scene.question
    assert not charts(page)
    lecture = lecture_of(FIRST)
    assert not titles(page) & {one.title for one in lecture.scenes}, "they give the answers"
    page.radio[0].set_value(page.radio[0].options[scene.right]).run()
    turned(page, "scene_next")
    assert titles(page) & {one.title for one in lecture.scenes} == {scene.title}
    runs = histories_of(scene.pair)
    assert headline(page) == filled(scene.says, *runs)
    assert "You said so." in page.main.markdown[0].value
    assert len(charts(page)) == len(scene.charts)
    turned(page, "scene_next")
    assert headline(page) == scene_of(FIRST, 1).question
    turned(page, "scene_back")
    assert headline(page) == filled(scene.says, *runs), "who goes back sees the answer"
    turned(page, "scene_back")
    assert headline(page) == scene.question, "and then its question"
    assert page.radio[0].value == page.radio[0].options[scene.right]
    assert page.button("scene_back").disabled


def test_a_scene_lets_draw_first_and_compares():
    page = opened("lecture", lecture=FIRST, scene="2", hide="verdict", view="stage")
    scene = scene_of(FIRST, 1)
    assert scene.draw
    (proto,) = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("_draw_first")]
    assert "drawn" not in orjson.loads(proto.bytes)
    drawn = {"patient": [-float(9 - layer) for layer in range(10)], "treated": [-2.0, -1.0, 0.0]}
    page.session_state["session"].measured[f"expected_{FIRST}_1", KEY] = scene.draw, Drawn(scene.pair, drawn)
    turned(page, "scene_next")  # as Compare does
    (proto,) = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("_draw_first")]
    assert orjson.loads(proto.bytes)["drawn"] == drawn
    assert not charts(page)
    turned(page, "close_drawing")
    assert len(charts(page)) == len(scene.charts)


def test_after_the_last_scene_comes_an_end_that_leads_nowhere_on():
    lecture = lecture_of(FIRST)
    last = lecture.scenes[-1]
    page = opened("lecture", lecture=FIRST, scene=str(len(lecture.scenes)))
    assert not page.info, "notes are for the speaker"
    turned(page, "scene_next")
    assert page.button("scene_next").disabled
    assert not charts(page)
    for asked in lecture.questions:
        assert any(asked.ask in one.value and asked.expect not in one.value for one in page.markdown)
    turned(page, "scene_back")
    assert headline(page) == filled(last.says, *histories_of(last.pair)), "answered"


def test_the_speaker_has_notes_on_the_question_and_others_on_the_answer():
    page = opened("lecture", lecture=FIRST, scene="1", hide="verdict")
    assert not page.info
    turned(page, "scene_notes")
    scene = scene_of(FIRST, 0)
    assert scene.notes_before in page.info[0].value
    assert scene.notes not in page.info[0].value
    turned(page, "scene_next")
    assert scene.notes in page.info[0].value


def test_which_relu_network_of_ten_layers_ends_lower_changes_with_the_seed():
    mine, theirs = (over_seeds(one)[1:] for one in scene_of(FIRST, 4).pair)
    lower = {a.train_loss[-1] < b.train_loss[-1] for a, b in zip(mine, theirs, strict=True)}
    assert lower == {True, False}


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"lecture": "none"}, "lecture=none"),
        ({"lecture": FIRST, "scene": "99"}, "scene=99"),
        ({"scene": "2"}, "together with a lecture"),
        ({"lecture": FIRST, "scene": "x" * 5000}, "scene=xxx"),
        ({"lecture": FIRST, "speaker": "perhaps"}, "speaker=perhaps"),
        ({"lecture": FIRST, "hide": "all"}, "hide=all"),
        ({"depth": "3"}, "depth=3"),
    ],
)
def test_nonsense_in_the_address_is_said_once(parameters, says):
    page = opened("lecture", **parameters)
    assert says in page.warning[0].value
    assert set(page.query_params) == {"lecture"} & parameters.keys() - {says.partition("=")[0]}
    page.run()
    assert says in page.warning[0].value
    if "lecture" in page.query_params:
        page.button(key="scene_next").click().run()
        assert not page.warning


def test_the_overview_has_every_lecture_and_a_page_on_each_lesson_for_teachers():
    page = opened("lecture")
    titles = [one.value for one in page.subheader]
    assert titles == [lecture_of(name).title for name in lecture_names()]
    assert {one.title for one in lessons()} - {"Lectures"} <= {one.label for one in page.expander}
    turned(page, f"prepare_{FIRST}")
    assert headline(page) == scene_of(FIRST, 0).question
    assert page.info
