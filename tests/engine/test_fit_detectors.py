"""Each detector of the fit: a run that must raise it, a near miss that must not, and its number counted another way."""

from dataclasses import replace

import numpy as np
import pytest

from engine import batch_indices, diagnose, dropout_masks, forward, initialize, load_dataset
from engine.doctor import fit_detectors
from engine.formatting import PERCENT, number
from engine.losses import LOSSES
from tests.engine.examined_runs import PARROT, edited, examined, finding, run

# --- regularisation ---


def test_a_penalty_that_overshoots_is_found_by_eta_lambda():
    found = diagnose(run(learning_rate=0.3, l2=7.0, steps=100))[0]
    assert (found.code, found.measured) == ("over_regularized", pytest.approx(2.1))
    assert "1 − ηλ = −1.1" in found.explanation
    assert fit_detectors._overshooting_penalty(examined(run(learning_rate=0.3, l2=6.6, steps=2))) is None


def test_a_penalty_rules_where_it_pulls_as_hard_as_the_data_and_shrinks_the_weights(oracle):
    history = run(l2=0.5, steps=200)
    found = diagnose(history)[0]

    def gradients(frame, step):
        layers = oracle.layers_of(history, frame)
        e, dataset = history.experiment, load_dataset(history.experiment)
        batch = batch_indices(e, step)
        _, data, _, _ = oracle.gradients(
            layers, dataset.train_inputs[batch], dataset.train_targets[batch], "sigmoid", "cross_entropy", "tanh"
        )
        norm = np.sqrt(sum(float(np.square(leaf).sum()) for layer in data for leaf in layer.values()))
        return e.l2 * np.sqrt(sum(float(np.square(layer["weights"]).sum()) for layer in layers)) / norm

    steps = history.frame_step[history.frame_step < 20]  # the first tenth
    ratios = [gradients(frame, int(step)) for frame, step in enumerate(steps)]
    assert found.code == "over_regularized"
    assert min(ratios) <= found.measured <= max(ratios)
    assert found.remedies == ("l2",)
    assert finding(fit_detectors.over_regularized, run(l2=1e-3)) is None


@pytest.mark.parametrize(("pull", "kept", "expected"), [(0.16, 0.79, True), (0.14, 0.5, False), (1.5, 0.81, False)])
def test_a_penalty_rules_where_it_pulls_as_training_starts_and_the_weights_shrink(pull, kept, expected):
    history = run(l2=1e-3)
    norms = history.weight_norm.copy()
    norms[-1] = kept * norms[0]
    pulled = {"penalty_gradient_norm": pull * history.data_gradient_norm, "weight_norm": norms}
    found = fit_detectors.over_regularized(edited(history, **pulled))
    assert (found is not None) is expected
    if found:
        assert (found.measured, found.threshold) == pytest.approx((pull, 0.15))


def test_what_is_known_by_heart_was_not_held_back():
    history = run(**PARROT)
    norms = np.repeat([history.weight_norm[0], 0.5 * history.weight_norm[0]], [1, len(history.step) - 1], axis=0)
    pulled = {"penalty_gradient_norm": 0.5 * history.data_gradient_norm, "weight_norm": norms}
    punished = replace(history, experiment=replace(history.experiment, l2=1e-3), **pulled)
    codes = [found.code for found in diagnose(punished)]
    assert codes[0] == "overfitting"
    assert "over_regularized" not in codes
    ignorant = replace(punished, train_accuracy=history.validation_accuracy)
    assert diagnose(ignorant)[0].code == "over_regularized"


def test_dropping_most_units_is_too_much_where_it_does_not_learn():
    found = diagnose(run(dropout=0.9))[0]
    assert (found.code, found.measured, found.remedies) == ("dropout_too_high", 0.9, ("dropout", "wider"))
    assert finding(fit_detectors.dropout_too_high, run(dropout=0.5)) is None


