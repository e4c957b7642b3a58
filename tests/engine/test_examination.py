"""What detectors measure a run against: other ways of counting, and what counts as doing well."""

from itertools import product

import numpy as np
import pytest

from engine import Experiment, data_digest, forward, initialize, load_dataset, train
from engine.doctor.examination import Examination
from engine.losses import LOSSES
from tests.engine.examined_runs import edited, examined, run


def network_of(history):
    """Its last weights, put into a fresh network."""
    network = initialize(history.experiment)
    for name in ("weights", "biases", "scales", "shifts", "running_means", "running_variances"):
        for mine, kept in zip(getattr(network, name), getattr(history, name), strict=True):
            mine[...] = kept[-1]
    return network


def test_a_first_loss_beyond_all_measure_does_not_hide_that_it_goes_up_and_down():
    history = run()
    losses = np.tile([0.3, 0.5], 40)[: len(history.train_loss)]
    losses[0] = 1e4
    # each of the rises by .2 counts against the span from five times ln 2 to .3
    rises = (len(losses) - 1) // 2 * 0.2
    uninformed = examined(history).uninformed
    assert edited(history, train_loss=losses).loss_oscillation == pytest.approx(
        rises / (5 * uninformed - 0.3), abs=0.07
    )


@pytest.mark.parametrize("width", [1, 3, 64])
def test_the_best_line_of_so_few_numbers_is_reduced_rank_regression(width):
    """The directions in which the line's answers spread most are what scikit-learn's PCA of them finds."""
    decomposition = pytest.importorskip("sklearn.decomposition")
    linear_model = pytest.importorskip("sklearn.linear_model")
    history = run(dataset="digits", width=width, steps=1)
    data = load_dataset(history.experiment)
    line = linear_model.LinearRegression().fit(data.train_inputs, data.target_rows("train"))
    spread = decomposition.PCA(min(width, 9)).fit(line.predict(data.train_inputs))
    given = spread.inverse_transform(spread.transform(line.predict(data.validation_inputs)))
    wrong = (given.argmax(axis=1) != data.target_rows("validation").argmax(axis=1)).mean()
    most = data.target_rows("validation").mean(axis=0).max()
    assert examined(history).line_share == pytest.approx(wrong / (1 - most), abs=0.02)


def test_label_noise_is_not_held_against_a_network():
    """Of what it costs, −Σ p ln p with p = .2, nobody gets rid who knows the right answers."""
    history = run(label_noise=0.2)
    unavoidable = -0.2 * np.log(0.2) - 0.8 * np.log(0.8)
    assert Examination(history).unavoidable == pytest.approx(unavoidable)
    blobs = run(label_noise=0.2, dataset="blobs")
    assert Examination(blobs).unavoidable == pytest.approx(-0.2 * np.log(0.1) - 0.8 * np.log(0.8))
    assert Examination(run(label_noise=0.2, loss="mse")).unavoidable == pytest.approx(0.16)


# Of 100 examples of one true class, how many bear each label: a share p is wrong, as often one wrong class as another.
LABELS = {
    ("circles", 0.2): ([80, 20], "sigmoid"),
    ("blobs", 0.2): ([80, 10, 10], "softmax"),
    ("digits", 0.18): ([82] + 9 * [2], "softmax"),
}


@pytest.mark.parametrize(
    ("loss", "output"),
    [
        *product(["cross_entropy", "mse", "mae", "huber"], ["auto", "sigmoid"]),
        *product(["mse", "huber"], ["linear", "tanh"]),
    ],
)
@pytest.mark.parametrize(("dataset", "noise"), LABELS)
def test_what_label_noise_costs_is_the_loss_of_the_best_answer_to_such_labels(dataset, noise, loss, output):
    counts, auto = LABELS[dataset, noise]
    applied = auto if output == "auto" else output
    labels = np.repeat(np.arange(len(counts)), counts)
    targets = np.eye(len(counts))[labels][:, 1:] if len(counts) == 2 else np.eye(len(counts))[labels]
    answer = targets.mean(axis=0)
    if loss == "mae":  # the most frequent label, which a softmax and a sigmoid reach far out
        answer = np.clip((answer > 0.5).astype(float), 1e-12, 1 - 1e-12)
    logit = np.log(answer) - np.log1p(-answer)
    z = {"sigmoid": logit, "softmax": np.log(answer), "linear": answer, "tanh": np.arctanh(answer)}[applied]
    z, targets = np.tile(z, (1, 100, 1)), targets[None]
    history = run(dataset=dataset, label_noise=noise, loss=loss, output=output, steps=1)
    assert examined(history).unavoidable == pytest.approx(LOSSES[loss].value(z, targets, applied)[0], rel=1e-9)


