"""The strip of cells: what it is sent are the run's own numbers, and a preview's are those of the run's step 0."""

import json
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine import SETTINGS, train
from pages.components.lesson import strip
from pages.components.lesson.catalogue import glossary_of, lesson_of
from pages.components.settings.dragging import RANGES, stops
from pages.components.shell.runs import histories_of
from pages.text.clock import timeline_steps
from pages.text.labels import number, percent, share
from pages.text.stage_measures import STAGE_MEASURES, ratio_in_words, starting_sentence
from tests.pages.opened import charts, opened

LESSON = lesson_of("vanishing_gradients")


def sent(page: AppTest, what: str = "strip") -> dict:
    (proto,) = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("_strip")]
    return json.loads(proto.bytes)[what]


@pytest.mark.parametrize("name", STAGE_MEASURES)
def test_every_lesson_has_a_row_for_each_network(name):
    lesson = lesson_of(name)
    described = sent(opened(name, steps="40"))
    pair = [replace(one, steps=40) for one in (lesson.patient, lesson.treated)]
    low, high = described["decades"]
    assert high - low >= strip.LEAST_DECADES
    for row, history in zip(described["rows"], histories_of(pair), strict=True):
        assert {len(cells) for cells in row["cells"]} == {history.layers}
        assert len(row["cells"]) == len(row["readout"]) == len(described["steps"])
        assert row["size"] == f"{history.experiment.depth} × {history.experiment.width}"


def test_cells_are_the_error_signal_and_the_readout_its_ratio():
    described = sent(opened("vanishing_gradients", steps="40"))
    pair = histories_of([replace(one, steps=40) for one in (LESSON.patient, LESSON.treated)])
    assert described["steps"] == timeline_steps(*pair)
    for row, history in zip(described["rows"], pair, strict=True):
        for at, step in enumerate(described["steps"]):
            update = min(step, len(history.step) - 1)
            np.testing.assert_allclose(row["cells"][at], history.delta_rms[update], rtol=0.005)
            assert row["readout"][at] == number(history.gradient_ratio[update])


def test_where_no_ratio_is_left_the_readout_says_why():
    """The patient of the lesson on exploding gradients dies, and its last hidden layer has no error signal."""
    described = sent(opened("exploding_gradients"))
    assert described["rows"][0]["readout"][-1] == "[no signal](#word-no-signal)"
    assert "nothing divided by nothing" in glossary_of("exploding_gradients")["No signal"]
    assert ratio_in_words(np.array([0.0, 2.0, 1.0])) == "0"
    assert ratio_in_words(np.array([np.inf, np.inf, 1.0])) == "not finite"
    assert starting_sentence("The patient", np.zeros(3)).endswith("no error signal to pass on.")


def test_a_run_that_stopped_early_ends_with_what_it_kept():
    """As its sentence says, and not with where it had come to when it stopped."""
    described = sent(opened("overfitting", treated_l2="as patient", treated_patience="10"))
    pair = histories_of([lesson_of("overfitting").patient, replace(lesson_of("overfitting").patient, patience=10)])
    stopped = pair[1]
    assert stopped.best_step < stopped.evaluation_step[-1] < described["steps"][-1]
    kept = stopped.result_evaluation
    shares = [percent(measured[kept]) for measured in (stopped.train_accuracy, stopped.validation_accuracy)]
    last = [percent(measured[-1]) for measured in (stopped.train_accuracy, stopped.validation_accuracy)]
    assert described["rows"][1]["readout"][-1] == " / ".join(shares) != " / ".join(last)


def test_a_unit_in_a_chart_is_explained_beside_its_title():
    for name in ("vanishing_gradients", "overfitting"):
        page = opened(name, steps="40")
        in_nats = [" (nats" in json.dumps(chart, ensure_ascii=False) for chart in charts(page)]
        assert in_nats == ["**Nats**" in heading.help for heading in page.subheader]
        assert any(in_nats)


def test_where_a_run_diverges_a_cell_has_no_number():
    odd = {"learning_rate": 1000.0, "activation": "relu", "gain": 4.0, "dataset": "sine", "steps": 40}
    (row, _) = sent(opened("vanishing_gradients", **{name: str(value) for name, value in odd.items()}))["rows"]
    (history,) = histories_of([replace(LESSON.patient, **odd)])
    assert history.status == "diverged"
    finite = np.isfinite(history.delta_rms[-1]).tolist()
    assert [value is not None for value in row["cells"][-1]] == finite


EXPLODING = lesson_of("exploding_gradients")
DRAGGED = [(LESSON, "depth", (1, 2, 17, 50)), (EXPLODING, "gain", (0.1, 0.891, 1.5, 10))]


@pytest.mark.parametrize(("lesson", "name", "values"), DRAGGED)
def test_a_preview_is_the_step_0_of_the_run_that_it_previews(lesson, name, values):
    previewed = json.loads(strip._preview(name, lesson.patient, lesson.treated))
    assert previewed["name"] == name
    assert previewed["now"] == [getattr(lesson.patient, name)] * 2
    assert previewed["follows"]
    for value in values:
        at = previewed["values"].index(value)
        for who, experiment in (("patient", lesson.patient), ("treated", lesson.treated)):
            history = train(replace(experiment, steps=1, **{name: value}))
            assert previewed[who]["cells"][at] == [float(f"{signal:.3g}") for signal in history.delta_rms[0]]
            alone = history.experiment.depth == 1
            assert previewed[who]["readouts"][at] == ("–" if alone else number(history.gradient_ratio[0]))
            says = "one hidden layer" if alone else f"first layer receives {share(history.gradient_ratio[0])} its last"
            sentence = previewed[who]["sentences"][at]
            assert who in sentence
            assert says in sentence


def test_what_would_take_long_or_says_nothing_has_no_preview():
    pair = LESSON.patient, LESSON.treated
    assert strip._can_be_previewed("vanishing_gradients", "depth", *pair)
    assert not strip._can_be_previewed("vanishing_gradients", "learning_rate", *pair)
    assert not strip._can_be_previewed("overfitting", "depth", *pair)
    wide = replace(LESSON.patient, width=256, n_train=5000)
    assert not strip._can_be_previewed("vanishing_gradients", "depth", wide, LESSON.treated)
    assert not strip._can_be_previewed("vanishing_gradients", "gain", replace(wide, depth=50), LESSON.treated)


def test_what_is_refused_is_not_previewed():
    """The page says that what it shows are other networks."""
    lesson = lesson_of("exploding_gradients")
    page = opened(lesson.page, steps="40", loss="cross_entropy")
    pair = tuple(replace(one, steps=40, loss="cross_entropy") for one in (lesson.patient, lesson.treated))
    page.session_state["session"].previewed = lesson.page, pair, "gain"
    assert sent(page.run(), "preview")
    assert not sent(page.selectbox(key="dataset").set_value("sine").run(), "preview")
    assert "What you see below are the last networks" in page.warning[0].value


@pytest.mark.parametrize("name", RANGES)
def test_all_that_is_dragged_can_be_set(name):
    """And it is dragged from end to end of its range, which is the setting's own or within it."""
    values = stops(name)
    assert list(values) == sorted(set(values))
    assert [SETTINGS[name].check(value) for value in values] == list(values)
    assert {*RANGES[name]} < {*values}


def test_one_step_on_the_way_to_overflow_does_not_darken_all_others():
    usual = np.full((60, 3), 1e-2)
    once = usual.copy()
    once[3] = 1e236
    assert strip._decades([usual, once]) == (-3.0, -2.0)
    assert strip._decades([usual * 0, once * np.nan]) == (0.0, 1.0)
