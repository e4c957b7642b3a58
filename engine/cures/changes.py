"""Changes: what could help a network, one at a time, as a textbook would set it.

A change to try is a line in one of the generators, under the code of the remedy as findings name it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.cures.outcomes import SEEDS, seconds_of
from engine.data.custom import CustomData
from engine.data.loading import load_dataset
from engine.data.sources import DATASETS
from engine.experiment import SETTINGS, Experiment
from engine.limits import Limits, check_budget
from engine.settings import OutOfRange, Value

UNTREATED = "Untreated"
TOO_LONG = "Over 8 seeds it takes too long."

# The initializer that keeps the size of signals with an activation (He et al. 2015; Glorot & Bengio 2010; Klambauer
# et al. 2017); for those that are not named, He: they are close to ReLU.
SUITED = {"sigmoid": "xavier_normal", "tanh": "xavier_normal", "linear": "xavier_normal", "selu": "lecun"}
SIGMOID_GAIN = 4.0  # makes up for a slope of at most 1/4 (Nielsen, ch. 5)
CLIP = 1.0
RATE_FACTORS = (0.1, 10.0)
LOW_RATE = 0.001  # from which on down a factor of 100 is tried too
ADAM_RATE = 0.01  # at most: Adam's steps have the length of the learning rate, whatever the gradient (Kingma & Ba 2015)
SGD_RATE = 0.1  # at least: its steps shrink with the gradient
# The strengths that did best, of two or three, for wide ReLU networks on 30 and 60 noisy moons and on 100 digits: in
# these they helped in 8, 5, 5 (L1), 8, 5, 6 (L2), 3, 6, 7 (dropout) and 8, 6, 4 (early stopping) of 8 seeds.
L1, L2, DROPOUT, PATIENCE = 0.003, 0.01, 0.2, 10
MORE_DATA, MORE_STEPS = 3, 2  # times as many
VERY_DEEP = 10  # layers, from which on scaled residual connections are tried too: plain ones add up
WIDER, SMALLER = 2, 8  # times as many units a layer, times fewer
ENOUGH_UNITS, ENOUGH_LAYERS = 16, 3  # a smaller network is made this large at once
DEEPER, SHALLOWER = 2, 3  # layers more, times fewer
REGULARISERS = ("l1", "l2", "dropout", "patience")

WITHOUT = {"l1": "L1", "l2": "L2", "dropout": "dropout", "patience": "early stopping"}
AFTER = {"he_normal": "He", "lecun": "LeCun", "xavier_normal": "Xavier"}  # whom an initializer is called after


@dataclass(frozen=True)
class Change:
    """One thing to do differently.

    code: the remedy, as findings name it; settings: field -> (old, new); price: what it costs beside time; experiment:
    the changed one, None where it cannot be made, and then refused says why.
    """

    code: str
    name: str
    price: str
    settings: Mapping[str, tuple[Value, Value]]
    experiment: Experiment | None
    refused: str = ""


def changes_of(
    experiment: Experiment,
    data: CustomData | None = None,
    max_seconds: float | None = None,
    max_bytes: float | None = None,
) -> tuple[Change, ...]:
    """The untreated network, and every single change that could help; what is as it would be made is left out.

    Those that are out of range, or beyond the limits of Training that are given, come with the reason, and without an
    experiment.
    """

    def made(code: str, name: str, price: str, new: dict[str, Any]) -> Change:
        """The change with what really differs, made and checked as training would."""
        settings = {field: (old, value) for field, value in new.items() if (old := getattr(experiment, field)) != value}
        try:
            changed = replace(experiment, **new)
            dataset = load_dataset(changed, data)
            check_budget(changed, dataset.n_in, dataset.n_out, Limits(max_seconds, max_bytes))
        except OutOfRange as error:
            return Change(code, name, price, settings, None, str(error))
        return Change(code, name, price, settings, changed)

    changes = [made(*row) for row in ((UNTREATED, UNTREATED, "", {}), *_candidates(experiment))]
    return tuple(change for change in changes if change.settings or change.code == UNTREATED)


Candidate = tuple[str, str, str, dict[str, Any]]  # code, name, price, settings


def _candidates(e: Experiment) -> Iterator[Candidate]:
    yield from _activations(e)
    yield from _starts(e)
    yield from _training(e)
    yield from _structures(e)
    yield from _regularisers(e)
    most = DATASETS[e.dataset].n_train_max or int(SETTINGS["n_train"].high)
    more = MORE_DATA * e.n_train if most == e.n_train else min(MORE_DATA * e.n_train, most)
    yield "n_train", f"{more} examples", "the examples have to be collected and labelled", {"n_train": more}
    if e.label_noise:
        yield "label_noise", "No label noise", "someone has to look at every label", {"label_noise": 0.0}


def _activations(e: Experiment) -> Iterator[Candidate]:
    """Each with the initializer that suits it: one without the other is not a fair try."""
    for activation in ("leaky_relu" if e.activation == "relu" else "relu", "tanh"):
        start = SUITED.get(activation, "he_normal")
        if activation != e.activation:
            name = SETTINGS["activation"].in_words(activation)
            settings = {"activation": activation, "initializer": start}
            yield "activation", f"{name[0].upper()}{name[1:]} with {AFTER[start]}", "", settings


def _starts(e: Experiment) -> Iterator[Candidate]:
    suited = SUITED.get(e.activation, "he_normal")
    yield "initializer", f"{AFTER[suited]} initializer", "", {"initializer": suited}
    if e.gain != 1:
        yield "gain", "Gain 1", "", {"gain": 1.0}
    elif e.activation == "sigmoid":
        yield "gain", f"Gain {SIGMOID_GAIN:g}", "", {"gain": SIGMOID_GAIN}
    if e.bias or e.bias_mean:
        yield "bias", "Biases start at 0", "", {"bias": 0.0, "bias_mean": 0.0}


def _training(e: Experiment) -> Iterator[Candidate]:
    symptom = "the cause stays: the gradient grows as before"
    if e.clip == "none":
        yield "clip", f"Clip at norm {CLIP:g}", symptom, {"clip": "norm", "clip_threshold": CLIP}
    else:
        yield "clip", "No clipping", "nothing limits a step", {"clip": "none"}
    far = () if e.learning_rate > LOW_RATE else (RATE_FACTORS[-1] ** 2,)
    for factor in (*RATE_FACTORS, *far):
        rate = float(f"{factor * e.learning_rate:.6g}")
        up = factor > 1
        price = "steps may overshoot" if up else "as many steps do not get as far"
        code = "learning_rate_up" if up else "learning_rate_down"
        yield code, f"Learning rate {rate:g}", price, {"learning_rate": rate}
    if e.optimizer == "sgd":
        yield "optimizer", "Momentum", "one number more for each weight", {"optimizer": "momentum"}
    if e.optimizer != "adam":
        rate = min(e.learning_rate, ADAM_RATE)
        price = "two numbers more for each weight"
        yield "optimizer", f"Adam, learning rate {rate:g}", price, {"optimizer": "adam", "learning_rate": rate}
    else:
        rate = max(e.learning_rate, SGD_RATE)
        name = f"Gradient descent, learning rate {rate:g}"
        yield "optimizer", name, "one rate for all weights", {"optimizer": "sgd", "learning_rate": rate}
    yield "steps", f"{MORE_STEPS * e.steps} steps", "time", {"steps": MORE_STEPS * e.steps}


def _structures(e: Experiment) -> Iterator[Candidate]:
    prices = {
        "batch": "examples of a batch depend on each other; statistics to keep for new data",
        "layer": "two parameters more for each unit",
    }
    for kind, price in prices.items():
        if kind != e.normalization:
            yield "normalization", f"{kind.capitalize()} normalization", price, {"normalization": kind}
    if e.normalization != "none":
        yield "normalization", "No normalization", "", {"normalization": "none"}
    if e.residual != "none":
        yield "residual", "No residual connections", "the gradient's way round the layers", {"residual": "none"}
    same_width = "all layers need the same width"
    if e.depth > 1:
        yield "residual", "Residual connections", same_width, {"residual": "plain"}
    if e.depth >= VERY_DEEP:
        yield "residual", "Scaled residual connections", same_width, {"residual": "scaled"}
    if e.depth > 1:
        shallower = max(e.depth // SHALLOWER, 1)
        yield "shallower", _layers(shallower), "fewer stages of what it can compute", {"depth": shallower}
    wider, deeper = max(WIDER * e.width, ENOUGH_UNITS), max(e.depth + DEEPER, ENOUGH_LAYERS)
    yield "wider", _units(wider), "memory and time at every prediction", {"width": wider}
    yield "deeper", _layers(deeper), "time at every prediction, and more factors in the chain rule", {"depth": deeper}
    if e.width < ENOUGH_UNITS and e.depth < ENOUGH_LAYERS:
        both = {"depth": deeper, "width": wider}
        yield "wider", f"{_layers(deeper)} of {wider} units", "memory and time at every prediction", both
    smaller = max(e.width // SMALLER, 1)
    yield "narrower", _units(smaller), "less that it can compute", {"width": smaller}


def _regularisers(e: Experiment) -> Iterator[Candidate]:
    fits = "fits its training data less closely"
    rows = (
        ("l1", L1, f"L1 {L1:g}", fits),
        ("l2", L2, f"L2 {L2:g}", fits),
        ("dropout", DROPOUT, f"Dropout {DROPOUT:g}", "learns more slowly, in noise"),
        ("patience", PATIENCE, "Early stopping", "validation examples, which then say less about new data"),
    )
    for field, strength, name, price in rows:
        if getattr(e, field) == 0:
            yield field, name, price, {field: strength}
        else:
            yield field, f"No {WITHOUT[field]}", "", {field: SETTINGS[field].default}


def _units(width: int) -> str:
    return f"{width} unit{'' if width == 1 else 's'} a layer"


def _layers(depth: int) -> str:
    return f"{depth} layer{'' if depth == 1 else 's'}"


def within(seconds: float, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes, the most expensive refused where all over SEEDS seeds would take longer than this on one core.

    The untreated network stays.
    """
    costs = {i: SEEDS * seconds_of([change.experiment]) for i, change in enumerate(changes) if change.experiment}
    allowed, spent = {0}, costs.get(0, 0.0)
    for i in sorted(costs, key=costs.__getitem__):
        if i and (spent := spent + costs[i]) <= seconds:
            allowed.add(i)
    return tuple(
        change if i in allowed or not change.experiment else replace(change, experiment=None, refused=TOO_LONG)
        for i, change in enumerate(changes)
    )
