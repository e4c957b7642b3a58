"""Charts of one network whose settings nobody may read off: neither the drawing nor its words name any of them.

Each answers one question about the run, at its start and at its end, and has a text alternative that says in numbers
what the drawing shows.  They are a `Chart` each, of one run.
"""

from engine.doctor.cases import DATA_LEVEL, FLAT
from pages.charts.hidden_patient import (
    answers,
    batches,
    classes,
    gradients,
    inputs,
    loss,
    new_data,
    sets,
    steps,
    units,
    weights,
)
from pages.charts.style.figure import Chart
from pages.text.complaint import task

FREE = loss
VIEWS: dict[str, Chart] = {
    "new_data": new_data,
    "answers": answers,
    "gradients": gradients,
    "units": units,
    "weights": weights,
    "steps": steps,
    "inputs": inputs,
    "classes": classes,
    "batches": batches,
    "sets": sets,
}
OF_NETWORKS = "new_data", "answers", "gradients", "units", "weights", "steps"
OF_LEVEL = {
    DATA_LEVEL: ("new_data", "sets", "answers", "classes", "inputs", "batches", "gradients", "steps"),
    FLAT: (*OF_NETWORKS, "inputs"),
}


def views_of(level: str) -> dict[str, Chart]:
    """Charts to choose from: what is offered depends on the level alone."""
    return {key: VIEWS[key] for key in OF_LEVEL.get(level, OF_NETWORKS)}


__all__ = ["FREE", "VIEWS", "task", "views_of"]
