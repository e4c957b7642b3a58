"""What anyone may know of a patient whose settings are hidden: its task."""

from engine import RunHistory
from engine.data.sources import DATASETS


def task(history: RunHistory) -> str:
    """What the network is asked to learn, of how much, and how long it has trained."""
    e = history.experiment
    source = DATASETS[e.dataset]
    kind = "a number to predict" if source.task == "regression" else f"{max(2, source.n_out)} classes to tell apart"
    inputs = "1 input" if source.n_in == 1 else f"{source.n_in} inputs"
    return f"**{source.label}**: {kind} from {inputs}. {e.n_train} training examples, {e.steps} training steps."
