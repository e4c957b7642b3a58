"""The same training in JAX, with the same record of it, compiled: updates between two evaluations are one `lax.scan`.

Zeros added to every z and h are differentiated along with the parameters: their gradients are ∂L/∂z and ∂L/∂h, and the
compiler removes the additions.
"""

from functools import partial
from itertools import islice, pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax
from problem import Array, Problem


def forward(parameters, inputs, taps=None):
    """Pre-activations z (L) and hidden outputs h (H), with taps (zeros like them) added."""
    pre, hidden, h = [], [], inputs
    for layer, (weights, biases) in enumerate(parameters):
        z = h @ weights + biases
        if taps is not None:
            z = z + taps[0][layer]
        pre.append(z)
        if layer < len(parameters) - 1:
            h = jax.nn.relu(z)
            if taps is not None:
                h = h + taps[1][layer]
            hidden.append(h)
    return pre, hidden


def tapped_loss(parameters, taps, inputs, targets):
    pre, hidden = forward(parameters, inputs, taps)
    return optax.sigmoid_binary_cross_entropy(pre[-1], targets).mean(), (pre, hidden)


def gradients(parameters, inputs, targets):
    """Loss, (z, h), ∂L/∂parameters, and rms of ∂L/∂z and ∂L/∂h."""
    taps = jax.tree.map(lambda shape: jnp.zeros(shape.shape), jax.eval_shape(forward, parameters, inputs))
    differentiated = jax.value_and_grad(tapped_loss, argnums=(0, 1), has_aux=True)
    (loss, passed), (gradient, signal) = differentiated(parameters, taps, inputs, targets)
    rms = [jnp.stack([jnp.sqrt((g * g).mean()) for g in part]) for part in signal]
    return loss, passed, gradient, rms


def weight_norms(parameters):
    return jnp.stack([jnp.linalg.norm(weights) for weights, _ in parameters])


def update(optimizer, inputs, targets, carried, chosen):
    """One update and its row."""
    parameters, state = carried
    loss, _, gradient, (delta, hidden) = gradients(parameters, inputs[chosen], targets[chosen])
    change, state = optimizer.update(gradient, state, parameters)
    total = optax.global_norm(gradient)
    row = {
        "batch_loss": loss,
        "gradient_norm": weight_norms(gradient),
        "weight_norm": weight_norms(parameters),
        "update_norm": weight_norms(change),
        "delta_rms": delta * len(chosen),
        "weight_factor": jnp.append(hidden / delta[1:], jnp.nan),
        "slope_factor": jnp.append(delta[:-1] / hidden, jnp.nan),
        "data_gradient_norm": total,
        "penalty_gradient_norm": jnp.zeros(()),
        "total_gradient_norm": total,
        "clipped_norm": total,
    }
    return (optax.apply_updates(parameters, change), state), row


@partial(jax.jit, static_argnames="optimizer")
def advance(optimizer, carried, inputs, targets, batches):
    """The updates between two evaluations."""
    return jax.lax.scan(partial(update, optimizer, inputs, targets), carried, batches)


@jax.jit
def score(parameters, inputs, targets):
    """Pre-activation at the output, loss and accuracy."""
    z = forward(parameters, inputs)[0][-1]
    return z, optax.sigmoid_binary_cross_entropy(z, targets).mean(), ((z > 0) == (targets > 0.5)).mean()


@partial(jax.jit, static_argnames="n_probe")
def evaluate(parameters, sets, n_probe):
    row = {}
    for name in ("train", "validation"):
        z, row[f"{name}_loss"], row[f"{name}_accuracy"] = score(parameters, *sets[name])
    inputs, targets = (values[:n_probe] for values in sets["train"])
    _, (pre, hidden), _, (delta, _) = gradients(parameters, inputs, targets)
    put_out = [*hidden, jax.nn.sigmoid(pre[-1])]
    row["dead_fraction"] = jnp.stack([*[(z.max(0) <= 0).mean() for z in pre[:-1]], jnp.nan])
    row["activation_mean"] = jnp.stack([h.mean() for h in put_out])
    row["activation_std"] = jnp.stack([h.std() for h in put_out])
    row["probe_delta_rms"] = delta * n_probe
    cells = 2 * sets["validation"][1][:, 0].astype(int) + (z[:, 0] > 0)
    row["confusion"] = jnp.bincount(cells, length=4).reshape(2, 2)
    return row


@jax.jit
def surface(parameters, grid):
    return jax.nn.sigmoid(forward(parameters, grid)[0][-1])


def train(problem: Problem) -> tuple[dict[str, Array], ...]:
    """Train and record: rows of updates, of evaluations and of frames, field by field, and results on the test set."""
    parameters = [(jnp.asarray(weights), jnp.zeros(weights.shape[1])) for weights in problem.weights]
    sets = {name: (jnp.asarray(inputs), jnp.asarray(targets)) for name, (inputs, targets) in problem.sets.items()}
    grid, batches = jnp.asarray(problem.grid), problem.batches()
    optimizer = OPTIMIZERS.setdefault(problem.experiment.learning_rate, optax.sgd(problem.experiment.learning_rate))
    carried = parameters, optimizer.init(parameters)
    evaluations, updates = [evaluate(parameters, sets, problem.n_probe)], []
    kept, surfaces = [parameters], [surface(parameters, grid)]
    steps = sorted(problem.evaluations)
    for start, end in pairwise(steps):
        carried, rows = advance(optimizer, carried, *sets["train"], np.stack([*islice(batches, end - start)]))
        updates.append(rows)
        evaluations.append(evaluate(carried[0], sets, problem.n_probe))
        if end in problem.frames:
            kept.append(carried[0])
            surfaces.append(surface(carried[0], grid))
    _, loss, accuracy = score(carried[0], *sets["test"])
    updates, evaluations, surfaces, kept, test = jax.device_get(
        (updates, evaluations, surfaces, kept, (loss, accuracy))
    )
    framed = [step in problem.frames for step in steps]
    fields = {name: np.stack([row[name] for row in evaluations]) for name in evaluations[0]}
    return (
        {name: np.concatenate([rows[name] for rows in updates]) for name in updates[0]},
        fields,
        {"predictions": np.stack(surfaces), "confusion": fields.pop("confusion")[framed]},
        dict(zip(("test_loss", "test_accuracy"), test, strict=True)),
    )


OPTIMIZERS: dict[float, optax.GradientTransformation] = {}  # one object a rate, so that compiled code is found again


def forget_compiled() -> None:
    """As in a new process: the next run compiles."""
    jax.clear_caches()
