"""What the home page's stage shows, measured by the engine beforehand, so that it moves before anything is trained.

    python -m pages.components.home.frames

trains the two networks of the lesson on vanishing gradients, and for every depth and activation that one may choose one
more (half a minute in all), and writes assets/home/frames.json; a test compares that file with fresh runs.  Arrays are
base64: float32 (rms δ, losses) and bytes (surfaces, points).
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from engine import Experiment, RunHistory, load_dataset, train
from engine.predictions import GRID
from pages.components.lesson.catalogue import ASSETS, lesson_of
from pages.text.clock import latest_at, thinned

FILE = ASSETS / "home" / "frames.json"
PAGE = "vanishing_gradients"  # the lesson whose networks are on the stage
DEPTHS = range(1, 31)
# The activations that one may choose, each with the initializer that was made for it.
CHOICES = {"sigmoid": "xavier_normal", "tanh": "xavier_normal", "relu": "he_normal"}
MOST_FRAMES = 32  # of training; the browser blends between them
LEVELS = 255  # of a probability in a surface
COARSE = 16  # places a side of a surface that is one of ninety
REACH = 127  # of a point's coordinate, in bytes, at the surface's edge

Array = np.ndarray


def networks() -> dict[str, Experiment]:
    """Patient and treated network, as the lesson's bare address shows them."""
    lesson = lesson_of(PAGE)
    return {"patient": lesson.patient, "treated": lesson.treated}


def chosen(activation: str, depth: int) -> Experiment:
    """The network that the stage shows for this choice: the patient with another activation and depth."""
    return replace(networks()["patient"], activation=activation, initializer=CHOICES[activation], depth=depth)


def measured() -> dict[str, Any]:
    """All that the file holds, from fresh runs; arrays as arrays."""
    histories = {who: train(experiment) for who, experiment in networks().items()}
    steps = thinned(list(histories["patient"].frame_step), MOST_FRAMES)
    return {
        "steps": steps,
        "runs": {who: _run(history, steps) for who, history in histories.items()},
        "choices": {activation: _choice(activation) for activation in CHOICES},
        "points": _points(networks()["patient"], histories["patient"]),
    }


@lru_cache
def read() -> dict[str, Any]:
    """What the file holds, arrays as arrays; like `measured`."""
    return _decoded(json.loads(text()))


@lru_cache
def text() -> str:
    """The file, as the browser gets it."""
    return FILE.read_text("utf-8")


def profile(activation: str, depth: int) -> Array:
    """rms δ of every layer at step 0, (depth + 1,), from the file."""
    start = sum(d + 1 for d in DEPTHS if d < depth)
    return read()["choices"][activation]["profile"][start : start + depth + 1]


def reaches(activation: str, depth: int) -> float:
    """R at step 0, from the file."""
    delta = profile(activation, depth).astype(float)
    return float(delta[0] / delta[-2])


def _run(history: RunHistory, steps: list[int]) -> dict[str, Array]:
    """rms δ (frames, L), loss at every evaluation with its step, P(class 1) over the input plane (frames, G, G)."""
    kept = latest_at(history.evaluation_step, steps)
    return {
        "delta": history.probe_delta_rms[kept].astype(np.float32),
        "loss": history.train_loss.astype(np.float32),
        "loss_step": history.evaluation_step.astype(np.float32),
        "surface": _surface(history)[latest_at(history.frame_step, steps)],
    }


def _choice(activation: str) -> dict[str, Array]:
    """For all depths: rms δ of every layer at step 0, one depth after the other; what came of the training."""
    histories = [train(chosen(activation, depth)) for depth in DEPTHS]
    return {
        "profile": np.concatenate([history.delta_rms[0] for history in histories]).astype(np.float32),
        "loss": np.array([_last_loss(history) for history in histories], np.float32),
        "surface": np.array([_surface(history)[-1][_coarse()] for history in histories]),
    }


def _last_loss(history: RunHistory) -> float:
    """Training loss at the end; infinite where the run diverged."""
    return float("inf") if history.status == "diverged" else float(history.train_loss[-1])


def _surface(history: RunHistory) -> Array:
    """P(class 1) over the input plane at every frame, (frames, G, G), in bytes; one half where it is not finite."""
    if history.predictions is None:
        raise ValueError("the stage shows networks with two inputs")
    return np.rint(LEVELS * np.nan_to_num(history.predictions[..., 0], nan=0.5)).astype(np.uint8)


def _coarse() -> tuple[Array, ...]:
    """Indices of a surface's rows and columns, of which few are kept."""
    kept = np.linspace(0, GRID - 1, COARSE).round().astype(int)
    return np.ix_(kept, kept)


def _points(experiment: Experiment, history: RunHistory) -> Array:
    """The training examples: two coordinates, as whole bytes from the surface's lower left corner, and the class."""
    dataset = load_dataset(experiment)
    low, high = history.prediction_axes[0][[0, -1]] if history.prediction_axes else (-1.0, 1.0)
    places = (dataset.train_inputs - low) / (high - low) * 2 * REACH
    return np.column_stack([np.rint(places), dataset.train_targets]).astype(np.uint8)


def _encoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _encoded(part) for name, part in value.items()}
    if isinstance(value, np.ndarray):
        data = base64.b64encode(value.tobytes()).decode("ascii")
        return {"type": value.dtype.name, "shape": list(value.shape), "data": data}
    return [int(step) for step in value]


def _decoded(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "data" in value:
        return np.frombuffer(base64.b64decode(value["data"]), value["type"]).reshape(value["shape"])
    return {name: _decoded(part) for name, part in value.items()}


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(_encoded(measured())) + "\n", "utf-8")
