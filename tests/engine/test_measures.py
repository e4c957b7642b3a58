"""What a RunHistory says, against PyTorch and plain NumPy, from the parameters that it kept."""

import itertools
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import Experiment, Parameters, batch_indices, dropout_masks, forward, load_dataset, train
from engine.losses import outputs
from engine.measures import clip_cosine, generalization_loss, norms, parameter_norms, root_mean_squares
from engine.network import architecture_of
from tests.engine import oracle

TOLERANCE, ROUNDING = 1e-9, 1e-15
STEPS = 6
BASE = Experiment(depth=3, width=5, n_train=40, batch_size=16, steps=STEPS, bias=0.1, seed=2)
EXPERIMENTS = {
    "all remedies": replace(BASE, activation="tanh", dropout=0.3, l1=0.01, l2=0.02, clip="norm", clip_threshold=0.1),
    "batch, residual": replace(
        BASE, activation="silu", normalization="batch", residual="plain", dataset="blobs", n_train=33
    ),
    "layer, mse": replace(
        BASE, activation="elu", normalization="layer", loss="mse", optimizer="adam", learning_rate=0.01
    ),
    "deep sigmoid": replace(BASE, activation="sigmoid", depth=6, l2=0.1, clip="value", clip_threshold=0.01),
    "regression": replace(BASE, activation="gelu", dataset="sine", batch_size=0, n_train=300, l1=0.1),
    "digits, mse": replace(BASE, activation="relu", dataset="digits", loss="mse", n_train=300, batch_size=300),
    "dying": replace(BASE, activation="relu", bias=0.5, learning_rate=1.0, seed=1),
    "scaled": replace(BASE, activation="tanh", residual="scaled", depth=5, dropout=0.2),
    "selu": replace(BASE, activation="selu", initializer="lecun", gain=2, residual="plain"),
}
everywhere = pytest.mark.parametrize("name", EXPERIMENTS)


@cache
def run(name):
    return train(EXPERIMENTS[name])


def setting(name):
    """Dataset, output, loss and rows of targets of one of the experiments."""
    experiment = EXPERIMENTS[name]
    dataset = load_dataset(experiment)
    output = {"binary": "sigmoid", "classes": "softmax", "regression": "linear"}[dataset.task]
    loss = "mse" if experiment.loss == "mse" or dataset.task == "regression" else "cross_entropy"
    return experiment, dataset, output, loss


def targets_of(dataset, split):
    return oracle.one_hot(getattr(dataset, f"{split}_targets"), dataset.task, dataset.n_out)


def rms(values):
    return np.sqrt(np.mean(np.square(values)))


def length(tensors):
    return np.sqrt(sum(np.sum(np.square(tensor)) for tensor in tensors))


def flat(layers):
    return [tensor for layer in layers for tensor in layer.values()]


def equal(found, expected, where):
    np.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=ROUNDING, err_msg=where)


@everywhere
def test_rows_of_updates(name):
    experiment, dataset, output, loss = setting(name)
    history, depth = run(name), experiment.depth
    np.testing.assert_array_equal(history.step, np.arange(STEPS))
    for step in range(STEPS):
        batch, masks = batch_indices(experiment, step), dropout_masks(experiment, step)
        n = len(batch)
        layers = oracle.layers_of(history, step)
        value, gradient, z_gradients, h_gradients = oracle.gradients(
            layers, dataset.train_inputs[batch], targets_of(dataset, "train")[batch], output, loss,
            experiment.activation, experiment.normalization, experiment.residual,
            masks=None if masks is None else masks[:, :n], training=True,
        )  # fmt: skip
        where = f"{name}, step {step}"
        equal(history.batch_loss[step], value, where)
        weights = [layer["weights"] for layer in layers]
        after = [layer["weights"] for layer in oracle.layers_of(history, step + 1)]
        equal(history.gradient_norm[step], [length([layer["weights"]]) for layer in gradient], where)
        equal(history.weight_norm[step], [length([w]) for w in weights], where)
        np.testing.assert_allclose(
            history.update_norm[step], [length([b - a]) for a, b in zip(weights, after, strict=True)], rtol=1e-7
        )
        # δ is an example's own: the loss is a mean over the batch, so its gradient is 1/n of it
        delta, hidden = [n * rms(g) for g in z_gradients], [n * rms(g) for g in h_gradients]
        equal(history.delta_rms[step], delta, where)
        equal(history.weight_factor[step, :-1], [hidden[i] / delta[i + 1] for i in range(depth)], where)
        equal(history.slope_factor[step, :-1], [delta[i] / hidden[i] for i in range(depth)], where)

        penalty = [experiment.l1 * np.sign(w) + experiment.l2 * w for w in weights]
        equal(history.data_gradient_norm[step], length(flat(gradient)), where)
        np.testing.assert_allclose(history.penalty_gradient_norm[step], length(penalty), rtol=TOLERANCE)
        for layer, extra in zip(gradient, penalty, strict=True):
            layer["weights"] = layer["weights"] + extra
        total, clipped = flat(gradient), flat(oracle.clipped(gradient, experiment.clip, experiment.clip_threshold))
        equal(history.total_gradient_norm[step], length(total), where)
        equal(history.clipped_norm[step], length(clipped), where)
        inner = sum(np.vdot(one, other) for one, other in zip(total, clipped, strict=True))
        equal(history.clip_cosine[step], inner / length(total) / length(clipped), where)


