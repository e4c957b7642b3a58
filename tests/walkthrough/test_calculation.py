"""Every number of the backpropagation page beside what automatic differentiation gives for the same network."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, Parameters, train
from engine.activations import ACTIVATIONS
from engine.network import Architecture
from engine.optimizers import OPTIMIZERS
from pages.walkthrough.calculation import Problem, Rule, course, one_update
from pages.walkthrough.derivation import Selection, derivation
from pages.walkthrough.layer_derivation import layer_derivation
from pages.walkthrough.network_graph import graph
from pages.walkthrough.opened_network import opened, rule_of
from pages.walkthrough.presets import PRESETS
from tests.engine.oracle import differentiable, gradient_of, gradients, layers_of
from tests.engine.oracle import forward as forward_of
from tests.engine.oracle import loss as loss_of

EXACT = 1e-9
SIZES = ((3, 6, 6, 6, 2), (2, 4, 1), (4, 5, 5, 3), (1, 1, 1, 1, 1), (6, 3))
HEADS = (
    ("sigmoid", "cross_entropy"),
    ("sigmoid", "mse"),
    ("softmax", "cross_entropy"),
    ("softmax", "mse"),
    ("linear", "mse"),
    ("tanh", "huber"),
    ("relu", "mse"),
    ("softmax", "mae"),
    ("linear", "mae"),
    ("softmax", "huber"),
)
DIFFERENT = (
    {"normalization": "batch"}, {"normalization": "layer"}, {"residual": "plain"}, {"dropout": True},
    {"normalization": "batch", "residual": "plain", "dropout": True}, {"residual": "scaled"},
    {"normalization": "layer", "residual": "scaled", "dropout": True},
)  # fmt: skip


def problem(
    sizes,
    activation,
    output,
    loss,
    seed=0,
    batch=3,
    normalization="none",
    residual="none",
    dropout=False,
    class_weights=None,
):
    generator = np.random.default_rng(seed)
    architecture = Architecture(sizes, activation, output, normalization, residual)
    parameters = Parameters(architecture, generator.normal(size=(1, Parameters.size(architecture))))
    for scales in parameters.scales:
        scales[...] = generator.uniform(0.5, 2, scales.shape)
    targets = generator.uniform(0.05, 0.95, (batch, sizes[-1]))
    if output == "softmax":
        targets = np.eye(sizes[-1])[generator.integers(sizes[-1], size=batch)]
    masks = None
    if dropout:
        masks = np.array([generator.integers(2, size=(batch, width)) * 2.0 for width in sizes[1:-1]])
    return Problem(parameters, generator.normal(size=(batch, sizes[0])), targets, loss, masks, class_weights)


def differentiated(problem):
    """(loss, gradients of the layers, ∂L/∂z, ∂L/∂h) by PyTorch."""
    a = problem.architecture
    return gradients(
        layers_of(problem.parameters), problem.inputs, problem.targets, a.output, problem.loss, a.activation,
        a.normalization, a.residual, weights=problem.example_weights[:, 0], masks=problem.masks, training=True,
    )  # fmt: skip


def cases():
    for activation in ACTIVATIONS:
        for number, (output, loss) in enumerate(HEADS):
            yield problem(SIZES[number % len(SIZES)], activation, output, loss, seed=number)
    for number, (output, loss) in enumerate(HEADS):
        sizes = (2, 4, 1 if output == "sigmoid" else 2)
        yield problem(
            sizes, "tanh", output, loss, number, batch=1 + 4 * (number % 3), class_weights=np.array([0.6, 2.5])
        )
    for number, kind in enumerate(DIFFERENT):
        yield problem((3, 4, 4, 4, 2), "tanh", "softmax", "cross_entropy", number, batch=5, **kind)
        yield problem((2, 5, 5, 1), "relu", "sigmoid", "mse", number, batch=1, **kind)


def name(problem):
    a = problem.architecture
    return f"{a.sizes} {a.activation} {a.output} {problem.loss} {a.normalization} {a.residual} {len(problem.inputs)}"


CASES = list(cases())


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("case", CASES, ids=name)
def test_every_number_is_what_automatic_differentiation_gives(case):
    update = one_update(case, Rule(0.3))
    loss, layers, z_gradients, h_gradients = differentiated(case)
    close(update.loss, loss)
    close(update.loss_parts.sum(), loss)
    for layer, expected in enumerate(layers):
        close(update.gradient.weights[layer][0], expected["weights"])
        close(update.gradient.biases[layer][0], expected["biases"])
        close(update.delta[layer], z_gradients[layer])
        close(update.after.weights[layer][0], update.weights(layer) - 0.3 * np.array(expected["weights"]))
    for layer, expected in enumerate(h_gradients):
        close(update.incoming[layer], expected)
    # what is written out says the same
    for layer, expected in enumerate(layers):
        for unit in range(update.sizes[layer + 1]):
            for source in range(update.sizes[layer]):
                values = {line.name: line.value for line in derivation(update, Selection(layer, unit, source), 0)}
                close(values["error signal"], z_gradients[layer][0, unit])
                close(values["gradient of the weight"], expected["weights"][source, unit])
            values = {line.name: line.value for line in derivation(update, Selection(layer, unit), 0)}
            close(values["gradient of the bias"], expected["biases"][unit])
            if "gradient of the scale" in values:
                close(values["gradient of the scale"], expected["scale"][unit])
                close(values["gradient of the shift"], expected["shift"][unit])
        lines = {line.name: line.value for line in layer_derivation(update, layer)}
        close(lines["gradient of the weights"], np.linalg.norm(expected["weights"]))
        close(lines["error signals"], np.linalg.norm(z_gradients[layer][0]))
    # and so does the picture
    for edge in graph(update, Selection(0), 0)["edges"]:
        close(edge["gradient"], layers[edge["layer"] - 1]["weights"][edge["source"], edge["unit"]])
    for column in graph(update, Selection(0), 0)["columns"][1:]:
        for unit in column["units"]:
            close(unit["delta"], z_gradients[column["layer"] - 1][0, unit["unit"]])


def test_scaled_branches_are_divided_by_the_number_of_hidden_layers():
    case = problem((2, 3, 3, 3, 1), "tanh", "sigmoid", "mse", residual="scaled")
    update = one_update(case, Rule(0.1))
    for layer in (1, 2):
        close(update.outs[layer + 1], update.outs[layer] + update.values[layer] / 3)
    lines = {line.name: line for line in derivation(update, Selection(1, 0))}
    assert r"\tfrac{1}{3} a^{(2)}_{1} + h^{(1)}_{1}" in lines["handed on"].symbols
    close(lines["handed on"].value, update.outs[2][0, 0])
    lines = {line.name: line for line in layer_derivation(update, 1)}
    assert r"\tfrac{1}{3} a^{(2)} + h^{(1)}" in lines["handed on"].symbols
    captions = {step["name"]: step["caption"] for step in graph(update, Selection(0))["steps"]}
    assert "it outputs a/3, plus" in captions["forward-2"]
    assert "Skip connection" not in captions["forward-1"] + captions["forward-4"]
    assert "by 1/3" in captions["backward-3"]
    assert "by 1/3" not in captions["backward-1"]
    assert "over its skip connection" in captions["backward-1"]
    assert "over its skip connection" not in captions["backward-3"]


@pytest.mark.parametrize("case", [CASES[0], CASES[12], CASES[-4]], ids=name)
def test_predicted_change_is_the_first_order_of_what_happens(case):
    """Of penalised loss too: halving the step quarters the error of the prediction."""

    def error(rate):
        update = one_update(case, Rule(rate, l2=0.1))
        return abs(update.change - update.predicted_change)

    assert error(1e-3) / error(5e-4) == pytest.approx(4, rel=0.05)
    plain = one_update(case, Rule(0.1))
    assert plain.predicted_change == pytest.approx(-0.1 * (plain.gradient.flat**2).sum())


def test_penalty_and_clipping_enter_the_update():
    case = problem((3, 4, 2), "tanh", "sigmoid", "mse")
    rule = Rule(0.3, l1=0.05, l2=0.2, clip="norm", clip_threshold=0.1)
    layers = differentiable(layers_of(case.parameters))
    weights = [layer["weights"] for layer in layers]
    penalty = sum(0.05 * abs(w).sum() + 0.1 * (w**2).sum() for w in weights)
    (loss_of(forward_of(layers, case.inputs, "tanh")[0], case.targets, "sigmoid", "mse") + penalty).backward()
    gradient = gradient_of(layers)
    norm = np.sqrt(sum(float((part**2).sum()) for layer in gradient for part in layer.values()))
    update = one_update(case, rule)
    assert norm > 0.1
    for layer, expected in enumerate(gradient):
        np.testing.assert_allclose(update.total.weights[layer][0], expected["weights"], rtol=EXACT)
        step = 0.3 * np.array(expected["weights"]) * 0.1 / norm
        np.testing.assert_allclose(update.after.weights[layer][0], update.weights(layer) - step, rtol=EXACT)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_updates_are_those_of_training(optimizer):
    """The same batch every time, as in training on the full batch: the same losses and parameters at every step."""
    experiment = Experiment(
        optimizer=optimizer, steps=12, n_train=20, width=5, depth=2, l2=0.01, clip="norm", clip_threshold=0.5,
        normalization="batch",
    )  # fmt: skip
    history = train(experiment)
    taken = course(opened(history, 0, True, 0), rule_of(experiment), 12)
    penalised = history.batch_loss + np.array([rule_penalty(history, k) for k in range(12)])
    np.testing.assert_allclose(taken.losses[:12], penalised, rtol=1e-12)
    np.testing.assert_allclose(taken.next.problem.parameters.weights[1][0], history.weights[1][-1], rtol=1e-9)


def rule_penalty(history, step):
    frame = int(np.flatnonzero(history.frame_step == step)[0])
    return history.experiment.l2_in_loss / 2 * sum((weights[frame] ** 2).sum() for weights in history.weights)


@pytest.mark.parametrize(
    "kind", [{}, {"normalization": "batch", "dropout": 0.3}, {"residual": "scaled", "batch_size": 16}]
)
@pytest.mark.parametrize("dataset", ["moons", "blobs", "sine"])
def test_an_opened_network_has_the_gradients_that_training_recorded(kind, dataset):
    experiment = Experiment(dataset=dataset, steps=30, width=5, depth=3, n_train=40, activation="tanh", **kind)
    history = train(experiment)
    for index in (0, 7):
        step = int(history.frame_step[index])
        update = one_update(opened(history, index, True, 0), rule_of(experiment))
        assert update.loss == pytest.approx(history.batch_loss[step], rel=1e-12)
        found = [np.linalg.norm(weights) for weights in update.gradient.weights]
        np.testing.assert_allclose(found, history.gradient_norm[step], rtol=1e-12)


def test_another_activation_and_loss_on_the_same_weights():
    preset = PRESETS["saturated"].problem
    update = one_update(preset.changed("sigmoid", "cross_entropy"), Rule(0.15))
    answer = update.outs[-1][0, 0]
    assert update.delta[-1][0, 0] == pytest.approx(answer)  # a − t, the slope has cancelled
    assert one_update(preset, Rule(0.15)).delta[-1][0, 0] == pytest.approx(2 * answer * answer * (1 - answer))
    assert preset.loss == "mse"


def test_a_course_ends_before_a_number_is_not_finite():
    case = replace(problem((1, 3, 1), "relu", "linear", "mse"))
    taken = course(case, Rule(1e6), 500)
    assert taken.diverged_after is not None
    assert len(taken.losses) == taken.diverged_after
    assert np.isfinite(taken.losses).all()
    assert np.isfinite(taken.next.problem.parameters.flat).all()


def test_xor_learns_all_four_in_300_updates():
    taken = course(PRESETS["xor"].problem, Rule(PRESETS["xor"].learning_rate), 300)
    np.testing.assert_array_equal(taken.next.outs[-1] > 0.5, taken.next.problem.targets > 0.5)


def test_an_opened_networks_gradient_has_the_class_weights_of_its_training():
    history = train(Experiment(imbalance=0.2, class_weights="balanced", batch_size=7, depth=2, width=4, steps=5))
    for index in (0, 3):
        update = one_update(opened(history, index, batch=True, example=0), rule_of(history.experiment))
        assert update.loss == pytest.approx(history.batch_loss[index], rel=1e-12)
        norms = [np.linalg.norm(one[0]) for one in update.gradient.weights]
        np.testing.assert_allclose(norms, history.gradient_norm[index], rtol=1e-10)