def test_dropout_costs_what_the_loss_with_masks_is_above_that_without():
    """Two of four units are left on average, too few to enclose a circle; of 64 units half is enough."""
    settings = {"optimizer": "adam", "learning_rate": 0.03, "dropout": 0.5, "depth": 1, "steps": 600}
    history = run(**settings, width=4)
    found = diagnose(history)[0]
    dataset = load_dataset(history.experiment)
    network, rows = initialize(history.experiment), []
    for layer, (weights, biases) in enumerate(zip(history.weights, history.biases, strict=True)):
        network.weights[layer][...], network.biases[layer][...] = weights[-1], biases[-1]
    loss = LOSSES["cross_entropy"].value
    for step in range(500, 700):
        masks = dropout_masks(history.experiment, step)
        rows.append(loss(forward(network, dataset.train_inputs, masks).output, dataset.train_targets[None], "sigmoid"))
    without = loss(forward(network, dataset.train_inputs).output, dataset.train_targets[None], "sigmoid")
    assert (found.code, found.role, found.threshold) == ("dropout_too_high", "cause", 0.1)
    assert found.measured == pytest.approx((np.median(rows) - without[0]) / examined(history).uninformed, abs=0.05)
    assert finding(fit_detectors.costly_dropout, run(**settings | {"dropout": 0.0}, width=4)) is None
    assert diagnose(run(**settings, width=64)) == ()


# --- how well it does ---


def test_overfitting_measures_the_gap_that_label_noise_does_not_explain():
    history = run(**PARROT)
    found = diagnose(history)[0]
    right = history.validation_accuracy[-10:]
    expected = right * 0.7 + (1 - right) * 0.3
    assert found.code == "overfitting"
    assert found.measured == pytest.approx(np.median(history.train_accuracy[-10:] - expected))
    best = int(history.validation_loss.argmin())
    rise = 100 * (history.validation_loss[-1] / history.validation_loss[best] - 1)
    assert found.steps == (history.evaluation_step[best], 300)
    lowest = f"its lowest, which was at step {history.evaluation_step[best]}"
    assert f"{number(rise)}{PERCENT} above {lowest}" in found.explanation
    assert "of its training data right, though some of them are labelled wrong, and" in found.explanation
    clean = replace(history, experiment=replace(history.experiment, label_noise=0.0))
    assert "of its training data right and" in finding(fit_detectors.overfitting, clean).explanation


def test_early_stopping_overfits_less_than_it_would():
    assert finding(fit_detectors.overfitting, run(**PARROT | {"patience": 5})) is None


@pytest.mark.parametrize(("lowest", "share"), [(0.2, 0.1), (0.4, 0.2)])
def test_a_gap_counts_where_chance_does_not_explain_it(lowest, share):
    """A tenth of the constant answer's error where the loss on new data has grown, else a fifth, and three standard
    errors of 300 examples."""
    history = run(steps=100)
    targets = load_dataset(history.experiment).validation_targets
    validation, n = np.full(101, 0.84), 101
    threshold = share * min(targets.mean(), 1 - targets.mean()) + 3 * np.sqrt(0.84 * 0.16 / 300)
    losses = {"train_loss": np.full(n, 0.01), "validation_loss": np.r_[lowest, np.full(n - 1, 0.4)]}
    for more, expected in ((0.001, True), (-0.001, False)):
        train = validation + threshold + more
        found = fit_detectors.overfitting(
            edited(history, train_accuracy=train, validation_accuracy=validation, **losses)
        )
        assert (found is not None) is expected
        if found:
            assert (found.measured, found.threshold) == pytest.approx((threshold + more, threshold))


def test_a_network_that_is_sure_of_itself_and_right_is_not_overfitted():
    """Its loss on new data has doubled since its lowest, at 97 % right answers."""
    history = run(steps=100, noise=0.3)  # where references err more often
    sure = np.full(101, 0.97)
    found = diagnose(
        replace(
            history, train_accuracy=np.ones(101), validation_accuracy=sure, train_loss=np.full(101, 1e-4),
            validation_loss=np.r_[0.1, np.full(100, 0.25)],
        )
    )  # fmt: skip
    assert found == ()


def test_underfitting_compares_with_the_best_constant_answer():
    history = run(activation="linear", steps=300, seed=3)
    found = finding(fit_detectors.underfitting, history)
    share = float(load_dataset(history.experiment).train_targets.mean())
    entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert found.measured == pytest.approx(history.train_loss[-1] / entropy, rel=1e-12)
    assert found.threshold == 0.5
    wide = run(width=32, optimizer="adam", learning_rate=0.01, steps=300)
    assert finding(fit_detectors.underfitting, wide) is None
    assert diagnose(wide) == ()


