"""Data sets: bundled tables against scikit-learn, constants against the formulas, and what never changes what."""

import hashlib
import pickle
import time
from dataclasses import fields, replace

import numpy as np
import pytest

from engine import Experiment, OutOfRange, data_digest, load_dataset
from engine.data.loading import Dataset
from engine.data.sources import ASSETS, DATASETS, read_table
from engine.randomness import DATA, generator

DRAWN = [name for name, source in DATASETS.items() if source.draw]
REAL = "breast_cancer", "digits"
SPLITS = "train", "validation", "test"


def arrays(dataset):
    return {row.name: value for row in fields(dataset) if isinstance(value := getattr(dataset, row.name), np.ndarray)}


def assert_same(one, other, names=None):
    for name, array in arrays(one).items():
        if names is None or name.startswith(names):
            np.testing.assert_array_equal(array, getattr(other, name), err_msg=name)


# --- bundled data ---


def scikit_learns(name):
    return getattr(pytest.importorskip("sklearn.datasets"), f"load_{name}")()


@pytest.mark.parametrize("name", REAL)
def test_bundled_tables_are_scikit_learns_to_the_last_bit(name):
    expected = scikit_learns(name)
    inputs, targets = read_table(f"{name}.csv")
    np.testing.assert_array_equal(inputs, expected.data)
    np.testing.assert_array_equal(targets, expected.target)
    assert DATASETS[name].class_names == tuple(str(label) for label in expected.target_names)


def test_names_of_the_inputs():
    assert DATASETS["breast_cancer"].input_names == tuple(scikit_learns("breast_cancer").feature_names)
    assert DATASETS["digits"].input_names[:9] == (*(f"pixel 1,{column}" for column in range(1, 9)), "pixel 2,1")


