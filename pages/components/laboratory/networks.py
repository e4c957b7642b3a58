"""The laboratory's networks: the one that the settings are of, and up to three that were pinned beside it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine import Experiment, OutOfRange
from engine.cures.outcomes import seeded
from engine.experiment import SETTINGS
from engine.limits import check_budget
from engine.settings import Value
from engine.training import check_branch
from pages.charts.style.annotations import MARKS
from pages.charts.style.figure import Look
from pages.charts.style.tokens import LIGHT
from pages.components.laboratory.data import STEADY, UNSCALED, experiment_of
from pages.components.laboratory.link import (
    BETWEEN,
    BRANCH,
    CONTROLS,
    LONGEST_NAME,
    MOST_PINS,
    PAGE,
    PINS,
    SPLITTING,
    Pin,
    is_locked,
    network_name,
)
from pages.components.settings.control import Answer, write_controls
from pages.components.settings.controls import COLORS, settings_button
from pages.components.shell.address import Address, history_navigation, parameters_here, still_ignored, write_address
from pages.components.shell.component import component
from pages.components.shell.runs import Branched, Wanted, histories_of
from pages.components.shell.session import this_session
from pages.text import labels
from pages.text.own_data import OwnData

_at_step = component("at_step")

FRONT = (
    "depth", "width", "activation", "initializer", "optimizer", "learning_rate", "batch_size", "steps",
)  # fmt: skip
IN_VIEW = FRONT + SPLITTING  # the others are among more settings
ACROSS, WIDTH = 4, 150  # settings side by side, and pixels that a field needs: two on a phone
PRESENT = "Present"  # name of the network that the settings are of
THIN = 0.55  # of a pinned network's lines
# The present network first; none is told from the others by colour alone.
LOOKS = (
    Look(PRESENT, LIGHT["patient"], "solid", "circle", "first"),
    Look("", LIGHT["treated"], "dash", "diamond", "second", THIN),
    Look("", LIGHT["third"], "dot", "square", "third", THIN),
    Look("", LIGHT["fourth"], "dashdot", "triangle-up", "fourth", THIN),
)


class Network(NamedTuple):
    """A network that is shown: how it is drawn, and what it is; up to a step, it may have been another one."""

    look: Look
    experiment: Experiment
    before: tuple[Experiment, int] | None = None

    @property
    def wanted(self) -> Wanted:
        """What is to be trained."""
        if self.before is None:
            return self.experiment
        start, step = self.before
        return Branched(start, ((step, self.experiment),))

    @property
    def seeded(self) -> list[Wanted]:
        """The same under other seeds, which what it was and what it goes on as share."""
        if self.before is None:
            return [*seeded(self.experiment)]
        start, step = self.before
        pairs = zip(seeded(start), seeded(self.experiment), strict=True)
        return [Branched(first, ((step, then),)) for first, then in pairs]


def pinned_looks(found: Address) -> dict[str, Look]:
    """How the pinned networks are drawn, by their names in the address."""
    pins = {name: found.values[name] for name in PINS if name in found.values}
    return {name: replace(look, name=pin.name) for look, (name, pin) in zip(LOOKS[1:], pins.items(), strict=False)}


def choose_networks(
    own: OwnData, found: Address, entering: bool, ignored: DeltaGenerator
) -> tuple[tuple[Network, ...], Callable[[Sequence[Network]], None]]:
    """Draw the settings and the pinned networks; all of them that can be trained, the present one first.

    And what draws, once they are trained, the way on from a step: its steps are those that the present network took.

    Settings that do not go together, and runs over budget, leave the last good network in place, with a sentence.
    ignored: the place of what is said of the address.
    """
    pins = {name: found.values[name] for name in PINS if name in found.values}
    with st.container(key="networks"):
        values = _settings()
        place = _ways(pins, values)
    branch = found.values[BRANCH]
    last_good, notes, networks = this_session().last_good, [], []
    try:
        present = Network(LOOKS[0], _trainable(own, values))
        if branch and branch[1] in pins:
            present = _branched(own, present, branch[0], pins[branch[1]])
        networks.append(present)
        last_good[PAGE] = values
    except OutOfRange as problem:
        notes.append(labels.refusal(problem))
        with suppress(OutOfRange):
            networks.append(Network(LOOKS[0], _trainable(own, last_good.get(PAGE, {}))))
            notes.append("What you see below is the last network that could be trained, not what the controls say.")
    names = {PRESENT}
    for look, pin in zip(LOOKS[1:], pins.values(), strict=False):
        name = next(one for one in (pin.name, *(f"{pin.name} {i}" for i in range(2, 9))) if one not in names)
        names.add(name)
        try:
            networks.append(Network(replace(look, name=name), _trainable(own, pin.settings)))
        except OutOfRange as problem:
            notes.append(f"{name}: {labels.refusal(problem)}")
    if sentences := still_ignored(PAGE, found.sentences, values):
        ignored.warning("  \n".join(sentences), icon=":material/info:")
    if notes:
        st.warning("  \n".join(notes), icon=":material/info:")

    def way_on(trained: Sequence[Network]) -> None:
        with place:
            _ways_on_from_a_step(own, pins, values, trained)

    return tuple(networks), way_on


def begin_settings(found: Address, entering: bool) -> None:
    """Give the controls what the address says, or what they held."""
    for name in CONTROLS:
        fresh = entering or history_navigation() or name not in st.session_state
        if fresh or name in found.ignored or is_locked(name):
            st.session_state[name] = found.values[name]
        else:
            st.session_state[name] = st.session_state[name]  # Streamlit forgets what a widget held that is not drawn


def _settings() -> dict[str, Value]:
    """Draw the first settings of the present network; all that are not as the page has them at first."""
    with (
        st.container(key="controls" if this_session().controls_open else "controls_closed"),
        st.container(key="one_network", gap="xsmall"),
        st.grid(ACROSS, min_column_width=WIDTH),
    ):
        for name in FRONT:
            CONTROLS[name].draw(locked=is_locked(name))
    answers: dict[str, Answer] = {name: st.session_state[name] for name in CONTROLS}
    write_controls(CONTROLS, answers)
    moved = [name for name, control in CONTROLS.items() if answers[name] != control.default]
    values = {name: CONTROLS[name].value(answers[name]) for name in moved}
    return {name: value for name, value in values.items() if value is not None}


def _more() -> None:
    """All settings that are not in view, by groups."""
    for group in dict.fromkeys(setting.group for setting in SETTINGS.values()):
        names = [name for name, control in CONTROLS.items() if control.setting.group == group and name not in IN_VIEW]
        if names:
            st.markdown(f"**{group.capitalize()}**")
            with st.grid(ACROSS, min_column_width=WIDTH):
                for name in names:
                    CONTROLS[name].draw(locked=is_locked(name))


def _toggle() -> None:
    this_session().settings_open = not this_session().settings_open


def _branched(own: OwnData, present: Network, step: int, pin: Pin) -> Network:
    """The present network, which goes on from a step of the pinned one.  OutOfRange where it cannot."""
    start = _trainable(own, pin.settings)
    check_branch(start, step, present.experiment)
    return present._replace(before=(start, min(step, start.steps - 1)))


def _trainable(own: OwnData, settings: Mapping[str, Value]) -> Experiment:
    """The experiment; OutOfRange where these data, or what a run may cost, do not allow it."""
    experiment = experiment_of(own, **settings)
    dataset = own.dataset(experiment)
    check_budget(experiment, dataset.n_in, dataset.n_out)
    return experiment


# --- pinned ones ---


def _ways(pins: Mapping[str, Pin], values: Mapping[str, Value]) -> DeltaGenerator:
    """The buttons that open more settings and pin the network, what they open, and a line for each pinned one.

    Room for one more button.
    """
    opened = this_session().settings_open
    changed = sum(name not in IN_VIEW for name in values)
    more = f"More settings ({changed} changed)" if changed else "More settings"
    with st.container(horizontal=True, key="ways_on"):
        settings_button()
        st.button("Fewer settings" if opened else more, icon=":material/tune:", key="settings", on_click=_toggle)
        st.button(
            "Pin this network", icon=":material/keep:", key="pin", disabled=len(pins) == MOST_PINS,
            help=f"Keeps it as a thin line, to compare with; up to {MOST_PINS}.",
            on_click=_write, args=([*pins.values(), Pin(_name_for(values, pins.values()), dict(values))],),
        )  # fmt: skip
        place = st.container(width="content", key="way_on")
    if opened:
        with st.container(key="more_of_network", gap="xsmall"):
            _more()
    for look, (name, pin) in zip(LOOKS[1:], pins.items(), strict=False):
        with st.container(key=f"row_{name}", gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                _draw_pinned(look, name, pins, values)
            st.markdown(f":small[{_in_words(pin.settings)}]")
    return place


def _draw_pinned(look: Look, name: str, pins: Mapping[str, Pin], values: Mapping[str, Value]) -> None:
    """Mark and name of a pinned network, and the buttons that move it."""
    pin, others = pins[name], [one for other, one in pins.items() if other != name]
    st.markdown(f":{COLORS[look.symbol]}[{MARKS[look.symbol]}]", width="content")
    st.text_input(
        f"Name of {pin.name}", pin.name, max_chars=LONGEST_NAME, key=f"name_{name}_{pin.name}",
        label_visibility="collapsed", on_change=_rename, args=(name, pin), disabled=is_locked(name),
    )  # fmt: skip
    st.button(
        "Up", key=f"up_{name}", on_click=_move_up, args=(name, pins), disabled=name == next(iter(pins)),
        width="content", help=f"Puts {pin.name} before the one above it.",
    )  # fmt: skip
    st.button(
        "Swap", key=f"swap_{name}", on_click=_swap, args=(name, pin, values, others), width="content",
        help="Makes it the present network, and pins the present one.", disabled=is_locked(name),
    )  # fmt: skip
    st.button(
        "Remove", key=f"remove_{name}", on_click=_write, args=(others,), width="content", disabled=is_locked(name),
    )  # fmt: skip


def _ways_on_from_a_step(
    own: OwnData, pins: Mapping[str, Pin], values: Mapping[str, Value], trained: Sequence[Network]
) -> None:
    """The button that pins the network and lets the settings go on from a step of it, and the one that ends that.

    trained: the networks, the present one first, whose runs are there; none where they could not be trained, or
    what came of it is not shown yet.
    """
    if BRANCH in st.query_params:
        step, _, origin = st.query_params[BRANCH].partition(BETWEEN)
        st.button(
            f"Goes on from step {step}", icon=":material/call_split:", key="no_branch", on_click=write_address,
            args=({BRANCH: None},), help="Train the present network from the start again.",
        )  # fmt: skip
        if origin in pins and trained and trained[0].before:
            st.markdown(f":small[{_what_now(own, pins[origin], values, *trained[0].before)}]")
        return
    steps = _steps_taken(own, trained[0].wanted) if trained else int(values.get("steps", SETTINGS["steps"].default))
    most = steps - 1
    with st.popover("Two futures", icon=":material/call_split:", disabled=len(pins) == MOST_PINS or most < 1):
        st.markdown(
            "Stop at a step, change one thing, and go on: the network is pinned, and what you then set holds from "
            "this step on. Both futures begin with the same weights."
            + (f" The network took {steps:,} steps." if trained else "")
        )
        if most >= 1:
            key = "branch_step"
            st.session_state[key] = min(st.session_state.get(key, max(most // 2, 1)), most)
            _at_step(key="at_step", data={"most": most}, on_step_change=partial(_stop_at, key))
            chosen = st.number_input("Step", 1, most, key=key)
            st.button(
                "Go on from here", type="primary", key="branch", on_click=_branch, args=(pins, values, int(chosen))
            )


def _stop_at(key: str) -> None:
    """Write the timeline's step into the field."""
    step = st.session_state["at_step"]["step"]
    if isinstance(step, int) and step >= 1:
        st.session_state[key] = step