@everywhere
def test_product_of_the_factors_is_the_change_of_the_error_signal(name):
    history = run(name)
    change = history.delta_rms[:, :-1] / history.delta_rms[:, 1:]
    np.testing.assert_allclose((history.weight_factor * history.slope_factor)[:, :-1], change, rtol=1e-14)
    assert np.isnan(history.weight_factor[:, -1]).all()
    assert np.isnan(history.slope_factor[:, -1]).all()
    np.testing.assert_array_equal(history.gradient_ratio, history.delta_rms[:, 0] / history.delta_rms[:, -2])


@everywhere
def test_rows_of_evaluations(name):
    experiment, dataset, output, loss = setting(name)
    history, depth = run(name), experiment.depth
    np.testing.assert_array_equal(history.frame_step, history.evaluation_step)
    how = (experiment.activation, experiment.normalization, experiment.residual)
    steepest = np.abs(oracle.slope(experiment.activation, np.linspace(-5, 5, 20_001))).max()
    n, n_probe = experiment.n_train, min(experiment.n_train, 256)
    inputs = np.concatenate([dataset.train_inputs, dataset.validation_inputs])
    for row in range(len(history.evaluation_step)):
        where = f"{name}, evaluation {row}"
        layers = oracle.layers_of(history, row)
        z_all, zs, hs, _ = oracle.forward(layers, inputs, *how)
        answers, zs = oracle.answer(z_all, output), [z.numpy() for z in zs]
        for split, z in zip(("train", "validation"), z_all.split([n, len(z_all) - n]), strict=True):
            targets = targets_of(dataset, split)
            equal(getattr(history, f"{split}_loss")[row], oracle.loss(z, targets, output, loss), where)
            if output == "linear":
                assert np.isnan(getattr(history, f"{split}_accuracy")[row])
                continue
            two = np.column_stack([1 - targets, targets]) if output == "sigmoid" else targets
            truth = two.argmax(axis=1)
            z = z.numpy()
            answer = np.asarray(z[:, 0] > 0, int) if output == "sigmoid" else z.argmax(axis=1)
            equal(getattr(history, f"{split}_accuracy")[row], np.mean(answer == truth), where)
            if split == "validation":
                counts = np.zeros((two.shape[1],) * 2, int)
                np.add.at(counts, (truth, answer), 1)
                np.testing.assert_array_equal(history.confusion[row], counts)
        weights = [layer["weights"] for layer in layers]
        penalty = sum(experiment.l1 * np.abs(w).sum() + experiment.l2 / 2 * (w**2).sum() for w in weights)
        equal(history.penalty[row], penalty, where)

        zs, values = [z[:n_probe] for z in zs], [h[:n_probe].numpy() for h in (*hs, answers)]
        equal(history.activation_mean[row], [np.mean(h) for h in values], where)
        equal(history.activation_std[row], [np.std(h) for h in values], where)
        _, _, z_gradients, _ = oracle.gradients(
            layers, inputs[:n_probe], targets_of(dataset, "train")[:n_probe], output, loss, *how
        )
        equal(history.probe_delta_rms[row], [n_probe * rms(g) for g in z_gradients], where)

        if experiment.activation == "relu":
            np.testing.assert_allclose(history.dead_fraction[row, :-1], [np.mean((z <= 0).all(axis=0)) for z in zs])
            assert np.isnan(history.saturated_fraction[row]).all()
        else:
            assert np.isnan(history.dead_fraction[row]).all()
            for layer in range(depth):
                slopes = np.abs(oracle.slope(experiment.activation, zs[layer])) / steepest
                share = history.saturated_fraction[row, layer]
                assert np.mean(slopes < 0.05 - 1e-6) <= share <= np.mean(slopes < 0.05 + 1e-6)
        assert np.isnan(history.dead_fraction[row, -1])
        assert np.isnan(history.saturated_fraction[row, -1])


