"""One update as a PyTorch script that comes to the same numbers, and its parameters as a table."""

from collections.abc import Iterator, Sequence

import numpy as np

from engine import Parameters
from engine.export.script_parts import UNPACKED, packed
from engine.export.tables import csv_text
from engine.export.torch_script import ACTIVATIONS, CROSS_ENTROPIES, LOSSES, OUTPUTS
from engine.network import NORMALIZATION_EPSILON
from engine.optimizers import ADAM_DECAYS, EPSILON, MOMENTUM, RMSPROP_DECAY
from pages.walkthrough.calculation import Update

Array = np.ndarray

MOST_WRITTEN_OUT = 500  # numbers of an array that can be read; more are compressed
KINDS = "weights", "biases", "scales", "shifts"
# The step by the gradient g, an array after the other; m and s are what the optimizer keeps of the updates before.
STEPS = {
    "sgd": "{rate} * g",
    "momentum": f"{{rate}} * ({MOMENTUM} * m + g)",
    "nesterov": f"{{rate}} * (g + {MOMENTUM} * ({MOMENTUM} * m + g))",
    "adagrad": f"{{rate}} * g / ((m + g**2).sqrt() + {EPSILON})",
    "rmsprop": f"{{rate}} * g / (({RMSPROP_DECAY} * m + (1 - {RMSPROP_DECAY}) * g**2).sqrt() + {EPSILON})",
    "adam": (
        f"{{rate}} * ({ADAM_DECAYS[0]} * m + (1 - {ADAM_DECAYS[0]}) * g) / (1 - {ADAM_DECAYS[0]}**{{count}})"
        f" / (((({ADAM_DECAYS[1]} * s + (1 - {ADAM_DECAYS[1]}) * g**2)"
        f" / (1 - {ADAM_DECAYS[1]}**{{count}})).sqrt()) + {EPSILON})"
    ),
}
STEPS["adamw"] = STEPS["adam"]


def update_script(update: Update, link: str) -> str:
    """A script in PyTorch and float64: forward, loss, backward by automatic differentiation, update; then both results.

    link: the address of the page.  Whole arrays are frozen or none of an array.
    """
    parts = (_given(update), _forward(update), _loss(update), _backward(update), _update(update), _compared(update))
    body = "\n\n".join("\n".join(part) for part in parts)
    return "\n".join([*_head(link, compressed="unpacked(" in body), body, ""])


def _head(link: str, compressed: bool) -> list[str]:
    return [
        '"""One update of a network of Backprop Clinic, by PyTorch alone.',
        "",
        link.replace("\\", "%5C").replace('"', "%22"),
        '"""',
        "",
        *(["import base64", "import zlib", "", "import numpy as np"] if compressed else []),
        "import torch",
        "import torch.nn.functional as F",
        "",
        "torch.set_default_dtype(torch.float64)",
        "",
        *(["", UNPACKED, "", ""] if compressed else []),
    ]


def _given(update: Update) -> Iterator[str]:
    """What the update starts from: examples, parameters, masks, and what the optimizer kept."""
    problem = update.problem
    yield "# What it is shown, and its parameters; weights[l][i, j] leads from unit i to unit j."
    yield f"inputs = {_tensor(problem.inputs)}"
    yield f"targets = {_tensor(problem.targets)}"
    kinds, learning = _kinds(update), _learning(update)
    for kind in kinds:
        yield f"{kind} = {_tensors(problem.parameters, kind)}"
    if problem.masks is not None:
        yield f"masks = {_list(list(problem.masks))}  # of dropout"
    if _uses_running_statistics(update):
        for kind in ("running_means", "running_variances"):
            yield f"{kind} = {_tensors(problem.parameters, kind)}"
    if problem.class_weights is not None:
        yield f"counts = {_tensor(problem.example_weights[:, 0])}  # of each example's class"
    if fixed := [kind for kind in kinds if kind not in learning]:
        yield f"# Kept as they are: {', '.join(fixed)}."
    yield f"parameters = [{', '.join(f'*{kind}' for kind in learning)}]"
    for slot, state in zip(_slots(update), update.state_before, strict=True):
        arrays = [array[0] for kind in learning for array in getattr(state, kind)]
        yield f"kept_{slot} = {_list(arrays)}  # by the optimizer, of the updates before"
    yield from ("for one in parameters:", "    one.requires_grad_()")


def _kinds(update: Update) -> list[str]:
    """The kinds of parameters that this network has."""
    return [kind for kind in KINDS if getattr(update.problem.parameters, kind)]


def _learning(update: Update) -> list[str]:
    """Those that are not frozen."""
    return [kind for kind in _kinds(update) if not all(one.all() for one in getattr(update.frozen, kind))]


def _slots(update: Update) -> tuple[str, ...]:
    """Names of what the optimizer keeps of each parameter."""
    return ("m", "s")[: len(update.state_before)]


def _uses_running_statistics(update: Update) -> bool:
    """Whether batch normalization has but one example, which has no variance."""
    return update.problem.architecture.normalization == "batch" and update.batch == 1


