"""The laboratory's page in Streamlit's AppTest: samples, own data, pinned networks, links, and what cannot be."""

import gc
import re
import weakref
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from engine import Experiment, diagnose, train_many
from engine.data.custom import CustomData
from engine.data.loading import standardising
from pages.charts.one_run import learning_curves
from pages.components.laboratory.charts import AT_FIRST, COMPARING
from pages.components.laboratory.data import STEADY, experiment_of
from pages.components.laboratory.networks import LOOKS
from pages.components.laboratory.points import LETTERS
from pages.components.laboratory.samples import sample
from pages.components.laboratory.selection import examples_of, guessed
from pages.components.laboratory.sources import MEMORY
from pages.components.shell.runs import Branched, histories_of, shared_runs
from pages.text import findings_text
from pages.text.own_data import OwnData, at_hand
from tests.pages.opened import charts, headline, opened, plain, shared_link
from tests.pages.test_tables import decimal_commas, text
from tests.patience import eventually

PAGE = "laboratory"
QUICK = {"steps": "30", "depth": "2"}
PRICES = "\n".join(["size,price", *(f"{30 + 5 * i},{52000 + 9000.5 * i}" for i in range(40))])
FILE = decimal_commas(text("i;x;kind", row="{i};{x};<b>{c}</b>"))


def own(name: str) -> OwnData:
    examples = examples_of(sample(name), guessed(sample(name)))
    return OwnData(examples.inputs, examples.targets, examples.input_names, examples.target_name)


def address(page: AppTest) -> dict[str, str]:
    return {name: text if isinstance(text, str) else text[-1] for name, text in page.query_params.items()}


def said(page: AppTest) -> str:
    return plain("\n".join(paragraph.value for paragraph in page.markdown))


def notes_of(experiment: Experiment, data: CustomData) -> list[str]:
    (history,) = histories_of((experiment,), data)
    return [finding.explanation for finding in diagnose(history, data)]


def pasted(page: AppTest, table: str) -> AppTest:
    page.button(key="own").click().run()
    page.text_area(key="pasted").set_value(table)
    page.button(key="read_pasted").click().run()
    assert not page.exception
    return page


def test_a_sample_is_trained_on_drawn_and_diagnosed_with_its_data():
    page = opened(PAGE, sample="wine", inputs="raw", **QUICK)
    assert "**178 rows**: 106 to train on" in said(page)
    assert "a straight line" in said(page)
    sent = charts(page)
    assert len(sent) == 3
    assert "grower 1" in str(sent), "classes have their names"
    data = own("wine")
    expected = experiment_of(data, inputs="raw", steps=30, depth=2)
    explanations = notes_of(expected, data.arrays)
    assert any("inputs" in one for one in explanations), "only who knows the data finds that"
    assert all(one in said(page) for one in explanations)
    assert not page.warning
    page.selectbox(key="sample").set_value(None).run()  # as Escape does
    assert address(page) == {"sample": "wine", "inputs": "raw"} | QUICK
    assert page.selectbox(key="sample").value == "wine"


def test_own_data_are_pasted_diagnosed_and_named_in_the_link_by_their_digest():
    page = pasted(opened(PAGE, **QUICK), FILE)
    assert "**30 rows**: 18 to train on" in said(page)
    assert "‹b›a‹/b›" in str(charts(page)), "names are text"
    assert "<b>a" not in str(charts(page)) + said(page)
    name, digest = address(page)["file"], address(page)["data_digest"]
    link = parse_qs(urlsplit(shared_link(page)).query)
    assert (link["file"], link["data_digest"]) == ([name], [digest])
    assert FILE[20:30] not in shared_link(page)

    other = opened(PAGE, **QUICK, file=name, data_digest=digest)
    assert name in other.info[0].value
    assert not charts(other)
    assert MEMORY in said(other)
    other.text_area(key="pasted").set_value(FILE)
    other.button(key="read_pasted").click().run()
    assert not other.info
    assert not other.error
    assert len(charts(other)) == 3
    assert address(other)["data_digest"] == digest