def test_the_runs_above_do_die_and_saturate():
    assert run("dying").dead_fraction[-1, :-1].max() > 0.2
    assert run("selu").saturated_fraction[:, :-1].max() > 0.05


@pytest.mark.parametrize(
    "activation", ["relu", "leaky_relu", "linear", "sigmoid", "tanh", "elu", "selu", "gelu", "silu"]
)
def test_dead_and_saturated_are_defined_where_they_mean_something(activation):
    history = train(Experiment(activation=activation, steps=1, n_train=20))
    assert np.isfinite(history.dead_fraction[:, :-1]).all() == (activation == "relu")
    assert np.isnan(history.saturated_fraction[:, :-1]).all() == (activation in ("relu", "leaky_relu", "linear"))


@pytest.mark.parametrize("name", ["all remedies", "batch, residual", "regression"])
def test_predictions_are_the_networks_outputs(name):
    experiment, dataset, output, _ = setting(name)
    history = run(name)
    architecture = architecture_of(experiment, dataset.n_in, dataset.n_out, dataset.task)
    for frame in range(len(history.frame_step)):
        parts = [history.weights, history.biases, history.scales, history.shifts]
        flat = np.concatenate([array[frame].ravel() for arrays in parts for array in arrays])[None]
        running = np.concatenate(
            [array[frame] for arrays in (history.running_means, history.running_variances) for array in arrays] or [[]]
        )[None]
        network = Parameters(architecture, flat, running)
        generator = np.random.default_rng(frame)
        for _ in range(20):
            place = tuple(generator.integers(len(axis)) for axis in history.prediction_axes)
            # the first input runs along the last axis of the picture
            point = np.array([[axis[i] for axis, i in zip(history.prediction_axes, place, strict=True)]], float)
            expected = outputs(forward(network, point).z[-1], output)[0, 0]
            np.testing.assert_allclose(history.predictions[(frame, *reversed(place))], expected, atol=1e-5)
    assert history.predictions.dtype == np.float32
    reach = np.abs(dataset.train_inputs).max()
    assert all(axis[0] <= -reach and axis[-1] >= reach for axis in history.prediction_axes)


def test_no_predictions_beyond_two_inputs_and_no_confusion_in_regression():
    digits = run("digits, mse")
    assert digits.predictions is None
    assert digits.prediction_axes is None
    assert digits.confusion.shape == (STEPS + 1, 10, 10)
    assert (digits.confusion.sum(axis=(1, 2)) == 359).all()
    assert run("regression").confusion is None


@pytest.mark.parametrize("patience", [0, 3])
def test_best_step_and_the_losses_of_the_result(patience):
    experiment = Experiment(
        dataset="moons", noise=0.4, n_train=20, width=16, depth=2, activation="tanh", learning_rate=0.5,
        optimizer="momentum", steps=120, patience=patience,
    )  # fmt: skip
    history = train(experiment)
    best = history.validation_loss.argmin()
    assert 0 < history.evaluation_step[best] < history.evaluation_step[-1]
    assert history.best_step == history.evaluation_step[best]
    assert history.status == ("stopped_early" if patience else "completed")
    dataset = load_dataset(experiment)

    def row(split, step):
        """Loss and accuracy of the frame of this step."""
        inputs, targets = getattr(dataset, f"{split}_inputs"), getattr(dataset, f"{split}_targets")
        z = oracle.forward(oracle.layers_of(history, history.frame_step.tolist().index(step)), inputs, "tanh")[0]
        return oracle.loss(z, targets, "sigmoid", "cross_entropy"), np.mean(np.asarray(z > 0) == targets)

    last = history.frame_step[-1]
    result = history.best_step if patience else last
    for found, expected in (
        ((history.validation_loss[best], history.validation_accuracy[best]), row("validation", history.best_step)),
        ((history.last_test_loss, history.last_test_accuracy), row("test", last)),
        ((history.test_loss, history.test_accuracy), row("test", result)),
    ):
        np.testing.assert_allclose(found, expected, rtol=TOLERANCE)


