"""Changes: what could help a network, one at a time and at several doses, as a textbook would set it.

A remedy to try is a line in one of the generators, under its code as findings name it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.cures.outcomes import SCREENED, Sizes, seconds_of
from engine.data.custom import CustomData
from engine.data.loading import OFF_CENTRE, Dataset, load_dataset, standardising
from engine.data.sources import DATASETS
from engine.experiment import SETTINGS, Experiment
from engine.limits import UNLIMITED, Limits, check_budget
from engine.losses import chosen_loss, chosen_output
from engine.settings import OutOfRange, Value

UNTREATED = "Untreated"
TOO_LONG = "Over several seeds it takes too long."

# The initializer that keeps the size of signals with an activation (He et al. 2015; Glorot & Bengio 2010; Klambauer
# et al. 2017); for those that are not named, He: they are close to ReLU.
SUITED = {"sigmoid": "xavier_normal", "tanh": "xavier_normal", "linear": "xavier_normal", "selu": "lecun"}
SIGMOID_GAINS = (2.0, 4.0)  # four makes up for a slope of at most 1/4 (Nielsen, ch. 5)
CLIPS = (1.0, 0.1)
SLOWER, FASTER = (0.1, 0.01), (10.0, 100.0)  # times the learning rate
# From this rate on down this factor is tried too: of 22 mystery patients with steps 333 to 1000 times too short, it
# took away .93 of the harm and more in all, a factor of 1000 in 20 (tuned).
LOW_RATE, MUCH_FASTER = 0.001, 500.0
ADAM_RATE = 0.01  # at most: Adam's steps have the length of the learning rate, whatever the gradient (Kingma & Ba 2015)
SGD_RATE = 0.1  # at least: its steps shrink with the gradient
# Around the strengths that did best, of two or three, for wide ReLU networks on 30 and 60 noisy moons and 100 digits:
# these helped in 8, 5, 5 (L1 .003), 8, 5, 6 (L2 .01), 3, 6, 7 (dropout .2), 8, 6, 4 (early stopping) of 8 seeds.
L1, L2, DROPOUT, PATIENCE = (0.0003, 0.003, 0.03), (0.001, 0.01, 0.1), (0.1, 0.2, 0.4), 10
MORE_DATA, MORE_STEPS = 3, 2  # times as many
VERY_DEEP = 10  # layers, from which on scaled residual connections are tried too: plain ones add up
WIDER, SMALLER = 2, (8, 2)  # times as many units a layer, times fewer
ENOUGH_UNITS, ENOUGH_LAYERS = 16, 3  # a smaller network is made this large at once
DEEPER, SHALLOWER = 2, 3  # layers more, times fewer
ENOUGH_EXAMPLES = 32  # a smaller batch is made this large (Masters & Luschi 2018: the largest that is still small)
ADAPTIVE = "rmsprop", "adam", "adamw"  # their first steps go by few gradients, which warmup is for (Liu et al. 2020)
FITTING_SIZE = 3.0  # times 1, either way: targets of about the size that a fresh network's output has
RARE_SHARE = 0.5  # of an even share: a class with fewer examples is rare
REGULARISERS = ("l1", "l2", "dropout", "patience")

WITHOUT = {"l1": "L1", "l2": "L2", "dropout": "dropout", "patience": "early stopping"}
AFTER = {"he_normal": "He", "lecun": "LeCun", "xavier_normal": "Xavier"}  # whom an initializer is called after


@dataclass(frozen=True)
class Change:
    """One thing to do differently, or two at once.

    code: the remedy, as findings name it; settings: field -> (old, new); price: what it costs beside time; experiment:
    the changed one, None where it cannot be made; then refused says why, by the settings' code names, and problem is
    the error itself, for a text that names them otherwise.  remedy: what the change is one dose of, its own name where
    it has no strength; dose: its strength, in the unit of the setting that it is chosen by.
    """

    code: str
    name: str
    price: str
    settings: Mapping[str, tuple[Value, Value]]
    experiment: Experiment | None
    refused: str = ""
    remedy: str = ""
    dose: float | None = None
    problem: OutOfRange | None = None


Settings = dict[str, Any]


@dataclass(frozen=True)
class Remedy:
    """What could be done, at several doses where it has a strength.

    at: dose -> name and settings.  doses: that are tried first, a factor of `step` apart; none without a strength.
    """

    code: str
    name: str
    price: str
    at: Callable[[float], tuple[str, Settings]]
    doses: tuple[float, ...] = ()
    step: float = 10.0


@dataclass(frozen=True)
class Maker:
    """Makes changes of an experiment, checked as training would.  The other arguments are those of `changes_of`."""

    experiment: Experiment
    data: CustomData | None = None
    limits: Limits = UNLIMITED

    def change(
        self, code: str, name: str, price: str, new: Settings, remedy: str = "", dose: float | None = None
    ) -> Change:
        """The change with what really differs."""
        old = self.experiment
        settings = {field: (getattr(old, field), value) for field, value in new.items() if getattr(old, field) != value}
        try:
            changed = replace(old, **new)
            dataset = load_dataset(changed, self.data)
            check_budget(changed, dataset.n_in, dataset.n_out, self.limits)
        except OutOfRange as error:
            # Without what called this, such as a page with all its histories, which it would keep as long as itself.
            problem = error.with_traceback(None)
            return Change(code, name, price, settings, None, str(error), remedy or name, dose, problem)
        return Change(code, name, price, settings, changed, "", remedy or name, dose)

    def at(self, remedy: Remedy, dose: float) -> Change:
        """The change that a remedy makes at one dose."""
        name, new = remedy.at(dose)
        return self.change(remedy.code, name, remedy.price, new, remedy.name, dose)

    def all_of(self, remedy: Remedy) -> list[Change]:
        """A remedy at each of its first doses; one change where it has no strength."""
        if remedy.doses:
            return [self.at(remedy, dose) for dose in remedy.doses]
        return [self.change(remedy.code, remedy.name, remedy.price, remedy.at(0.0)[1])]

    def remedies(self) -> Iterator[Remedy]:
        """All that could help; of the data's scales only where the data can be loaded."""
        yield from _remedies(self.experiment)
        try:
            dataset = load_dataset(self.experiment, self.data)
        except OutOfRange:  # which the untreated network's change says
            return
        yield from _scales(self.experiment, dataset)

    def singles(self) -> tuple[Change, ...]:
        """The untreated network, and every remedy at its first doses; what is as it would be made is left out."""
        changes = [self.change(UNTREATED, UNTREATED, "", {})]
        changes += [change for remedy in self.remedies() for change in self.all_of(remedy)]
        return tuple(change for change in changes if change.settings or change.code == UNTREATED)

    def finer(self, change: Change) -> list[Change]:
        """The same remedy half a step weaker and stronger, where that can be made."""
        (remedy,) = (one for one in self.remedies() if one.name == change.remedy)
        assert change.dose is not None
        near = [self.at(remedy, float(f"{change.dose * remedy.step**half:.2g}")) for half in (-0.5, 0.5)]
        return [one for one in near if one.experiment and one.settings]

    def pair(self, one: Change, other: Change) -> Change | None:
        """Both at once; None where they cannot be, or change the same thing."""
        both = {field: new for change in (other, one) for field, (_, new) in change.settings.items()}
        if len(both) < len(one.settings) + len(other.settings):
            return None
        price = "; ".join(filter(None, (one.price, other.price)))
        pair = self.change(f"{one.code}+{other.code}", f"{one.name} + {other.name}", price, both)
        return pair if pair.experiment else None


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
    return Maker(experiment, data, Limits(max_seconds, max_bytes)).singles()


