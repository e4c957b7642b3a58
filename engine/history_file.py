"""A run as one .npz file: arrays by the names of RunHistory's fields, and JSON of what is no array.  No pickle.

An array of a tuple is <field>.<index>; a field that is None has none.  Everything that is read is checked: a file may
come from anywhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from os import PathLike
from typing import IO, Any

import numpy as np

from engine.experiment import Experiment
from engine.settings import OutOfRange

Array = np.ndarray
File = str | PathLike[str] | IO[bytes]

FORMAT = 1  # of the file
JSON, DESCRIBED = "run", ("experiment", "status", "best_step", "diverged_at", "branches")
LARGEST = 2e9  # bytes of all arrays together: a hundred times what the app records of a run (tuned)

# RunHistory's fields by clock and shape: one number a row, one a layer; parameters at every frame.
UPDATES = (
    "batch_loss", "data_gradient_norm", "penalty_gradient_norm", "total_gradient_norm", "clipped_norm", "clip_cosine",
    "total_update_norm",
)  # fmt: skip
LAYERS_OF_UPDATES = "gradient_norm", "weight_norm", "update_norm", "delta_rms", "weight_factor", "slope_factor"
EVALUATIONS = "train_loss", "validation_loss", "train_accuracy", "validation_accuracy", "penalty"
LAYERS_OF_EVALUATIONS = (
    "dead_fraction", "saturated_fraction", "activation_mean", "activation_std", "probe_delta_rms",
)  # fmt: skip
PARAMETERS = "weights", "biases", "scales", "shifts", "running_means", "running_variances"
_NUMBERS = "test_loss", "test_accuracy", "last_test_loss", "last_test_accuracy"
_STEPS = "step", "evaluation_step", "frame_step"
_OPTIONAL = "predictions", "prediction_axes", "confusion"


def write(file: File, run: Mapping[str, Any]) -> None:
    """Write a run's fields."""
    described = {name: run[name] for name in DESCRIBED} | {"format": FORMAT}
    arrays = {JSON: np.array(json.dumps(described, default=asdict))}  # an Experiment by its settings
    for name, value in run.items():
        if name in DESCRIBED or value is None:
            continue
        if isinstance(value, tuple):
            arrays |= {f"{name}.{index}": array for index, array in enumerate(value)}
        else:
            arrays[name] = np.asarray(value)
    if isinstance(file, (str, PathLike)):
        with open(file, "wb") as opened:  # a path without a suffix would get one
            np.savez_compressed(opened, allow_pickle=False, **arrays)
    else:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read(file: File, statuses: Sequence[str]) -> dict[str, Any]:
    """The fields of a run.  Raises OutOfRange for a file that is no run, and FileNotFoundError where there is none."""
    try:
        return _fields(_entries(file), statuses)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except OutOfRange as problem:
        raise _refusal(file, str(problem)) from None
    except Exception:  # zip, compression, NumPy's headers and JSON each raise what they come upon, TokenError included
        raise _refusal(file) from None


def _refusal(file: File, reason: str = "") -> OutOfRange:
    name = str(file) if isinstance(file, (str, PathLike)) else "the file"
    return OutOfRange("file", name, "a run that RunHistory.save wrote", reason)


def _entries(file: File) -> dict[str, Array]:
    archive = np.load(file, allow_pickle=False)
    if not isinstance(archive, np.lib.npyio.NpzFile) or archive.zip is None:
        raise ValueError
    with archive:
        if sum(entry.file_size for entry in archive.zip.infolist()) > LARGEST:
            raise ValueError
        entries = {name: archive[name] for name in archive.files}
    if not all(isinstance(array, np.ndarray) for array in entries.values()):
        raise ValueError
    return entries


def _fields(entries: dict[str, Array], statuses: Sequence[str]) -> dict[str, Any]:
    described = json.loads(str(entries.pop(JSON)[()]))
    if described["format"] != FORMAT:
        raise ValueError
    experiment, status = Experiment(**described["experiment"]), described["status"]
    best_step, diverged_at = described["best_step"], described["diverged_at"]
    if status not in statuses or type(best_step) is not int:
        raise ValueError
    if diverged_at is not None:
        step, layer, tensor = diverged_at = tuple(diverged_at)
        if type(step) is not int or type(layer) not in (int, type(None)) or type(tensor) is not str:
            raise ValueError
        if layer is not None and not 0 <= layer <= experiment.depth:
            raise ValueError
    branches = tuple((step, Experiment(**settings)) for step, settings in described["branches"])
    if any(type(step) is not int for step, _ in branches):
        raise ValueError
    run: dict[str, Any] = {
        "experiment": experiment,
        "status": status,
        "best_step": best_step,
        "diverged_at": diverged_at,
        "branches": branches,
    }
    run |= dict.fromkeys(PARAMETERS, ()) | dict.fromkeys(_OPTIONAL)
    for name, array in entries.items():
        field, _, index = name.partition(".")
        if field in DESCRIBED or array.dtype.kind not in "iuf":
            raise ValueError
        if index:
            run[field] = (*(run[field] or ()), array)
            if field not in (*PARAMETERS, "prediction_axes") or int(index) != len(run[field]) - 1:
                raise ValueError
        else:
            run[field] = array
    _check_shapes(run, experiment)
    return run | {name: float(run[name]) for name in _NUMBERS}


def _check_shapes(run: dict[str, Any], experiment: Experiment) -> None:
    """ValueError where an array has not the shape that its field says, or one is missing or too much."""
    s, v, k = (len(run[name]) for name in _STEPS)
    layers, width = experiment.depth + 1, experiment.width
    n_in, n_out = run["weights"][0].shape[1], run["weights"][-1].shape[2]
    hidden = [(k, width)] * experiment.depth
    normalised = hidden if experiment.normalization != "none" else []
    tracked = hidden if experiment.normalization == "batch" else []
    sizes = [n_in, *[width] * experiment.depth, n_out]
    expected: dict[str, Any] = {
        "frame_step": (k,),
        "weights": [(k, sizes[layer], sizes[layer + 1]) for layer in range(layers)],
        "biases": [(k, size) for size in sizes[1:]],
        "scales": normalised,
        "shifts": normalised,
        "running_means": tracked,
        "running_variances": tracked,
    }
    for names, shape in (
        (("step", *UPDATES), (s,)),
        (LAYERS_OF_UPDATES, (s, layers)),
        (("evaluation_step", *EVALUATIONS), (v,)),
        (LAYERS_OF_EVALUATIONS, (v, layers)),
        (_NUMBERS, ()),
    ):
        expected |= dict.fromkeys(names, shape)
    axes, confusion = run["prediction_axes"], run["confusion"]
    if axes is not None:
        expected["prediction_axes"] = [array.shape[:1] for array in axes]
        expected["predictions"] = (k, *(len(array) for array in reversed(axes)), n_out)
    if confusion is not None:
        expected["confusion"] = (k, max(n_out, 2), max(n_out, 2))
    found = {
        name: [array.shape for array in value] if isinstance(value, tuple) else value.shape
        for name, value in run.items()
        if name not in DESCRIBED and value is not None
    }
    if found != expected or v == 0 or k == 0 or any(run[name].dtype.kind not in "iu" for name in _STEPS):
        raise ValueError
