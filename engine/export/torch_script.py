"""An experiment as a script that needs PyTorch and NumPy alone, and comes to the same losses but for rounding.

What the engine draws is drawn again from the same streams; bundled and handed in data stand in the script, as the
network gets them.  A script has only what its experiment uses: each function here writes one part of it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.activations import LEAKY_SLOPE
from engine.data import faults
from engine.data.custom import CustomData
from engine.data.loading import N_TEST, N_VALIDATION, Dataset, data_settings, load_dataset
from engine.data.sources import DATASETS
from engine.experiment import Experiment
from engine.export.script_parts import UNPACKED, in_words, packed, source_of
from engine.initializers import orthogonal
from engine.losses import HUBER_DELTA, chosen_loss, chosen_output
from engine.network import NORMALIZATION_EPSILON, RUNNING_MOMENTUM
from engine.optimizers import ADAM_DECAYS, EPSILON, MOMENTUM, RMSPROP_DECAY
from engine.plan import evaluation_steps
from engine.randomness import generator
from engine.schedules import MILESTONES, STEP_FACTOR, WARMUP_SHARE

ACTIVATIONS = {
    "relu": "torch.relu(z)",
    "sigmoid": "torch.sigmoid(z)",
    "tanh": "torch.tanh(z)",
    "leaky_relu": f"F.leaky_relu(z, {LEAKY_SLOPE})",
    "elu": "F.elu(z)",
    "selu": "F.selu(z)",
    "gelu": 'F.gelu(z, approximate="tanh")',
    "silu": "F.silu(z)",
    "linear": "z",
}
OUTPUTS = {
    "linear": "z",
    "sigmoid": "torch.sigmoid(z)",
    "tanh": "torch.tanh(z)",
    "relu": "torch.relu(z)",
    "softmax": "torch.softmax(z, dim=1)",
}
_NORMAL, _UNIFORM = "stream.standard_normal((n_in, n_out))", "stream.uniform(-1, 1, (n_in, n_out))"
INITIALIZERS = {
    "he_normal": f"{_NORMAL} * (2 / n_in) ** 0.5",
    "xavier_normal": f"{_NORMAL} * (2 / (n_in + n_out)) ** 0.5",
    "xavier_uniform": f"{_UNIFORM} * (6 / (n_in + n_out)) ** 0.5",
    "he_uniform": f"{_UNIFORM} * (6 / n_in) ** 0.5",
    "lecun": f"{_NORMAL} * (1 / n_in) ** 0.5",
    "orthogonal": "orthogonal(stream, n_in, n_out)",
    "small_normal": f"0.01 * {_NORMAL}",
    "standard_normal": _NORMAL,
    "constant": "np.full((n_in, n_out), 0.5)",
    "zeros": "np.zeros((n_in, n_out))",
}
OPTIMIZERS = {
    "sgd": "SGD({parameters}, lr=LEARNING_RATE)",
    "momentum": f"SGD({{parameters}}, lr=LEARNING_RATE, momentum={MOMENTUM})",
    "nesterov": f"SGD({{parameters}}, lr=LEARNING_RATE, momentum={MOMENTUM}, nesterov=True)",
    "rmsprop": f"RMSprop({{parameters}}, lr=LEARNING_RATE, alpha={RMSPROP_DECAY}, eps={EPSILON})",
    "adam": f"Adam({{parameters}}, lr=LEARNING_RATE, betas={ADAM_DECAYS}, eps={EPSILON})",
    "adagrad": f"Adagrad({{parameters}}, lr=LEARNING_RATE, eps={EPSILON})",
    "adamw": f"AdamW({{parameters}}, lr=LEARNING_RATE, betas={ADAM_DECAYS}, eps={EPSILON}, weight_decay=0)",
}
SCHEDULES = {
    "warmup": f"min(1, (step + 1) / -(-STEPS // {WARMUP_SHARE}))",
    "cosine": "(1 + math.cos(math.pi * step / STEPS)) / 2",
    "step": f"{STEP_FACTOR} ** ((step >= {MILESTONES[0]} * STEPS) + (step >= {MILESTONES[1]} * STEPS))",
}
# Losses of single examples, (batch,), which class weights multiply: of pre-activations z, and of answers.
CROSS_ENTROPIES = {
    "softmax": 'F.cross_entropy(z, targets, reduction="none")',
    "sigmoid": 'F.binary_cross_entropy_with_logits(z, targets, reduction="none").sum(dim=1)',
}
LOSSES = {
    "mse": "((answers - targets) ** 2).mean(dim=1)",
    "mae": "(answers - targets).abs().mean(dim=1)",
    "huber": f'F.huber_loss(answers, targets, reduction="none", delta={HUBER_DELTA}).mean(dim=1)',
}


def torch_script(experiment: Experiment, data: CustomData | None = None, names: Sequence[str] = ()) -> str:
    """A PyTorch script with the same data, initial weights, batches, masks and update rule; `losses` are its batches'.

    data: as for load_dataset.  names: of the columns of data that are handed in, for a function that predicts from new
    rows.  Raises OutOfRange for data that do not fit.
    """
    dataset = load_dataset(experiment, data)
    body = "\n\n".join(
        [
            _settings(experiment, dataset),
            source_of(generator).join(["\n", "\n"]),
            _data(experiment, dataset),
            _network(experiment, dataset),
            _loss(experiment, dataset),
            _training(experiment, dataset),
            *([_prediction(experiment, dataset, data, names)] if data is not None and names else []),
        ]
    )
    imports = [f"import {name}" for name in ("base64", "copy", "math", "zlib") if f"{name}." in body]
    functional = ["import torch.nn.functional as F"] if "F." in body else []
    third = ["import numpy as np", "import torch", *functional, "from torch import nn"]
    head = (
        '"""A network of Backprop Clinic, trained by PyTorch alone.  Needs torch and numpy.\n\n'
        f"{in_words(experiment)}\n\n"
        "Initial weights, batches and all else that is random are drawn as Backprop Clinic draws them, each from a\n"
        'stream of its own: the losses are the same but for rounding.\n"""\n'
    )
    return "\n".join([head, *imports, *([""] if imports else []), *third, "", body])


