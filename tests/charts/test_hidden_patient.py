"""Charts of a patient whose settings are hidden: what they draw is what was measured, and they name no setting."""

import json
import re
import warnings
from dataclasses import replace

import numpy as np
import plotly.io
import pytest

from engine import SETTINGS, Experiment, load_dataset, train
from engine.data.baselines import average_loss
from pages.charts.hidden_patient import FREE, VIEWS, task
from pages.text.labels import name
from tests.charts.odd_runs import ILL_WORDED, PAIRS, pair

ALL = {"loss": FREE, **VIEWS}
MOST_BYTES = 70_000
# Words that stand for a setting's value; "zeros" and "constant" are words of every day, and "linear" of axes.
HIDDEN = {
    name(choice)
    for field in ("activation", "initializer", "optimizer", "normalization", "clip")
    for choice in SETTINGS[field].choices
} - {"none", "value", "norm", "linear", "layer", "batch", "zeros", "orthogonal"}


@pytest.fixture(scope="module")
def history():
    return train(Experiment(depth=3, width=6, steps=60, l2=0.05, activation="tanh", initializer="xavier_normal"))


@pytest.mark.parametrize("key", ALL)
@pytest.mark.parametrize("pair_name", PAIRS)
def test_every_odd_run_is_drawn_and_gives_nothing_away(key, pair_name):
    one, run = ALL[key], pair(pair_name)[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, text, table = one.figure(run), one.alt(run), one.table(run)
    figure.validate()
    sent = plotly.io.to_json(figure.to_dict(), validate=False)
    assert len(sent) < MOST_BYTES
    assert text.endswith(".")
    assert text[0].isupper()
    assert not ILL_WORDED.search(text)
    assert len(table) or not len(run.step) or (key == "classes" and run.confusion is None)
    message = " ".join([text, *map(str, table.columns), *strings(json.loads(sent))])
    assert not [word for word in HIDDEN if re.search(rf"\b{re.escape(word)}\b", message, re.IGNORECASE)]


def strings(part) -> list[str]:
    """Every text in a figure, but for encoded numbers."""
    if isinstance(part, str):
        return [part]
    values = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    inside = [text for value in values for text in strings(value)]
    return [text for text in inside if not (isinstance(part, dict) and text == part.get("bdata"))]


def trace(figure, text: str, row: str = "y"):
    return next(one for one in figure.data if text in (one.name or "") and (one.yaxis or "y") == row)


def test_loss_and_new_data_are_the_run(history):
    assert (trace(FREE.figure(history), "training loss")["y"] == history.train_loss).all()
    assert trace(FREE.figure(history), "average")["y"] == (average_loss(history.experiment),) * 2
    figure = VIEWS["new_data"].figure(history)
    assert (trace(figure, "training data")["y"] == history.train_loss).all()
    assert (trace(figure, "new data")["y"] == history.validation_loss).all()
    assert (trace(figure, "new data", "y2")["y"] == history.validation_accuracy).all()
    assert list(VIEWS["new_data"].table(history).iloc[:, 2]) == list(history.validation_loss)


def test_a_flat_loss_has_room_and_a_label_above_it():
    flat = train(Experiment(activation="sigmoid", depth=10, initializer="xavier_normal", steps=20))
    top = FREE.figure(flat).layout["yaxis"]["range"][1]
    assert top > 1.3 * average_loss(flat.experiment)


def test_layers_at_the_start_and_at_the_end(history):
    figure = VIEWS["gradients"].figure(history)
    steps = history.experiment.steps
    assert (trace(figure, "at the first update, step 0 to 1")["y"] == history.delta_rms[0]).all()
    assert (trace(figure, f"at the last update, step {steps - 1} to {steps}")["y"] == history.delta_rms[-1]).all()
    figure = VIEWS["units"].figure(history)
    assert (trace(figure, "start")["y"] == history.activation_mean[0]).all()
    assert trace(figure, "end")["error_y"]["array"] == pytest.approx(history.activation_std[-1])
    assert trace(figure, "saturated, at the end", "y2")["y"][:-1] == pytest.approx(
        100 * history.saturated_fraction[-1, :-1]
    )
    figure = VIEWS["weights"].figure(history)
    assert trace(figure, "end")["median"] == pytest.approx([np.median(weights[-1]) for weights in history.weights])


def test_steps_and_what_pulls(history):
    figure = VIEWS["steps"].figure(history)
    ratio = history.update_norm / history.weight_norm
    assert trace(figure, "layer 1")["y"] == pytest.approx(ratio[:, 0])
    assert trace(figure, "pull of the data", "y2")["y"] == pytest.approx(history.data_gradient_norm)
    assert trace(figure, "pull of a penalty", "y2")["y"] == pytest.approx(history.penalty_gradient_norm)
    free = train(Experiment(depth=1, width=4, steps=20))
    assert not [one for one in VIEWS["steps"].figure(free).data if "penalty" in (one.name or "")]
    assert "nothing but the data pulls" in VIEWS["steps"].alt(free)
    stuck = replace(free, update_norm=np.zeros_like(free.update_norm))
    for one, expected in ((stuck, True), (free, False)):
        notes = " ".join(note.text for note in VIEWS["steps"].figure(one).layout.annotations)
        assert ("Updates of exactly 0 are not drawn" in notes.replace("<br>", " ")) is expected


def test_inputs_of_training_and_of_new_data():
    run = train(Experiment(dataset="moons", depth=1, width=4, steps=5, input_scale=0.01, validation_shift=2.0))
    data, figure = load_dataset(run.experiment), VIEWS["inputs"].figure(run)
    assert trace(figure, "training data")["y"] == pytest.approx(data.train_inputs.mean(axis=0))
    assert trace(figure, "new data")["error_y"]["array"] == pytest.approx(data.validation_inputs.std(axis=0))
    sizes = np.sqrt((data.train_inputs**2).mean(axis=0))
    assert trace(figure, "training data", "y2")["y"] == pytest.approx(sizes)
    assert "0.01 over all of them; the mean of new data lies 2" in VIEWS["inputs"].alt(run)


def test_recall_of_a_rare_class_and_the_batches_of_an_epoch():
    settings = {"noise": 0.9, "imbalance": 0.05, "n_train": 95, "batch_size": 10, "shuffle": False}
    run = train(Experiment(dataset="moons", depth=1, width=4, steps=45, **settings))
    counts = run.confusion[-1]
    figure = VIEWS["classes"].figure(run)
    assert trace(figure, "recall")["y"] == pytest.approx(np.diag(counts) / counts.sum(axis=1))
    assert trace(figure, "share")["y"] == pytest.approx(counts.sum(axis=1) / counts.sum())
    figure = VIEWS["batches"].figure(run)
    assert (trace(figure, "first")["y"] == run.batch_loss[:10]).all()
    assert (trace(figure, "last whole")["y"] == run.batch_loss[30:40]).all(), "the fifth epoch was not finished"
    assert "10 batches an epoch" in VIEWS["batches"].alt(run)
    assert f"{run.test_accuracy:.1%}"[:2] in VIEWS["sets"].alt(run)


def test_the_answers_do_not_say_how_inputs_are_scaled():
    run = train(Experiment(dataset="moons", depth=1, width=4, steps=5, input_scale=100.0))
    assert VIEWS["answers"].figure(run).layout.xaxis.title.text == "x₁"
    assert not [name for name in VIEWS["answers"].table(run) if "standardised" in name]


def test_words_say_the_numbers_of_the_drawing():
    history = pair("plain")[0]
    assert f"step {history.best_step}" in VIEWS["new_data"].alt(history)
    assert "hidden layer 4" in VIEWS["gradients"].alt(history)
    assert "in layer" in VIEWS["units"].alt(history)


def test_the_task_is_told_and_nothing_else():
    history = train(Experiment(dataset="digits", n_train=60, steps=7, depth=1, width=5))
    assert task(history) == (
        "**Handwritten digits**: 10 classes to tell apart from 64 inputs. 60 training examples, 7 training steps."
    )
    assert "a number to predict from 1 input." in task(pair("of regression")[0])
