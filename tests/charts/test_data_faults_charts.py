"""The charts of the lesson on data faults draw what was measured, of every pair of runs."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, load_dataset, train
from pages.charts.one_run import batch_losses, inputs_by_feature, recall_by_class, three_sets
from pages.charts.style.axes import named_ticks
from pages.text.three_sets import SETS, recalls, scores
from tests.charts.odd_runs import FOUR, PAIRS, pair

CHARTS = (batch_losses, inputs_by_feature, recall_by_class, three_sets)
SORTED = Experiment(dataset="digits", inputs="raw", n_train=95, batch_size=10, shuffle=False, width=8, steps=34)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.__name__.split(".")[-1])
def test_every_pair_is_drawn_and_told(chart, name):
    chart.figure(*pair(name)).validate()
    assert chart.alt(*pair(name)).startswith("Patient: ")
    chart.table(*pair(name))


def test_inputs_are_as_high_as_their_root_mean_square_largest_first():
    history = train(replace(SORTED, dataset="breast_cancer"))
    figure, data = inputs_by_feature.figure(history, history), load_dataset(history.experiment)
    drawn = next(trace for trace in figure.data if trace.name == "Patient training")
    expected = dict(zip(data.input_names, np.sqrt((data.train_inputs**2).mean(axis=0)), strict=True))
    assert dict(zip(drawn.text, drawn.y, strict=True)) == pytest.approx(expected)
    assert list(drawn.y) == sorted(drawn.y, reverse=True)
    four = inputs_by_feature.figure(*[history] * 4, looks=FOUR).data
    first = [trace.x[0] for trace in four if trace.name.endswith("training")]
    assert len(set(first)) == 4, "marks of one height beside each other"
    assert max(abs(x - 1) for x in first) < 0.5


def test_the_batches_of_an_epoch_are_those_that_were_trained_on():
    history = train(SORTED)  # ten batches an epoch, the last of them short
    figure = batch_losses.figure(history, history)
    assert batch_losses.batches(history) == 10
    for frame in figure.frames:
        first = min(int(frame["name"]) // 10, 2) * 10  # three whole epochs, and four updates more
        np.testing.assert_allclose(frame["data"][0]["y"], history.batch_loss[first : first + 10], rtol=1e-6)


def test_recall_is_the_confusion_s_diagonal_over_its_rows():
    history = train(SORTED)
    counts = history.confusion[-1]
    expected = [counts[k, k] / counts[k].sum() for k in range(10)]
    np.testing.assert_allclose(recalls(history)[-1], expected)
    patient = recall_by_class.figure(history, history).data[0]
    np.testing.assert_allclose(patient.y, expected, rtol=1e-6)


def test_three_sets_have_their_numbers_and_standard_errors():
    history = train(SORTED)
    values = history.train_accuracy[-1], history.validation_accuracy[-1], history.test_accuracy
    sizes = 95, history.confusion[-1].sum(), len(load_dataset(SORTED).test_inputs)
    for name, found, p, n in zip(SETS, scores(history), values, sizes, strict=True):
        assert found == pytest.approx((p, (p * (1 - p) / n) ** 0.5)), name
    np.testing.assert_allclose(three_sets.figure(history, history).data[0].y, values, rtol=1e-6)


def test_names_side_by_side_are_broken_or_cut_rather_than_turned():
    ticks, more = named_ticks(range(4), ["petal width", "age", "extraordinarily", "a\nb"])
    assert ticks["ticktext"] == ["petal<br>width", "age", "extra…ly", "a<br>b"]
    assert (ticks["tickangle"], more > 0) == (0, True)
    history = train(Experiment(dataset="blobs", steps=3))
    layout = recall_by_class.figure(history, history).layout
    assert all(text.count("<br>") == 1 and text.endswith("%") for text in layout.xaxis.ticktext)