@pytest.mark.parametrize(
    ("dataset", "noise", "expected"),
    [
        ("circles", 0.2, 0.9 * 0.8 + 0.1 * 0.2),
        ("blobs", 0.2, 0.9 * 0.8 + 0.1 * 0.2 / 2),  # one of two wrong classes is the one that it names
        ("digits", 0.18, 0.9 * 0.82 + 0.1 * 0.18 / 9),
        ("digits", 0.0, 0.9),
    ],
)
def test_the_gap_counts_from_what_a_network_of_this_accuracy_gets_right_of_noisy_labels(dataset, noise, expected):
    """It names the true class of nine examples in ten."""
    history = run(dataset=dataset, label_noise=noise, steps=1)
    accuracies = {"train_accuracy": np.full(2, 0.97), "validation_accuracy": np.full(2, 0.9)}
    assert edited(history, **accuracies).gap == pytest.approx(np.full(2, 0.97 - expected), rel=1e-12)


def test_a_share_of_the_loss_is_between_what_noise_costs_and_what_the_average_answer_does():
    history = run(label_noise=0.2)
    dear, cheap = examined(history).uninformed, examined(history).unavoidable
    for share in (0.0, 0.25, 1.0, 1.5):
        loss = np.full_like(history.train_loss, cheap + share * (dear - cheap))
        assert edited(history, train_loss=loss).loss_share == pytest.approx(share, abs=1e-12)
    nothing_to_learn = edited(history)
    nothing_to_learn.uninformed = nothing_to_learn.unavoidable
    assert np.isnan(nothing_to_learn.loss_share)


def test_the_numbers_of_a_regression_are_in_variances_of_the_validation_targets():
    """Of losses, and in losses over the best constant answer's."""
    history = run(dataset="sine", steps=10)
    data = load_dataset(history.experiment)
    found = examined(history)
    assert found.uninformed == pytest.approx(data.train_targets.var())
    assert found.error_share == pytest.approx(history.validation_loss[-1] / data.validation_targets.var())
    last_checks = np.median(history.train_loss[-10:])
    assert found.train_error_share == pytest.approx(last_checks / data.validation_targets.var())
    assert found.gap == pytest.approx((history.validation_loss - history.train_loss) / data.train_targets.var())
    assert found.widest_gap == 1
    given = forward(network_of(history), data.validation_inputs).output[0]
    squared = (given - data.validation_targets) ** 2
    assert found.scatter == pytest.approx(squared.std() / 300**0.5 / data.train_targets.var())
    assert found.reference_share <= found.references.neighbours.mean() / data.validation_targets.var()
    x, y = data.validation_inputs[:, 0], data.validation_targets.ravel()
    line = np.polyval(np.polyfit(data.train_inputs[:, 0], data.train_targets.ravel(), 1), x)
    assert found.line_share == pytest.approx(np.mean((line - y) ** 2) / y.var())
    assert found.reference_share == pytest.approx(found.references.best.mean() / y.var())


def test_the_numbers_of_a_classification_are_in_errors_of_the_most_frequent_class():
    """Those that label noise makes of right answers do not count on training data."""
    history = run(dataset="blobs", label_noise=0.2, steps=1)
    counts = np.unique(load_dataset(history.experiment).validation_targets, return_counts=True)[1]
    constant = 1 - counts.max() / counts.sum()
    found = edited(history, train_accuracy=np.full(2, 0.7), validation_accuracy=np.full(2, 0.6))
    assert found.error_share == pytest.approx(0.4 / constant)
    assert found.train_error_share == pytest.approx((0.3 - 0.2) / constant)
    ended_badly = edited(history, train_accuracy=np.array([0.9] * 9 + [0.5]), validation_accuracy=np.full(10, 0.6))
    assert ended_badly.train_error_share == pytest.approx((0.1 - 0.2) / constant)
    assert found.widest_gap == pytest.approx(constant)
    assert found.scatter == pytest.approx((0.6 * 0.4 / counts.sum()) ** 0.5)


