"""Outcomes whose numbers a test chooses."""

from collections.abc import Sequence

from engine import Experiment
from engine.cures.outcomes import Outcome


def made(experiment: Experiment, **values: object) -> Outcome:
    """An outcome that is 0.5 in every loss but where values say otherwise."""
    which = ("train", "validation", "test", "last_test", "result_validation")
    losses = {f"{one}_loss": 0.5 for one in which}
    accuracies = {f"{one}_accuracy": 0.9 for one in which}
    fields = {"status": "completed", "steps": experiment.steps, "findings": (), "line_axis": None, "line": None}
    return Outcome(experiment=experiment, **(fields | losses | accuracies | values))  # type: ignore[arg-type]


def curve(field: str, train: dict[int, Sequence[float]], validation: dict[int, Sequence[float]]) -> list[Outcome]:
    """Outcomes by size: the losses of seeds 0, 1, 2, ... at each."""
    return [
        made(Experiment(**{field: size, "seed": seed}), train_loss=of_train, validation_loss=of_validation)
        for size in train
        for seed, (of_train, of_validation) in enumerate(zip(train[size], validation[size], strict=True))
    ]
