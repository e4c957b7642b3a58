"""What spoils data, each setting against its definition; and that it changes nothing else."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, OutOfRange, batch_indices, data_digest, load_dataset, train, train_many
from engine.data.baselines import average_loss
from engine.data.sources import DATASETS, read_table
from engine.training import stacks
from tests.engine.contract import assert_well_formed, difference, same_bits

DRAWN = [name for name, source in DATASETS.items() if source.draw]
TWO_CLASSES = [name for name in DRAWN if DATASETS[name].task == "binary"]
NAMED = [name for name in DATASETS if name != "custom"]
SPLITS = "train", "validation", "test"
ARRAYS = [f"{split}_{part}" for split in SPLITS for part in ("inputs", "targets")]

draw = np.random.default_rng(0)
TABLE = draw.normal((5, -300, 0), (0.01, 40, 1e5), (400, 3))
NUMBERS = TABLE[:, :2] @ [3.0, 0.1]
LABELS = np.array(["ill", "well", "dead"])[np.arange(400) % 3]


def changed(one, other):
    """Names of the arrays in which two data sets differ in any bit."""
    return {name for name in ARRAYS if getattr(one, name).tobytes() != getattr(other, name).tobytes()}


def pair(settings, **changes):
    """The data of an experiment, and of the same one with changes; custom where the settings have `targets`."""
    data = None
    if "targets" in settings:
        data = TABLE, settings["targets"]
        settings = {"dataset": "custom", "data_digest": data_digest(*data), "n_train": 200}
    experiment = Experiment(**settings)
    return load_dataset(experiment, data), load_dataset(replace(experiment, **changes), data)


EVERY = [{"dataset": name, "seed": 5} for name in NAMED] + [{"targets": NUMBERS}, {"targets": LABELS}]
every = pytest.mark.parametrize("settings", EVERY, ids=lambda each: each.get("dataset", "custom"))


# --- units ---


@pytest.mark.parametrize("noise", [-1.0, 0.5])
@every
def test_raw_inputs_are_the_standardised_ones_times_deviation_plus_mean(settings, noise):
    standardised, raw = pair(settings | ({} if "targets" in settings else {"noise": noise}), inputs="raw")
    assert changed(standardised, raw) == {f"{split}_inputs" for split in SPLITS}
    zero, one = raw.units
    for split in SPLITS:
        mine, theirs = getattr(raw, f"{split}_inputs"), getattr(standardised, f"{split}_inputs")
        np.testing.assert_allclose(mine, theirs * one + zero, rtol=1e-9, atol=1e-12 * np.abs(mine).max())


@pytest.mark.parametrize("name", ["breast_cancer", "digits"])
def test_raw_inputs_of_a_real_set_are_its_table(name):
    table, classes = read_table(f"{name}.csv")
    rows = {(*inputs, target) for inputs, target in zip(table.tolist(), classes.tolist(), strict=True)}
    dataset = load_dataset(Experiment(dataset=name, inputs="raw"))
    for split in SPLITS:
        inputs, targets = getattr(dataset, f"{split}_inputs"), getattr(dataset, f"{split}_targets").ravel()
        assert all((*x, y) in rows for x, y in zip(inputs.tolist(), targets.tolist(), strict=True))
    largest = {"breast_cancer": 4254, "digits": 16}[name]  # the worst area, the darkest pixel
    assert table.max() == largest
    assert np.max([getattr(dataset, f"{split}_inputs").max() for split in SPLITS]) <= largest


def test_raw_inputs_of_custom_data_are_those_handed_in():
    rows = {(*inputs, target) for inputs, target in zip(TABLE.tolist(), NUMBERS.tolist(), strict=True)}
    _, raw = pair({"targets": NUMBERS}, inputs="raw")
    assert all((*x, *y) in rows for x, y in zip(raw.train_inputs.tolist(), raw.train_targets.tolist(), strict=True))


@pytest.mark.parametrize("inputs", ["standardised", "raw"])
@every
def test_inputs_are_multiplied_and_then_shifted(settings, inputs):
    before, _ = pair(settings)
    if inputs == "raw":
        _, before = pair(settings, inputs="raw")
    _, after = pair(settings, inputs=inputs, input_scale=1e3, input_shift=-7)
    assert changed(before, after) == {f"{split}_inputs" for split in SPLITS}
    for split in SPLITS:
        np.testing.assert_array_equal(getattr(after, f"{split}_inputs"), 1e3 * getattr(before, f"{split}_inputs") - 7)
    np.testing.assert_array_equal(after.units.zero, 1e3 * before.units.zero - 7)
    np.testing.assert_array_equal(after.units.one, 1e3 * before.units.one)


@every
def test_targets_of_a_regression_are_scaled_and_shifted_and_classes_left_alone(settings):
    before, after = pair(settings, target_scale=1e4, target_shift=-7)
    if before.task != "regression":
        assert changed(before, after) == set()
        return
    assert changed(before, after) == {f"{split}_targets" for split in SPLITS}
    for split in SPLITS:
        expected = 1e4 * getattr(before, f"{split}_targets") - 7
        np.testing.assert_array_equal(getattr(after, f"{split}_targets"), expected)


@pytest.mark.parametrize("loss", ["auto", "mse"])
def test_what_has_to_be_beaten_is_in_the_units_of_the_targets(loss):
    sine = Experiment(dataset="sine", loss=loss)
    large = replace(sine, target_scale=1e3, target_shift=5e3)
    assert average_loss(large) == pytest.approx(1e6 * average_loss(sine), rel=1e-12)


def test_losses_are_in_the_units_of_the_targets():
    """Before anything is learnt, a network that says 0 everywhere is wrong by the targets' mean square."""
    history = train(Experiment(dataset="sine", target_scale=100, initializer="zeros", steps=1))
    dataset = load_dataset(history.experiment)
    for split in ("train", "validation"):
        mean_square = (getattr(dataset, f"{split}_targets") ** 2).mean()
        assert getattr(history, f"{split}_loss")[0] == pytest.approx(mean_square, rel=1e-12)
        assert mean_square > 1000


