"""What the server remembers of a session, beside its widgets."""

from dataclasses import dataclass, field
from typing import Any

import streamlit as st


@dataclass
class SessionState:
    """A session's state beside its widgets.

    controls: the lesson whose controls are drawn; restarted: it started again to have its whole address; parameters: of
    the address after the last controls; addresses: lesson -> parameters of its networks; last_good: lesson -> its last
    pair of networks that could be made; ignored: lesson -> what was ignored in its address, and how the controls stood;
    predictions: (lesson, thing to try or draw) -> which way and why; controls_open: whether a phone shows settings;
    settings_open: whether "more settings" are drawn; more_choices: whether settings in segments show all choices;
    measured: the same -> what came of it; sweeps: what it asked components/lesson/sweeps.py for; pointed: the evidence
    that the charts mark; clicks: on evidence, so far; previewed: page, networks, and which of their settings
    somebody has touched, to be dragged; from_ward: lessons that somebody came to from the ward;
    prescribed: the patient whose cures it tries; confirmed: network, patient and code of the finding
    whose confirming run it looks at; mystery: (level, seed) -> the visit to a mystery patient; stage_drawn: the home
    page's, once; laboratory: the table that is on its page; locks: page -> what its locked widgets hold;
    turned: when the clicker was pressed last, in milliseconds since the page was loaded.
    """

    controls: str = ""
    restarted: bool = False
    parameters: dict[str, list[str]] = field(default_factory=dict)
    addresses: dict[str, dict[str, str]] = field(default_factory=dict)
    last_good: dict[str, Any] = field(default_factory=dict)
    ignored: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = field(default_factory=dict)
    controls_open: bool = False
    settings_open: bool = False
    more_choices: bool = False
    predictions: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    measured: dict[tuple[str, str], Any] = field(default_factory=dict)
    sweeps: Any = None
    pointed: Any = None
    clicks: int = 0
    prescribed: Any = None
    confirmed: tuple[Any, ...] | None = None
    previewed: tuple[Any, ...] = ()
    from_ward: set[str] = field(default_factory=set)
    mystery: dict[tuple[str, int], Any] = field(default_factory=dict)
    stage_drawn: bool = False
    laboratory: Any = None
    locks: dict[str, dict[str, Any]] = field(default_factory=dict)
    turned: float = 0.0


def this_session() -> SessionState:
    """This session's."""
    return st.session_state.setdefault("session", SessionState())