def _settings(experiment: Experiment, dataset: Dataset) -> str:
    e = experiment
    streams = "DATA, WEIGHTS, BIASES, BATCHES, MASKS = range(5)  # purposes, one stream of random numbers each"
    lines = [
        f"torch.set_default_dtype(torch.{e.precision})",
        "",
        f"SEED = {e.seed}",
        f"N_IN, DEPTH, WIDTH, N_OUT = {dataset.n_in}, {e.depth}, {e.width}, {dataset.n_out}",
        f"STEPS, LEARNING_RATE = {e.steps}, {e.learning_rate!r}",
        f"N_TRAIN = {e.n_train}",
    ]
    if _in_batches(e):
        lines.append(f"BATCH = {e.batch_size}")
    elif e.dropout:
        lines.append("BATCH = N_TRAIN")
    if e.dropout:
        lines.append(f"DROPOUT = {e.dropout!r}  # share of hidden units")
    if e.patience:
        lines.append(f"PATIENCE = {e.patience}  # evaluations without a lower validation loss")
    return "\n".join([*lines, "", streams])


def _in_batches(experiment: Experiment) -> bool:
    return 0 < experiment.batch_size < experiment.n_train


# --- data ---


def _data(experiment: Experiment, dataset: Dataset) -> str:
    source = DATASETS[experiment.dataset]
    arrays = _drawn(experiment) if source.draw else _embedded(dataset)
    classes = dataset.task == "classes"
    kind = "torch.int64" if classes and _labels_as_numbers(experiment, dataset) else "torch.get_default_dtype()"
    targets = "targets" if kind == "torch.int64" or not classes else f"np.eye({dataset.n_out})[targets]"
    if not classes:
        targets = f"np.reshape({targets}, (len(targets), -1))"
    scaled = "inputs"
    if source.draw:
        e = experiment
        if (e.input_scale, e.input_shift) != (1, 0):
            scaled = f"{e.input_scale!r} * inputs + {e.input_shift!r}"
        if dataset.task == "regression" and (e.target_scale, e.target_shift) != (1, 0):
            targets = f"{e.target_scale!r} * {targets} + {e.target_shift!r}"
    return f"""{arrays}


def tensors(inputs, targets):
    inputs = torch.tensor({scaled}, dtype=torch.get_default_dtype())
    return inputs, torch.tensor({targets}, dtype={kind})


train_inputs, train_targets = tensors(*train)
validation, test = tensors(*validation), tensors(*test)"""