@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "xor", "blobs", "sine"])
def test_the_predicted_plane_covers_the_training_inputs_in_their_units(name):
    experiment = Experiment(dataset=name, steps=1)
    standard = train(experiment)
    for changes in ({"inputs": "raw"}, {"input_scale": 1e3}, {"input_scale": 1e-3, "input_shift": 40.0}):
        history = train(replace(experiment, **changes))
        dataset = load_dataset(history.experiment)
        zero, one = dataset.units
        for axis, before, inputs, start, step in zip(
            history.prediction_axes, standard.prediction_axes, dataset.train_inputs.T, zero, one, strict=True
        ):
            assert axis[0] <= inputs.min() < inputs.max() <= axis[-1]
            assert axis[-1] - axis[0] == pytest.approx(step * (before[-1] - before[0]), rel=1e-3)
            np.testing.assert_allclose(axis, start + step * before, rtol=1e-5, atol=1e-6 * np.abs(axis).max())


# --- classes of unequal size ---


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1, 0.25, 0.37, 0.499])
@pytest.mark.parametrize("name", TWO_CLASSES)
def test_the_second_class_has_its_share_within_rounding_in_every_split(name, share):
    dataset = load_dataset(Experiment(dataset=name, imbalance=share, n_train=437))
    for split in SPLITS:
        targets = getattr(dataset, f"{split}_targets").ravel()
        for n in (7, 50, 256, len(targets)):  # the first examples too: the probe, and small training sets
            assert abs(targets[:n].sum() - share * min(n, len(targets))) <= 0.5 + 1e-9


