"""How the run of one network ends, and what first was not finite where it diverged."""

from dataclasses import dataclass

import numpy as np

from engine.network import ErrorSignal, ForwardPass, Parameters

Divergence = tuple[int, int | None, str]  # step, layer (None: the loss) and tensor that first was not finite


@dataclass(frozen=True)
class Ending:
    """With which parameters (a stack of one) a run ends, or stands, at which step; status as in history.STATUSES."""

    status: str
    step: int
    parameters: Parameters
    diverged_at: Divergence | None = None


def first_in_forward(forward_pass: ForwardPass, index: int) -> tuple[int | None, str]:
    """Layer and tensor of a network of the stack that first was not finite on the way forward."""
    for layer, z in enumerate(forward_pass.z):
        if not np.isfinite(z[index]).all():
            return layer, "pre-activation"
        if layer < len(forward_pass.h) and not np.isfinite(forward_pass.h[layer][index]).all():
            return layer, "activation"
    return None, "loss"


def first_in_backward(
    signal: ErrorSignal, gradient: Parameters, next_parameters: Parameters, index: int
) -> tuple[int | None, str]:
    """Layer and tensor of a network of the stack that first was not finite on the way back or in the update."""
    for layer in reversed(range(len(signal.z))):
        for tensor, arrays in (
            ("error signal", signal.z),
            ("gradient", gradient.weights),
            ("gradient", gradient.biases),
        ):
            if not np.isfinite(arrays[layer][index]).all():
                return layer, tensor
    updated = {
        "weights": next_parameters.weights, "biases": next_parameters.biases,
        "scales": next_parameters.scales, "shifts": next_parameters.shifts,
        "running mean": next_parameters.running_means, "running variance": next_parameters.running_variances,
    }  # fmt: skip
    for tensor, arrays in updated.items():
        for layer, array in enumerate(arrays):
            if not np.isfinite(array[index]).all():
                return layer, tensor
    return None, "gradient norm"
