"""The backpropagation page in Streamlit's AppTest: presets, trained networks, updates, own numbers, odd addresses."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from engine import Experiment
from pages.components.backpropagation.network_address import link_to
from pages.components.lesson.catalogue import lesson_of
from pages.components.shell.runs import histories_of
from pages.walkthrough.calculation import Rule, course
from pages.walkthrough.latex import rounded
from pages.walkthrough.opened_network import nearest_frame
from pages.walkthrough.presets import PRESETS
from tests.pages.opened import LESSONS, opened

PAGE = "backpropagation"


def text(page: AppTest) -> str:
    return " ".join(paragraph.value for paragraph in [*page.markdown, *page.subheader])


@pytest.mark.parametrize("preset", ["mazur", "xor", "saturated", "chain", "trained"])
def test_every_preset_opens(preset):
    page = opened(PAGE, preset=preset)
    assert not page.warning
    assert {"Forward", "Loss", "Backward", "Update"} <= {tab.label for tab in page.tabs}
    assert "Checked by finite differences" in text(page)
    assert "Both agree" in text(page)


def test_an_update_is_taken_home_where_nothing_is_hidden():
    page = opened(PAGE).button(key="take_home").click().run()
    assert [one.proto.label for one in page.get("download_button")] == ["PyTorch script", "All numbers (CSV)"]
    hidden = opened(PAGE, hide="derivation")
    assert "What is written out is hidden by this link." in text(hidden)
    assert not [one for one in hidden.button if one.key == "take_home"]


def test_the_chain_shows_its_product_and_the_others_do_not():
    assert "is one product" in text(opened(PAGE, preset="chain"))
    assert "is one product" not in text(opened(PAGE))


def test_a_network_from_a_lesson():
    page = opened(PAGE, **link_to(Experiment(depth=6, activation="tanh", seed=3, steps=40), 20, 4))
    assert not page.warning
    assert "hidden layers 6; units a layer 16; activation tanh; initializer He normal;" in text(page)
    assert "Step 20 of 40." in text(page)
    assert page.number_input(key="example").value == 5
    history = histories_of([Experiment(depth=6, activation="tanh", seed=3, steps=40)])[0]
    weight = history.weights[0][nearest_frame(history, 20)][0, 0]
    assert rounded(weight) in text(page)


@pytest.mark.parametrize("name", LESSONS)
def test_the_treated_network_of_each_lesson_opens_at_its_step(name):
    treated = replace(lesson_of(name).treated, steps=30)
    page = opened(PAGE, **link_to(treated, 3))
    assert not page.warning
    assert "Step 3 of 30." in text(page)
    history = histories_of([treated])[0]
    assert rounded(history.weights[0][nearest_frame(history, 3)][0, 0]) in text(page)


@pytest.mark.parametrize(
    "settings",
    [
        {"normalization": "batch", "dataset": "blobs"},
        {"normalization": "layer", "residual": "scaled", "dropout": "0.4", "batch_size": "16"},
        {"dataset": "sine", "optimizer": "adam", "l1": "0.01"},
        {"dataset": "digits", "clip": "norm", "clip_threshold": "0.01", "l2": "0.1"},
        {"learning_rate": "1000", "activation": "relu", "gain": "4", "dataset": "sine"},  # diverges
        {"precision": "float32", "patience": "1", "depth": "12"},
    ],
    ids=str,
)
@pytest.mark.parametrize("examples", ["one", "batch"])
def test_networks_of_every_kind_open_at_every_unit(settings, examples):
    trained = {"trained_" + name: value for name, value in settings.items()} | {"trained_steps": "30"}
    for selection in ({}, {"layer": "2", "unit": "3"}, {"layer": "1", "unit": "whole layer"}):
        page = opened(PAGE, preset="trained", step="30", examples=examples, **trained, **selection)
        assert not page.warning
        assert "not a number" not in text(page)


def test_a_network_over_the_budget_shows_the_default_and_says_so():
    page = opened(PAGE, preset="trained", trained_depth="50", trained_width="256", trained_steps="20000")
    assert "steps is 20000" in page.warning[0].value
    assert "hidden layers 4; units a layer 16; activation ReLU; initializer He normal." in text(page)


def test_garbage_is_ignored_with_a_sentence_each():
    page = opened(
        PAGE, preset="chain", unit="7", layer="ten", learning_rate="inf", updates="-3", colour="red", phase="up-1"
    )
    (warning,) = page.warning
    for words in ("unit=7", "layer=ten", "learning_rate=inf", "updates=-3", "colour=red", "phase=up-1"):
        assert f"`{words}`" in warning.value
    assert "this network has no such thing" in warning.value
    assert page.number_input(key="updates").value == 0
    assert "is one product" in text(page)
    assert "`preset=banana`" in opened(PAGE, preset="banana").warning[0].value
    assert "`trained_depth=3`" in opened(PAGE, preset="xor", trained_depth="3").warning[0].value
    assert "`trained_depth=99`" in opened(PAGE, preset="trained", trained_depth="99").warning[0].value


def test_numbers_of_ones_own():
    page = opened(PAGE, inputs="1 2", targets="0 1", changed="w1.1.1 = 0.5")
    assert not page.warning
    page.text_input(key="inputs").set_value("1 banana")
    page.text_input(key="changed").set_value("w9.1.1 = 1").run()
    assert not page.exception
    assert "Inputs: `banana` is not a number" in page.warning[0].value
    assert "no such weight" in page.warning[0].value
    assert page.text_input(key="inputs").value == "1 banana", "it stays to be mended"


def test_updates_are_taken_and_taken_back():
    page = opened(PAGE, preset="xor")
    page.button(key="take_10").click().run()
    page.button(key="take_1").click().run()
    assert page.number_input(key="updates").value == 11
    preset = PRESETS["xor"]
    expected = course(preset.problem, Rule(preset.learning_rate), 11)
    assert f"Loss after it: ${rounded(expected.next.new_loss)}$" in text(page)
    page.button(key="take_none").click().run()
    assert page.number_input(key="updates").value == 0


def test_another_network_forgets_what_was_chosen_for_the_last():
    page = opened(PAGE, preset="xor", activation="relu", learning_rate="0.1", layer="2", updates="5", inputs="1 1")
    page.button(key="open_mazur").click().run()
    assert not page.exception
    assert not page.warning
    assert page.selectbox(key="activation").value == "sigmoid"
    assert page.number_input(key="learning_rate").value == 0.5
    assert page.number_input(key="updates").value == 0
    assert page.text_input(key="inputs").value == ""
    page.button(key="open_trained").click().run()
    assert not page.exception
    assert "hidden layers 10" in text(page)


def test_a_step_that_is_too_long_is_not_taken_and_said():
    page = opened(
        PAGE, preset="trained", trained_dataset="sine", trained_steps="10", learning_rate="1000", updates="200"
    )
    assert "is not finite: it was not taken" in page.warning[0].value


def test_questions_are_graded():
    page = opened(PAGE)
    fields = {field.key.split("_")[1]: field for field in page.text_input if field.key.startswith("answer_")}
    assert set(fields) == {"forward", "loss", "backward", "update"}
    fields["backward"].set_value("0,2465")  # three times the gradient of w₅
    fields["update"].set_value("banana")
    fields["loss"].set_value("5").run()
    assert "Right" in page.success[0].value
    messages = [info.value for info in page.info]
    assert any("That is not a number" in one for one in messages)
    assert any("further off than rounding" in one for one in messages)


def test_an_answer_goes_where_its_numbers_have_changed():
    page = opened(PAGE)

    def field():
        return next(field for field in page.text_input if field.key.startswith("answer_loss"))

    field().set_value("5").run()
    assert field().value == "5"
    page.selectbox(key="loss").set_value("cross_entropy").run()
    assert not field().value
    assert not any("further off" in info.value for info in page.info)


def test_everything_in_full_to_copy():
    page = opened(PAGE)
    (block,) = page.code[-1:]
    assert "gradient of the weight: 0.0821670405642" in block.value