@pytest.mark.parametrize("name", TWO_CLASSES)
def test_an_unequal_share_moves_examples_to_the_other_class_and_no_others(name):
    """Noise aside, examples of either class lie where that class lies, and those that keep theirs stay in place."""
    uniform = np.random.default_rng(0).random((100, 3))
    turned = (uniform + np.eye(3)[0] / 2) % 1
    labels, others = (DATASETS[name].draw(u, np.zeros((100, 2)))[1] for u in (uniform, turned))
    assert (labels != others).all(), "half a turn of u[:, 0] leads to the other class: see Source in data/sources.py"
    clean = {"dataset": name, "noise": 0.0, "n_train": 2000}
    before, after = pair(clean, imbalance=0.1)
    kept = (before.train_targets == after.train_targets).ravel()
    assert 0.4 < kept.mean() < 0.6  # an example's class does not hang on what it was
    np.testing.assert_array_equal(before.train_inputs[kept], after.train_inputs[kept])
    assert (before.train_inputs[~kept] != after.train_inputs[~kept]).any(axis=1).all()
    # the nearest of 2,000 noise-free examples is of the same class
    distance = ((after.train_inputs[:, None] - before.train_inputs[None]) ** 2).sum(axis=2)
    nearest = before.train_targets[np.where(distance == 0, np.inf, distance).argmin(axis=1)]
    assert (nearest == after.train_targets).mean() > 0.98


def test_more_examples_of_unequal_classes_are_appended():
    small, large = (load_dataset(Experiment(imbalance=0.07, n_train=n)) for n in (50, 300))
    np.testing.assert_array_equal(small.train_inputs, large.train_inputs[:50])
    np.testing.assert_array_equal(small.train_targets, large.train_targets[:50])


# --- what validation examples are ---


def rows_of(dataset, split):
    return np.column_stack([getattr(dataset, f"{split}_inputs"), dataset.target_rows(split)])


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
@every
def test_leaked_examples_are_training_examples_by_count(settings, share):
    before, after = pair(settings, leakage=share)
    assert "validation_inputs" in changed(before, after) <= {"validation_inputs", "validation_targets"}
    training = set(map(tuple, rows_of(before, "train")))
    leaked = np.array([tuple(row) in training for row in rows_of(after, "validation")])
    assert leaked.sum() == round(share * len(leaked))
    same = (rows_of(before, "validation") == rows_of(after, "validation")).all(axis=1)
    assert (same | leaked).all()


def test_more_leakage_leaks_more_and_no_example_twice_while_another_is_left():
    experiment = Experiment(n_train=100)
    clean = rows_of(load_dataset(experiment), "validation")
    replaced = np.zeros(300, bool)
    for share, times in ((0.1, 1), (1 / 3, 1), (0.5, 2), (1.0, 3)):
        rows = rows_of(load_dataset(replace(experiment, leakage=share)), "validation")
        now = (rows != clean).any(axis=1)
        assert now[replaced].all()
        replaced = now
        assert replaced.sum() == round(300 * share)
        assert np.unique(rows[replaced], axis=0, return_counts=True)[1].max() == times


def test_what_leaks_is_as_it_is_in_the_training_set():
    """With the labels that training uses, and whatever else happens to the validation examples."""
    spoilt = Experiment(label_noise=0.4, leakage=1.0, validation_shift=3, validation_labels="permuted", inputs="raw")
    dataset = load_dataset(spoilt)
    training = set(map(tuple, rows_of(dataset, "train")))
    assert {tuple(row) for row in rows_of(dataset, "validation")} == training


@pytest.mark.parametrize("inputs", ["standardised", "raw"])
@every
def test_validation_inputs_are_shifted_by_standard_deviations(settings, inputs):
    before, after = pair(settings | ({} if "targets" in settings else {"inputs": inputs}), validation_shift=-1.5)
    assert changed(before, after) == {"validation_inputs"}
    moved = after.validation_inputs - before.validation_inputs
    np.testing.assert_allclose(moved, np.broadcast_to(-1.5 * before.units.one, moved.shape), rtol=1e-6)


