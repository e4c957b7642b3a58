"""The laboratory's networks: the one that the settings are of, and up to three that were pinned beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from engine import Experiment, OutOfRange
from engine.experiment import SETTINGS
from engine.limits import check_budget
from engine.settings import Value
from pages.charts.style.figure import Look
from pages.charts.style.tokens import TOKENS
from pages.components.laboratory.data import experiment_of
from pages.components.laboratory.link import CONTROLS, MOST_PINS, PAGE, PINS, Pin, network_name
from pages.components.settings.control import Answer, write_controls
from pages.components.shell.address import Address, history_navigation, parameters_here, write_address
from pages.components.shell.session import this_session
from pages.text import labels
from pages.text.own_data import OwnData

FRONT = (
    "depth", "width", "activation", "initializer", "optimizer", "learning_rate", "batch_size", "steps",
)  # fmt: skip
ACROSS, WIDTH = 4, 200  # settings side by side, and pixels that the longest name needs
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
    """Draw the settings and the pinned networks; all of them that can be trained, the present one first."""
    values = _settings(found, entering)
    pins = {name: found.values[name] for name in PINS if name in found.values}
    notes = []
    networks = []
    try:
        networks.append(Network(LOOKS[0], _trainable(own, values)))
    except OutOfRange as problem:
        notes.append(labels.refusal(problem))
    names = {PRESENT}
    for look, pin in zip(LOOKS[1:], pins.values(), strict=False):
        name = next(one for one in (pin.name, *(f"{pin.name} {i}" for i in range(2, 9))) if one not in names)
        names.add(name)
        try:
            networks.append(Network(replace(look, name=name), _trainable(own, pin.settings)))
        except OutOfRange as problem:
            notes.append(f"{name}: {labels.refusal(problem)}")
    _pinned(pins, networks, values)
    for note in (*found.sentences, *notes):
        st.warning(note, icon=":material/info:")
    return tuple(networks)


def _settings(found: Address, entering: bool) -> dict[str, Value]:
    """Draw the settings of the present network; those that are not as the page has them at first."""
    session = this_session()
    for name in CONTROLS:
        if entering or history_navigation() or name not in st.session_state or name in found.ignored:
            st.session_state[name] = found.values[name]
        else:
            st.session_state[name] = st.session_state[name]  # Streamlit forgets what a widget held that is not drawn
    with st.container(key="own_settings_of_one", gap="xsmall"):
        with st.grid(ACROSS, min_column_width=WIDTH):
            for name in FRONT:
                CONTROLS[name].draw()
        if session.settings_open:
            _more()
        changed = sum(st.session_state[name] != CONTROLS[name].default for name in CONTROLS if name not in FRONT)
        more = f"More settings ({changed} changed)" if changed else "More settings"
        st.button(
            "Fewer settings" if session.settings_open else more, icon=":material/tune:", type="tertiary",
            key="settings", on_click=_toggle,
        )  # fmt: skip
    answers: dict[str, Answer] = {name: st.session_state[name] for name in CONTROLS}
    write_controls(CONTROLS, answers)
    given = {name: CONTROLS[name].value(answers[name]) for name in CONTROLS}
    return {
        name: value for name, value in given.items() if value is not None and answers[name] != CONTROLS[name].default
    }


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


def _pinned(pins: Mapping[str, Pin], networks: Sequence[Network], values: Mapping[str, Value]) -> None:
    """A line for each pinned network, and the button that pins the present one."""
    with st.container(key="pins", gap="xsmall"):
        for name, pin in pins.items():
            with st.container(horizontal=True, vertical_alignment="center", key=f"row_{name}"):
                st.text_input(
                    f"Name of {pin.name}", pin.name, max_chars=20, key=f"name_{name}_{pin.name}", width=150,
                    label_visibility="collapsed", on_change=_rename, args=(name, pin),
                )  # fmt: skip
                st.markdown(f":small[{_in_words(pin.settings)}]", width="stretch")
                st.button(
                    "Use",
                    key=f"use_{name}",
                    help="Makes it the present network.",
                    on_click=_use,
                    args=(name, pin, values),
                )
                st.button(
                    f"Remove {pin.name}", icon=":material/close:", type="tertiary", key=f"remove_{name}",
                    on_click=_write, args=([one for other, one in pins.items() if other != name],),
                )  # fmt: skip
        st.button(
            "Pin this network", icon=":material/keep:", key="pin", disabled=len(pins) == MOST_PINS or not networks,
            help=f"Keeps it as a thin line, to compare with; up to {MOST_PINS}.",
            on_click=_write, args=([*pins.values(), Pin(_name_for(values), dict(values))],),
        )  # fmt: skip


def _in_words(settings: Mapping[str, Value]) -> str:
    return (
        ", ".join(f"{labels.label(name)} {CONTROLS[name].setting.in_words(value)}" for name, value in settings.items())
        or "as the page starts"
    )


def _name_for(values: Mapping[str, Value]) -> str:
    """A name that says what is special about it: its first two settings."""
    words = [CONTROLS[name].setting.in_words(value) for name, value in values.items()]
    named = [
        word if isinstance(values[name], str) else f"{labels.label(name)} {word}"
        for name, word in zip(values, words, strict=True)
    ]
    return network_name(", ".join(named[:2]) or "Start")


def _rename(name: str, pin: Pin) -> None:
    write_address({name: pin._replace(name=network_name(st.session_state[f"name_{name}_{pin.name}"])).text})


def _write(pins: Sequence[Pin]) -> None:
    """Let the address have these pinned networks."""
    texts = [pin.text for pin in pins]
    write_address({name: texts[i] if i < len(texts) else None for i, name in enumerate(PINS)})


def _use(name: str, pin: Pin, values: Mapping[str, Value]) -> None:
    """Swap a pinned network with the present one."""
    st.session_state.update(
        {
            one: control.answer(pin.settings[one]) if one in pin.settings else control.default
            for one, control in CONTROLS.items()
        }
    )
    write_address({name: Pin(_name_for(values), dict(values)).text})


def keep_address() -> str:
    """Let the session remember the page as it stands, for who comes back; its path and parameters."""
    here = parameters_here()
    this_session().parameters = here
    texts = {name: texts[-1] for name, texts in here.items()}
    this_session().addresses[PAGE] = texts
    return f"/{PAGE}?{urlencode(texts)}"