def _steps_taken(own: OwnData, wanted: Wanted) -> int:
    """Fewer than the setting asks for where a run diverged or stopped early."""
    (history,) = histories_of((wanted,), own.arrays)
    return int(history.evaluation_step[-1])


def _what_now(own: OwnData, pin: Pin, values: Mapping[str, Value], start: Experiment, step: int) -> str:
    """What somebody who has pressed the button does next, or why it comes to nothing."""
    if step >= (taken := _steps_taken(own, start)):
        return f"{pin.name} ended after step {taken}, so there is nothing to go on from: choose an earlier step."
    if pin.settings == values:
        return f"Now change a setting above: it holds from step {step} on. {pin.name}, below, goes on as it was."
    return f"Up to step {step} it is {pin.name}; from there on it has the settings above."


def _branch(pins: Mapping[str, Pin], values: Mapping[str, Value], step: int) -> None:
    name = PINS[len(pins)]
    write_address({name: Pin(_name_for(values, pins.values()), dict(values)).text, BRANCH: f"{step}{BETWEEN}{name}"})


def pin(own: OwnData, name: str, experiment: Experiment) -> None:
    """Pin another network on the same data, in the place of the last one where all are taken.  For a button."""
    start = {field: control.setting.default for field, control in CONTROLS.items()}
    start["n_train"] = experiment_of(own, held_out=experiment.held_out).n_train  # all
    settings = {field: getattr(experiment, field) for field in start if getattr(experiment, field) != start[field]}
    taken = sum(one in st.query_params for one in PINS)
    write_address({PINS[min(taken, MOST_PINS - 1)]: Pin(network_name(name), settings).text})
    st.rerun()  # the whole page, since the button stands in a fragment


