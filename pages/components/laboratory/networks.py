"""The laboratory's networks: the one that the settings are of, and up to three that were pinned beside it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from engine import Experiment, OutOfRange
from engine.experiment import SETTINGS
from engine.limits import check_budget
from engine.settings import Value
from pages.charts.style.annotations import MARKS
from pages.charts.style.figure import Look
from pages.charts.style.tokens import TOKENS
from pages.components.laboratory.data import experiment_of
from pages.components.laboratory.link import CONTROLS, LONGEST_NAME, MOST_PINS, PAGE, PINS, Pin, network_name
from pages.components.settings.control import Answer, write_controls
from pages.components.settings.controls import COLORS
from pages.components.shell.address import Address, history_navigation, parameters_here, still_ignored, write_address
from pages.components.shell.session import this_session
from pages.text import labels
from pages.text.own_data import OwnData

FRONT = (
    "depth", "width", "activation", "initializer", "optimizer", "learning_rate", "batch_size", "steps",
)  # fmt: skip
ACROSS, WIDTH = 4, 150  # settings side by side, and pixels that a field needs: two on a phone
PRESENT = "Present"  # name of the network that the settings are of
THIN = 0.55  # of a pinned network's lines
# The present network first; none is told from the others by colour alone.
LOOKS = (
    Look(PRESENT, TOKENS["patient"], "solid", "circle", "first"),
    Look("", TOKENS["treated"], "dash", "diamond", "second", THIN),
    Look("", TOKENS["third"], "dot", "square", "third", THIN),
    Look("", TOKENS["fourth"], "dashdot", "triangle-up", "fourth", THIN),
)


class Network(NamedTuple):
    """A network that is shown: how it is drawn, and what it is."""

    look: Look
    experiment: Experiment


def choose_networks(own: OwnData, found: Address, entering: bool) -> tuple[Network, ...]:
    """Draw the settings and the pinned networks; all of them that can be trained, the present one first.

    Settings that do not go together, and runs over budget, leave the last good network in place, with a sentence.
    """
    values = _settings(found, entering)
    pins = {name: found.values[name] for name in PINS if name in found.values}
    _ways(pins, values)
    last_good, notes, networks = this_session().last_good, [], []
    try:
        networks.append(Network(LOOKS[0], _trainable(own, values)))
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
    if notes := [*still_ignored(PAGE, found.sentences, values), *notes]:
        st.warning("  \n".join(notes), icon=":material/info:")
    return tuple(networks)


def _settings(found: Address, entering: bool) -> dict[str, Value]:
    """Draw the settings of the present network; those that are not as the page has them at first."""
    for name in CONTROLS:
        if entering or history_navigation() or name not in st.session_state or name in found.ignored:
            st.session_state[name] = found.values[name]
        else:
            st.session_state[name] = st.session_state[name]  # Streamlit forgets what a widget held that is not drawn
    with st.container(key="one_network", gap="xsmall"):
        with st.grid(ACROSS, min_column_width=WIDTH):
            for name in FRONT:
                CONTROLS[name].draw()
        if this_session().settings_open:
            _more()
    answers: dict[str, Answer] = {name: st.session_state[name] for name in CONTROLS}
    write_controls(CONTROLS, answers)
    moved = [name for name, control in CONTROLS.items() if answers[name] != control.default]
    values = {name: CONTROLS[name].value(answers[name]) for name in moved}
    return {name: value for name, value in values.items() if value is not None}


def _more() -> None:
    """All settings that are not in front, by groups."""
    for group in dict.fromkeys(setting.group for setting in SETTINGS.values()):
        names = [name for name, control in CONTROLS.items() if control.setting.group == group and name not in FRONT]
        if names:
            st.markdown(f"**{group.capitalize()}**")
            with st.grid(ACROSS, min_column_width=WIDTH):
                for name in names:
                    CONTROLS[name].draw()


def _toggle() -> None:
    this_session().settings_open = not this_session().settings_open


def _trainable(own: OwnData, settings: Mapping[str, Value]) -> Experiment:
    """The experiment; OutOfRange where these data, or what a run may cost, do not allow it."""
    experiment = experiment_of(own, **settings)
    dataset = own.dataset(experiment)
    check_budget(experiment, dataset.n_in, dataset.n_out)
    return experiment


# --- pinned ones ---


def _ways(pins: Mapping[str, Pin], values: Mapping[str, Value]) -> None:
    """The buttons that open more settings and pin the network, and a line for each pinned one."""
    opened = this_session().settings_open
    changed = sum(name not in FRONT for name in values)
    more = f"More settings ({changed} changed)" if changed else "More settings"
    with st.container(horizontal=True, key="ways_on"):
        st.button("Fewer settings" if opened else more, icon=":material/tune:", key="settings", on_click=_toggle)
        st.button(
            "Pin this network", icon=":material/keep:", key="pin", disabled=len(pins) == MOST_PINS,
            help=f"Keeps it as a thin line, to compare with; up to {MOST_PINS}.",
            on_click=_write, args=([*pins.values(), Pin(_name_for(values), dict(values))],),
        )  # fmt: skip
    for look, (name, pin) in zip(LOOKS[1:], pins.items(), strict=False):
        others = [one for other, one in pins.items() if other != name]
        with st.container(horizontal=True, vertical_alignment="center", key=f"row_{name}"):
            st.markdown(f":{COLORS[look.symbol]}[{MARKS[look.symbol]}]", width="content")
            st.text_input(
                f"Name of {pin.name}", pin.name, max_chars=LONGEST_NAME, key=f"name_{name}_{pin.name}", width=180,
                label_visibility="collapsed", on_change=_rename, args=(name, pin),
            )  # fmt: skip
            st.markdown(f":small[{_in_words(pin.settings)}]", width="stretch")
            st.button(
                "Swap", key=f"swap_{name}", on_click=_swap, args=(name, pin, values), width="content",
                help="Makes it the present network, and pins the present one.",
            )  # fmt: skip
            st.button("Remove", key=f"remove_{name}", on_click=_write, args=(others,), width="content")


def pin(own: OwnData, name: str, experiment: Experiment) -> None:
    """Pin another network on the same data, in the place of the last one where all are taken.  For a button."""
    start = {field: control.setting.default for field, control in CONTROLS.items()}
    start["n_train"] = experiment_of(own).n_train  # all
    settings = {field: getattr(experiment, field) for field in start if getattr(experiment, field) != start[field]}
    taken = sum(one in st.query_params for one in PINS)
    write_address({PINS[min(taken, MOST_PINS - 1)]: Pin(network_name(name), settings).text})


def _in_words(settings: Mapping[str, Value]) -> str:
    words = (f"{labels.label(name)} {CONTROLS[name].setting.in_words(value)}" for name, value in settings.items())
    return ", ".join(words) or "as the page starts"


def _name_for(values: Mapping[str, Value]) -> str:
    """A name that says what is special about it: its first two settings."""
    words = {name: CONTROLS[name].setting.in_words(value) for name, value in values.items()}
    named = [word if isinstance(values[name], str) else f"{name} {word}" for name, word in words.items()]
    return network_name(", ".join(named[:2]) or "Start")


def _rename(name: str, pin: Pin) -> None:
    write_address({name: pin._replace(name=network_name(st.session_state[f"name_{name}_{pin.name}"])).text})


def _write(pins: Sequence[Pin]) -> None:
    """Let the address have these pinned networks."""
    texts = [pin.text for pin in pins]
    write_address({name: texts[i] if i < len(texts) else None for i, name in enumerate(PINS)})


def _swap(name: str, pin: Pin, values: Mapping[str, Value]) -> None:
    for one, control in CONTROLS.items():
        st.session_state[one] = control.answer(pin.settings[one]) if one in pin.settings else control.default
    write_address({name: Pin(_name_for(values), dict(values)).text})


def keep_address() -> str:
    """Let the session remember the page as it stands, for who comes back; its path and parameters."""
    here = parameters_here()
    this_session().parameters = here
    texts = {name: texts[-1] for name, texts in here.items()}
    this_session().addresses[PAGE] = texts
    return f"/{PAGE}?{urlencode(texts)}"