def test_a_refused_table_leaves_the_page_as_it_was():
    page = opened(PAGE, **QUICK)
    before = headline(page), address(page)
    pasted(page, "x,y\n1,2\n3\n")
    assert "Line 3 has 1 cell where most lines have 2" in page.error[0].value
    assert (headline(page), address(page)) == before


def test_the_first_line_may_be_names_that_look_like_numbers():
    page = pasted(opened(PAGE, **QUICK), text("2019,2020,kind").replace("kind", "3"))
    assert "**31 rows**" in said(page)
    (key,) = [one.key for one in page.segmented_control if one.key.startswith("header_")]
    page.segmented_control(key=key).set_value("names").run()
    assert not page.exception
    assert "**30 rows**" in said(page)
    assert address(page)["header"] == "names"
    assert not page.warning
    assert not page.error
    assert page.selectbox[1].options == ["2019", "2020", "3"]
    digest = address(page)["data_digest"]
    other = opened(PAGE, **address(page))
    other.text_area(key="pasted").set_value(text("2019,2020,3"))
    other.button(key="read_pasted").click().run()
    assert (not other.error, address(other)["data_digest"]) == (True, digest)


def test_another_target_is_predicted_and_comes_with_the_link():
    page = opened(PAGE, **QUICK)
    page.selectbox(key="target_iris").set_value(3).run()
    assert "a number to predict" in said(page)
    assert address(page)["target"] == "4"
    page.multiselect(key="leave_iris_3").set_value([0, 2]).run()
    assert address(page) == {"target": "4", "leave": "2.5"} | QUICK
    again = opened(PAGE, **QUICK, target="4", leave="2.5")
    assert headline(again) == headline(page)
    assert charts(again) == charts(page)


def test_numbers_of_an_opened_table_are_scaled_and_errors_are_in_its_unit():
    page = pasted(opened(PAGE, **QUICK), PRICES)
    name, scale = address(page)["file"], float(address(page)["target_scale"])
    assert page.segmented_control(key="targets_are").value == "scaled"
    assert address(page)["learning_rate"] == "0.03"
    prices = np.array([52000 + 9000.5 * i for i in range(40)])
    scaled = scale * prices + float(address(page)["target_shift"])
    assert scaled.std() == pytest.approx(1, abs=0.3), "of those to train on"
    assert abs(scaled.mean()) < 0.3
    assert headline(page).startswith("Typical error ")
    wild = headline(opened(PAGE, target="1"))
    assert wild.startswith("Training breaks down: not finite at step ")
    assert "among the new ones" not in wild
    assert re.search(r"Typical error [\d,]+ on test data, in the unit of price", said(page))
    page.segmented_control(key="targets_are").set_value("raw").run()
    assert not {"target_scale", "target_shift"} & address(page).keys()

    old = opened(PAGE, **QUICK, file=name, data_digest=address(page)["data_digest"])
    old.text_area(key="pasted").set_value(PRICES)
    old.button(key="read_pasted").click().run()
    assert "target_scale" not in address(old), "a link that says nothing of the targets has them raw"
    assert old.segmented_control(key="targets_are").value == "raw"


def test_numbers_far_from_0_are_learnt_once_they_are_standardised():
    """Years, whose spread is a hundredth of their size: multiplied alone, they stay as good as constant."""
    inputs = np.random.default_rng(0).normal(size=(200, 3))
    data = OwnData(inputs, 1990 + 15 * np.tanh(inputs[:, 0] - inputs[:, 1]), ("a", "b", "c"), "year")
    scale, shift = standardising(Experiment(), data.targets).values()
    shares = {}
    for units in ((scale, shift), (1 / 2000, 0.0)):
        settings = dict(zip(("target_scale", "target_shift"), units, strict=True), learning_rate=STEADY)
        runs = train_many([experiment_of(data, seed=seed, **settings) for seed in range(8)], data.arrays)
        shares[units] = [run.test_loss / run.experiment.target_scale**2 / data.targets.var() for run in runs]
    assert np.median(shares[scale, shift]) < 0.1
    assert max(shares[scale, shift]) < 0.3
    assert min(shares[1 / 2000, 0.0]) > 0.6