def _embedded(dataset: Dataset) -> str:
    parts = [
        f"{name} = (\n    {packed(getattr(dataset, f'{name}_inputs'))},\n"
        f"    {packed(getattr(dataset, f'{name}_targets'))},\n)"
        for name in ("train", "validation", "test")
    ]
    lines = "\n".join(parts)
    return f"# Inputs and targets as the network gets them.\n{UNPACKED}\n\n\n{lines}"


def _drawn(experiment: Experiment) -> str:
    settings, source = data_settings(experiment), DATASETS[experiment.dataset]
    assert source.draw is not None
    draw, n_classes = source.draw.__name__, len(source.class_names)
    level = source.level(settings.noise)
    mean, deviation = np.array(source.mean, float), source.deviation(level)
    raw = settings.inputs == "raw"

    functions, spoilt, streams = [source_of(source.draw)], [], []
    turned = ""
    if settings.imbalance != 0.5:
        functions.append(source_of(faults.imbalanced))
        turned = f"    uniform = imbalanced({draw}, uniform, {settings.imbalance!r})\n"
    if settings.label_noise > 0 and n_classes:
        streams.append("LABEL_NOISE")
        functions.append(source_of(faults.with_label_noise))
        spoilt.append(f"train = train[0], with_label_noise(train[1], {n_classes}, {settings.label_noise!r}, DATA_SEED)")
    if settings.validation_shift:
        unit = "DEVIATION" if raw else "1"
        spoilt.append(f"validation = validation[0] + {settings.validation_shift!r} * {unit}, validation[1]")
    if settings.validation_labels == "permuted" and n_classes:
        streams.append("LABEL_CODE")
        functions.append(source_of(faults.in_another_code))
        spoilt.append(f"validation = validation[0], in_another_code(validation[1], {n_classes}, DATA_SEED)")
    if settings.leakage > 0:
        streams.append("LEAKAGE")
        functions.append(source_of(faults.with_leakage))
        spoilt.append(f"validation = with_leakage(validation, train, {settings.leakage!r}, DATA_SEED)")

    constants = [f"DATA_SEED = {settings.seed}", f"NOISE = {level!r}  # standard deviation"]
    if not raw:
        constants.append(f"MEAN = np.array({mean.tolist()})")
    if not raw or settings.validation_shift:
        constants.append(f"DEVIATION = np.array({deviation.tolist()})")
    constants += [f"{name} = {getattr(faults, name)}  # its stream" for name in streams]
    standardised = "inputs" if raw else "(inputs - MEAN) / DEVIATION"
    return "\n\n\n".join(
        [
            "\n".join(constants),
            *functions,
            f'''def examples(split, n):
    """Inputs and targets: the first n examples of a split."""
    uniform = generator(DATA_SEED, DATA, split, 0).random((n, 3))
    normal = generator(DATA_SEED, DATA, split, 1).standard_normal((n, 2))
{turned}    inputs, targets = {draw}(uniform, NOISE * normal)
    return {standardised}, targets''',
            "\n".join(
                [
                    f"validation, test = examples(0, {N_VALIDATION}), examples(1, {N_TEST})",
                    "train = examples(2, N_TRAIN)",
                    *spoilt,
                ]
            ),
        ]
    )


