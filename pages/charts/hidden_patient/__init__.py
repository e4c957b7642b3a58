"""Charts of one network whose settings nobody may read off: neither the drawing nor its words name any of them.

Each answers one question about the run, at its start and at its end, and has a text alternative that says in numbers
what the drawing shows.  They are a `Chart` each, of one run.
"""

from pages.charts.hidden_patient import answers, gradients, loss, new_data, steps, units, weights
from pages.text.complaint import task

FREE = loss
VIEWS = {
    "new_data": new_data,
    "answers": answers,
    "gradients": gradients,
    "units": units,
    "weights": weights,
    "steps": steps,
}

__all__ = ["FREE", "VIEWS", "task"]