def test_the_shift_is_in_the_units_of_the_inputs():
    before, after = pair({"input_scale": 100, "inputs": "raw", "dataset": "breast_cancer"}, validation_shift=2)
    deviations = (after.validation_inputs - before.validation_inputs)[0] / before.train_inputs.std(axis=0)
    np.testing.assert_allclose(deviations, 2, rtol=0.3)  # over 150 of the examples that the constants are from


@pytest.mark.parametrize("seed", range(5))
@every
def test_permuted_labels_are_another_code_without_a_fixed_point(settings, seed):
    before, after = pair(settings, validation_labels="permuted", data_seed=seed)
    if before.task == "regression":
        return
    _, before = pair(settings, data_seed=seed)
    assert changed(before, after) == {"validation_targets"}
    code = {}
    for old, new in zip(before.validation_targets.ravel(), after.validation_targets.ravel(), strict=True):
        assert code.setdefault(old, new) == new
    assert sorted(code) == sorted(code.values()) == list(range(len(before.class_names)))
    assert all(old != new for old, new in code.items())


def test_permuted_labels_leave_numbers_alone():
    assert changed(*pair({"dataset": "sine"}, validation_labels="permuted")) == set()


def test_a_network_is_right_on_the_test_set_and_wrong_where_labels_are_in_another_code():
    history = train(Experiment(dataset="blobs", validation_labels="permuted", optimizer="adam", learning_rate=0.01))
    assert history.test_accuracy > 0.9
    assert history.validation_accuracy[-1] < 0.1
    correct = train(replace(history.experiment, validation_labels="right"))
    assert correct.last_test_loss == history.last_test_loss
    np.testing.assert_array_equal(correct.train_loss, history.train_loss)
    assert correct.validation_accuracy[-1] > 0.9


def test_early_stopping_believes_the_validation_set_that_it_gets():
    learner = Experiment(
        n_train=40, label_noise=0.3, width=64, optimizer="adam", learning_rate=0.02, patience=5, steps=600
    )
    honest, leaked = train(learner), train(replace(learner, leakage=1.0))
    assert honest.status == "stopped_early"
    assert leaked.best_step > 2 * honest.best_step
    assert leaked.test_loss > honest.test_loss


# --- the order of examples ---


@pytest.mark.parametrize("settings", [each for each in EVERY if "dataset" in each], ids=lambda each: each["dataset"])
def test_unshuffled_batches_go_through_the_classes_the_same_way_every_epoch(settings):
    experiment = Experiment(**settings | {"n_train": 47, "batch_size": 10, "shuffle": False, "label_noise": 0.2})
    targets = load_dataset(experiment).train_targets.ravel()
    first, second = (np.concatenate([batch_indices(experiment, 5 * epoch + i) for i in range(5)]) for epoch in (0, 1))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.sort(first), np.arange(47))
    ordered = targets[first]
    assert (np.diff(ordered) >= 0).all()
    for value in np.unique(ordered):  # within a class, as they come
        assert (np.diff(first[ordered == value]) > 0).all()
    assert changed(load_dataset(experiment), load_dataset(replace(experiment, shuffle=True))) == set()


def test_unshuffled_custom_data():
    data = TABLE, LABELS
    experiment = Experiment(
        dataset="custom", data_digest=data_digest(*data), n_train=200, batch_size=200 // 3, shuffle=False
    )
    targets = load_dataset(experiment, data).train_targets
    assert len(set(targets[batch_indices(experiment, 0, data)])) <= 2
    with pytest.raises(OutOfRange, match="accompanied by its arrays"):
        batch_indices(experiment, 0)