# --- network and loss ---


def _network(experiment: Experiment, dataset: Dataset) -> str:
    e = experiment
    norm = {
        "batch": f"nn.BatchNorm1d(WIDTH, eps={NORMALIZATION_EPSILON}, momentum={RUNNING_MOMENTUM})",
        "layer": f"nn.LayerNorm(WIDTH, eps={NORMALIZATION_EPSILON})",
    }.get(e.normalization)
    draw = INITIALIZERS[e.initializer]
    if e.gain != 1:
        draw = f"{e.gain!r} * ({draw})"
    init = [
        "super().__init__()",
        "sizes = [N_IN, *[WIDTH] * DEPTH, N_OUT]",
        "self.layers = nn.ModuleList(nn.Linear(n_in, n_out) for n_in, n_out in zip(sizes, sizes[1:]))",
    ]
    if norm:
        init.append(f"self.norms = nn.ModuleList({norm} for _ in range(DEPTH))")
    init += [
        "with torch.no_grad():",
        "    for index, layer in enumerate(self.layers):",
        "        weights = initial_weights(generator(SEED, WEIGHTS, index), layer.in_features, layer.out_features)",
        "        layer.weight.copy_(torch.from_numpy(weights.T.copy()))",
    ]
    if e.bias:
        init += [
            f"        biases = {e.bias!r} * generator(SEED, BIASES, index).standard_normal(layer.out_features)",
            "        layer.bias.copy_(torch.from_numpy(biases))",
        ]
    else:
        init.append("        layer.bias.zero_()")
    if e.bias_mean:
        init += ["    for layer in self.layers[:-1]:", f"        layer.bias += {e.bias_mean!r}"]

    forward = ["z = self.layers[index](h)"]
    if norm:
        forward.append("z = self.norms[index](z)")
    forward.append(f"value = {ACTIVATIONS[e.activation]}")
    if e.dropout:
        forward += ["if masks is not None:", "    value = value * masks[index]"]
    scale = " / DEPTH" if e.residual == "scaled" else ""
    forward.append("h = value" if e.residual == "none" else f"h = value{scale} + h if index > 0 else value")
    functions = [source_of(orthogonal)] if e.initializer == "orthogonal" else []
    functions.append(f"""def initial_weights(stream, n_in, n_out):
    return {draw}""")
    functions.append(f"""class Network(nn.Module):
    def __init__(self):
{_indented(init, 8)}

    def forward(self, h{", masks=None" if e.dropout else ""}):
        for index in range(DEPTH):
{_indented(forward, 12)}
        return self.layers[-1](h)""")
    return "\n" + "\n\n\n".join(functions)


def _labels_as_numbers(experiment: Experiment, dataset: Dataset) -> bool:
    """Whether the loss takes classes by their numbers, else as one-hot rows."""
    return _loss_and_output(experiment, dataset) == ("cross_entropy", "softmax")


def _loss_and_output(experiment: Experiment, dataset: Dataset) -> tuple[str, str]:
    loss = chosen_loss(experiment.loss, dataset.task, experiment.output)
    return loss, chosen_output(experiment.output, dataset.task)


def _loss(experiment: Experiment, dataset: Dataset) -> str:
    loss, output = _loss_and_output(experiment, dataset)
    if loss == "cross_entropy":
        lines = [f"return {CROSS_ENTROPIES[output]}"]
    else:
        lines = [f"answers = {OUTPUTS[output]}", f"return {LOSSES[loss]}"]
    functions = [
        f'''def losses_of(z, targets):
    """Losses of single examples, (n,), where z is the output's pre-activation."""
{_indented(lines, 4)}'''
    ]
    weights = dataset.class_weights(experiment.class_weights)
    if weights is not None:
        if _labels_as_numbers(experiment, dataset):
            labels = "targets"
        else:
            labels = "targets.argmax(dim=1)" if dataset.n_out > 1 else "targets[:, 0].long()"
        functions += [
            f"CLASS_WEIGHTS = torch.tensor({weights.tolist()})  # every class counts as much as any other",
            f"""def weights_of(targets):
    return CLASS_WEIGHTS[{labels}]""",
        ]
    return "\n" + "\n\n\n".join(functions)


