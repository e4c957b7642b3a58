"""PyTorch comes to this engine's losses from the same experiment; the engine's script and the notebook run."""

import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pytest

from engine import SETTINGS, Experiment, OutOfRange, data_digest, diagnose, load_dataset, train
from engine.export.engine_script import engine_script
from engine.export.notebook import notebook
from engine.export.script_parts import call_of
from engine.export.torch_script import torch_script

BASE = Experiment(depth=3, width=6, n_train=40, steps=50, batch_size=16, seed=3)
TOLERANCE = 1e-6  # relative, of each of the first 50 losses
FLOAT32 = 2e-3  # rounding of 24 bits, fifty updates long


def choices(name):
    return SETTINGS[name].choices


def around(**choices):
    """Experiments in which every choice of every setting occurs, each setting turning at a pace of its own."""
    longest = max(map(len, choices.values()))
    turned = {name: itertools.islice(itertools.cycle(values), longest) for name, values in choices.items()}
    return [dict(zip(turned, values, strict=True)) for values in zip(*turned.values(), strict=True)]


NETWORKS = around(
    activation=choices("activation"),
    initializer=choices("initializer"),
    optimizer=choices("optimizer"),
    residual=choices("residual"),
    normalization=(*choices("normalization"), "none"),
    schedule=(*choices("schedule"), "constant"),
    dropout=(0.0, 0.3),
    gain=(1.0, 1.0, 0.7),
    bias=(0.0, 0.1, 0.0),
    bias_mean=(0.2, 0.0, 0.0, 0.0, 0.0),
    learning_rate=(0.02,),
)
REMEDIES = [
    {"clip": "norm", "clip_threshold": 0.1, "l2": 0.1},
    {"clip": "value", "clip_threshold": 0.02, "l1": 0.01},
    {"l1": 0.01, "l2": 0.02, "optimizer": "adamw", "schedule": "cosine"},
    {"l2": 0.3, "optimizer": "adam", "batch_size": 0},
    {"dropout": 0.5, "batch_size": 0},
    {"dropout": 0.2, "batch_size": 13, "normalization": "batch"},  # a last batch of one example
    {"patience": 2, "learning_rate": 0.5},
    {"shuffle": False},
    {"shuffle": False, "dataset": "sine", "target_scale": 10.0, "target_shift": -3.0, "learning_rate": 0.001},
]
_TASKS = itertools.cycle(("moons", "blobs", "sine", "blobs", "moons", "sine", "sine"))
LOSSES = [
    {"loss": loss, "output": output, "dataset": dataset}
    for loss, output, dataset in [
        *((loss, output, next(_TASKS)) for loss in ("mse", "mae", "huber") for output in choices("output")),
        *itertools.product(("auto", "cross_entropy"), ("auto", "sigmoid"), ("moons", "blobs")),
        ("auto", "tanh", "moons"),
        ("auto", "auto", "sine"),
    ]
]
WEIGHTED = [
    {"class_weights": "balanced", "imbalance": 0.2},
    {"class_weights": "balanced", "imbalance": 0.2, "loss": "huber"},
    {"class_weights": "balanced", "dataset": "blobs"},
    {"class_weights": "balanced", "dataset": "blobs", "output": "sigmoid"},
]
DATA = [
    {"dataset": "circles", "label_noise": 0.3, "validation_shift": 1.5, "data_seed": 11},
    {"dataset": "spirals", "noise": 0.2, "leakage": 0.5, "label_noise": 0.1},
    {"dataset": "xor", "inputs": "raw", "input_scale": 3.0, "input_shift": -1.0, "validation_shift": 0.5},
    {"dataset": "blobs", "validation_labels": "permuted", "label_noise": 0.2, "leakage": 0.2},
    {"dataset": "breast_cancer", "inputs": "raw", "input_scale": 0.01, "noise": 0.1, "learning_rate": 0.001},
    {"dataset": "digits", "label_noise": 0.2, "held_out": 0.3, "split": "stratified"},
]
DIVERGING = [{"dataset": "sine", "learning_rate": 1000.0, "loss": "mse"}]


@pytest.fixture
def torch():
    """On one thread: two wait for each other longer than so small a network takes."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    return torch


def run(script, capsys):
    """The names that a script leaves behind, and what it printed."""
    namespace = {"__name__": "__main__"}
    exec(compile(script, "script.py", "exec"), namespace)
    return namespace, capsys.readouterr().out


def named(settings):
    return "-".join(f"{name}={value}" for name, value in settings.items())[:60]


@pytest.mark.parametrize("settings", NETWORKS + REMEDIES + LOSSES + WEIGHTED + DATA + DIVERGING, ids=named)
def test_pytorch_comes_to_the_same_losses(settings, torch, capsys):
    experiment = replace(BASE, **settings)
    history = train(experiment)
    names, printed = run(torch_script(experiment), capsys)
    losses, expected = names["losses"], history.batch_loss
    np.testing.assert_allclose(losses[: len(expected)], expected, rtol=TOLERANCE)
    if history.status == "diverged":
        assert "diverged" in printed
        assert len(losses) - len(expected) in (0, 1), "the last loss may overflow here and not there"
    else:
        assert len(losses) == len(expected)
        assert names["evaluate"](*names["validation"]) == pytest.approx(_validation_loss(history), rel=TOLERANCE)
        assert names["evaluate"](*names["test"]) == pytest.approx(history.test_loss, rel=TOLERANCE)
    assert ("stopped early" in printed) == (history.status == "stopped_early")


def _validation_loss(history):
    """Of the result: the best where it may stop early."""
    return history.validation_loss[
        list(history.evaluation_step).index(history.best_step) if history.experiment.patience else -1
    ]


def test_pytorch_in_the_same_precision(torch, capsys):
    experiment = replace(BASE, precision="float32")
    names, _ = run(torch_script(experiment), capsys)
    assert {parameter.dtype for parameter in names["network"].parameters()} == {torch.float32}
    np.testing.assert_allclose(names["losses"], train(experiment).batch_loss, rtol=FLOAT32)


INPUTS = np.random.default_rng(5).normal(size=(60, 3))
CUSTOM = {
    "text": np.where(INPUTS[:, 0] > 0, "=SUM(1)", '"""\nimport os'),  # names are no part of a script
    "numbers": INPUTS @ [[1.0, 0.0], [0.5, -1.0], [0.0, 2.0]],
}


