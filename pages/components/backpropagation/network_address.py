"""The address of the backpropagation page: which network it names, and how that is looked at.

A network is a preset, or one that was trained: then the address has its experiment, each setting with the prefix
`trained_`, and the training step at which it is opened.  What is not in the address is as the network has it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from urllib.parse import parse_qs, unquote, urlencode

from engine import SETTINGS, Experiment, OutOfRange, load_dataset
from engine.limits import check_budget
from pages.components.backpropagation.base_network import (
    DEFAULTS,
    FIRST,
    HIDES,
    LOOK,
    OPENED,
    ORDER,
    TEXTS,
    Base,
    control_of,
    opened_base,
    preset_base,
    trained_control,
)  # fmt: skip
from pages.components.settings.control import Answer
from pages.components.settings.locks import ALL, BUT, Lockable, LockableText, read_locked, read_locks
from pages.components.shell.address import (
    LOCK,
    PARAMETERS,
    PHASE,
    Address,
    Field,
    FieldOf,
    all_parameters,
    read_address,
    with_earlier_defaults,
)
from pages.components.shell.assignment import PARAMETERS as ASKED
from pages.components.shell.assignment import Assignment, read_assignment
from pages.text import labels
from pages.text.goals import read_update_goal
from pages.walkthrough.derivation import PHASES
from pages.walkthrough.presets import PRESETS

PAGE = "backpropagation"
# Parameters that had another text by default in version 1, 2 and so on of the page, by preset; today's excepted.  Where
# a default changes, what it was is added here, and links that were shared still open what they did.
EARLIER: tuple[Mapping[str, Mapping[str, str]], ...] = ()
PRESET, TRAINED = "preset", "trained_"  # parameters of the address that no widget is bound to
MOST_TYPED = 2000  # characters of one's own numbers; 64 inputs with all their digits take 1,600
# What a link can lock beside the widgets: which network it is, as the address names it, and one's own numbers.
LOCKABLE = tuple(name for name in ORDER if name not in LOOK)
_LABELS = "Network", "Inputs", "Targets", "Changed weights and biases"
LOCKABLE_TEXTS = {
    name: LockableText(name, label, MOST_TYPED) for name, label in zip((PRESET, *TEXTS), _LABELS, strict=True)
}


def link_to(experiment: Experiment, step: int, example: int = 0) -> dict[str, str]:
    """Parameters of the address that opens a trained network at a step."""
    changed = experiment.differences(Experiment())
    texts = {TRAINED + name: trained_control(name).text(mine) for name, (mine, _) in changed.items()}
    chosen = {"step": step, "example": example + 1}
    return {PRESET: OPENED, **texts} | {
        name: str(number) for name, number in chosen.items() if number != DEFAULTS[name]
    }


def requested_here() -> tuple[dict[str, Sequence[str]], Address]:
    """The address's parameters, with those that had another default in its version; and what its version says."""
    requested = all_parameters()
    earlier = [defaults.get(_preset_in(requested), {}) for defaults in EARLIER]
    return with_earlier_defaults(requested, earlier)


def _preset_in(requested: Mapping[str, Sequence[str]]) -> str:
    bare = OPENED if any(name.startswith(TRAINED) for name in requested) else FIRST
    return requested.get(PRESET, [bare])[-1]


def lockables(base: Base) -> dict[str, Lockable]:
    """What a link can lock on this network's page, by name."""
    defaults = base.defaults
    return LOCKABLE_TEXTS | {name: control_of(base, name, defaults) for name in LOCKABLE}


def network_text(base: Base) -> str:
    """The network as a lock names it; nothing for the first preset."""
    named = {} if base.name == FIRST else {PRESET: base.name}
    return urlencode(named if base.experiment is None else link_to(base.experiment, 0))


def read_network() -> tuple[Base, dict[str, Answer], Address]:
    """The network that the address asks for, or is locked at; what is locked, by name; what is said of both."""
    requested, version = requested_here()
    texts = requested.get(LOCK, ())
    locked = _locked_network(texts)
    base, found = _read_network(requested if locked is None else parse_qs(locked))
    locks, about = read_locks(texts, lockables(base), _start(base))
    if PRESET in locks:
        if locks[PRESET] != locked:  # the link was changed: all is locked at the page's start
            locked = ""
            base, found = _read_network({})
            locks = _start(base)
        same = parse_qs(locked)
        moved = {name: given for name, given in requested.items() if _of_network(name) and given != same.get(name)}
        found |= read_address(moved, {}, lambda name, given: "what this link locks the network at")
    return base, locks, version | found | about