def _once(code: str, name: str, price: str, settings: Settings) -> Remedy:
    """A remedy that has no strength."""
    return Remedy(code, name, price, lambda _: (name, settings))


def _dosed(
    code: str, name: str, price: str, field: str, doses: Iterable[float], step: float = 10.0, **settings: Any
) -> Remedy:
    """A remedy whose dose is the value of a field, and stands behind its name."""
    return Remedy(code, name, price, lambda dose: (f"{name} {dose:g}", {field: dose, **settings}), tuple(doses), step)


def _counted(
    code: str, name: str, price: str, field: str, doses: Iterable[int], step: float, words: Callable[[int], str]
) -> Remedy:
    """A remedy whose dose is a whole number, which is named in words."""
    return Remedy(
        code, name, price, lambda dose: (words(round(dose)), {field: round(dose)}), tuple(dict.fromkeys(doses)), step
    )


def _remedies(e: Experiment) -> Iterator[Remedy]:
    yield from _activations(e)
    yield from _starts(e)
    yield from _training(e)
    yield from _structures(e)
    yield from _regularisers(e)
    most = DATASETS[e.dataset].n_train_max(e.held_out) or int(SETTINGS["n_train"].high)
    more = MORE_DATA * e.n_train if most == e.n_train else min(MORE_DATA * e.n_train, most)
    yield _once("n_train", f"{more} examples", "the examples have to be collected and labelled", {"n_train": more})
    if not e.shuffle:
        yield _once("shuffle", "Shuffled examples", "", {"shuffle": True})
    if e.label_noise:
        yield _once("label_noise", "No label noise", "someone has to look at every label", {"label_noise": 0.0})


