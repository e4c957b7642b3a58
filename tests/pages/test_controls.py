"""The controls of a lesson: from the address to the networks, from a widget to the networks, and what is ignored."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from engine import Experiment
from engine.experiment import SETTINGS
from pages.components.settings.control import AS_PATIENT, PREFIX
from pages.components.settings.lesson_address import address, short_address
from pages.components.settings.lesson_settings import ABSENT, SHARED, Lesson
from tests.patience import SOON

PATIENT = Experiment(depth=10, activation="sigmoid", initializer="xavier_normal", steps=20)
TREATED = replace(PATIENT, activation="relu", initializer="he_normal", learning_rate=0.2, residual="plain")
LESSON = Lesson("demo", PATIENT, TREATED)
OWN = [name for name in SETTINGS if name not in SHARED + ABSENT]
# A legal value of every setting that is neither network's own.
OTHERS: dict[str, Any] = {
    "dataset": "xor", "n_train": 77, "noise": 0.25, "label_noise": 0.125, "depth": 7, "width": 24,
    "activation": "tanh", "initializer": "lecun", "gain": 1.5, "bias": 0.25, "bias_mean": -0.5,
    "normalization": "layer", "output": "sigmoid", "schedule": "cosine",
    "residual": "scaled", "loss": "mse", "optimizer": "adam", "learning_rate": 0.0123, "batch_size": 32, "steps": 33,
    "clip": "norm", "clip_threshold": 0.5, "l1": 0.001, "l2": 0.003, "dropout": 0.37, "patience": 9, "seed": 12345,
    "data_seed": 3, "precision": "float32", "inputs": "raw", "input_scale": 20.0, "input_shift": -3.5,
    "class_weights": "balanced", "target_scale": 50.0, "target_shift": 4.0, "imbalance": 0.2, "shuffle": False,
    "leakage": 0.3, "validation_shift": 1.5, "validation_labels": "permuted",
}  # fmt: skip


def script() -> None:
    import streamlit as st

    from pages.components.settings.controls import apply, controls, networks
    from pages.components.shell.session import this_session
    from tests.pages.test_controls import LESSON, PATIENT, TREATED, replace

    this_session().settings_open = not st.session_state.get("closed")
    lesson = st.session_state.get("lesson", LESSON)
    networks(lesson, controls(lesson), lambda choice: st.session_state.update(choice=choice))
    other = replace(PATIENT, depth=3, dataset="circles", gain=2.0)
    st.button("Try", on_click=apply, args=(LESSON, other, replace(other, activation="tanh", seed=other.seed)))
    st.button("Same", on_click=apply, args=(LESSON, PATIENT, PATIENT))
    st.button("Back", on_click=apply, args=(LESSON, PATIENT, TREATED))
    st.button("Nothing")


def opened(link: str = "", lesson: Lesson = LESSON) -> AppTest:
    app = AppTest.from_function(script, default_timeout=SOON)
    app.session_state["lesson"] = lesson
    for name, texts in parse_qs(urlsplit(link).query, keep_blank_values=True).items():
        app.query_params[name] = texts if len(texts) > 1 else texts[0]
    return ran(app.run())


def ran(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def choice(app: AppTest):
    return app.session_state["choice"]


def pair(app: AppTest) -> tuple[Experiment, Experiment]:
    return choice(app).patient, choice(app).treated


def widget(app: AppTest, name: str):
    groups = (app.selectbox, app.number_input, app.slider, app.toggle, app.segmented_control)
    (found,) = [one for group in groups for one in group if one.key == name]
    return found


def test_the_bare_page_shows_the_lessons_networks():
    app = opened()
    assert pair(app) == (PATIENT, TREATED)
    assert not choice(app).notes
    assert not choice(app).refused
    assert app.query_params == {}


def test_every_setting_is_tried_below():
    assert set(OTHERS) | set(ABSENT) == set(SETTINGS)


@pytest.mark.parametrize("name", OTHERS)
def test_the_address_sets_the_patient_and_the_treated_follows(name):
    app = opened(f"?{name}={OTHERS[name]}")
    assert choice(app).patient == replace(PATIENT, **{name: OTHERS[name]})
    assert not choice(app).notes
    own = getattr(TREATED, name) != getattr(PATIENT, name)
    assert getattr(choice(app).treated, name) == (getattr(TREATED, name) if own else OTHERS[name])


@pytest.mark.parametrize("name", OWN)
def test_the_address_sets_the_treated_network_alone(name):
    app = opened(f"?{PREFIX}{name}={OTHERS[name]}")
    assert pair(app) == (PATIENT, replace(TREATED, **{name: OTHERS[name]}))
    assert not choice(app).notes


@pytest.mark.parametrize("name", OTHERS)
def test_a_moved_widget_sets_both_the_network_and_the_address(name):
    app = opened()
    widget(app, name).set_value(OTHERS[name])
    ran(app.run())
    assert choice(app).patient == replace(PATIENT, **{name: OTHERS[name]})
    assert opened(choice(app).address).session_state["choice"] == choice(app)


@pytest.mark.parametrize("name", OWN)
def test_a_moved_widget_of_the_treated_network_moves_it_alone(name):
    app = opened()
    value = OTHERS[name]
    widget(app, PREFIX + name).set_value(str(value).lower() if isinstance(value, bool) else value)
    ran(app.run())
    assert pair(app) == (PATIENT, replace(TREATED, **{name: OTHERS[name]}))


@pytest.mark.parametrize(
    ("query", "patient", "treated", "now"),
    [
        ("residual=true", "plain", "plain", {"residual": "plain"}),
        ("residual=True&gain=3", "plain", "plain", {"residual": "plain", "gain": "3"}),
        ("residual=false&treated_residual=false", "none", "none", {"treated_residual": "none"}),
        ("treated_residual=true", "none", "plain", {}),
        ("residual=true&treated_residual=false", "plain", "none", {"residual": "plain", "treated_residual": "none"}),
    ],
)
def test_older_links_that_switched_residual_connections_are_read(query, patient, treated, now):
    app = opened(f"?{query}")
    assert [one.residual for one in pair(app)] == [patient, treated]
    assert not choice(app).notes
    assert app.query_params == now
    widget(app, "residual").set_value("scaled")
    assert choice(ran(app.run())).patient.residual == "scaled"


def test_an_older_link_is_read_after_the_first_run_too():
    app = opened("?residual=scaled")
    app.query_params["residual"] = "true"
    assert choice(ran(app.run())).patient.residual == "plain"
    assert app.query_params == {"residual": "plain"}
    assert widget(app, "residual").value == "plain"
    app.query_params["residual"] = "false"
    assert choice(ran(app.run())).patient.residual == "none"
    assert not choice(app).notes


def test_as_patient_follows():
    app = opened("?treated_activation=as+patient&treated_residual=as+patient&activation=elu&gain=3")
    assert choice(app).treated == replace(choice(app).patient, initializer="he_normal", learning_rate=0.2)
    assert widget(app, "treated_gain").value is None
    assert widget(app, "treated_gain").placeholder == AS_PATIENT
    widget(app, "gain").set_value(4.0)
    assert choice(ran(app.run())).treated.gain == 4


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("depth=999", "`depth=999` in the address was ignored: it must be a whole number from 1 to 50."),
        ("depth=12.7", "a whole number"),
        ("depth=inf", "a whole number"),
        ("seed=1e999", "a whole number"),
        ("width=nan", "a whole number"),
        ("steps=inf", "a whole number"),
        ("treated_width=inf", "a whole number"),
        ("depth=", "a whole number"),
        ("depth=3&depth=4", "named once"),
        ("learning_rate=0", "above 0"),
        ("learning_rate=-1", "above 0"),
        ("learning_rate=fast", "above 0"),
        ("noise=-0.5", "from 0 to 2, or -1 for the data set’s own"),
        ("activation=swish", "one of relu, sigmoid"),
        ("activation=", "one of relu, sigmoid"),
        ("activation=as+patient", "one of relu, sigmoid"),
        ("residual=maybe", "one of none, plain, scaled"),
        ("treated_residual=1", "one of as patient, none, plain, scaled"),
        ("dataset=custom", "one of moons, "),
        ("treated_dataset=xor", "dataset, one for both networks"),
        ("data_digest=00", "a setting of this page"),
        ("banana=1", "a setting of this page"),
        ("banana=![x](http://e)`[y](z)", "a setting of this page"),
    ],
)
def test_garbage_in_the_address_is_ignored_and_said(query, message):
    app = opened(f"?{query}&gain=3")
    assert pair(app) == (replace(PATIENT, gain=3.0), replace(TREATED, gain=3.0))
    (note,) = choice(app).notes
    assert message in note
    assert app.warning[0].value == note
    assert note.count("`") == 2  # what the address says is shown as code, never as Markdown
    assert app.query_params == {"gain": "3"}


def test_what_was_ignored_is_said_until_a_control_moves():
    app = opened("?depth=999&banana=1")
    app.button[-1].click()
    assert len(choice(ran(app.run())).notes) == 2
    widget(app, "gain").set_value(2.0)
    assert not choice(ran(app.run())).notes


def test_a_control_whose_parameter_was_garbage_reaches_the_address_again():
    app = opened("?width=inf")
    widget(app, "width").set_value(20)
    assert ran(app.run()).query_params == {"width": "20"}
    assert choice(app).patient.width == 20


def test_garbage_after_the_first_run_falls_back_to_the_default():
    app = opened("?width=20")
    app.query_params["width"] = "inf"
    app.query_params["banana"] = "1"
    assert choice(ran(app.run())).patient.width == PATIENT.width
    assert len(choice(app).notes) == 2
    assert app.query_params == {}


def test_settings_that_do_not_go_together_leave_the_last_good_networks():
    app = opened("?dataset=digits&n_train=1000")
    good = pair(app)
    assert not choice(app).refused
    widget(app, "dataset").set_value("breast_cancer")
    ran(app.run())
    assert choice(app).refused
    assert pair(app) == good
    assert (
        "Training examples is 1000, but it must be a whole number from 5 to 341. breast cancer has no more"
        in choice(app).notes[0]
    )
    assert "the last networks that could be trained" in choice(app).notes[0]
    app.query_params["dataset"] = "breast_cancer"  # as a browser writes it
    app.run()  # a test's page is what was drawn last, and that was not the controls
    assert widget(app, "dataset").value == "breast_cancer"  # they show what was asked
    widget(app, "n_train").set_value(300)
    assert not choice(ran(app.run())).refused
    assert choice(app).patient.dataset == "breast_cancer"


@pytest.mark.parametrize(
    "query", ["dataset=sine&loss=cross_entropy", "depth=50&width=256&steps=20000", "dataset=digits&n_train=5000"]
)
def test_a_link_to_what_cannot_be_made_shows_the_lessons_networks(query):
    app = opened(f"?{query}")
    assert choice(app).refused
    assert pair(app) == (PATIENT, TREATED)
    assert "this lesson’s own networks" in choice(app).notes[0]


def test_the_control_that_does_what_a_refusal_advises_is_not_refused():
    app = opened("?dataset=digits&n_train=1000&depth=8&width=128&steps=510&treated_activation=sigmoid")
    assert choice(app).refused
    most = re.search(r"^Training steps is 510, but it must be at most (\d+) for", choice(app).notes[0])[1]
    app = opened(f"?dataset=digits&n_train=1000&depth=8&width=128&steps={most}&treated_activation=sigmoid")
    assert not choice(app).refused
    assert choice(app).patient.steps == int(most)


@pytest.mark.parametrize("name", ["noise", "gain", "treated_gain", "treated_residual"])
def test_settings_that_are_not_drawn_keep_their_value_and_their_place_in_the_address(name):
    """They lie among "more settings", which are closed again after a value was set; then another one is moved."""
    value: Any = {"treated_residual": "scaled"}.get(name, 1.5)
    app = opened()
    widget(app, name).set_value(value)
    wanted = choice(ran(app.run())).address
    app.session_state["closed"] = True
    ran(app.run())
    assert not any(one.key == name for one in (*app.number_input, *app.selectbox))
    assert choice(app).address == wanted
    widget(app, "depth").set_value(7)
    ran(app.run())
    assert choice(app).patient.depth == 7
    assert choice(app).address == wanted.replace("depth=10", "depth=7")
    assert app.query_params == {name: str(value), "depth": "7"}
    app.session_state["closed"] = False
    ran(app.run())
    assert widget(app, name).value == value
    assert app.query_params == {name: str(value), "depth": "7"}


def test_settings_that_are_not_drawn_come_from_the_address():
    app = AppTest.from_function(script, default_timeout=SOON)
    app.session_state["closed"] = True
    app.query_params.update({"noise": "1.5", "treated_gain": "2", "width": "wide"})
    ran(app.run())
    assert (choice(app).patient.noise, choice(app).treated.gain, choice(app).patient.width) == (1.5, 2.0, 16)
    assert app.query_params == {"noise": "1.5", "treated_gain": "2"}
    app.button[-1].click()
    ran(app.run())
    assert choice(app).patient.noise == 1.5


def test_options_are_named_as_the_text_names_them_and_written_as_the_engine_does():
    app = opened()
    assert widget(app, "treated_initializer").options[:3] == ["as patient", "He normal", "Xavier normal"]
    assert {"gradient descent", "RMSprop"} < set(widget(app, "optimizer").options)
    widget(app, "initializer").select("LeCun")
    assert choice(ran(app.run())).patient.initializer == "lecun"
    assert app.query_params == {"initializer": "lecun"}


def test_an_emptied_field_follows_the_patient_where_the_lessons_treated_network_does_not():
    app = opened()
    assert (widget(app, "treated_learning_rate").value, TREATED.learning_rate) == (0.2, 0.2)
    widget(app, "treated_learning_rate").set_value(None)
    assert choice(ran(app.run())).treated.learning_rate == PATIENT.learning_rate
    assert app.query_params == {"treated_learning_rate": AS_PATIENT}
    widget(app, "learning_rate").set_value(0.3)
    assert choice(ran(app.run())).treated.learning_rate == 0.3
    for link in (choice(app).address, choice(app).short_address):
        again = opened(link)
        assert pair(again) == pair(app)
        assert widget(again, "treated_learning_rate").value is None
    widget(app, "treated_learning_rate").set_value(0.2)
    assert ran(app.run()).query_params == {"learning_rate": "0.3"}


def test_more_choices_are_shown_when_they_are_asked_for():
    app = opened()
    assert widget(app, "activation").options == ["sigmoid", "tanh", "ReLU", "more"]
    widget(app, "activation").set_value("more")
    ran(app.run())
    assert choice(app).patient == PATIENT
    assert "GELU" in widget(app, "activation").options
    assert app.query_params == {}


@pytest.mark.parametrize("label", ["Try", "Same", "Back"])
def test_things_to_try_set_the_screen_and_the_address(label):
    other = replace(PATIENT, depth=3, dataset="circles", gain=2.0)
    wanted = {"Try": (other, replace(other, activation="tanh")), "Same": (PATIENT, PATIENT), "Back": (PATIENT, TREATED)}
    app = opened("?depth=20&treated_gain=2&l2=0.5")
    (button,) = [one for one in app.button if one.label == label]
    button.click()
    ran(app.run())
    assert pair(app) == wanted[label]
    query = app.query_params
    again = AppTest.from_function(script, default_timeout=SOON)
    again.query_params.update(query)
    assert pair(ran(again.run())) == wanted[label]


def values(name: str) -> st.SearchStrategy:
    setting = SETTINGS[name]
    if name == "dataset":  # small enough for every other setting
        return st.sampled_from(("moons", "sine", "blobs", "digits"))
    if name == "loss":
        return st.sampled_from(("auto", "mse"))
    if name == "imbalance":  # other shares are for moons alone, and tried above
        return st.just(0.5)
    if setting.choices:
        return st.sampled_from(setting.choices)
    if setting.kind is bool:
        return st.booleans()
    special = st.sampled_from([value for value, _ in setting.special]) if setting.special else st.nothing()
    if setting.kind is int:
        highest = {"n_train": 100, "steps": 30, "width": 32}.get(name, int(setting.high))
        return special | st.integers(int(setting.low), highest)
    return special | st.floats(setting.low, setting.high, exclude_min=setting.above)


PATIENTS = st.fixed_dictionaries({name: values(name) for name in OTHERS})
CHANGES = st.fixed_dictionaries({}, optional={name: values(name) for name in OWN})


@given(PATIENTS, CHANGES)
@settings(max_examples=25, deadline=None)
def test_any_pair_survives_the_way_through_its_address(patient_values, changes):
    patient = Experiment(**patient_values)
    treated = replace(patient, **changes)
    link = address(LESSON, patient, treated)
    named = parse_qs(urlsplit(link).query)
    assert set(named) == set(OTHERS) | {PREFIX + name for name in OWN}
    app = opened(link)
    assert pair(app) == (patient, treated)
    assert not choice(app).notes
    assert parse_qs(urlsplit(choice(app).address).query) == named


# The lesson after its start has changed twice: the treated network's rate follows no more, its depth does.
LATER = replace(
    LESSON,
    patient=replace(PATIENT, depth=5, activation="tanh", gain=2.0),
    treated=replace(PATIENT, depth=5, activation="relu", gain=3.0, batch_size=16),
    earlier=((PATIENT, TREATED), (replace(PATIENT, depth=20), replace(PATIENT, depth=8, residual=True))),
)
VERSIONS = [
    replace(LATER, patient=mine, treated=theirs) for mine, theirs in (*LATER.earlier, (LATER.patient, LATER.treated))
]


@given(PATIENTS, CHANGES, st.sampled_from([1, 2, 3]))
@settings(max_examples=10, deadline=None)  # three or four pages each
def test_a_short_link_opens_the_same_pair_in_every_later_version(patient_values, changes, version):
    patient = Experiment(**patient_values)
    treated = replace(patient, **changes)
    then = replace(VERSIONS[version - 1], earlier=LATER.earlier[: version - 1])
    link = short_address(then, patient, treated)
    assert parse_qs(urlsplit(link).query)["v"] == [str(version)]
    for now in (then, LATER):
        app = opened(link, now)
        assert pair(app) == (patient, treated)
        assert not choice(app).notes
        assert "v" not in app.query_params
        assert pair(opened(choice(app).short_address, now)) == (patient, treated)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_link_with_nothing_but_a_version_opens_the_start_of_that_version(version):
    then = VERSIONS[version - 1]
    assert pair(opened(f"/demo?v={version}", LATER)) == (then.patient, then.treated)
    # and what it names counts from there
    patient = replace(then.patient, depth=31)
    own = {name: theirs for name, (theirs, _) in then.treated.differences(then.patient).items()}
    assert pair(opened(f"/demo?v={version}&depth=31", LATER)) == (patient, replace(patient, **own))


def test_a_link_without_a_version_counts_from_todays_start():
    assert pair(opened("/demo?gain=7", LATER))[0] == replace(LATER.patient, gain=7.0)


@pytest.mark.parametrize("text", ["4", "0", "-1", "1.5", "inf", "", "x", "1&v=2", "9" * 5000])
def test_a_version_that_there_is_not_is_said_and_read_as_todays(text):
    app = opened(f"/demo?v={text}&gain=7", LATER)
    assert pair(app) == (replace(LATER.patient, gain=7.0), replace(LATER.treated, gain=3.0))
    (note,) = choice(app).notes
    assert "a version of this page’s defaults, 1 to 3" in note
    assert app.query_params == {"gain": "7"}
    assert "must be 1, the version of its defaults" in choice(opened("/demo?v=2")).notes[0]


def test_the_short_link_of_a_lessons_start_is_short():
    assert short_address(LESSON, PATIENT, TREATED) == "/demo?v=1"


def test_networks_that_differ_in_what_the_page_shares_have_no_address():
    with pytest.raises(ValueError, match="seed"):
        address(LESSON, PATIENT, replace(TREATED, seed=1))
    with pytest.raises(ValueError, match="dataset"):
        Lesson("demo", PATIENT, replace(TREATED, dataset="xor"))


def test_a_page_of_few_settings_names_them_alone():
    few = tuple(name for name in SETTINGS if name not in ("depth", "activation"))
    lesson = Lesson("few", PATIENT, replace(PATIENT, activation="relu"), ("activation",), ("depth",), (), few)
    assert address(lesson, lesson.patient, lesson.treated) == (
        "/few?depth=10&activation=sigmoid&treated_depth=as+patient&treated_activation=relu"
    )
    with pytest.raises(ValueError, match="gain"):
        address(lesson, replace(PATIENT, gain=2.0), replace(PATIENT, gain=2.0))