# --- training ---


def _training(experiment: Experiment, dataset: Dataset) -> str:
    e = experiment
    optimizer, made = _optimizer(e)
    batch_norm = e.normalization == "batch"
    evaluate = [
        *(["network.eval()"] if batch_norm else []),
        "with torch.no_grad():",
        "    loss = losses_of(network(inputs), targets).mean().item()",
        *(["network.train()"] if batch_norm else []),
        "return loss",
    ]
    each = f"losses_of(network(inputs{', masks' if e.dropout else ''}), targets)"
    weighted = dataset.class_weights(e.class_weights) is not None
    mean = f"(weights_of(targets) * {each}).mean()" if weighted else f"{each}.mean()"
    update = [
        *_batch(e),
        *_mask(e),
        f"loss = {mean}",
        "if not torch.isfinite(loss):",
        '    print(f"diverged at step {step}")',
        "    break",
        "losses.append(loss.item())",
        "optimizer.zero_grad()",
        *_backward(e),
        *_clipping(e),
        "optimizer.step()",
        *(["scheduler.step()"] if e.schedule != "constant" else []),
        "if (step + 1) % EVERY == 0 or step + 1 == STEPS:",
        "    on_validation = evaluate(*validation)",
        '    print(f"step {step + 1}: loss of the batch {losses[-1]:.6g}, of the validation set {on_validation:.6g}")',
        *(_early_stopping() if e.patience else []),
    ]
    before, after = [], []
    if e.patience:
        before.append("best_loss, best, waited = evaluate(*validation), copy.deepcopy(network.state_dict()), 0")
        after.append("network.load_state_dict(best)")
    every = int(evaluation_steps(e.steps)[1])
    return f'''
network = Network()
{optimizer}


def evaluate(inputs, targets):
    """The mean loss of whole sets{", by running statistics" if batch_norm else ""}."""
{_indented(evaluate, 4)}


EVERY = {every}  # updates from one evaluation to the next
losses = []  # of the batches, before each update
{_lines(made + before)}for step in range(STEPS):
{_indented(update, 4)}
{_lines(after)}print(f"test loss {{evaluate(*test):.6g}}")
'''


def _prediction(experiment: Experiment, dataset: Dataset, data: CustomData, names: Sequence[str]) -> str:
    """A function from rows in the table's own units to answers in its own unit."""
    e = experiment
    raw = load_dataset(replace(e, inputs="raw", input_scale=1.0, input_shift=0.0), data).units
    zero, one = (np.broadcast_to(part, dataset.n_in).tolist() for part in raw)
    if e.inputs == "raw":
        zero, one = [0.0] * dataset.n_in, [1.0] * dataset.n_in
    answers = "answers[:, 0]" if dataset.n_out == 1 else "answers"
    if dataset.task == "regression":
        answers = f"({answers} - {e.target_shift!r}) / {e.target_scale!r}"
    classes = f"  # of {list(dataset.class_names)!r}" if dataset.class_names else ""
    return f"""COLUMNS = {[str(name) for name in names]!r}
ZERO, ONE = np.array({zero!r}), np.array({one!r})  # of each column, what standardised inputs of 0 and of 1 were


def predict(rows):
    \"\"\"Answers for new rows of COLUMNS, in the units of the table.\"\"\"
    inputs = {e.input_scale!r} * ((np.asarray(rows, float) - ZERO) / ONE) + {e.input_shift!r}
    network.eval()
    with torch.no_grad():
        z = network(torch.tensor(inputs, dtype=torch.get_default_dtype()))
    answers = {OUTPUTS[chosen_output(e.output, dataset.task)]}.numpy(){classes}
    return {answers}
"""


