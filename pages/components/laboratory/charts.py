"""The charts that compare one to four networks, by their names in the address."""

from pages.charts.one_run import (
    gradient_per_layer,
    gradient_through_training,
    learning_curves,
    predictions,
    recall_by_class,
    three_sets,
)
from pages.charts.style.figure import Chart

_ALL: tuple[Chart, ...] = (
    learning_curves, gradient_per_layer, predictions, three_sets, recall_by_class, gradient_through_training,
)  # fmt: skip
COMPARING = {chart.__name__.rpartition(".")[2]: chart for chart in _ALL}
AT_FIRST = tuple(COMPARING)[:3]
