"""The angle is the one between the raw and the clipped gradient: 0 by norm, above 0 by value."""

from dataclasses import replace

import numpy as np
import pytest

from engine import backward, forward, initialize, load_dataset, train
from engine.losses import LOSSES
from pages.charts.one_run import clipping_angle as chart
from pages.text.labels import number
from tests.charts.clipped_runs import BREAKS_OFF, BY_NORM, BY_VALUE, WILD, clipped_pair, run
from tests.charts.odd_runs import FOUR, pair


def curves(figure):
    return {trace.name.partition(":")[0]: trace for trace in figure.data if trace.name}


def notes(figure):
    return figure.layout.annotations[-1].text.replace("<br>", " ")


def test_the_first_angle_is_that_of_the_two_gradients():
    experiment, data = BY_VALUE, load_dataset(BY_VALUE)
    parameters = initialize(experiment)
    forward_pass = forward(parameters, data.train_inputs)
    slope = LOSSES["cross_entropy"].gradient(forward_pass.z[-1], data.train_targets[None], "sigmoid")
    gradient = backward(parameters, forward_pass, slope)[0].flat[0]
    cut = np.clip(gradient, -experiment.clip_threshold, experiment.clip_threshold)
    cosine = gradient @ cut / np.linalg.norm(gradient) / np.linalg.norm(cut)
    assert chart.degrees(run(BY_VALUE))[0] == pytest.approx(np.degrees(np.arccos(cosine)), abs=1e-6)
    assert chart.degrees(run(BY_VALUE))[0] > 5


def test_by_norm_nothing_turns_and_by_value_it_does():
    drawn = curves(chart.figure(*clipped_pair(BY_VALUE, BY_NORM)))
    np.testing.assert_array_equal(drawn["Patient"].y, chart.degrees(run(BY_VALUE)))
    assert np.max(drawn["Treated"].y) < 1e-5
    assert 5 < np.max(drawn["Patient"].y) <= 90


@pytest.mark.parametrize("clip", ["norm", "value"])
def test_single_precision_keeps_the_angle(clip):
    history = train(replace(WILD, clip=clip, clip_threshold=1e-6, precision="float32"))
    angles = chart.degrees(history)
    assert ((angles >= 0) & (angles <= 90)).all()
    assert clip == "value" or angles.max() < 0.1


def test_only_networks_that_clip_have_an_angle():
    figure = chart.figure(*clipped_pair(WILD, BY_NORM))
    assert set(curves(figure)) == {"Treated"}
    assert "Patient: no clipping, hence no angle." in notes(figure)
    neither = chart.figure(*clipped_pair(WILD, WILD))
    assert not curves(neither)
    assert "Neither network clips" in notes(neither)
    three = chart.figure(run(WILD), run(BY_NORM), run(BY_VALUE), looks=FOUR[:3])
    assert set(curves(three)) == {look.name for look in FOUR[1:3]}
    assert "first network: no clipping, hence no angle." in notes(three)
    assert "No network clips" in notes(chart.figure(run(WILD), looks=FOUR[:1]))


def test_the_axis_is_in_degrees_and_always_the_same():
    for histories in (clipped_pair(WILD, WILD), clipped_pair(BY_VALUE, BY_NORM), pair("diverging at once")):
        layout = chart.figure(*histories).layout
        assert layout.yaxis.range == (-chart.AIR, 90 + chart.AIR)
        assert layout.yaxis.title.text == "angle (degrees)"
        assert layout.xaxis.title.text == "training step (updates)"


def test_alt_and_table_are_the_history():
    text, table = chart.alt(*clipped_pair(BY_NORM, BY_VALUE)), chart.table(*clipped_pair(BY_NORM, BY_VALUE))
    history = run(BY_VALUE)
    turned = chart.degrees(history)[history.clipped_norm < history.total_gradient_norm].round(1)
    assert "by norm turns the gradient by 0 degrees in the median of the clipped updates and by at most 0." in text
    assert f"by {number(float(np.median(turned)))} degrees in the median" in text
    assert f"by at most {number(turned.max())}." in text
    mine = table[table["network"] == "Treated"]
    np.testing.assert_array_equal(mine["angle (degrees)"], chart.degrees(history))
    assert "keeps its direction" in chart.alt(run(WILD), history)


def test_what_clipping_never_touched_and_what_diverged_is_said():
    roomy = run(replace(BY_NORM, clip_threshold=1e6))
    assert "never had anything to clip" in chart.alt(run(WILD), roomy)
    broken = run(BREAKS_OFF)
    assert f"not finite at step {broken.diverged_at[0]}" in notes(chart.figure(broken, roomy))
