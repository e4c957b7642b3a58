"""Heights are the recorded norms, and a plain update's share of the weights is worked out from the parameters."""

import numpy as np
import pytest

from engine import Experiment, initialize, train
from pages.charts.one_run import norms_per_layer as chart
from tests.charts.odd_runs import pair


def lines(figure, axis):
    return [i for i, one in enumerate(figure.data) if one.mode == "lines+markers" and (one.yaxis or "y") == axis]


def test_heights_are_norms_of_the_weights_and_of_what_an_update_changed():
    experiment = Experiment(n_train=30, depth=3, width=8, steps=1)
    before, history = initialize(experiment), train(experiment)
    figure = chart.figure(history, looks=chart.LOOKS[:1])
    first = dict(zip(figure.frames[0]["traces"], figure.frames[0]["data"], strict=True))
    (norms,), (updates,) = lines(figure, "y"), lines(figure, "y2")
    for layer, weights in enumerate(before.weights):
        start, end = np.asarray(weights).reshape(history.weights[layer][0].shape), history.weights[layer][-1]
        assert first[norms]["y"][layer] == pytest.approx(np.linalg.norm(start))
        assert first[updates]["y"][layer] == pytest.approx(np.linalg.norm(end - start) / np.linalg.norm(start))
    assert (figure.layout.yaxis.type, figure.layout.yaxis2.type) == ("log", "log")


def test_zeros_stand_on_the_lower_edge():
    patient, _ = pair("of zeros")
    assert (patient.weight_norm[0] == 0).all()
    figure = chart.figure(*pair("of zeros"))
    assert any(one.hovertemplate == "exactly 0" for one in figure.data)
    assert "exactly 0" in figure.layout.annotations[-1].text.replace("<br>", " ")
