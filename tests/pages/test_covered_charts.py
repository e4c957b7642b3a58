"""Draw it first, in Streamlit's AppTest: what is measured stays on the server until it was drawn."""

import math

import orjson

from pages.components.laboratory.comparison import EXPECTED
from pages.components.laboratory.data import experiment_of
from pages.components.laboratory.samples import sample
from pages.components.laboratory.selection import examples_of, guessed
from pages.components.lesson.draw_first import KEY, Drawn
from pages.components.lesson.lessons import HIDDEN_VERDICT
from pages.text.draw_first import DRAWINGS, Canvas
from pages.text.own_data import OwnData, at_hand, average_loss
from tests.pages.opened import charts, headline, in_part, opened

MEASURED = {f"backprop_clinic_{name}" for name in ("chart_place", "strip", "timeline", "look_inside")}
SMALL = {"steps": "20", "n_train": "40"}


def test_nothing_measured_is_sent_until_it_was_drawn():
    page = opened("exploding_gradients", draw="learning_curves", learning_rate="1000", **SMALL)  # it diverges
    assert headline(page).endswith(HIDDEN_VERDICT)
    components = {one.proto.component_name: one.proto for one in page.get("bidi_component")}
    assert not MEASURED & components.keys()
    assert orjson.loads(components["backprop_clinic_draw_first"].bytes).keys() == {*Canvas._fields, "names"}
    assert not any("iverged" in paragraph.value for paragraph in page.markdown)
    for part in ("cure", "try"):
        in_part(page, part)
        assert "backprop_clinic_draw_first" not in {one.proto.component_name for one in page.get("bidi_component")}
    page.button(key="to_drawing").click().run()
    page.button(key="show_undrawn").click().run()
    assert "draw" not in page.query_params
    assert len(charts(page)) == 3
    page.button(key="data_draw_gradient_per_layer").click().run()
    assert page.query_params["draw"] == "gradient_per_layer"
    assert not charts(page)


def test_what_cannot_be_drawn_is_said():
    page = opened("vanishing_gradients", draw="weights", **SMALL)
    assert "draw=weights" in page.warning[0].value
    assert len(charts(page)) == 3
    page = opened("vanishing_gradients", draw="gradient_per_layer", depth="1", **SMALL)
    assert "With one hidden layer" in page.info[0].value
    page.button(key="draw_loss").click().run()
    assert not page.exception
    assert not page.info


def test_the_laboratory_covers_what_is_measured_and_compares_the_present_network():
    page = opened("laboratory", draw="learning_curves", pin1="Wide~width~32~steps~20", depth="1", steps="20")
    components = {one.proto.component_name: one.proto for one in page.get("bidi_component")}
    assert not MEASURED & components.keys()
    examples = examples_of(sample("iris"), guessed(sample("iris")))
    own = OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)
    experiment = experiment_of(own, depth=1, steps=20)
    with at_hand(own):
        average = average_loss(experiment)
    on = orjson.loads(components["backprop_clinic_draw_first"].bytes)
    assert on["names"]["patient"] == "● Present"
    assert on["points"].keys() == {"patient"}, "none of a pinned network"
    assert on["level"] == math.log10(average)
    assert headline(page) == EXPECTED
    assert not [one for one in page.markdown if "The network took" in one.value]
    page.session_state["session"].measured["laboratory None", KEY] = (
        "learning_curves",
        Drawn((experiment, experiment), {"patient": [on["level"]] * len(on["points"]["patient"])}),
    )
    page.button(key="show_undrawn").click().run()  # as Compare does
    assert len(charts(page)) == 3
    assert any("● **Present**" in one.value and "you expected a loss" in one.value for one in page.markdown)
    compared = [one.proto for one in page.get("bidi_component") if one.proto.component_name.endswith("_draw_first")]
    assert orjson.loads(compared[0].bytes)["measured"].keys() == {"patient"}
    page.button(key="data_draw_gradient_per_layer").click().run()
    assert not charts(page)
    assert "With one hidden layer" in page.info[0].value

    page = opened("laboratory", draw="learning_curves", hide="charts", steps="20")
    assert not MEASURED & {one.proto.component_name for one in page.get("bidi_component")}
    page = opened("laboratory", draw="weights", steps="20")
    assert "draw=weights" in page.warning[0].value
    assert len(charts(page)) == 3
    page.button(key="studio_open").click().run()
    assert page.selectbox(key="studio_draw_laboratory").options == ["nothing", *DRAWINGS.values()]
