"""The networks that the backpropagation page can show, as they come, and the widgets that each of them has."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine import SETTINGS, Experiment, load_dataset
from engine.losses import LOSSES, PROBABILITIES, chosen_loss
from engine.network import architecture_of
from engine.settings import Setting
from pages.components.settings.control import Answer, Control
from pages.text import labels
from pages.walkthrough.calculation import Rule
from pages.walkthrough.derivation import Selection
from pages.walkthrough.opened_network import rule_of
from pages.walkthrough.presets import PRESETS

OPENED = "trained"  # the preset that is a trained network
FIRST = next(iter(PRESETS))
ALWAYS_NAMED = ("depth", "width", "activation", "initializer")  # settings of a trained network

# Parameters that are bound to widgets, each after those its choices depend on.
FRONT = ("activation", "loss", "learning_rate", "examples", "example", "step")
MORE = ("optimizer", "clip", "clip_threshold", "l1", "l2")
LOOK = ("layer", "unit", "source")
ORDER = (*FRONT, *MORE, "updates", *LOOK)
TEXTS = ("inputs", "targets", "changed")
RULE = ("learning_rate", *MORE)
HIDES = NETWORK, DERIVATION, COURSE, ANSWERS = "network", "derivation", "course", "answers"  # what a link can hide

DEFAULTS = {"step": 0, "example": 1}
ONE, BATCH = "one", "batch"
WHOLE, NONE = "whole layer", "none"
# Updates on the page may cost so many multiplications, about a quarter of a second; each as many as its NumPy calls.
MOST_UPDATES, FEWEST_UPDATES, MULTIPLICATIONS, EACH_UPDATE = 1000, 3, 1e9, 1e6


@dataclass(frozen=True, eq=False)
class Base:
    """A network as it comes, before anything is chosen on the page.

    sizes: of its layers, inputs included; examples: in all, batch: of one update; selection: to look at first.
    """

    name: str
    note: str
    activation: str
    loss: str
    losses: tuple[str, ...]
    rule: Rule
    selection: Selection
    sizes: tuple[int, ...]
    examples: int
    batch: int
    experiment: Experiment | None = None

    @property
    def defaults(self) -> dict[str, Answer]:
        """What the widgets hold when it is opened."""
        values: dict[str, Answer] = {}
        for name in ORDER:
            values[name] = control_of(self, name, values).default
        return values | dict.fromkeys(TEXTS, "")


def preset_base(name: str) -> Base:
    """A preset."""
    preset = PRESETS[name]
    problem, architecture = preset.problem, preset.problem.architecture
    examples = len(problem.inputs)
    return Base(
        name, preset.note, architecture.activation, problem.loss, tuple(LOSSES), Rule(preset.learning_rate),
        preset.selection, architecture.sizes, examples, examples,
    )  # fmt: skip


def opened_base(experiment: Experiment) -> Base:
    """A network that this experiment trains."""
    dataset = load_dataset(experiment)
    architecture = architecture_of(experiment, dataset.n_in, dataset.n_out, dataset.task)
    probabilities = dataset.task != "regression" and experiment.output in PROBABILITIES
    losses = tuple(loss for loss in LOSSES if probabilities or loss != "cross_entropy")
    named = {*ALWAYS_NAMED, *experiment.differences(Experiment())}
    settings = [
        f"{labels.label(name)} {labels.meaning(name, getattr(experiment, name))}" for name in SETTINGS if name in named
    ]
    note = (
        f"A network from a lesson, opened at the *training step* below (0: before training): {'; '.join(settings)}. "
        "With *one* example an update serves this example alone; choose *batch* for what training did."
    )
    return Base(
        OPENED, note, architecture.activation, chosen_loss(experiment.loss, dataset.task, experiment.output),
        losses, rule_of(experiment), Selection(0, 0, 0),
        architecture.sizes, experiment.n_train, experiment.examples_per_update,
        experiment,
    )  # fmt: skip


def trained_control(field: str) -> Control:
    """A setting of the experiment, as its parameter is read and written."""
    return Control(SETTINGS[field], treated=False, segments=(), default=SETTINGS[field].default)


def control_of(base: Base, name: str, values: Mapping[str, Answer]) -> Control:
    """One widget.  values: of those its choices depend on."""
    setting = _setting(base, name, values)
    return Control(
        setting, treated=False, segments=setting.choices if name == "examples" else (), default=setting.default
    )


def _setting(base: Base, name: str, values: Mapping[str, Answer]) -> Setting:
    selection, layers = base.selection, len(base.sizes) - 1
    if name == "activation":
        return replace(SETTINGS[name], default=base.activation, help="Of the hidden layers; the weights stay.")
    if name == "loss":
        help_text = "With cross-entropy the slope of the answer cancels; with the other losses it stays."
        return replace(SETTINGS[name], default=base.loss, choices=base.losses, help=help_text)
    if name in RULE:
        return replace(SETTINGS[name], default=getattr(base.rule, name))
    if name == "examples":
        default = ONE if base.experiment else BATCH
        return Setting(name, default, "data", "Examples", "One, or all that an update uses.", choices=(ONE, BATCH))
    if name == "example":
        most = base.examples if values["examples"] == ONE else base.batch
        return Setting(name, DEFAULTS[name], "data", "Example shown", f"1 to {most}.", low=1, high=most)
    if name == "step":
        steps = base.experiment.steps if base.experiment else 0
        return Setting(
            name, DEFAULTS[name], "data", "Training step", f"0 to {steps}; the nearest recorded one.", low=0, high=steps
        )
    if name == "updates":
        return Setting(name, 0, "training", "Updates taken", "", low=0, high=most_updates(base, values))
    if name == "layer":
        numbers = tuple(str(layer + 1) for layer in range(layers))
        help_text = f"1 is nearest the inputs, {layers} is the output."
        return Setting(name, str(selection.layer + 1), "look", "Layer", help_text, choices=numbers)
    layer = int(values["layer"] or 1) - 1
    at_first = layer == selection.layer and (name == "unit" or values["unit"] == str((selection.unit or 0) + 1))
    first = selection.unit if name == "unit" else selection.source
    blank, size = (WHOLE, base.sizes[layer + 1]) if name == "unit" else (NONE, base.sizes[layer])
    numbers = (blank, *(str(unit + 1) for unit in range(size)))
    if name == "source" and values["unit"] == WHOLE:
        numbers = (blank,)
    label = "Unit" if name == "unit" else "Weight from unit"
    return Setting(
        name, str(first + 1) if at_first and first is not None else blank, "look", label, "", choices=numbers
    )


def most_updates(base: Base, values: Mapping[str, Answer]) -> int:
    """As many as the page takes at once."""
    weights = sum(a * b for a, b in zip(base.sizes, base.sizes[1:], strict=False))
    examples = 1 if values["examples"] == ONE else base.batch
    return int(min(max(MULTIPLICATIONS / (3 * weights * examples + EACH_UPDATE), FEWEST_UPDATES), MOST_UPDATES))