def _locked_network(texts: Sequence[str]) -> str | None:
    """The network that these texts of the lock name; nothing for the first preset, None where it is free."""
    entries = [entry.partition(":") for text in texts for entry in text.split(",")]
    named = [unquote(value) for name, _, value in entries if name == PRESET]
    bare = {name for name, _, _ in entries}
    return named[-1] if named else "" if ALL in bare and BUT + PRESET not in bare else None


def _start(base: Base) -> dict[str, Answer]:
    """What can be locked, as this network comes."""
    defaults = base.defaults
    return {name: one.default for name, one in LOCKABLE_TEXTS.items()} | {name: defaults[name] for name in LOCKABLE}


def _read_network(requested: Mapping[str, Sequence[str]]) -> tuple[Base, Address]:
    """The network of these parameters, and what those of the network say."""
    preset = read_address({PRESET: [_preset_in(requested)]}, {PRESET: Field(_preset, FIRST)}, lambda name, texts: "")
    trained = {name: texts for name, texts in requested.items() if name.startswith(TRAINED)}
    name, fields = preset.values[PRESET], {}
    if name == OPENED:
        fields = {TRAINED + field: Field(trained_control(field).read) for field in SETTINGS if field != "data_digest"}
    settings = read_address(
        trained, fields, lambda name, texts: f"a setting of an experiment, beside {PRESET}={OPENED}"
    )
    if name != OPENED:
        return preset_base(name), preset | settings
    given = {name.removeprefix(TRAINED): value for name, value in settings.values.items()}
    try:
        experiment = Experiment(**given)
        dataset = load_dataset(experiment)
        check_budget(experiment, dataset.n_in, dataset.n_out)
    except OutOfRange as problem:
        sentence = f"{labels.refusal(problem)} What you see is the network that all settings have by default."
        settings |= Address({}, {}, frozenset(settings.values), (sentence,))
        experiment = Experiment()
    return opened_base(experiment), preset | settings


def _of_network(name: str) -> bool:
    return name == PRESET or name.startswith(TRAINED)


def read_asked() -> tuple[Assignment, Address]:
    """What the address asks of a learner, and what is said about it."""
    return read_assignment(
        {name: texts for name, texts in all_parameters().items() if name in ASKED}, HIDES, read_update_goal
    )


def read_widgets(base: Base, locks: Mapping[str, Answer]) -> Address:
    """What the parameters of the widgets, and all others, say for this network; what is locked stays there."""
    requested = {name: texts for name, texts in requested_here()[0].items() if not _of_network(name)}
    # Sentences come in this order.
    names = [*ORDER, *(name for name in requested if name not in (*ORDER, PHASE)), PHASE]
    requested = {name: requested[name] for name in names if name in requested}
    fields: dict[str, Field | FieldOf] = {name: partial(_field, base, name) for name in ORDER}
    requested = {name: texts for name, texts in requested.items() if name not in (LOCK, *ASKED)}
    fields |= dict.fromkeys((*TEXTS, *PARAMETERS), Field(tuple))
    controls = lockables(base)
    fields |= {name: Field(partial(read_locked, controls[name], held), held) for name, held in locks.items()}
    fields[PHASE] = Field(partial(_phase, len(base.sizes) - 1), "forward-1")
    return read_address(requested, fields, lambda name, texts: "a setting of this page")


def _preset(texts: Sequence[str]) -> str:
    if texts[-1] not in (*PRESETS, OPENED):
        raise OutOfRange(PRESET, texts[-1], "one of " + ", ".join((*PRESETS, OPENED)))
    return texts[-1]


def _field(base: Base, name: str, values: Mapping[str, Answer]) -> Field:
    control = control_of(base, name, values)
    read = _no_step if name == "step" and base.experiment is None else control.read
    return Field(read, control.default, "this network has no such thing, " if name in LOOK else "")


def _no_step(texts: Sequence[str]) -> Answer:
    raise OutOfRange("step", texts[-1], "given with a trained network")


def _phase(last: int, texts: Sequence[str]) -> str:
    """The phase that is shown first; nothing: the first.  last: number of the output layer."""
    found = re.fullmatch(r"(?:forward|backward)-([0-9]{1,3})", texts[-1])
    if texts[-1] in ("", *PHASES[1::2]) or (found and 1 <= int(found[1]) <= last):
        return texts[-1]
    raise OutOfRange(PHASE, texts[-1], f"loss, update, or forward- or backward- with a layer from 1 to {last}")