def test_networks_are_pinned_renamed_swapped_and_removed():
    page = opened(PAGE, **QUICK)
    page.button(key="pin").click().run()
    page.number_input(key="width").set_value(3).run()
    page.button(key="pin").click().run()
    assert address(page)["pin1"] == "depth 2, steps 30~depth~2~steps~30"
    assert address(page)["pin2"] == "width 3, depth 2~depth~2~width~3~steps~30", "first what is special about it"
    page.text_input(key="name_pin2_width 3, depth 2").set_value("nar<b>row").run()
    assert address(page)["pin2"] == "narbrow~depth~2~width~3~steps~30"
    page.button(key="swap_pin1").click().run()
    assert "width" not in address(page)
    assert address(page)["pin1"] == "depth 2, width 3~depth~2~width~3~steps~30"
    assert "Present" in str(charts(page)[0])
    assert "narbrow" in str(charts(page)[0])
    link = address(page)
    page.button(key="remove_pin1").click().run()
    assert address(page)["pin1"] == "narbrow~depth~2~width~3~steps~30"
    assert "pin2" not in address(page)
    assert charts(opened(PAGE, **link)) != charts(page)


def test_a_link_of_four_networks_and_all_charts_opens_cold():
    pins = {"pin1": "wide~width~64~steps~30", "pin2": "tanh~activation~tanh~steps~30", "pin3": "sd~initializer~zeros"}
    page = opened(PAGE, sample="moons", **QUICK, **pins, charts=".".join((*COMPARING, *AT_FIRST)))
    sent = charts(page)
    assert len(sent) == len(COMPARING)
    for name in ("Present", "wide", "tanh", "sd"):
        assert all(name in chart["alt"] for chart in sent)
    data = own("moons")
    zeros = experiment_of(data, initializer="zeros")
    (history,) = histories_of((zeros,), data.arrays)
    assert findings_text.HEADINGS[diagnose(history, data.arrays)[0].code] in said(page)
    assert page.button(key="pin").disabled


def test_a_session_holds_its_data_and_no_history():
    page = opened(PAGE, sample="wine", **QUICK)
    data = own("wine")
    kept = [weakref.ref(one) for one in histories_of((experiment_of(data, steps=30, depth=2),), data.arrays)]
    shared_runs().close()
    eventually(lambda: gc.collect() >= 0 and not any(reference() for reference in kept))
    assert page.session_state["session"].laboratory.made


@pytest.mark.parametrize(
    ("odd", "ignored"),
    [
        ({"sample": "roses"}, "sample=roses"),
        ({"target": "999"}, "target=999"),
        ({"pin1": "x~width"}, "pin1=x~width"),
        ({"pin2": "x~width~0"}, "pin2=x~width~0"),
        ({"treated_depth": "3", "dataset": "moons"}, "dataset=moons"),
        ({"data_digest": "abc"}, "data_digest=abc"),
    ],
)
def test_nonsense_in_the_address_is_ignored_with_a_line(odd, ignored):
    page = opened(PAGE, **QUICK, **odd)
    assert ignored in page.warning[0].value
    assert page.warning[0] in page.main.children.values(), "above all that is set"
    assert charts(page)


def test_what_cannot_be_trained_leaves_the_last_network():
    page = opened(PAGE, sample="diabetes", **QUICK)
    before = headline(page)
    page.button(key="settings").click().run()
    page.selectbox(key="loss").set_value("cross_entropy").run()
    assert "cross-entropy" in page.warning[0].value
    assert headline(page) == before
    page.selectbox(key="loss").set_value("mae")
    page.number_input(key="n_train").set_value(5000).run()
    assert "5000" in page.warning[0].value