@pytest.mark.parametrize("name", REAL)
def test_bundled_tables_state_source_and_licence(name):
    head = [line for line in (ASSETS / f"{name}.csv").read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    text = "\n".join(head)
    for word in ("UCI Machine Learning Repository", "https://doi.org/10.24432/", "CC BY 4.0", "Changed"):
        assert word in text
        assert word.removesuffix("d") in (ASSETS / "LICENCE.md").read_text(encoding="utf-8")
    assert len(head[-1].removeprefix("# ").split(",")) == DATASETS[name].n_in + 1  # names of the columns


def test_bundled_tables_are_read_in_no_time():
    started = time.perf_counter()
    for name in REAL:
        read_table.__wrapped__(f"{name}.csv")
    assert time.perf_counter() - started < 0.5  # both take about 5 ms


# --- shapes ---


@pytest.mark.parametrize("name", [name for name in DATASETS if name != "custom"])
def test_shapes_sizes_and_types(name):
    source, experiment = DATASETS[name], Experiment(dataset=name, n_train=40)
    dataset = load_dataset(experiment)
    total = len(read_table(f"{name}.csv")[0]) if name in REAL else 0
    sizes = (40, round(0.2 * total), round(0.2 * total)) if total else (40, 300, 1000)
    assert dataset.task == source.task
    assert (dataset.n_in, dataset.n_out) == (source.n_in, source.n_out)
    assert len(dataset.input_names) == dataset.n_in
    for split, n in zip(SPLITS, sizes, strict=True):
        inputs, targets = getattr(dataset, f"{split}_inputs"), getattr(dataset, f"{split}_targets")
        assert inputs.shape == (n, source.n_in)
        assert inputs.dtype == np.float64
        assert targets.shape == ((n,) if source.task == "classes" else (n, 1))
        assert targets.dtype == (np.int64 if source.task == "classes" else np.float64)
        if source.task != "regression":
            assert set(np.unique(targets)) <= set(range(len(source.class_names)))
    for array in arrays(dataset).values():
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


@pytest.mark.parametrize("name", REAL)
def test_real_examples_are_used_once_each(name):
    n = DATASETS[name].n_train_max()
    dataset = load_dataset(Experiment(dataset=name, n_train=n))
    inputs = np.concatenate([getattr(dataset, f"{split}_inputs") for split in SPLITS])
    data = read_table(f"{name}.csv")[0]
    assert len(inputs) == len(data)
    assert len(np.unique(inputs, axis=0)) == len(np.unique(data, axis=0))
    with pytest.raises(OutOfRange, match=f"n_train is {n + 1}"):
        Experiment(dataset=name, n_train=n + 1)


def test_a_dataset_stays_read_only_through_pickling():
    dataset = pickle.loads(pickle.dumps(load_dataset(Experiment())))
    assert not any(array.flags.writeable for array in arrays(dataset).values())


# --- standardisation ---


@pytest.mark.parametrize("noise", [-1.0, 0.0, 0.7])
@pytest.mark.parametrize("name", DRAWN)
def test_drawn_inputs_are_standardised_by_the_formula(name, noise):
    """Mean 0 and variance 1 to five standard errors of 30,000 examples: the constants are the distribution's own."""
    inputs = np.concatenate(
        [load_dataset(Experiment(dataset=name, noise=noise, n_train=5000, seed=s)).train_inputs for s in range(6)]
    )
    n = len(inputs)
    kurtosis = ((inputs - inputs.mean(axis=0)) ** 4).mean(axis=0) / inputs.var(axis=0) ** 2
    assert (np.abs(inputs.mean(axis=0)) < 5 / n**0.5).all()
    assert (np.abs(inputs.var(axis=0) - 1) < 5 * np.sqrt((kurtosis - 1) / n)).all()


@pytest.mark.parametrize("name", DRAWN)
def test_constants_are_those_of_a_fine_grid(name):
    """Mean and variance of the noise-free formula, by the midpoint rule."""
    source = DATASETS[name]
    first = (
        (np.arange(6) + 0.5) / 6 if name in ("moons", "circles", "spirals", "blobs") else (np.arange(100) + 0.5) / 100
    )
    second = (np.arange(4000) + 0.5) / 4000
    u = np.stack([grid.ravel() for grid in (*np.meshgrid(first, second), np.zeros((len(second), len(first))))], axis=1)
    inputs, _ = source.draw(u, np.zeros((len(u), 2)))
    np.testing.assert_allclose(inputs.mean(axis=0), source.mean, atol=1e-4)
    np.testing.assert_allclose(inputs.var(axis=0), source.variance, rtol=2e-4)


@pytest.mark.parametrize("noise", [-1.0, 0.5])
@pytest.mark.parametrize("name", REAL)
def test_real_inputs_are_standardised_over_what_training_may_use(name, noise):
    experiment = Experiment(dataset=name, n_train=DATASETS[name].n_train_max(), noise=noise)
    inputs = load_dataset(experiment).train_inputs
    axis = None if name == "digits" else 0  # one scale for all pixels
    precision = 1e-12 if noise == -1 else 0.2
    np.testing.assert_allclose(inputs.mean(axis=axis), 0, atol=precision)
    np.testing.assert_allclose(inputs.std(axis=axis), 1, atol=precision)


def test_noise_on_real_data_is_in_their_standard_deviations():
    experiment = Experiment(dataset="breast_cancer", n_train=341)
    clean, noisy = load_dataset(experiment), load_dataset(replace(experiment, noise=0.5))
    added = noisy.train_inputs * 1.25**0.5 - clean.train_inputs
    assert added.std() == pytest.approx(0.5, rel=0.03)
    np.testing.assert_array_equal(noisy.train_targets, clean.train_targets)
    assert_same(clean, load_dataset(replace(experiment, noise=0.0)))


@pytest.mark.parametrize("name", DRAWN)
def test_own_noise_is_the_default(name):
    own = load_dataset(Experiment(dataset=name))
    assert_same(own, load_dataset(Experiment(dataset=name, noise=DATASETS[name].noise)))


def test_noise_of_sine_is_on_the_targets():
    quiet, loud = (load_dataset(Experiment(dataset="sine", noise=level)) for level in (0.0, 0.5))
    np.testing.assert_array_equal(quiet.train_inputs, loud.train_inputs)
    x = quiet.train_inputs * 2 * np.pi / 3**0.5
    np.testing.assert_allclose(quiet.train_targets, np.sin(x), atol=1e-12)
    assert (loud.train_targets - quiet.train_targets).std() == pytest.approx(0.5, rel=0.2)


@pytest.mark.parametrize("name", DRAWN)
def test_classes_are_equally_frequent(name):
    dataset = load_dataset(Experiment(dataset=name, n_train=5000))
    if dataset.class_names:
        share = np.bincount(dataset.train_targets.ravel().astype(int)) / 5000
        np.testing.assert_allclose(share, 1 / len(dataset.class_names), atol=0.03)


def test_class_names_say_where_the_classes_are():
    def points(name, label):
        u = np.random.default_rng(0).random((500, 3))
        x, labels = DATASETS[name].draw(u, np.zeros((500, 2)))
        return x[labels == DATASETS[name].class_names.index(label)]

    assert points("moons", "upper moon")[:, 1].mean() > 0.5 > points("moons", "lower moon")[:, 1].mean()
    assert np.linalg.norm(points("circles", "inner circle"), axis=1).max() < 0.6
    x, y = points("spirals", "first arm").T  # its angle is 3π times its radius
    np.testing.assert_allclose(np.exp(3j * np.pi * np.hypot(x, y)) * np.hypot(x, y), x + 1j * y, atol=1e-12)
    assert (points("xor", "same sign").prod(axis=1) > 0).all()
    assert (points("blobs", "top")[:, 1] > 0).all()
    assert (points("blobs", "left")[:, 0] < 0).all()
    assert (points("blobs", "right")[:, 0] > 0).all()


# --- what changes what ---


@pytest.mark.parametrize("label_noise", [0.0, 0.3])
@pytest.mark.parametrize("name", [name for name in DATASETS if name != "custom"])
def test_more_training_examples_are_appended(name, label_noise):
    small, large = (
        load_dataset(Experiment(dataset=name, n_train=n, label_noise=label_noise, noise=0.2)) for n in (50, 300)
    )
    assert_same(small, large, ("validation", "test"))
    np.testing.assert_array_equal(small.train_inputs, large.train_inputs[:50])
    np.testing.assert_array_equal(small.train_targets, large.train_targets[:50])


@pytest.mark.parametrize("name", ["spirals", "digits"])
def test_data_seed_alone_chooses_the_data(name):
    first = load_dataset(Experiment(dataset=name, seed=3))
    assert_same(first, load_dataset(Experiment(dataset=name, seed=4, data_seed=3)))
    assert_same(first, load_dataset(Experiment(dataset=name, seed=3, data_seed=3, width=5, activation="tanh")))
    other = load_dataset(Experiment(dataset=name, seed=4))
    for array, changed in zip(arrays(first).values(), arrays(other).values(), strict=True):
        assert not np.array_equal(array, changed)


def test_splits_are_different_examples():
    dataset = load_dataset(Experiment(n_train=300))
    together = np.concatenate([getattr(dataset, f"{split}_inputs") for split in SPLITS])
    assert len(np.unique(together, axis=0)) == 1600


# --- label noise ---


@pytest.mark.parametrize(("name", "n"), [("moons", 5000), ("blobs", 5000), ("digits", 1079), ("breast_cancer", 341)])
def test_label_noise_flips_its_share_of_training_labels_only(name, n):
    clean = load_dataset(Experiment(dataset=name, n_train=n))
    before = np.zeros(n, bool)
    for share in (0.1, 0.3, 0.5):
        noisy = load_dataset(Experiment(dataset=name, n_train=n, label_noise=share))
        assert_same(clean, noisy, ("validation", "test", "train_inputs"))
        flipped = (clean.train_targets != noisy.train_targets).ravel()
        assert flipped.mean() == pytest.approx(share, abs=4 * (share * (1 - share) / n) ** 0.5)
        assert flipped[before].all()  # more noise flips more, and what was flipped stays so
        before = flipped
        assert set(np.unique(noisy.train_targets)) == set(range(len(clean.class_names)))
    if name == "blobs":  # every wrong class is as likely
        shift = (noisy.train_targets - clean.train_targets)[flipped] % 3
        assert (shift == 1).mean() == pytest.approx(0.5, abs=0.05)


def test_label_noise_leaves_numbers_alone():
    assert_same(*(load_dataset(Experiment(dataset="sine", label_noise=share)) for share in (0.0, 0.5)))


# --- custom data ---

INPUTS = np.random.default_rng(0).normal(5, 3, (60, 3))
LABELS = np.arange(60) % 3


def custom(inputs, targets, **settings):
    settings = {"n_train": 20, **settings}
    experiment = Experiment(dataset="custom", data_digest=data_digest(inputs, targets), **settings)
    return load_dataset(experiment, (inputs, targets))


@pytest.mark.parametrize(
    ("targets", "task", "class_names"),
    [
        (LABELS, "classes", ("0", "1", "2")),
        (LABELS.astype(np.uint8)[:, None], "classes", ("0", "1", "2")),
        (LABELS * 5 - 3, "classes", ("-3", "2", "7")),
        (LABELS > 0, "binary", ("False", "True")),
        ((LABELS > 0).astype(int), "binary", ("0", "1")),
        (np.array(["ill", "well"])[LABELS // 2], "binary", ("ill", "well")),
        (np.array(["a", "b", "c"], dtype=object)[LABELS][:, None], "classes", ("a", "b", "c")),
        (["a", "b", "c"] * 20, "classes", ("a", "b", "c")),
        (INPUTS[:, 0], "regression", ()),
        (INPUTS[:, :2].astype(np.float32), "regression", ()),
        (INPUTS[:, 0].astype(object), "regression", ()),
    ],
)
def test_custom_targets_of_every_kind(targets, task, class_names):
    dataset = custom(INPUTS, targets, n_train=36)
    assert isinstance(dataset, Dataset)
    assert (dataset.task, dataset.class_names) == (task, class_names)
    assert dataset.input_names == ("x1", "x2", "x3")
    given = np.asarray(targets).reshape(60, -1)
    assert dataset.n_out == (3 if task == "classes" else given.shape[1])
    assert dataset.train_targets.shape == ((36,) if task == "classes" else (36, given.shape[1]))

    # every target went with its inputs: all 60 are used, and standardising keeps their order
    used = np.concatenate([getattr(dataset, f"{split}_inputs") for split in SPLITS])[:, 0]
    found = np.concatenate([getattr(dataset, f"{split}_targets").reshape(-1, given.shape[1]) for split in SPLITS])
    found, expected = found[np.argsort(used)], given[np.argsort(INPUTS[:, 0])]
    if class_names:
        assert [class_names[int(label)] for label in found[:, 0]] == [str(label) for label in expected[:, 0]]
    else:
        np.testing.assert_array_equal(found, expected.astype(float))


def test_custom_data_are_split_standardised_and_left_alone():
    inputs, targets = INPUTS.copy(), LABELS.copy()
    dataset = custom(inputs, targets, n_train=36)
    assert [len(getattr(dataset, f"{split}_inputs")) for split in SPLITS] == [36, 12, 12]
    np.testing.assert_allclose(dataset.train_inputs.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(dataset.train_inputs.std(axis=0), 1, rtol=1e-12)
    assert inputs.flags.writeable
    assert targets.flags.writeable
    np.testing.assert_array_equal(inputs, INPUTS)
    assert_same(dataset, custom(INPUTS, LABELS, n_train=20), ("validation", "test"))
    noisy = custom(INPUTS, LABELS, n_train=36, label_noise=0.5)
    assert_same(dataset, noisy, ("validation", "test", "train_inputs"))
    assert (noisy.train_targets != dataset.train_targets).any()


@pytest.mark.filterwarnings("error")
def test_custom_columns_of_any_size_are_standardised():
    inputs = np.stack([np.full(60, 0.1), np.zeros(60), INPUTS[:, 0] * 1e98, INPUTS[:, 0] * 1e-90, INPUTS[:, 0]], axis=1)
    dataset = custom(inputs, LABELS, n_train=36)
    np.testing.assert_array_equal(dataset.train_inputs[:, :2], 0)  # a constant says nothing
    np.testing.assert_array_equal(dataset.test_inputs[:, :2], 0)
    np.testing.assert_allclose(dataset.train_inputs[:, 2], dataset.train_inputs[:, 4], rtol=1e-9)
    np.testing.assert_allclose(dataset.train_inputs[:, 3], dataset.train_inputs[:, 4], rtol=1e-9)


def test_digest_is_of_the_values():
    digest = data_digest(INPUTS, LABELS)
    assert len(digest) == 64
    assert digest == data_digest(INPUTS.tolist(), LABELS.astype(np.uint8)) == data_digest(INPUTS.copy(), list(LABELS))
    text = np.array(["a", "bc", "d"])[LABELS]
    assert (
        data_digest(INPUTS, text) == data_digest(INPUTS, text.astype(object)) == data_digest(INPUTS, text.astype("U9"))
    )
    others = [
        data_digest(INPUTS, LABELS.astype(float)),
        data_digest(INPUTS, LABELS[::-1]),
        data_digest(INPUTS + 1e-9, LABELS),
        data_digest(INPUTS[:, ::-1], LABELS),
        data_digest(INPUTS[:, :2], LABELS),
        data_digest(INPUTS, LABELS > 0),
    ]
    assert len({digest, *others}) == 7
    # the recipe, so that a digest written down today is one tomorrow
    expected = hashlib.sha256(b"(60, 3) <f8" + INPUTS.tobytes() + b"(60,) <i8" + LABELS.astype("<i8").tobytes())
    assert digest == expected.hexdigest()


MANY = np.zeros((20_001, 1))


@pytest.mark.parametrize(
    ("inputs", "targets", "sentence"),
    [
        ([["a", "b"]] * 60, LABELS, "inputs that are not numbers.*a table of numbers"),
        ([[1, 2], [3]] * 30, LABELS, "inputs that are not numbers.*a table of numbers"),
        (INPUTS * 1j, LABELS, "inputs that are not numbers.*a table of numbers"),
        (INPUTS[:, 0], LABELS, r"inputs of shape \(60,\).*examples in rows, 1 to 256 columns"),
        (np.zeros((60, 257)), LABELS, r"inputs of shape \(60, 257\).*1 to 256 columns"),
        (np.zeros((60, 0)), LABELS, r"inputs of shape \(60, 0\).*1 to 256 columns"),
        (INPUTS[:8], LABELS[:8], "8 examples.*9 to 20,000 examples"),
        (MANY, MANY[:, 0], "20,001 examples.*9 to 20,000 examples"),
        (np.where(INPUTS > 5, np.nan, INPUTS), LABELS, "inputs with gaps or infinities.*finite numbers throughout"),
        (np.where(INPUTS > 5, np.inf, INPUTS), LABELS, "inputs with gaps or infinities.*finite numbers throughout"),
        ([[None]] * 60, LABELS, "inputs with gaps or infinities.*finite numbers throughout"),
        (INPUTS * 1e200, LABELS, r"inputs as large as 1.*e\+201.*at most 1e\+100"),
        (INPUTS, LABELS[:59], r"targets of shape \(59,\).*each of the 60 examples"),
        (INPUTS, 3, r"targets of shape \(\).*each of the 60 examples"),
        (INPUTS, np.zeros((60, 0)), r"targets of shape \(60, 0\).*each of the 60 examples"),
        (INPUTS, np.zeros((60, 21)), r"targets of shape \(60, 21\).*1 to 20 numbers"),
        (INPUTS, [None, *LABELS[1:]], "targets with gaps.*one target for each example"),
        (INPUTS, [*INPUTS[1:, 0], np.nan], "targets with gaps.*one target for each example"),
        (INPUTS, np.array(["a", np.nan, "b"], dtype=object)[LABELS], "targets with gaps.*one target for each example"),
        (INPUTS, [*INPUTS[1:, 0], np.inf], "targets with infinities.*finite numbers throughout"),
        (INPUTS, [{}] * 60, "targets that are neither numbers nor text"),
        (INPUTS, INPUTS[:, 0] * 1j, "targets that are neither numbers nor text"),
        (INPUTS, np.arange(60), "targets of 60 classes in 1 column.*one column of 2 to 20 classes.*real numbers"),
        (INPUTS, np.zeros(60, int), "targets of 1 classes.*2 to 20 classes"),
        (INPUTS, np.stack([LABELS, LABELS], axis=1), r"in 2 column\(s\).*one column"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_custom_data_that_do_not_fit_are_named(inputs, targets, sentence):
    with pytest.raises(OutOfRange, match=sentence) as error:
        custom(inputs, targets)
    assert error.value.field == "data"
    assert str(error.value).startswith("data is ")
    assert str(error.value).endswith(".")


def test_custom_settings_that_do_not_fit_are_named():
    digest = data_digest(INPUTS, LABELS)
    with pytest.raises(OutOfRange, match="dataset is 'custom', but it must be accompanied by its arrays"):
        load_dataset(Experiment(dataset="custom"))
    with pytest.raises(OutOfRange, match=f"data_digest is '', but it must be the digest of the arrays.*{digest}"):
        load_dataset(Experiment(dataset="custom"), (INPUTS, LABELS))
    with pytest.raises(OutOfRange, match="n_train is 37, but it must be a whole number from 5 to 36"):
        custom(INPUTS, LABELS, n_train=37)
    with pytest.raises(OutOfRange, match="loss is 'cross_entropy', but it must be auto, mse, mae or huber"):
        custom(INPUTS, INPUTS[:, 0], loss="cross_entropy")


def rows_of(dataset, split, inputs):
    """Which rows of the table the examples of a split are."""
    pool = np.concatenate([getattr(dataset, f"{name}_inputs")[:, 0] for name in SPLITS])
    assert len(np.unique(inputs[:, 0])) == len(inputs)
    ranks = np.searchsorted(np.sort(pool), getattr(dataset, f"{split}_inputs")[:, 0])
    return np.argsort(inputs[:, 0])[ranks]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.05, 0.13, 0.3, 0.45])
def test_a_stratified_split_gives_every_part_its_share_of_each_class(share, seed):
    labels = np.repeat([0, 1, 2], [140, 60, 40])
    rows = np.arange(240.0)[:, None]
    held, left = round(share * 240), 240 - 2 * round(share * 240)
    dataset = custom(rows, labels, held_out=share, split="stratified", n_train=left, seed=seed)
    parts = {name: rows_of(dataset, name, rows) for name in SPLITS}
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [left, held, held]
    assert sorted(np.concatenate([*parts.values()])) == list(range(240)), "every row once"
    for name, part in parts.items():
        np.testing.assert_array_equal(getattr(dataset, f"{name}_targets"), labels[part])
        counts = np.bincount(labels[part], minlength=3)
        assert (abs(counts - np.array([140, 60, 40]) * len(part) / 240) <= 2).all()
    fewer = custom(rows, labels, held_out=share, split="stratified", n_train=12, seed=seed)
    assert_same(dataset, fewer, ("validation", "test"))
    np.testing.assert_array_equal(fewer.train_inputs, dataset.train_inputs[:12])
    other = custom(rows, labels, held_out=share, split="stratified", n_train=12, seed=seed + 1)
    assert (other.test_inputs != fewer.test_inputs).any(), "the seed says which rows"


def test_the_default_split_is_the_one_that_it_was():
    """The first fifth of the rows in the order of the data's stream, the second, and the rest; numbers never differ."""
    order = generator(5, DATA, 3).permutation(60)
    expected = {"validation": order[:12], "test": order[12:24], "train": order[24:]}
    for settings in ({}, {"split": "stratified"}):
        dataset = custom(INPUTS, INPUTS[:, 1], n_train=36, seed=5, **settings)
        for name, part in expected.items():
            np.testing.assert_array_equal(rows_of(dataset, name, INPUTS), part)
            np.testing.assert_array_equal(getattr(dataset, f"{name}_targets")[:, 0], INPUTS[part, 1])


@pytest.mark.parametrize(
    ("rows", "labels", "settings", "sentence"),
    [
        (9, [0, 1], {"held_out": 0.05}, "held_out is 0.05, but it must be larger for 9 rows. It leaves 9 .* 0 each"),
        (
            12,
            [0, 1],
            {"held_out": 0.45},
            "held_out is 0.45, but it must be smaller for 12 rows. It leaves 2 .* 5, and 5",
        ),
        (60, ["b"] + 59 * ["a"], {}, "split is 'stratified', but it must be random. Class b has 1 row, too few"),
        (60, ["c", "c"] + 58 * ["a"], {}, "Class c has 2 rows, too few .* with a share of 0.2"),
        (60, 6 * ["c"] + 54 * ["a"], {"held_out": 0.05}, "Class c has 6 rows, too few .* with a share of 0.05"),
    ],
)
def test_a_split_that_cannot_be_says_what_is_too_few(rows, labels, settings, sentence):
    labels = np.resize(labels, rows)
    settings = {"split": "stratified", "n_train": 5, **settings}
    with pytest.raises(OutOfRange, match=sentence):
        custom(INPUTS[:rows], labels, **settings)


def test_the_smallest_custom_set_leaves_five_examples():
    assert len(custom(INPUTS[:9], INPUTS[:9, 0], n_train=5).train_inputs) == 5