def test_with_balanced_weights_every_class_counts_alike():
    """In the network's errors, in those of what it is compared with, and in the best constant answer, ln 2."""
    plain = run(dataset="moons", noise=0.9, imbalance=0.1, n_train=300)
    history = run(dataset="moons", noise=0.9, imbalance=0.1, n_train=300, class_weights="balanced")
    data, found = load_dataset(history.experiment), examined(history)
    labels = data.validation_targets.ravel() == 1

    def recall(answers):
        return (answers[labels].mean() + (~answers[~labels]).mean()) / 2

    share = (1 - recall(found.answers(data.validation_inputs).ravel() > 0.5)) / 0.5
    assert found.uninformed == pytest.approx(np.log(2))
    assert found.widest_gap == 0.5
    assert found.error_share == pytest.approx(share)
    assert found.validation_errors.mean() == pytest.approx(share * 0.5)
    columns = [np.column_stack([x, np.ones(len(x))]) for x in (data.train_inputs, data.validation_inputs)]
    line = columns[1] @ np.linalg.lstsq(columns[0], data.train_targets.ravel())[0]
    assert found.line_share == pytest.approx((1 - recall(line > data.train_targets.mean())) / 0.5)
    assert found.reference_share < 0.8 < examined(plain).reference_share
    assert found.does_well


def test_neighbours_are_of_the_data_that_were_drawn():
    drawn, same, others = (
        examined(run(**seeds, noise=0.3, steps=1)).references.neighbours
        for seeds in ({"data_seed": 5}, {"seed": 5}, {})
    )
    assert (drawn == same).all()
    assert (drawn != others).any()


def test_without_its_data_a_run_is_measured_against_its_first_loss():
    inputs = np.random.default_rng(3).standard_normal((60, 2))
    targets = (inputs[:, 0] > 0).astype(int)
    own = {"dataset": "custom", "data_digest": data_digest(inputs, targets), "n_train": 30, "steps": 5}
    history = train(Experiment(**own), (inputs, targets))
    assert Examination(history).uninformed == history.train_loss[0]
    assert Examination(history).references is None
    assert np.isnan(Examination(history).line_share)
    assert Examination(history, (inputs, targets)).uninformed != history.train_loss[0]


def test_to_learn_nothing_is_not_well_even_where_the_neighbours_do_no_better():
    history = run(dataset="sine", n_train=20, noise=2.0, learning_rate=1e-9)
    found = examined(history)
    assert found.references.neighbours.mean() > 0.95 * found.dataset.validation_targets.var()
    assert not found.does_well


@pytest.mark.parametrize("dataset", ["circles", "blobs", "sine", "digits"])
def test_the_nearest_neighbours_vote_is_scikit_learns(dataset):
    neighbors = pytest.importorskip("sklearn.neighbors")
    history = run(dataset=dataset, steps=1)
    data = load_dataset(history.experiment)
    regression = data.task == "regression"
    kind = neighbors.KNeighborsRegressor if regression else neighbors.KNeighborsClassifier
    errors = []
    for k in (1, 5, 15):
        answers = kind(k).fit(data.train_inputs, data.train_targets.ravel()).predict(data.validation_inputs[:300])
        truth = data.validation_targets.ravel()[:300]
        errors.append(np.mean((answers - truth) ** 2) if regression else np.mean(answers != truth))
    assert Examination(history).references.neighbours.mean() == pytest.approx(
        min(errors), abs=1e-12 if regression else 0.01
    )


@pytest.mark.parametrize(("loss", "best"), [("mae", np.median), ("huber", None)])
def test_a_regression_is_measured_by_the_loss_that_it_was_trained_for(loss, best):
    """The best constant answer, the neighbours and the line cost what they cost by that loss."""
    history = run(dataset="sine", loss=loss, target_scale=3.0, steps=10)
    data, found = load_dataset(history.experiment), examined(history)
    y = data.validation_targets
    constants = np.linspace(y.min(), y.max(), 4001) if best is None else [best(y)]
    cheapest = min(LOSSES[loss].value(np.full((1, *y.shape), one), y[None], "linear")[0] for one in constants)
    assert found.error_share == pytest.approx(history.validation_loss[-1] / cheapest, rel=1e-4)
    assert found.validation_errors.mean() == pytest.approx(history.validation_loss[-1])
    x = data.validation_inputs[:, 0]
    line = np.polyval(np.polyfit(data.train_inputs[:, 0], data.train_targets.ravel(), 1), x)[:, None]
    assert found.line_share == pytest.approx(LOSSES[loss].value(line[None], y[None], "linear")[0] / cheapest, rel=1e-4)
    nearest = np.abs(x[:, None] - data.train_inputs[:, 0]).argsort(axis=1)
    votes = [data.train_targets[nearest[:, :k]].mean(axis=1) for k in (1, 5, 15)]
    costs = [LOSSES[loss].value(vote[None], y[None], "linear")[0] for vote in votes]
    assert found.references.neighbours.mean() == pytest.approx(min(costs), rel=1e-6)
