"""Regularisers that act during training: clipping, L1 and L2 penalties, dropout, early stopping.

Gradients are flat, (networks, n); thresholds and strengths come one a network, (networks, 1).
"""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray

CLIPPINGS = ("none", "norm", "value")


def clip_by_norm(gradient: Array, norm: Array, threshold: Array) -> Array:
    """g θ/‖g‖ where ‖g‖ > θ: shorter, same direction.  norm (networks, 1).  Pascanu et al. 2013."""
    return gradient * np.where(norm > threshold, threshold / norm, 1).astype(gradient.dtype)


def clip_by_value(gradient: Array, threshold: Array) -> Array:
    """Every entry to [−θ, θ]: the direction changes.  Mikolov 2012."""
    return np.clip(gradient, -threshold, threshold)


def penalty(weights: Array, l1: Array, l2: Array) -> Array:
    """l1 Σ|w| + (l2/2) Σw², (networks,).  weights (networks, n)."""
    return (l1 * np.abs(weights)).sum(axis=1) + (l2 / 2 * weights * weights).sum(axis=1)


def penalty_gradient(weights: Array, l1: Array, l2: Array) -> Array:
    """l1 sign(w) + l2 w; the slope of |w| at 0 is taken as 0."""
    return l1 * np.sign(weights) + l2 * weights


def draw_masks(stream: np.random.Generator, depth: int, batch: int, width: int, dropout: float) -> Array:
    """Inverted dropout masks (depth, batch, width): 0 with probability p, else 1/(1 − p).  Srivastava et al. 2014."""
    kept = stream.random((depth, batch, width)) >= dropout
    return kept / (1 - dropout)


@dataclass
class EarlyStopping:
    """Stops after `patience` evaluations without a lower validation loss; a tie is no improvement.  0 never stops.

    One a network: best_loss and best_step are kept whether it may stop or not.
    """

    patience: int
    best_loss: float = np.inf
    best_step: int = 0
    waited: int = 0

    def evaluate(self, step: int, validation_loss: float) -> bool:
        """Take note of one evaluation; whether it is the best so far."""
        if validation_loss < self.best_loss:
            self.best_loss, self.best_step, self.waited = validation_loss, step, 0
            return True
        self.waited += 1
        return False

    def may_stop(self, evaluations: int) -> bool:
        """Whether so many more evaluations could be its last."""
        return 0 < self.patience <= self.waited + evaluations

    @property
    def stop(self) -> bool:
        """Whether the run has waited for its patience."""
        return 0 < self.patience <= self.waited
