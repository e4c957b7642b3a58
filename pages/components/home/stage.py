"""The home page's stage: two networks, of which one learns, and a handle that makes them deeper.

assets/components/home_stage.js moves it, from what frames.py measured beforehand; the server has no part in it.
"""

import time
from functools import lru_cache

import orjson

from engine import Experiment
from engine.data.baselines import average_loss
from engine.doctor.thresholds import LEARNT_NOTHING
from pages.charts.style.class_colors import CLASS_COLORS
from pages.charts.style.figure import PATIENT, TREATED
from pages.components.home import frames
from pages.components.lesson.catalogue import glossary_of
from pages.components.lesson.explanations import explanations
from pages.components.shell.component import component
from pages.components.shell.script_turns import letting_others
from pages.components.shell.session import this_session
from pages.text.glossary import explained
from pages.text.labels import name

# For the browser, which else draws the whole page before the stage moves: 1.75 instead of 3 s on a busy machine.
HEAD_START = 0.4  # seconds

_stage = component("home_stage", "cells", "numbers", "stepper")


def stage() -> None:
    """Draw it, before all that comes below it."""
    _stage(key="home_stage", data=_data())
    explanations(glossary_of(frames.PAGE))
    if not this_session().stage_drawn:
        this_session().stage_drawn = True
        with letting_others():
            time.sleep(HEAD_START)


def link_to(activation: str, depth: int) -> dict[str, str]:
    """Parameters of the lesson's address that put the chosen networks on its page."""
    network = frames.chosen(activation, depth)
    return {"depth": str(depth), "activation": activation, "initializer": network.initializer}


@lru_cache
def _data() -> bytes:
    """What the browser gets: the measured file, and what it is to be called."""
    looks = {"patient": PATIENT, "treated": TREATED}
    networks = {
        who: {
            "name": look.name, "color": look.color, "activation": network.activation, "settings": _settings(network),
            "depth": network.depth, "steps": network.steps,
        }
        for (who, look), network in zip(looks.items(), frames.networks().values(), strict=True)
    }  # fmt: skip
    choices = {
        activation: {"settings": _settings(frames.chosen(activation, 1)), "link": link_to(activation, 1)}
        for activation in frames.CHOICES
    }
    average = average_loss(frames.networks()["treated"])
    words = {
        "networks": networks, "choices": choices, "lesson": frames.PAGE,
        "depths": [min(frames.DEPTHS), max(frames.DEPTHS)],
        "average": average, "untrained": LEARNT_NOTHING * average,
        "classes": CLASS_COLORS[:2], "levels": frames.LEVELS, "reach": 2 * frames.REACH,
    }  # fmt: skip
    return orjson.dumps(words | {"measured": orjson.Fragment(frames.text())})


def _settings(network: Experiment) -> str:
    return explained(f"{name(network.activation)}, {name(network.initializer)}", glossary_of(frames.PAGE))
