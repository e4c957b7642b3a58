"""Settings in which two networks differ and which make no difference to them, and why."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine import Experiment
from engine.data.sources import DATASETS
from engine.losses import chosen_output
from engine.settings import Value

CLASSES = "binary", "classes"


def without_effect(patient: Experiment, treated: Experiment) -> dict[str, str]:
    """Of the settings in which they differ those that could be the patient's without changing the treated network.

    Name -> why that is so.  Only what the settings alone say; that a penalty is too small to matter is for a run to
    show.
    """
    found = {}
    for field, (value, _) in patient.differences(treated).items():
        if field in WITHOUT_EFFECT:
            same, why = WITHOUT_EFFECT[field]
            changed: dict[str, Any] = {field: value}
            if same(treated, replace(treated, **changed)):
                found[field] = why
    return found


def telling_differences(patient: Experiment, treated: Experiment) -> dict[str, tuple[Value, Value]]:
    """The settings to which what the treated network does better is due, as Experiment.differences has them.

    All in which they differ where none of them makes a difference.
    """
    changes, vain = patient.differences(treated), without_effect(patient, treated)
    return {field: pair for field, pair in changes.items() if field not in vain} or changes


def _full_batch(*experiments: Experiment) -> bool:
    return all(one.examples_per_update == one.n_train for one in experiments)


def _classes(*experiments: Experiment) -> bool:
    return all(DATASETS[one.dataset].task in CLASSES for one in experiments)


def _regression(*experiments: Experiment) -> bool:
    return all(DATASETS[one.dataset].task == "regression" for one in experiments)


def _one_hidden_layer(*experiments: Experiment) -> bool:
    return all(one.depth == 1 for one in experiments)


def _no_clipping(*experiments: Experiment) -> bool:
    return all(one.clip == "none" for one in experiments)


def _same_output(one: Experiment, other: Experiment) -> bool:
    task = DATASETS[one.dataset].task
    return task != "custom" and chosen_output(one.output, task) == chosen_output(other.output, task)


# Whether two experiments that differ in this field alone are the same run, and why they are.
WITHOUT_EFFECT: dict[str, tuple[Callable[[Experiment, Experiment], bool], str]] = {
    "target_scale": (_classes, "the targets are classes"),
    "target_shift": (_classes, "the targets are classes"),
    "shuffle": (_full_batch, "a batch holds all examples"),
    "validation_labels": (_regression, "the targets are no classes"),
    "residual": (_one_hidden_layer, "one hidden layer has no other to skip"),
    "output": (_same_output, "for these targets auto is the same"),
    "class_weights": (_regression, "the targets are no classes"),
    "batch_size": (_full_batch, "a batch holds all examples"),
    "clip_threshold": (_no_clipping, "nothing is clipped"),
}
