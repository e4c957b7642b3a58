"""The home page's stage: what it shows is what the engine measures."""

import json

import numpy as np
import pytest

from engine import train
from engine.starting_signal import starting_signal
from pages.components.home import frames
from pages.components.home.stage import link_to
from pages.text.labels import differences
from tests.pages.opened import opened, plain, sent

# Of a number at step 0 and in the first updates, between machines whose matrix kernels add in other orders; of the end
# of a training, which lets such differences grow.
START, END = 1e-4, 0.05
EARLY = 20  # updates
LEVEL = 1  # of a surface's 255: a last bit decides between two of them


@pytest.fixture(scope="module")
def fresh():
    return {who: train(experiment) for who, experiment in frames.networks().items()}


@pytest.mark.parametrize("activation", frames.CHOICES)
def test_the_profiles_are_those_of_a_fresh_step_0(activation):
    for depth in frames.DEPTHS:
        delta = starting_signal(frames.chosen(activation, depth))
        np.testing.assert_allclose(frames.profile(activation, depth), delta, rtol=START)
        np.testing.assert_allclose(frames.reaches(activation, depth), delta[0] / delta[-2], rtol=START)


@pytest.mark.parametrize("who", ["patient", "treated"])
def test_the_frames_are_those_of_a_fresh_run(who, fresh):
    read, history = frames.read(), fresh[who]
    measured = frames._run(history, read["steps"])
    kept = read["runs"][who]
    assert read["steps"][0] == 0
    assert read["steps"][-1] == history.experiment.steps
    early = np.array(read["steps"]) <= EARLY
    np.testing.assert_allclose(kept["delta"][early], measured["delta"][early], rtol=START)
    assert np.abs(kept["surface"].astype(int) - measured["surface"])[early].max() <= LEVEL
    assert (kept["loss_step"] == history.evaluation_step).all()
    np.testing.assert_allclose(kept["loss"], measured["loss"], atol=END)
    apart = np.abs(kept["surface"].astype(float) - measured["surface"]).mean(axis=(1, 2))
    assert apart.max() <= END * frames.LEVELS


@pytest.mark.parametrize(("activation", "depth"), [("sigmoid", 3), ("sigmoid", 10), ("tanh", 2), ("relu", 1)])
def test_what_came_of_the_training_is_that_of_a_fresh_run(activation, depth):
    history = train(frames.chosen(activation, depth))
    kept = frames.read()["choices"][activation]
    np.testing.assert_allclose(kept["loss"][depth - 1], history.train_loss[-1], atol=END)
    surface = frames._surface(history)[-1][frames._coarse()].astype(float)
    assert np.abs(kept["surface"][depth - 1] - surface).mean() <= END * frames.LEVELS


def test_the_lessons_networks_are_among_the_choices():
    for network in frames.networks().values():
        assert frames.chosen(network.activation, network.depth) == network


def test_the_headline_is_true(fresh):
    """Ten layers, and of the patient's only the last one learns: it takes nearly all of the way that the weights go."""
    patient = fresh["patient"]
    assert patient.experiment.depth == 10
    moved = np.array([np.linalg.norm(weight[-1] - weight[0]) for weight in patient.weights])
    assert moved[:-2].max() < 0.05 * moved[-1]  # the last one is the output's
    assert patient.train_loss[-1] > 0.69  # and that is of no use: ln 2 is a guess
    assert fresh["treated"].train_loss[-1] < 0.1
    assert frames.reaches("sigmoid", 10) < 2e-6 < 0.5 < frames.reaches("relu", 10)


def test_the_file_is_small():
    assert len(frames.text()) < 150_000


@pytest.mark.parametrize("activation", frames.CHOICES)
@pytest.mark.parametrize("depth", [1, 10, 30])
def test_why_opens_the_lesson_with_the_chosen_networks(activation, depth):
    page = opened(frames.PAGE, **link_to(activation, depth))
    assert not page.warning
    patient, treated = frames.chosen(activation, depth), frames.chosen("relu", depth)
    for name in ("activation", "initializer", "depth"):
        assert page.session_state[name] == getattr(patient, name)
    assert any(differences(patient, treated) in plain(paragraph.value) for paragraph in page.markdown)


def test_the_page_sends_the_stage_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr("pages.components.home.drawing.draw", lambda *_: None)
    for module in ("ward", "lesson_cards"):
        monkeypatch.setattr(f"pages.components.home.{module}.draw", lambda *_: None)
    (proto,) = [
        element.proto
        for element in opened().get("bidi_component")
        if element.proto.component_name == "backprop_clinic_home_stage"
    ]
    words = sent(proto.bytes)
    assert words["measured"] == json.loads(frames.text())
    assert words["networks"]["patient"]["depth"] == 10
    assert words["depths"] == [1, 30]
