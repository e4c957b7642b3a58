"""What anyone may know of a patient whose settings are hidden: its task, and what can be seen of its trouble."""

import math

from engine import RunHistory
from engine.data.baselines import average_loss
from engine.data.sources import DATASETS


def task(history: RunHistory) -> str:
    """What the network is asked to learn, of how much, and how long it has trained."""
    e = history.experiment
    source = DATASETS[e.dataset]
    kind = "a number to predict" if source.task == "regression" else f"{max(2, source.n_out)} classes to tell apart"
    inputs = "1 input" if source.n_in == 1 else f"{source.n_in} inputs"
    return f"**{source.label}**: {kind} from {inputs}. {e.n_train} training examples, {e.steps} training steps."


def symptom(history: RunHistory) -> str:
    """What anyone can see: "diverged", "worse" than the average answer, "nothing", "halfway" or "well" on its data."""
    share = float(history.train_loss[-1]) / average_loss(history.experiment)
    if history.status == "diverged" or not math.isfinite(share):
        return "diverged"
    if share > 1.1:
        return "worse"
    return "nothing" if share > 0.9 else "halfway" if share > 0.3 else "well"