def use(settings: Mapping[str, Value]) -> None:
    """Give the present network these settings.  For a button."""
    for field, value in settings.items():
        st.session_state[field] = CONTROLS[field].answer(value)
    st.rerun()  # the whole page, since the button stands in a fragment


def _in_words(settings: Mapping[str, Value]) -> str:
    words = (f"{labels.label(name)} {CONTROLS[name].setting.in_words(value)}" for name, value in settings.items())
    return ", ".join(words) or "all settings at their defaults"


def _name_for(values: Mapping[str, Value], pins: Collection[Pin]) -> str:
    """A name that says what is special about it: one or two settings, those first that the fewest of the pinned
    networks share, but for the units of its targets and the learning rate that a table begins with.
    """
    begun_with = {*UNSCALED, "learning_rate"} if values.get("learning_rate") == STEADY else {*UNSCALED}
    special = [name for name in values if name not in begun_with]
    special.sort(key=lambda name: sum(pin.settings.get(name) == values[name] for pin in pins))
    words = {name: CONTROLS[name].setting.in_words(values[name]) for name in special}
    named = [
        word if isinstance(values[name], str) else f"{name.replace('_', ' ')} {word}" for name, word in words.items()
    ]
    both = ", ".join(named[:2])
    return network_name(both if len(both) <= LONGEST_NAME else named[0]) if named else "Defaults"


