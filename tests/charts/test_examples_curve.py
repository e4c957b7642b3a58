"""Whether more data helps is read off the measurement."""

import warnings

import numpy as np
import pytest

from engine import Experiment
from pages.charts.sweeps import examples_curve as chart
from pages.charts.sweeps.losses_by_size import curve_of
from tests.charts.made_outcomes import odd
from tests.charts.odd_runs import PAIRS
from tests.engine.made_outcomes import curve

SEEDS = range(8)
OWN = Experiment(n_train=20)


def losses(*medians: float) -> dict[int, list[float]]:
    return {n: [m * (1 + 0.01 * (seed - 3.5)) for seed in SEEDS] for n, m in zip((5, 20, 80), medians, strict=False)}


def results(train, validation):
    return {"Patient": curve("n_train", losses(*train), losses(*validation))}


@pytest.mark.parametrize(
    ("train", "validation", "words"),
    [
        ((0.0, 0.1, 0.2), (2, 1, 0.4), "More data helps: with 80 examples validation loss is 0.4, lower in 8 of 8"),
        ((0.0, 0.1, 0.2), (2, 1, 0.4), "still above the training loss, 0.2: still more data"),
        ((0.6, 0.6, 0.6), (0.61, 0.61, 0.61), "More data does not clearly help"),
        ((0.6, 0.6, 0.6), (0.61, 0.61, 0.61), "not clearly above the training loss: more data would change little"),
        ((0.6, 0.6, 0.6), (0.4, 0.4, 0.4), "not clearly above the training loss: more data would change little"),
        ((0.1, 0.1, 0.1), (1, 1, 1), "above the training loss, 0.1; whether still more data would narrow that is not"),
        ((0.1, 0.2), (1, 0.4), "training loss is 0.2 and validation loss 0.4, the most that were tried"),
        ((0.1,), (1,), "20 examples are not measured yet"),
    ],
)  # fmt: skip
def test_the_sentence_follows_the_measurement(train, validation, words):
    assert words in chart.says(results(train, validation), OWN)
    assert words in chart.alt(results(train, validation), OWN)


def test_more_data_must_help_in_most_seeds():
    measured = curve_of(results((0.1, 0.1, 0.1), (2, 1, 0.4))["Patient"], "n_train")
    assert chart.data_helps(measured, 20) == (True, 8)
    measured.validation[-1, :3] = 2
    assert chart.data_helps(measured, 20) == (False, 5)
    assert chart.data_helps(measured, 33) == (False, 0)


def test_the_figure_is_drawn_against_examples():
    figure = chart.figure(results((0.1, 0.1, 0.1), (2, 1, 0.4)), OWN)
    figure.validate()
    assert figure.layout.xaxis.title.text == "training examples"
    ring = next(one for one in figure._data if one["name"] == "Patient as it is")
    np.testing.assert_allclose(ring["y"], [0.1, 1])
    table = chart.table(results((0.1, 0.1, 0.1), (2, 1, 0.4)), OWN)
    assert sorted(set(table["training examples"])) == [5, 20, 80]


@pytest.mark.parametrize("name", PAIRS)
def test_every_pair_of_runs_is_drawn(name):
    patient, treated = odd(name)
    networks = {"patient": patient.experiment, "treated": treated.experiment}
    both = {"Patient": [patient], "Treated": [treated]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chart.figure(both, **networks).validate()
        assert "nan" not in chart.alt(both, **networks)