def _forward(update: Update) -> Iterator[str]:
    architecture = update.problem.architecture
    yield "# Forward"
    yield "h = inputs"
    if update.layers > 1:
        yield "for layer in range(len(weights) - 1):"
        yield "    u = h @ weights[layer] + biases[layer]"
        epsilon = NORMALIZATION_EPSILON
        if architecture.normalization == "none":
            yield "    z = u"
        elif _uses_running_statistics(update):
            yield f"    u = (u - running_means[layer]) / (running_variances[layer] + {epsilon}).sqrt()"
        else:
            along = "dim=0" if architecture.normalization == "batch" else "dim=1, keepdim=True"
            yield f"    mean, variance = u.mean({along}), u.var({along}, correction=0)"
            yield f"    u = (u - mean) / (variance + {epsilon}).sqrt()"
        if architecture.normalization != "none":
            yield "    z = scales[layer] * u + shifts[layer]"
        yield f"    value = {ACTIVATIONS[architecture.activation]}"
        if update.problem.masks is not None:
            yield "    value = value * masks[layer]"
        share = f" / {update.layers - 1}" if architecture.residual == "scaled" else ""
        yield (
            "    h = value" if architecture.residual == "none" else f"    h = value{share} + h if layer > 0 else value"
        )
    yield "z = h @ weights[-1] + biases[-1]"


def _loss(update: Update) -> Iterator[str]:
    problem, output = update.problem, update.problem.architecture.output
    losses = CROSS_ENTROPIES[output] if problem.loss == "cross_entropy" else LOSSES[problem.loss]
    counts = "counts * " if problem.class_weights is not None else ""
    yield "# Loss"
    yield f"answers = {OUTPUTS[output]}"
    yield f"loss = ({counts}{losses}).mean()"


def _backward(update: Update) -> Iterator[str]:
    """The gradient of loss and penalties, clipped."""
    rule, objective = update.rule, "loss"
    for strength, term in ((rule.l1, "one.abs().sum()"), (rule.l2_in_loss / 2, "(one**2).sum()")):
        if strength:
            objective += f" + {strength!r} * sum({term} for one in weights)"
    yield "# Backward"
    yield f"gradients = torch.autograd.grad({objective}, parameters)"
    threshold = rule.clip_threshold
    if rule.clip == "norm":
        yield "norm = sum((g**2).sum() for g in gradients).sqrt()"
        yield f"gradients = [g * ({threshold!r} / norm).clamp(max=1) for g in gradients]"
    elif rule.clip == "value":
        yield f"gradients = [g.clamp({-threshold!r}, {threshold!r}) for g in gradients]"


def _update(update: Update) -> Iterator[str]:
    rule, slots = update.rule, _slots(update)
    names = ", ".join(["one, g", *slots])
    arrays = ", ".join(["parameters, gradients", *(f"kept_{slot}" for slot in slots)])
    yield "# Update: w_new = w_old - step"
    yield "with torch.no_grad():"
    yield f"    for {names} in zip({arrays}):"
    yield f"        step = {STEPS[rule.optimizer].format(rate=repr(rule.learning_rate), count=update.count)}"
    if rule.decay:
        yield f"        step = step + {rule.learning_rate * rule.decay!r} * one * (one.dim() == 2)  # weights"
    yield "        one -= step"


def _compared(update: Update) -> Iterator[str]:
    """Lines that print what the script finds beside what the page says."""
    for name, found, said in (
        ("loss", "loss", update.loss),
        ("gradient of the first weight", "gradients[0].flatten()[0]", update.clipped.weights[0].flat[0]),
        ("the first weight, new", "weights[0].flatten()[0]", update.after.weights[0].flat[0]),
    ):
        yield f'print("{name}:", {found}.item(), "on the page:", {float(said)!r})'


def _tensor(array: Array) -> str:
    return f"torch.tensor({array.tolist() if array.size <= MOST_WRITTEN_OUT else packed(array)})"


def _list(arrays: Sequence[Array]) -> str:
    return f"[{', '.join(map(_tensor, arrays))}]"


def _tensors(parameters: Parameters, kind: str) -> str:
    """A list of a network's arrays, one a layer."""
    return _list([array[0] for array in getattr(parameters, kind)])


def update_table(update: Update) -> str:
    """Every parameter of the update as CSV: where it is, its value, gradient, step and new value."""
    rows = []
    after, clipped, before = update.after, update.clipped, update.problem.parameters
    for kind in KINDS:
        arrays = (getattr(one, kind) for one in (before, update.gradient, clipped, after))
        for layer, (old, gradient, used, new) in enumerate(zip(*arrays, strict=True), start=1):
            for place in np.ndindex(old[0].shape):
                to = place[-1] + 1
                source = place[0] + 1 if len(place) == 2 else ""
                values = (float(one[0][place]) for one in (old, gradient, used, new))
                rows.append([kind, layer, source, to, *values])
    header = ["kind", "layer", "from unit", "to unit", "value", "gradient of the loss", "gradient used", "new value"]
    return csv_text(header, rows)