@pytest.mark.parametrize("scale", [1.0, 1e-158, 1e-200, 1e200, 5e-324, 0.0])
def test_norms_survive_under_and_overflow(scale):
    """At 1e-158 squares are subnormal: numbers above 0, but of nine digits."""
    values = np.array([[3.0, 4.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]) * scale
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(norms(values), [5 * scale, scale], rtol=1e-15)
        np.testing.assert_allclose(
            root_mean_squares([values.reshape(1, 2, 2, 2)]), [[2.5 * scale, 0.5 * scale]], rtol=1e-15, atol=5e-324
        )
        flats = np.array([[3.0, 4.0, 2.0, 6.0, 8.0], [0.0, 0.0, 0.0, 0.0, 0.0]]) * scale
        found = parameter_norms(flats, [0, 2, 3])
        np.testing.assert_allclose(found, [[5 * scale, 2 * scale, 10 * scale], [0, 0, 0]], rtol=1e-15)


@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_what_is_not_clipped_is_not_turned_by_rounding_either(scale):
    gradients = scale * np.random.default_rng(0).normal(size=(1000, 7))
    length = norms(gradients)
    units = gradients / length[:, None]
    assert (np.vecdot(units, units) < 1).any()
    np.testing.assert_array_equal(clip_cosine(gradients, gradients, length, length), 1)


def test_norms_tell_infinity_from_nan_and_keep_to_their_network():
    with np.errstate(all="ignore"):
        found = norms(np.array([[np.inf, 1.0], [np.nan, 1.0], [3e-200, 4e-200], [3.0, 4.0]]))
    np.testing.assert_allclose(found, [np.inf, np.nan, 5e-200, 5], rtol=1e-15)


def test_norms_of_float32_accumulate_in_float64():
    values = np.full((1, 10_000), 1e25, np.float32)
    np.testing.assert_allclose(norms(values), 100 * 1e25, rtol=1e-6)
    assert norms(values).dtype == np.float64


@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e-22, 1e-12, 1.0, 1e12, 1e18, 1e22, 1e38, 0.0])
def test_what_is_measured_of_float32_is_what_is_measured_of_the_same_numbers_in_float64(scale):
    """Also where squares are beyond the range of float32, and of more numbers than are added up in it."""
    drawn = np.random.default_rng(0).uniform(0.5, 2, size=(2, 2, 77, 70))
    values = (drawn * scale).astype(np.float32)
    values[1, 1] = 1e-30
    wide = values.astype(np.float64)
    flats, starts = values.reshape(2, 2, -1), [0, 10, 5000, 5195]
    parts = [wide.reshape(2, 2, -1)[..., a:b] for a, b in itertools.pairwise([*starts, None])]
    lengths = np.stack([np.linalg.norm(part, axis=-1) for part in parts], axis=-1)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(root_mean_squares([values]), np.sqrt(np.mean(wide * wide, axis=(2, 3))), rtol=1e-6)
        np.testing.assert_allclose(parameter_norms(flats, starts), lengths, rtol=1e-6)


def test_the_error_signal_of_a_vanishing_network_is_measured_far_below_the_square_root_of_tiny():
    history = train(Experiment(activation="sigmoid", initializer="small_normal", gain=1e-3, depth=50, width=4, steps=2))
    assert 0 < history.delta_rms[0, 0] < 1e-200
    product = np.prod((history.weight_factor * history.slope_factor)[0, :-1])
    assert history.delta_rms[0, 0] / history.delta_rms[0, -1] == pytest.approx(product, rel=1e-6)


def test_generalization_loss_on_worked_numbers():
    """Prechelt 1998: above the lowest so far, in per cent."""
    found = generalization_loss(np.array([1, 0.8, 0.7, 0.72, 0.75, 0.77]))
    np.testing.assert_allclose(found, [0, 0, 0, 2.857142857, 7.142857143, 10], rtol=1e-9, atol=0)


def test_generalization_loss_where_a_loss_is_zero_or_not_finite():
    inf, nan = np.inf, np.nan
    found = generalization_loss(np.array([inf, nan, 2, inf, nan, 3, 0, 0, 1e-300]))
    np.testing.assert_array_equal(found, [nan, nan, 0, inf, nan, 50, 0, 0, inf])
    assert generalization_loss(np.array([])).shape == (0,)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_no_share_of_units_where_activations_are_not_finite(activation):
    overflows = Experiment(
        depth=50, activation=activation, initializer="standard_normal", gain=100, steps=3, precision="float32"
    )
    history = train(overflows)
    assert history.diverged_at
    share = {"relu": history.dead_fraction, "gelu": history.saturated_fraction}[activation][0, :-1]
    finite = np.isfinite(history.activation_mean[0, :-1])
    assert finite.any()
    assert not finite.all()
    np.testing.assert_array_equal(np.isfinite(share), finite)