def test_training_without_shuffling_uses_those_batches():
    """The loss of every batch at weights that hardly move is that of its examples."""
    experiment = Experiment(batch_size=25, shuffle=False, learning_rate=1e-12, steps=12)
    history = train(experiment)
    alone = [train(replace(experiment, batch_size=0, steps=1)).batch_loss[0]]
    assert history.batch_loss[:6].mean() == pytest.approx(alone[0], rel=1e-9)
    np.testing.assert_allclose(history.batch_loss[:6], history.batch_loss[6:], rtol=1e-9)
    assert history.batch_loss[:6].std() > 2.5 * train(replace(experiment, shuffle=True)).batch_loss[:6].std()


@same_bits
def test_shuffling_does_not_matter_where_a_batch_has_all_examples():
    experiment = Experiment(steps=20)
    sorted_ones = train(replace(experiment, shuffle=False))
    assert difference(replace(sorted_ones, experiment=experiment), train(experiment)) is None


# --- together ---

SPOILT = {
    "inputs": "raw", "input_scale": 3.0, "input_shift": 1.0, "target_scale": 10.0, "target_shift": 3.0,
    "shuffle": False, "leakage": 0.4, "validation_shift": 2.0, "validation_labels": "permuted",
}  # fmt: skip


@same_bits
@pytest.mark.parametrize("settings", [{}, {"dataset": "sine"}, {"dataset": "digits"}], ids=["moons", "sine", "digits"])
def test_every_fault_in_one_stack_is_what_it_is_alone(settings):
    base = Experiment(**settings, batch_size=32, steps=40, patience=3, learning_rate=0.01, dropout=0.1)
    more = {"imbalance": 0.1} if not settings else {}
    stack = [base] + [replace(base, **{name: value}) for name, value in (SPOILT | more).items()]
    stack.append(replace(base, **SPOILT | more))
    assert len(stacks(stack)) == 1
    for experiment, history in zip(stack, train_many(stack), strict=True):
        assert difference(train(experiment), history) is None, experiment
    spoilt = train(stack[-1])
    assert_well_formed(spoilt, load_dataset(base).n_in, load_dataset(base).n_out)


@pytest.mark.parametrize("name", SPOILT)
def test_defaults_are_what_there_was_before(name):
    """Said or not; and a fault draws from a stream of its own, so that training alone never hears of one."""
    experiment = Experiment(dataset="blobs", batch_size=32, steps=20, dropout=0.2)
    assert replace(experiment, **{name: getattr(Experiment(), name)}) == experiment
    if name in ("leakage", "validation_shift", "validation_labels"):
        clean, spoilt = train(experiment), train(replace(experiment, **{name: SPOILT[name]}))
        for mine, theirs in zip(clean.weights, spoilt.weights, strict=True):
            np.testing.assert_array_equal(mine[-1], theirs[-1])
        assert clean.last_test_loss == spoilt.last_test_loss
        assert (clean.validation_loss != spoilt.validation_loss).any()


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_numbers_of_every_size_train_or_are_refused(precision):
    base = {"dataset": "custom", "n_train": 60, "steps": 20, "precision": precision, "batch_size": 16}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (1e-80, 1e-20, 1e12, 1e28):
            data = TABLE[:, :2] * size / 1e4, NUMBERS
            history = train(Experiment(**base, data_digest=data_digest(*data), inputs="raw"), data)
            assert history.status in ("completed", "diverged")
        data = TABLE * 1e60, NUMBERS
        digest = data_digest(*data)
        train(Experiment(**base, data_digest=digest), data)
        with pytest.raises(OutOfRange, match=r"^inputs is 'raw', but it must be standardised\. In these units"):
            train(Experiment(**base, data_digest=digest, inputs="raw"), data)
        data = TABLE, NUMBERS * 1e304
        with pytest.raises(OutOfRange, match=r"^target_scale is 1000000\.0, but it must be 1\. In these units"):
            train(Experiment(**base, data_digest=data_digest(*data), target_scale=1e6), data)
