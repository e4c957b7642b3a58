"""Each detector of the data: a run that must raise it, a near miss, and its number counted another way."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, data_digest, diagnose, train, train_many
from engine.doctor import data_detectors, signal_detectors
from engine.doctor.confirming import NOT_CONFIRMED, bears_out
from engine.doctor.examination import Examination
from tests.engine.examined_runs import edited, examined, finding, run


def trained(inputs, targets, /, **settings):
    """A run on handed-in data, and these."""
    data = inputs, targets
    basis = {"n_train": 100, "depth": 2, "width": 16, "activation": "tanh", "initializer": "xavier_normal"}
    e = Experiment(dataset="custom", data_digest=data_digest(*data), **basis | settings)
    return train(e, data), data


def roots(history, data):
    return [found.code for found in diagnose(history, data) if found.role == "cause"]


def plane(size, rows=200):
    """A slope in two inputs, of so large targets."""
    inputs = np.random.default_rng(5).standard_normal((rows, 2))
    return inputs, size * (inputs[:, 0] + inputs[:, 1] ** 2)


# --- targets ---


@pytest.mark.parametrize(("size", "learning_rate"), [(1e3, 0.1), (1e5, 0.01)])
def test_targets_that_are_far_larger_than_outputs_are_to_blame(size, learning_rate):
    inputs, targets = plane(size)
    history, data = trained(inputs, targets, learning_rate=learning_rate, steps=200)
    found = diagnose(history, data)[0]
    rows = Examination(history, data).dataset.train_targets
    assert (found.code, found.severity, found.steps) == ("unscaled_targets", "severe", (0, 0))
    assert found.measured == pytest.approx(np.linalg.norm(rows) / len(rows) ** 0.5)
    assert found.remedies[0] == "target_scale"
    assert {"learning_rate_too_high", "exploding_gradients"} <= set(found.mistaken_for)


def test_targets_of_the_size_of_outputs_and_large_ones_that_are_learnt_are_not():
    history, data = trained(*plane(1.0), learning_rate=1e-6, steps=100)
    assert roots(history, data) == ["learning_rate_too_low"]
    inputs, targets = plane(1.0)
    learnt, data = trained(inputs, targets + 30, learning_rate=0.02, steps=2000)
    assert data_detectors.unscaled_targets(Examination(learnt, data)) is None


# --- inputs ---


@pytest.mark.parametrize("scale", [1e3, 20.0, 0.01])
def test_inputs_far_from_size_one_are_to_blame(scale):
    inputs, targets = plane(1.0)
    history, data = trained(scale * inputs, targets, inputs="raw", learning_rate=0.1, steps=200)
    examination = Examination(history, data)
    found = data_detectors.unscaled_inputs(examination)
    rows = examination.dataset.train_inputs
    assert found.measured == pytest.approx(np.linalg.norm(rows) / rows.size**0.5)
    assert found.remedies[0] == "inputs"
    assert found.confirm.experiment(history.experiment).inputs == "standardised"


def test_one_input_far_larger_than_the_others_is_not_scaled():
    near, far = np.random.default_rng(6).standard_normal((2, 200, 4)) * np.array([[6.0, 0.3, 0.3, 0.3]])
    far *= np.array([1.0, 0.3, 0.3, 0.3])
    targets = near[:, 1]
    raw = [Examination(*trained(rows, targets, inputs="raw", steps=20)) for rows in (near, far)]
    found = data_detectors.unscaled_inputs(raw[1])
    sizes = np.sqrt((raw[1].dataset.train_inputs ** 2).mean(axis=0))
    assert found.measured == pytest.approx(sizes.max() / np.median(sizes))
    assert found.measured > found.threshold == 30
    assert data_detectors.unscaled_inputs(raw[0]) is None
    assert data_detectors.unscaled_inputs(Examination(*trained(far, targets, steps=20))) is None


# --- what the output can take ---


@pytest.mark.parametrize(("output", "low", "high"), [("sigmoid", 0, 1), ("relu", 0, np.inf), ("tanh", -1, 1)])
def test_an_output_that_cannot_reach_the_targets_is_to_blame(output, low, high):
    x = np.linspace(-np.pi, np.pi, 300)[:, None]
    settings = {"n_train": 180, "optimizer": "adam", "learning_rate": 0.01, "steps": 400, "output": output}
    history, data = trained(x, 2 * np.sin(x[:, 0]), **settings)
    found = diagnose(history, data)[0]
    rows = Examination(history, data).dataset.train_targets
    nearest = np.where(rows < low, low, np.where(rows > high, high, rows))
    assert (found.code, found.remedies, found.steps) == ("wrong_output", ("output",), (0, 0))
    assert found.measured == pytest.approx(((rows - nearest) ** 2).mean() / rows.var())
    assert history.train_loss.min() >= ((rows - nearest) ** 2).mean(), "no network does better"
    assert diagnose(train(found.confirm.experiment(history.experiment), data), data) == ()


def test_an_output_that_reaches_the_targets_is_not():
    x = np.linspace(-np.pi, np.pi, 300)[:, None]
    for output, targets in (("sigmoid", np.sin(x) / 2 + 0.5), ("relu", np.sin(x) + 1), ("tanh", 1.1 * np.sin(x))):
        hardly = trained(x, targets[:, 0], n_train=180, output=output, learning_rate=1e-6, steps=20)
        assert data_detectors.wrong_output(Examination(*hardly)) is None, output
    assert finding(data_detectors.wrong_output, run(output="tanh", loss="mse")) is None, "classes are 0 and 1"


def test_an_output_of_relus_loses_classes():
    """Blobs, three classes: an output that is 0 over the whole plane costs its class."""
    settings = {"dataset": "blobs", "n_train": 200, "depth": 2, "width": 16, "optimizer": "adam", "steps": 200}
    settings |= {"learning_rate": 0.01, "output": "relu"}
    for seed in (1, 2, 3):
        history = train(Experiment(**settings, seed=seed))
        found = diagnose(history)[0]
        dark = (history.predictions[-1] == 0).all(axis=(0, 1))
        assert (found.code, found.remedies) == ("wrong_output", ("output",))
        assert found.measured == pytest.approx(dark.mean())
        assert history.test_accuracy < 0.75, "two classes of three are right at best"
        assert diagnose(train(found.confirm.experiment(history.experiment))) == ()
    assert diagnose(train(Experiment(**settings))) == (), "none died"


# --- order ---


def test_sorted_examples_are_found_and_shuffled_ones_are_not():
    settings = {"dataset": "moons", "batch_size": 20, "steps": 100}
    ordered = run(**settings, shuffle=False)
    found = finding(data_detectors.unshuffled, ordered)
    labels = np.sort(examined(ordered).dataset.train_targets[:, 0])
    batches = labels[: len(labels) // 20 * 20].reshape(-1, 20).mean(axis=1)
    expected = ((batches - labels.mean()) ** 2).mean() * 20 / labels.var()
    assert (found.code, found.measured) == ("unshuffled", pytest.approx(expected))
    assert found.measured > found.threshold == 3
    assert found.confirm.experiment(ordered.experiment) == run(**settings).experiment
    assert finding(data_detectors.unshuffled, run(**settings)) is None
    assert finding(data_detectors.unshuffled, run(**settings | {"batch_size": 0}, shuffle=False)) is None


def test_examples_that_were_handed_in_may_come_sorted_too():
    inputs, targets = np.random.default_rng(5).standard_normal((2, 200, 1))
    history, data = trained(inputs, targets[:, 0] > 0, batch_size=10, steps=10, shuffle=False)
    assert "unshuffled" in [found.code for found in diagnose(history, data)]


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"dataset": "breast_cancer", "inputs": "raw", "batch_size": 32}, "unscaled_inputs"),
        ({"dataset": "digits", "n_train": 300, "batch_size": 30, "input_scale": 0.05}, "unscaled_inputs"),
        ({"dataset": "sine", "n_train": 150, "batch_size": 15, "target_scale": 100.0}, "unscaled_targets"),
    ],
)
def test_a_scale_that_is_wrong_outweighs_examples_that_come_sorted(settings, code):
    """Put right alone, the scale leaves little to heal; shuffled alone, next to nothing is better."""
    e = Experiment(depth=2, width=16, activation="relu", initializer="he_normal", learning_rate=0.1, **settings)
    sorted_too = [replace(e, shuffle=False, seed=seed) for seed in (1, 2)]
    for both in train_many(sorted_too):
        cause, *others = diagnose(both)
        assert (cause.code, "unshuffled" in [found.code for found in others]) == (code, True)
        scaled, shuffled = train_many(
            [cause.confirm.experiment(both.experiment), replace(both.experiment, shuffle=True)]
        )
        errors = [min(examined(history).error_share, 1.0) for history in (scaled, shuffled)]
        assert errors[0] < errors[1] - 0.1
        assert bears_out(cause, both, scaled) != NOT_CONFIRMED


# --- validation that is not what it seems ---


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_training_examples_among_the_validation_data_are_counted(share):
    history = run(leakage=share)
    found = finding(data_detectors.leakage, history)
    dataset = examined(history).dataset
    same = (dataset.validation_inputs[:, None] == dataset.train_inputs[None]).all(axis=2).any(axis=1)
    assert (found.code, found.measured) == ("leakage", pytest.approx(same.mean()))
    assert same.mean() == pytest.approx(share, abs=0.02)
    assert diagnose(history)[0].code == "leakage"
    assert finding(data_detectors.leakage, run()) is None
    assert finding(data_detectors.leakage, run(leakage=0.01)) is None
    broken = diagnose(run(leakage=share, learning_rate=30.0))
    assert broken[0].code != "leakage", "that is not why a run breaks down"
    assert (broken[-1].code, broken[-1].role) == ("leakage", "context")


def test_a_few_twins_of_a_tables_own_are_no_leak():
    """One of 30 validation examples, and of a table of categories more than half, of either set."""
    rows = np.random.default_rng(3).normal(size=(150, 2))
    rows[149] = rows[0]
    targets = rows[:, 0] > 0
    for data, twins in (((rows, targets), 1 / 30), ((rows.round(), targets), 0.5)):
        leaked = []
        for seed in range(12):
            history, handed = trained(*data, n_train=90, steps=2, seed=seed)
            examination = Examination(history, handed)
            known = {row.tobytes() for row in examination.dataset.train_inputs}
            new = [row.tobytes() in known for row in examination.dataset.validation_inputs]
            leaked.append((np.mean(new), data_detectors.leakage(examination)))
        assert max(share for share, _ in leaked) >= twins
        assert not any(found for _, found in leaked)


@pytest.mark.parametrize("shift", [-2.0, 1.0, 3.0])
def test_validation_inputs_from_elsewhere_are_found(shift):
    history = run(validation_shift=shift)
    found = finding(data_detectors.validation_shift, history)
    dataset = examined(history).dataset
    centres = [rows.mean(axis=0) for rows in (dataset.validation_inputs, dataset.train_inputs)]
    distance = np.abs(np.subtract(*centres) / dataset.train_inputs.std(axis=0))
    assert (found.code, found.measured) == ("validation_shift", pytest.approx(distance.mean()))  # of two the median
    assert distance.mean() == pytest.approx(abs(shift), abs=0.2)
    assert diagnose(history)[0].code == "validation_shift"
    assert finding(data_detectors.validation_shift, run()) is None
    assert finding(data_detectors.validation_shift, run(validation_shift=0.2)) is None


def test_inputs_that_are_all_the_same_come_from_nowhere_else():
    history, data = trained(np.ones((200, 2)), np.arange(200) % 2, steps=5)
    with warnings.catch_warnings(action="error"):
        assert "validation_shift" not in [found.code for found in diagnose(history, data)]


def test_validation_labels_in_another_code_are_found_in_a_network_that_has_learnt():
    settings = {"dataset": "moons", "optimizer": "adam", "learning_rate": 0.02, "steps": 300}
    other, right = run(**settings, validation_labels="permuted"), run(**settings)
    found = diagnose(other)[0]
    (a, b), (c, d) = other.confusion[-1]
    assert (found.code, found.measured) == ("label_mismatch", pytest.approx((b + c - a - d) / (a + b + c + d)))
    assert finding(data_detectors.label_mismatch, right) is None
    untrained = {"learning_rate": 1e-9, "steps": 20}
    assert finding(data_detectors.label_mismatch, run(**settings | untrained)) is None


# --- classes of unequal size ---


def rare(share, rows=1000):
    draw = np.random.default_rng(3)
    inputs = draw.standard_normal((rows, 4))
    score = inputs[:, 0] + inputs[:, 1] * inputs[:, 2]
    return inputs, (score > np.quantile(score, 1 - share)).astype(int)


def test_a_rare_class_that_is_never_named_is_missed():
    settings = {"n_train": 600, "loss": "mse", "learning_rate": 0.1, "steps": 150}
    history, data = trained(*rare(0.08), **settings)
    found = data_detectors.one_answer(Examination(history, data))
    never, missed = history.confusion[-1][1]
    assert (found.code, found.measured, found.threshold) == ("one_answer", missed / (never + missed), 0.1)
    assert history.validation_accuracy[-1] > 0.9
    balanced = train(found.confirm.experiment(history.experiment), data)
    assert data_detectors.one_answer(Examination(balanced, data)) is None, "the run that confirms it names the class"
    assert f"class “1”, {round(100 * (never + missed) / 200)}" in found.explanation
    well, data = trained(
        *rare(0.08), **settings | {"loss": "auto", "optimizer": "adam", "learning_rate": 0.02, "steps": 400}
    )
    assert data_detectors.one_answer(Examination(well, data)) is None
    assert roots(well, data) == []


def test_equal_classes_have_no_rare_one():
    assert finding(data_detectors.one_answer, run(learning_rate=1e-9)) is None


# --- labels ---


def test_the_only_class_of_the_new_data_is_not_rare_however_often_it_is_missed():
    history = run(learning_rate=1e-9)
    counts = np.zeros_like(history.confusion)
    counts[:, 0, 1] = 300
    found = edited(history, confusion=counts)
    with np.errstate(all="ignore"):
        assert data_detectors.one_answer(found) is None


def test_labels_are_wrong_where_new_data_are_answered_better_than_them():
    settings = {"dataset": "moons", "n_train": 400, "optimizer": "adam", "learning_rate": 0.01, "steps": 200}
    noisy, clean = (run(**settings, label_noise=noise) for noise in (0.3, 0.0))
    found = finding(data_detectors.label_noise, noisy)
    best = noisy.validation_loss.argmin()
    excess = noisy.validation_accuracy[best] - noisy.train_accuracy[best]
    assert (found.code, found.measured) == ("label_noise", pytest.approx(excess))
    assert 0.15 < excess < 0.4
    assert found.measured > found.threshold > 0.05
    assert finding(data_detectors.label_noise, clean) is None


# --- batches ---


@pytest.mark.parametrize("batch", [2, 3])
def test_statistics_of_two_or_three_examples_are_noise(batch):
    settings = {"normalization": "batch", "depth": 4, "dataset": "circles", "steps": 300, "learning_rate": 0.1}
    found = diagnose(run(**settings, batch_size=batch))[0]
    assert (found.code, found.measured, found.threshold) == ("batch_too_small", batch, 4)
    assert found.remedies == ("batch_size", "normalization")
    assert diagnose(run(**settings, batch_size=50)) == ()
    assert finding(data_detectors.batch_too_small, run(batch_size=2)) is None
    assert diagnose(train(found.confirm.experiment(run(**settings, batch_size=batch).experiment))) == ()


@pytest.mark.parametrize("seed", [0, 1])
def test_steps_by_single_examples_undo_each_other(seed):
    settings = {"dataset": "digits", "n_train": 200, "width": 16, "learning_rate": 0.1, "steps": 600, "seed": seed}
    single, fifty = run(**settings, batch_size=1), run(**settings, batch_size=50)
    found = diagnose(single)[0]
    half = single.batch_loss[len(single.batch_loss) // 2 :]
    assert (found.code, found.role, found.layers) == ("batch_too_small", "cause", ())
    assert found.measured == pytest.approx(np.sqrt((half**2).mean() - half.mean() ** 2) / half.mean())
    assert found.measured > found.threshold == 1
    assert {"learning_rate_too_high", "underfitting"} <= set(found.mistaken_for)
    assert finding(data_detectors.noisy_batches, fifty) is None
    assert finding(data_detectors.noisy_batches, run(**settings | {"learning_rate": 0.01}, batch_size=1)) is None
    assert diagnose(train(found.confirm.experiment(single.experiment))) == (), "the run that confirms it is healthy"


def test_batches_of_which_none_was_recorded_say_nothing():
    settings = {"dataset": "digits", "n_train": 200, "width": 16, "learning_rate": 0.1, "steps": 200, "batch_size": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert finding(data_detectors.noisy_batches, train(Experiment(**settings), max_updates=0)) is None


@pytest.mark.parametrize(("rate", "of_the_batch"), [(0.3, True), (3.0, False)])
def test_a_high_rate_with_tiny_batches_is_left_to_a_run_with_larger_ones(rate, of_the_batch):
    settings = {"dataset": "digits", "n_train": 200, "depth": 2, "width": 16, "learning_rate": rate, "steps": 400}
    history = train(Experiment(**settings, batch_size=1))
    found, *rest = diagnose(history)
    assert (found.code, found.role, found.measured) == ("cannot_tell", "cause", 1)
    assert set(found.mistaken_for) == {"learning_rate_too_high", "batch_too_small"}
    assert [one.role for one in rest if one.code == "learning_rate_too_high"] == ["context"]
    confirmed = found.confirm.experiment(history.experiment)
    assert (confirmed.batch_size, confirmed.learning_rate) == (32, rate)
    assert [one.code for one in diagnose(train(confirmed))][:1] == ([] if of_the_batch else ["learning_rate_too_high"])


# --- a start that is too small for R to show ---


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_one_layer_that_starts_tiny_is_not_blamed_on_its_steps(gain):
    settings = {"depth": 1, "width": 5, "activation": "sigmoid", "initializer": "small_normal", "gain": gain}
    history = run(**settings, dataset="xor", learning_rate=0.03, steps=5000)
    found = diagnose(history)[0]
    usual = [np.sqrt(2 * 2 * 5 / 7), np.sqrt(2 * 5 / 6)]
    sizes = [np.linalg.norm(weights[0]) / size for weights, size in zip(history.weights, usual, strict=True)]
    assert (found.code, found.measured) == ("small_start", pytest.approx(np.median(sizes)))
    assert finding(signal_detectors.small_start, run(**settings | {"initializer": "xavier_normal"})) is None


@pytest.mark.parametrize("activation", ["leaky_relu", "gelu"])
@pytest.mark.parametrize("seed", range(3))
def test_a_start_that_is_too_large_is_the_cause_where_nothing_explodes(seed, activation):
    settings = {"dataset": "digits", "n_train": 300, "depth": 1, "width": 24, "activation": activation, "steps": 300}
    settings |= {"initializer": "he_normal", "learning_rate": 0.03, "seed": seed}
    history = run(**settings, gain=2.5)
    found = diagnose(history)[0]
    size = np.linalg.norm(history.weights[1][0]) / np.sqrt(2 * 24 * 10 / 34)
    steepest = {"leaky_relu": 1.0, "gelu": 1.129}[activation]
    assert (found.code, found.measured) == ("large_start", pytest.approx(steepest * size, rel=1e-3))
    assert history.train_loss[0] > 2 * np.log(10), "the first answers are far off"
    assert (found.remedies[0], found.steps) == ("gain", (0, 0))
    assert {"overfitting", "learning_rate_too_high"} <= set(found.mistaken_for)
    assert diagnose(train(found.confirm.experiment(history.experiment))) == (), "the usual start heals it"
    for near in ({"gain": 1.3}, {"gain": 2.5, "normalization": "layer"}):
        assert finding(signal_detectors.large_start, run(**settings | near)) is None


def test_a_large_start_is_no_fault_on_a_line():
    """Of one input: with the usual start the network would do worse."""
    settings = {"dataset": "sine", "n_train": 100, "depth": 1, "width": 16, "activation": "tanh", "gain": 3.0}
    line = run(**settings, initializer="xavier_normal", optimizer="adam", learning_rate=0.01, steps=300, seed=1)
    assert finding(signal_detectors.large_start, line) is None


# --- what cannot be told ---


def test_without_its_data_a_run_that_does_not_do_well_is_not_called_healthy():
    draw = np.random.default_rng(1)
    inputs = draw.standard_normal((400, 3))
    labels = (2.5 * inputs[:, 0] + draw.standard_normal(400) > 0).astype(int)
    history, data = trained(inputs, labels, n_train=200, l2=0.01, learning_rate=0.05, steps=300)
    assert diagnose(history, data) == ()
    (found,) = diagnose(history)
    assert (found.code, found.role) == ("cannot_tell", "cause")
    assert "cannot be told without the data" in found.explanation