@pytest.mark.parametrize("targets", CUSTOM.values(), ids=CUSTOM)
def test_own_data_stand_in_the_scripts(targets, torch, capsys):
    data = INPUTS, targets
    units = {"target_scale": 0.5, "target_shift": -2.0}
    experiment = replace(BASE, dataset="custom", n_train=30, data_digest=data_digest(*data), **units)
    history = train(experiment, data)
    mine, printed = run(engine_script(experiment, data), capsys)
    assert all(finding.explanation in printed for finding in diagnose(history, data)), "as where the data are known"
    assert mine["history"].batch_loss.tobytes() == history.batch_loss.tobytes()
    theirs, _ = run(torch_script(experiment, data, [f"x{i}" for i in range(data[0].shape[1])]), capsys)
    raw, seen = (load_dataset(replace(experiment, inputs=inputs), data) for inputs in ("raw", "standardised"))
    assert len(theirs["COLUMNS"]) == raw.n_in
    standardised = (raw.validation_inputs - theirs["ZERO"]) / theirs["ONE"]
    np.testing.assert_allclose(standardised, seen.validation_inputs, atol=1e-9)
    if raw.task == "regression":
        answers = theirs["predict"](raw.validation_inputs)
        loss = 0.5**2 * ((answers - (raw.validation_targets + 2) / 0.5) ** 2).mean()
        assert loss == pytest.approx(train(experiment, data=data).validation_loss[-1], rel=1e-6)
    np.testing.assert_allclose(theirs["losses"], history.batch_loss, rtol=TOLERANCE)
    for script in (engine_script, torch_script):
        with pytest.raises(OutOfRange, match="custom"):
            script(experiment)


def test_the_engines_script_is_the_run_itself(capsys):
    experiment = Experiment(depth=10, activation="sigmoid", initializer="xavier_normal", steps=30, seed=7)
    names, printed = run(engine_script(experiment), capsys)
    history = train(experiment)
    assert names["EXPERIMENT"] == experiment
    assert names["history"].batch_loss.tobytes() == history.batch_loss.tobytes()
    assert f"test loss {history.test_loss:.6g}" in printed
    assert "vanishing_gradients" in printed


def test_the_notebook_is_valid_and_runs_to_its_end(torch, monkeypatch, capsys):
    nbformat, plotly = pytest.importorskip("nbformat"), pytest.importorskip("plotly.graph_objects")
    data = INPUTS, CUSTOM["text"]
    experiment = replace(BASE, dropout=0.2, dataset="custom", n_train=30, data_digest=data_digest(*data))
    book = json.loads(notebook(experiment, data, ["x", "y", "z"], link="https://clinic.example/`x`"))
    nbformat.validate(nbformat.from_dict(book))
    shown = []
    monkeypatch.setattr(plotly.Figure, "show", lambda figure: shown.append(figure.data))
    names = {"__name__": "__main__"}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], cell["id"], "exec"), names)
    losses, gradients, compared = shown
    history = train(experiment, data)
    np.testing.assert_array_equal(losses[0].y, history.train_loss)
    np.testing.assert_array_equal(gradients[-1].y, history.delta_rms[-1])
    np.testing.assert_allclose(compared[1].y, history.batch_loss, rtol=TOLERANCE)
    raw = load_dataset(replace(experiment, inputs="raw"), data)
    second, truth = names["predict"](raw.validation_inputs), raw.validation_targets[:, 0]
    assert -np.log(np.where(truth == 1, second, 1 - second)).mean() == pytest.approx(history.validation_loss[-1])
    counts = [[((truth == true) & ((second > 0.5) == said)).sum() for said in (0, 1)] for true in (0, 1)]
    np.testing.assert_array_equal(counts, history.confusion[-1])
    assert float(re.search(r"largest relative difference: (\S+)", capsys.readouterr().out)[1]) < TOLERANCE


def test_an_experiment_is_written_out_whole():
    other = {"learning_rate": 1e-05, "input_shift": -3.5, "data_digest": "0a" * 32, "shuffle": False, "seed": 2**31 - 1}
    chosen = {name: setting.choices[-1] for name, setting in SETTINGS.items() if setting.choices}
    experiment = Experiment(**chosen | other)
    text = call_of(experiment)
    assert eval(text, {"Experiment": Experiment}) == experiment
    assert max(map(len, text.splitlines())) <= 120


def test_a_script_has_only_what_its_experiment_uses():
    script = torch_script(Experiment())
    for word in ("masks", "norms", "penalty", "clip", "scheduler", "zlib", "deepcopy", "LABEL_NOISE", "CLASS_WEIGHTS"):
        assert word not in script