def _scales(e: Experiment, dataset: Dataset) -> Iterator[Remedy]:
    """Of inputs, targets, output and classes.  None that would change what the loss measures beside its unit."""
    new = {"inputs": "standardised", "input_scale": 1.0, "input_shift": 0.0}
    if any(getattr(e, field) != value for field, value in new.items()):
        yield _once("inputs", "Standardised inputs", "their mean and spread are kept for new data", new)
    loss = chosen_loss(e.loss, dataset.task, e.output)
    if dataset.task == "regression" and loss in ("mse", "mae"):
        yield from _targets(e, dataset.train_targets)
    if chosen_output(e.output, dataset.task) != (fits := chosen_output("auto", dataset.task)):
        same_loss = {} if chosen_loss(e.loss, dataset.task) == loss else {"loss": loss}
        yield _once("output", f"{fits.capitalize()} output", "", {"output": "auto"} | same_loss)
    if dataset.task != "regression" and e.class_weights == "none":
        shares = dataset.target_rows("train").mean(axis=0)
        shares = shares if len(shares) > 1 else np.append(shares, 1 - shares)
        if shares.min() < RARE_SHARE / len(shares):
            price = "frequent classes are answered less surely"
            yield _once("class_weights", "Balanced class weights", price, {"class_weights": "balanced"})


def _targets(e: Experiment, targets: np.ndarray) -> Iterator[Remedy]:
    """Targets of size 1; those of which a multiple would hardly differ from each other are centred as well."""
    size, deviation = float(np.sqrt(np.mean(targets**2))), float(targets.std())
    if deviation and size > OFF_CENTRE * deviation:
        price = "its answers are shifted and multiplied back"
        yield _once("target_scale", "Standardised targets", price, standardising(e, targets))
    elif size and not 1 / FITTING_SIZE <= size <= FITTING_SIZE:
        scale = float(f"{e.target_scale / size:.2g}")
        settings = {"target_scale": scale, "target_shift": e.target_shift * scale / e.target_scale}
        yield _once("target_scale", "Targets of size 1", "its answers are multiplied back", settings)


def _at_a_rate(e: Experiment, code: str, name: str, settings: Settings) -> Remedy:
    """A change of the start with what it needs: gain 1, and a learning rate at which it trains.

    What trains well with signals that fade is far too fast for signals that arrive.
    """
    along = ", gain 1" if e.gain != 1 else ""

    def at(rate: float) -> tuple[str, Settings]:
        own = "" if rate == e.learning_rate else f", learning rate {rate:g}"
        return name + along + own, settings | {"gain": 1.0, "learning_rate": rate}

    return Remedy(code, name + along, "", at, (e.learning_rate, _rounded(SLOWER[0] * e.learning_rate)))