def _rename(name: str, pin: Pin) -> None:
    write_address({name: pin._replace(name=network_name(st.session_state[f"name_{name}_{pin.name}"])).text})


def _write(pins: Sequence[Pin]) -> None:
    """Let the address have these pinned networks."""
    texts = [pin.text for pin in pins]
    # A pinned network that goes may be the one that another goes on from.
    gone = {BRANCH: None} if len(texts) < sum(name in st.query_params for name in PINS) else {}
    write_address({name: texts[i] if i < len(texts) else None for i, name in enumerate(PINS)} | gone)


def _move_up(name: str, pins: Mapping[str, Pin]) -> None:
    """Let a pinned network and the one above it take each other's place, in what goes on from either too."""
    above = list(pins)[list(pins).index(name) - 1]
    texts = {above: pins[name].text, name: pins[above].text}
    step, _, origin = st.query_params.get(BRANCH, "").partition(BETWEEN)
    if origin in texts:
        texts[BRANCH] = f"{step}{BETWEEN}{above if origin == name else name}"
    write_address(texts)


def _swap(name: str, pin: Pin, values: Mapping[str, Value], others: Collection[Pin]) -> None:
    for one, control in CONTROLS.items():
        st.session_state[one] = control.answer(pin.settings[one]) if one in pin.settings else control.default
    write_address({name: Pin(_name_for(values, others), dict(values)).text})


def keep_address() -> str:
    """Let the session remember the page as it stands, for who comes back; its path and parameters."""
    here = parameters_here()
    this_session().parameters = here
    texts = {name: texts[-1] for name, texts in here.items()}
    this_session().addresses[PAGE] = texts
    return f"/{PAGE}?{urlencode(texts)}"