def test_drawn_points_come_with_the_link_and_an_empty_plane_says_what_to_do():
    page = opened(PAGE, sample="draw", **QUICK)
    assert "Set at least 20 points" in said(page)
    assert not charts(page)
    points = "".join(f"{i % 2}{'Az'[i % 2]}{LETTERS[2 * i]}" for i in range(24))
    drawn = opened(PAGE, sample="draw", points=points, **QUICK)
    assert "**24 rows**" in said(drawn)
    assert "A 50" in said(drawn)
    assert charts(drawn) == charts(opened(PAGE, **address(drawn)))
    few = opened(PAGE, sample="draw", points="0AA" * 12, **QUICK)
    assert "Set 8 more points" in said(few)
    assert not few.error


def test_two_futures_begin_with_the_same_weights() -> None:
    page = opened(PAGE, **QUICK)
    page.number_input(key="branch_step").set_value(12).run()
    page.button(key="branch").click().run()
    assert address(page)["branch"] == "12~pin1"
    assert "Now change a setting above: it holds from step 12 on." in said(page)
    page.number_input(key="learning_rate").set_value(0.7).run()
    assert not page.exception
    data = own("iris")
    start, then = (experiment_of(data, steps=30, depth=2, **changed) for changed in ({}, {"learning_rate": 0.7}))
    parent, future = histories_of([start, Branched(start, ((12, then),))], data.arrays)
    assert (parent.batch_loss[:13] == future.batch_loss[:13]).all()
    assert (parent.batch_loss[13:] != future.batch_loss[13:]).all()
    looks = LOOKS[0], replace(LOOKS[1], name="depth 2, steps 30")
    with at_hand(data):
        assert charts(page)[0]["alt"] == learning_curves.alt(future, parent, looks=looks)
    assert "16 networks are trained to measure it" in said(page), "over seeds, both of them"

    broken = opened(PAGE, **QUICK, learning_rate="1000", inputs="raw", sample="diabetes")
    assert "The network took 30 steps" in said(opened(PAGE, **QUICK))
    assert "The network took" in said(broken)
    assert "The network took 30 steps" not in said(broken), "it diverged before"
    page = opened(PAGE, **address(page) | {"depth": "3"})
    assert "as it was up to step 12" in page.warning[0].value
    page = opened(PAGE, **address(page) | {"depth": "2", "pin2": "other~depth~3~steps~30"})
    assert "**Present** goes on from step 12 of another network" in said(page)
    page.button(key="up_pin2").click().run()
    assert not page.exception
    assert [address(page)[name].partition("~")[0] for name in ("pin1", "pin2")] == ["other", "depth 2, steps 30"]
    assert address(page)["branch"] == "12~pin2", "it goes on from the same network"
    assert page.button(key="up_pin1").disabled
    page.button(key="no_branch").click().run()
    assert "branch" not in address(page)
    assert not page.warning


def test_a_map_asks_for_two_settings() -> None:
    page = opened(PAGE, **QUICK, map_x="depth", map_y="depth")
    assert "Choose two different settings." in said(page)
    page.selectbox(key="map_y").set_value("learning_rate").run()
    assert not page.exception
    assert address(page)["map_y"] == "learning_rate"
    assert "36 networks are trained to measure it to begin with" in said(page)


def test_what_is_held_out_is_said_with_the_data_and_comes_with_the_link() -> None:
    page = opened(PAGE, **QUICK, held_out="0.1", split="stratified")
    assert "**150 rows**: 120 to train on, 15 to validate, 15 to test" in said(page)
    assert address(page) == QUICK | {"held_out": "0.1", "split": "stratified"}
    data = own("iris")
    expected = experiment_of(data, held_out=0.1, split="stratified", steps=30, depth=2)
    assert expected.n_train == 120
    with at_hand(data):
        assert charts(page)[0]["alt"] == learning_curves.alt(*histories_of((expected,), data.arrays), looks=LOOKS[:1])
    page.number_input(key="held_out").set_value(0.05).run()
    assert "**150 rows**: 134 to train on, 8 to validate" in said(page)
    rare = pasted(page, text("x,kind", row="{i},{c}").replace(",a", ",b").replace("\n3,b", "\n3,a"))
    assert "Class a has 1 row" in rare.error[0].value
    rare.selectbox(key="split").set_value("random").run()
    assert not rare.error
    assert charts(rare)
