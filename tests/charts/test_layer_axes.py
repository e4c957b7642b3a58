"""Charts with an axis of layers say so, for assets/components/chart.js to mark layers on it."""

import pytest

from pages.charts.one_run import (
    activations,
    chain_rule_factors,
    gradient_per_layer,
    gradient_through_training,
    learning_curves,
    norms_per_layer,
    weight_distributions,
)
from tests.charts.odd_runs import pair

BOTH = {"xaxis": "both"}


@pytest.mark.parametrize(
    ("chart", "axes"),
    [
        (activations, BOTH),
        (chain_rule_factors, BOTH),
        (gradient_per_layer, BOTH),
        (norms_per_layer, BOTH),
        (weight_distributions, BOTH),
        (gradient_through_training, {"yaxis": "patient", "yaxis2": "treated"}),
        (learning_curves, None),
    ],
)
def test_whose_layers_are_on_which_axis(chart, axes):
    figure = chart.figure(*pair("plain"))
    figure.validate()  # Plotly refuses attributes that are not its own
    for one in (figure,):
        assert one.to_dict()["layout"].get("meta", {}).get("layer_axes") == axes