def _activations(e: Experiment) -> Iterator[Remedy]:
    """Each with the initializer that suits it: one without the other is not a fair try."""
    for activation in ("leaky_relu" if e.activation == "relu" else "relu", "tanh"):
        start = SUITED.get(activation, "he_normal")
        if activation != e.activation:
            name = SETTINGS["activation"].in_words(activation)
            settings = {"activation": activation, "initializer": start}
            yield _at_a_rate(e, "activation", f"{name[0].upper()}{name[1:]} with {AFTER[start]}", settings)


def _starts(e: Experiment) -> Iterator[Remedy]:
    suited = SUITED.get(e.activation, "he_normal")
    if e.initializer != suited:
        yield _at_a_rate(e, "initializer", f"{AFTER[suited]} initializer", {"initializer": suited})
    if e.gain != 1:
        yield _once("gain", "Gain 1", "", {"gain": 1.0})
    elif e.activation == "sigmoid":
        yield _dosed("gain", "Gain", "", "gain", SIGMOID_GAINS, step=2)
    if e.bias or e.bias_mean:
        yield _once("bias", "Biases start at 0", "", {"bias": 0.0, "bias_mean": 0.0})


def _training(e: Experiment) -> Iterator[Remedy]:
    symptom = "the cause stays: the gradient grows as before"
    if e.clip == "none":
        yield _dosed("clip", "Clip at norm", symptom, "clip_threshold", CLIPS, clip="norm")
    else:
        yield _once("clip", "No clipping", "nothing limits a step", {"clip": "none"})
    overshoot, short = "steps may overshoot", "as many steps do not get as far"
    up = FASTER if e.learning_rate > LOW_RATE else (*FASTER, MUCH_FASTER)
    slower, faster = ([_rounded(factor * e.learning_rate) for factor in factors] for factors in (SLOWER, up))
    yield _rates("learning_rate_down", "Lower learning rate", short, slower)
    yield _rates("learning_rate_up", "Higher learning rate", overshoot, faster)
    if e.optimizer == "sgd":
        yield _once("optimizer", "Momentum", "one number more for each weight", {"optimizer": "momentum"})
    if e.optimizer != "adam":
        first = min(e.learning_rate, ADAM_RATE)
        price = "two numbers more for each weight"
        yield _rates("optimizer", "Adam", price, [first, _rounded(first / 10)], "adam")
    else:
        first = max(e.learning_rate, SGD_RATE)
        yield _rates("optimizer", "Gradient descent", "one rate for all weights", [first, _rounded(first / 10)], "sgd")
    if e.schedule == "constant" and e.optimizer in ADAPTIVE:
        yield _once("schedule", "Warmup", "the first tenth of the steps is shorter", {"schedule": "warmup"})
    if 0 < e.batch_size < min(ENOUGH_EXAMPLES, e.n_train):
        larger = {"batch_size": min(ENOUGH_EXAMPLES, e.n_train)}
        yield _once("batch_size", f"Batches of {larger['batch_size']}", "more work at every step", larger)
    more = [MORE_STEPS * e.steps]  # the next dose, twice that, where these promise
    yield _counted("steps", "More steps", "time", "steps", more, MORE_STEPS**2, lambda steps: f"{steps} steps")


def _rates(code: str, name: str, price: str, rates: Sequence[float], optimizer: str = "") -> Remedy:
    """Another learning rate, with another optimizer where one is named."""

    def at(rate: float) -> tuple[str, Settings]:
        if not optimizer:
            return f"Learning rate {rate:g}", {"learning_rate": rate}
        return f"{name}, learning rate {rate:g}", {"optimizer": optimizer, "learning_rate": rate}

    return Remedy(code, name, price, at, tuple(rates))


