"""Draw it first, in Streamlit's AppTest: what is measured stays on the server until it was drawn."""

import orjson
import pytest

from pages.components.lesson.lessons import HIDDEN_VERDICT
from pages.components.shell.runs import shared_runs
from pages.text.draw_first import Canvas
from tests.pages.opened import charts, headline, in_part, opened

MEASURED = {f"backprop_clinic_{name}" for name in ("chart", "strip", "timeline", "look_inside")}
SMALL = {"steps": "20", "n_train": "40"}


@pytest.fixture(scope="module", autouse=True)
def workers():
    yield
    shared_runs().close()


def test_nothing_measured_is_sent_until_it_was_drawn():
    page = opened("exploding_gradients", draw="learning_curves", learning_rate="1000", **SMALL)  # it diverges
    assert headline(page) == HIDDEN_VERDICT
    components = {one.proto.component_name: one.proto for one in page.get("bidi_component")}
    assert not MEASURED & components.keys()
    assert orjson.loads(components["backprop_clinic_draw_first"].bytes).keys() == set(Canvas._fields)
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