@pytest.mark.parametrize(("times", "said"), [(0.6, "0.6 of"), (1.3, "no less than"), (40.0, "40 times")])
def test_how_high_a_loss_is_is_said_beside_the_average_answers(times, said):
    high = edited(run(), train_loss=np.full(len(run().train_loss), times * examined(run()).uninformed))
    wrong = replace(
        high.history,
        **dict.fromkeys(("train_accuracy", "validation_accuracy"), np.full_like(high.history.train_loss, 0.5)),
    )
    assert f"the training loss is {said} what always giving" in finding(fit_detectors.underfitting, wrong).explanation


def test_a_network_that_is_right_but_unsure_does_not_underfit():
    """Its loss is .6 of the constant answer's, at 98 % right answers; at 60 % it underfits."""
    history = run(steps=100)
    loss = np.full(101, 0.6 * np.log(2))
    for right, expected in ((0.98, False), (0.6, True)):
        answers = {"train_accuracy": np.full(101, right), "validation_accuracy": np.full(101, right)}
        assert (fit_detectors.underfitting(edited(history, train_loss=loss, **answers)) is not None) is expected


@pytest.mark.parametrize(
    ("on_training", "on_new", "expected"), [(0.13, 0.13, True), (0.11, 0.5, False), (0.5, 0.11, False)]
)
def test_a_network_underfits_whose_errors_are_an_eighth_above_the_references_on_both_sets(
    on_training, on_new, expected
):
    """Its loss is well below the constant answer's; shares are of that answer's errors."""
    history = run(steps=100, noise=0.3)  # so that references err, too
    reference = examined(history).reference_share
    mean = load_dataset(history.experiment).validation_targets.mean()
    right = [np.full(101, 1 - (reference + behind) * min(mean, 1 - mean)) for behind in (on_training, on_new)]
    learnt = {"train_loss": np.full(101, 0.2), "train_accuracy": right[0], "validation_accuracy": right[1]}
    found = fit_detectors.underfitting(edited(history, **learnt))
    assert (found is not None) is expected
    if found:
        assert (found.severity, found.steps) == ("warning", (91, 100))
        assert (found.measured, found.threshold) == pytest.approx((0.13, 0.12))
        assert f"is at least {number(reference + 0.13)} of that of always giving" in found.explanation
        assert f"kernel ridge regression, makes {number(reference)} of it" in found.explanation


@pytest.mark.parametrize(("fallen", "expected"), [(0.021, True), (0.019, False)])
def test_a_loss_that_fell_by_two_hundredths_in_the_last_checks_is_still_falling(fallen, expected):
    """Over the last ten; what it fell before does not count."""
    history = run(steps=100)
    uninformed = examined(history).uninformed
    loss = np.r_[np.full(91, uninformed), np.full(10, 0.8 * uninformed)]
    loss[-1] *= 1 - fallen
    wrong = np.full(101, 0.5)
    found = fit_detectors.underfitting(
        edited(history, train_loss=loss, train_accuracy=wrong, validation_accuracy=wrong)
    )
    others = ["wider", "deeper", "activation", "learning_rate_up", "optimizer"]
    assert list(found.remedies) == (["steps", *others] if expected else [*others, "steps"])
    assert found.explanation.endswith("costs. The loss is still falling.") is expected
    assert f"is {number(0.8 * (1 - fallen))} of what" in found.explanation


def test_linear_layers_are_one_straight_line():
    history = run(activation="linear", dataset="circles", steps=300)
    found = diagnose(history)[0]
    data = load_dataset(history.experiment)
    linear_model = pytest.importorskip("sklearn.linear_model")
    line = linear_model.LinearRegression().fit(data.train_inputs, data.train_targets)
    wrong = ((line.predict(data.validation_inputs) > 0.5) != data.validation_targets).mean()
    share = wrong / min(data.validation_targets.mean(), 1 - data.validation_targets.mean())
    assert (found.code, found.remedies) == ("underfitting", ("activation",))
    assert found.measured == pytest.approx(share - examined(history).reference_share)
    assert finding(fit_detectors.linear_network, run(activation="tanh", dataset="circles")) is None
    assert (
        finding(fit_detectors.linear_network, run(activation="linear", dataset="blobs")) is None
    )  # where a line will do


@pytest.mark.parametrize(
    ("width", "dataset", "expected"), [(2, "circles", True), (3, "circles", False), (2, "blobs", False)]
)
def test_two_units_enclose_nothing(width, dataset, expected):
    found = finding(fit_detectors.too_few_units, run(depth=1, width=width, dataset=dataset))
    assert (found is not None) is expected
    if expected:
        assert (found.code, found.measured, found.remedies) == ("underfitting", 2, ("wider", "deeper"))