def _rounded(rate: float) -> float:
    return float(f"{rate:.6g}")


def _structures(e: Experiment) -> Iterator[Remedy]:
    prices = {
        "batch": "examples of a batch depend on each other; statistics to keep for new data",
        "layer": "two parameters more for each unit",
    }
    for kind, price in prices.items():
        if kind != e.normalization:
            yield _once("normalization", f"{kind.capitalize()} normalization", price, {"normalization": kind})
    if e.normalization != "none":
        yield _once("normalization", "No normalization", "", {"normalization": "none"})
    if e.residual != "none":
        price = "the gradient’s way round the layers"
        yield _once("residual", "No residual connections", price, {"residual": "none"})
    same_width = "all layers need the same width"
    if e.depth > 1:
        yield _once("residual", "Residual connections", same_width, {"residual": "plain"})
    if e.depth >= VERY_DEEP:
        yield _once("residual", "Scaled residual connections", same_width, {"residual": "scaled"})
    if e.depth > 1:
        shallower = max(e.depth // SHALLOWER, 1)
        yield _once("shallower", _layers(shallower), "fewer stages of what it can compute", {"depth": shallower})
    wider, deeper = max(WIDER * e.width, ENOUGH_UNITS), max(e.depth + DEEPER, ENOUGH_LAYERS)
    memory = "memory and time at every prediction"
    yield _counted("wider", "Wider", memory, "width", [wider], WIDER**2, _units)
    more_factors = "time at every prediction, and more factors in the chain rule"
    yield _once("deeper", _layers(deeper), more_factors, {"depth": deeper})
    if e.width < ENOUGH_UNITS and e.depth < ENOUGH_LAYERS:
        both = {"depth": deeper, "width": wider}
        yield _once("wider", f"{_layers(deeper)} of {wider} units", memory, both)
    smaller = [max(e.width // factor, 1) for factor in SMALLER]
    yield _counted("narrower", "Narrower", "less that it can compute", "width", smaller, 4, _units)


def _regularisers(e: Experiment) -> Iterator[Remedy]:
    """Where there is one already, taking it away, or less of it."""
    fits = "fits its training data less closely"
    rows = (
        ("l1", "L1", L1, fits, 10),
        ("l2", "L2", L2, fits, 10),
        ("dropout", "Dropout", DROPOUT, "learns more slowly, in noise", 2),
    )
    for field, name, doses, price, step in rows:
        strength = getattr(e, field)
        if strength == 0:
            yield _dosed(field, name, price, field, doses, step=step)
        else:
            yield _dosed(field, f"Less {WITHOUT[field]}:", "", field, [_rounded(strength / step)], step=step)
            yield _once(field, f"No {WITHOUT[field]}", "", {field: 0.0})
    if e.patience == 0:
        price = "validation examples, which then say less about new data"
        yield _once("patience", "Early stopping", price, {"patience": PATIENCE})
    else:
        yield _once("patience", "No early stopping", "", {"patience": 0})


def _units(width: int) -> str:
    return f"{width} unit{'' if width == 1 else 's'} a layer"


def _layers(depth: int) -> str:
    return f"{depth} layer{'' if depth == 1 else 's'}"


def within(seconds: float, changes: Sequence[Change], sizes: Sizes = None) -> tuple[Change, ...]:
    """The changes, the most expensive refused where all over SCREENED seeds would take longer than this on one core.

    The untreated network stays.  sizes: as for seconds_of.
    """
    costs = {
        i: SCREENED * seconds_of([change.experiment], sizes) for i, change in enumerate(changes) if change.experiment
    }
    allowed, spent = {0}, costs.get(0, 0.0)
    for i in sorted(costs, key=costs.__getitem__):
        if i and (spent := spent + costs[i]) <= seconds:
            allowed.add(i)
    return tuple(
        change if i in allowed or not change.experiment else replace(change, experiment=None, refused=TOO_LONG)
        for i, change in enumerate(changes)
    )