def _optimizer(experiment: Experiment) -> tuple[str, list[str]]:
    """The optimizer and its schedule as text, and what else is made before the loop."""
    e = experiment
    parameters, before, lines = "network.parameters()", [], []
    if e.l1 or e.l2:
        before.append("weights = [layer.weight for layer in network.layers]")
    if e.optimizer == "adamw" and e.l2:
        before.append("others = [one for one in network.parameters() if one.dim() == 1]")
        parameters = f'[{{"params": weights, "weight_decay": {e.l2!r}}}, {{"params": others}}]'
    lines.append(f"optimizer = torch.optim.{OPTIMIZERS[e.optimizer].format(parameters=parameters)}")
    if e.schedule != "constant":
        lines.append(f"scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: {SCHEDULES[e.schedule]})")
    made = ["masks_stream = generator(SEED, MASKS)"] if e.dropout else []
    if _in_batches(e) and not e.shuffle:
        made.append(
            'order = np.argsort(np.reshape(train[1], (N_TRAIN, -1))[:, 0], kind="stable")  # by class or target'
        )
    return "\n".join(before + lines), made


def _batch(experiment: Experiment) -> list[str]:
    if not _in_batches(experiment):
        return ["inputs, targets = train_inputs, train_targets"]
    lines = ["epoch, position = divmod(step, -(-N_TRAIN // BATCH))"]
    if experiment.shuffle:
        lines.append("order = generator(SEED, BATCHES, epoch).permutation(N_TRAIN)")
    lines += [
        "rows = order[position * BATCH : (position + 1) * BATCH]",
        "inputs, targets = train_inputs[rows], train_targets[rows]",
    ]
    alone = experiment.batch_size == 1 or experiment.n_train % experiment.batch_size == 1
    if experiment.normalization == "batch" and alone:
        lines.append("network.train(len(rows) > 1)  # one example has no variance")
    return lines


def _mask(experiment: Experiment) -> list[str]:
    if not experiment.dropout:
        return []
    return [
        "kept = masks_stream.random((DEPTH, BATCH, WIDTH)) >= DROPOUT",
        "masks = torch.tensor(kept[:, : len(inputs)] / (1 - DROPOUT), dtype=torch.get_default_dtype())",
    ]


def _backward(experiment: Experiment) -> list[str]:
    e, terms = experiment, []
    if e.l1:
        terms.append(f"{e.l1!r} * sum(one.abs().sum() for one in weights)")
    if e.l2_in_loss:
        terms.append(f"{e.l2!r} / 2 * sum((one**2).sum() for one in weights)")
    if not terms:
        return ["loss.backward()"]
    return [f"penalty = {' + '.join(terms)}", "(loss + penalty).backward()"]


def _clipping(experiment: Experiment) -> list[str]:
    e = experiment
    if e.clip == "value":
        return [f"nn.utils.clip_grad_value_(network.parameters(), {e.clip_threshold!r})"]
    if e.clip == "norm":  # clip_grad_norm_ adds 1e-6 to the norm
        return [
            "gradients = [one.grad for one in network.parameters()]",
            "norm = torch.cat([one.flatten() for one in gradients]).norm()",
            f"if norm > {e.clip_threshold!r}:  # as clip_grad_norm_, which adds 1e-6 to the norm",
            "    for one in gradients:",
            f"        one *= {e.clip_threshold!r} / norm",
        ]
    return []


def _early_stopping() -> list[str]:
    return [
        "    if on_validation < best_loss:",
        "        best_loss, best, waited = on_validation, copy.deepcopy(network.state_dict()), 0",
        "    else:",
        "        waited += 1",
        "    if waited >= PATIENCE:",
        '        print(f"stopped early at step {step + 1}")',
        "        break",
    ]


def _indented(lines: list[str], spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in lines)


def _lines(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
