"""Which settings a lesson has, and the networks that they stand for.

Every control is made from a row of `SETTINGS`.  Its name, which is the widget's key and the parameter of the address,
is that of the Experiment's field, with the prefix `treated_` for the treated network's own.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from engine.data.sources import DATASETS
from engine.experiment import SETTINGS, Experiment
from engine.limits import check_budget
from pages.components.settings.control import AS_PATIENT, Answer, Control

# One control for both networks: the data, the draw and what the loss means have to be the same in a fair comparison.
SHARED = ("dataset", "n_train", "noise", "label_noise", "loss", "steps", "seed", "data_seed", "precision")
# A page without an upload has no data of the learner's own, and draws most of its data, so that nothing is split.
ABSENT = ("data_digest", "held_out", "split")


@dataclass(frozen=True)
class Lesson:
    """What a lesson's page starts from, and where its settings stand.

    patient, treated: the networks of the bare address.  front: settings on the first screen, for each network its own.
    beside: settings on the first screen with one control; where the treated network may differ, its own control is
    among "more settings", with all the rest.  shared: settings with one control for both.  absent: not on the page.
    segments: choices of the activation that are chosen with one click; none: it is a list like the others.
    earlier: the networks that it started from before, the oldest first: links that were shared then count from them.
    ValueError where the two networks differ in what they share.
    """

    page: str
    patient: Experiment
    treated: Experiment
    front: tuple[str, ...] = ("activation", "initializer")
    beside: tuple[str, ...] = ("depth", "dataset", "steps")
    shared: tuple[str, ...] = SHARED
    absent: tuple[str, ...] = ABSENT
    segments: tuple[str, ...] = ("sigmoid", "tanh", "relu")
    earlier: tuple[tuple[Experiment, Experiment], ...] = ()

    @property
    def version(self) -> int:
        """Of the networks that it starts from."""
        return len(self.earlier) + 1

    def __post_init__(self) -> None:
        answers_of(self, self.patient, self.treated)


@lru_cache
def controls_of(lesson: Lesson) -> dict[str, Control]:
    """The page's controls by name: the patient's, then the treated network's own."""
    made = []
    for treated in (False, True):
        for name, setting in SETTINGS.items():
            if name in lesson.absent or (treated and name in lesson.shared):
                continue
            value = getattr(lesson.treated if treated else lesson.patient, name)
            if (treated and value == getattr(lesson.patient, name)) or (not treated and value in dict(setting.special)):
                default = None if setting.kind in (int, float) else AS_PATIENT
            else:
                default = str(value).lower() if treated and setting.kind is bool else value
            made.append(Control(setting, treated, lesson.segments if name == "activation" else (), default))
    return {control.name: control for control in made}


def answers_of(lesson: Lesson, patient: Experiment, treated: Experiment) -> dict[str, Answer]:
    """What every control holds for these networks; what is equal follows the patient."""
    unfair = [name for name in patient.differences(treated) if name in lesson.shared + lesson.absent]
    unfair += [name for name in patient.differences(lesson.patient) if name in lesson.absent]
    if unfair:
        raise ValueError(f"{lesson.page} has no controls for this difference in {', '.join(unfair)}")
    answers = {}
    for name, control in controls_of(lesson).items():
        value = getattr(treated if control.treated else patient, control.setting.name)
        follows = control.treated and value == getattr(patient, control.setting.name)
        answers[name] = control.answer(None if follows else value)
    return answers


def networks_of(lesson: Lesson, answers: dict[str, Answer]) -> tuple[Experiment, Experiment]:
    """The networks that the controls ask for.  OutOfRange where they cannot be made."""
    of_patient: dict[str, Any] = {}
    of_treated: dict[str, Any] = {}
    for name, control in controls_of(lesson).items():
        value = control.value(answers[name])
        if value is not None:
            (of_treated if control.treated else of_patient)[control.setting.name] = value
    patient = replace(lesson.patient, **of_patient)
    treated = replace(patient, **of_treated)
    for experiment in (patient, treated):
        data = DATASETS[experiment.dataset]
        check_budget(experiment, data.n_in, data.n_out)
    return patient, treated


def labels_of(lesson: Lesson) -> dict[str, str]:
    """What the lesson's controls are called, by name."""
    return {name: control.label for name, control in controls_of(lesson).items()}
