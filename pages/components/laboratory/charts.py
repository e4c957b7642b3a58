"""The charts that compare one to four networks, by their names in the address."""

from pages.charts.one_run import (
    activations,
    batch_losses,
    best_and_last,
    chain_rule_factors,
    clipping,
    clipping_angle,
    data_loss_and_penalty,
    generalization_gap,
    gradient_and_steps,
    gradient_per_layer,
    gradient_through_training,
    inputs_by_feature,
    learning_curves,
    mask_loss,
    norms_per_layer,
    overflow,
    predictions,
    recall_by_class,
    step_size,
    three_sets,
    weight_distributions,
    weight_norms,
    weight_sizes,
)
from pages.charts.style.figure import Chart

_ALL: tuple[Chart, ...] = (
    learning_curves, gradient_per_layer, predictions, three_sets, recall_by_class, gradient_through_training,
    step_size, gradient_and_steps, activations, norms_per_layer, weight_distributions, weight_sizes,
    batch_losses, generalization_gap, weight_norms, data_loss_and_penalty, mask_loss, clipping, overflow,
    chain_rule_factors, clipping_angle, best_and_last, inputs_by_feature,
)  # fmt: skip
COMPARING = {chart.__name__.rpartition(".")[2]: chart for chart in _ALL}
AT_FIRST = tuple(COMPARING)[:3]
