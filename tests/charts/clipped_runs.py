"""Pairs of runs with clipping, small ones."""

from dataclasses import replace
from functools import lru_cache

from engine import Experiment, RunHistory, train

Pair = tuple[RunHistory, RunHistory]

WILD = Experiment(
    depth=4, width=6, activation="tanh", initializer="xavier_normal", gain=3.0, steps=40, n_train=30, learning_rate=0.5
)
BY_NORM = replace(WILD, clip="norm", clip_threshold=0.5)
BY_VALUE = replace(WILD, clip="value", clip_threshold=0.05)
# Three updates make the output layer’s pre-activation outgrow the numbers; clipped, it trains to the end.
BREAKS_OFF = replace(WILD, activation="relu", dataset="sine", depth=8, learning_rate=3.0)


@lru_cache(None)
def run(experiment: Experiment) -> RunHistory:
    return train(experiment)


def clipped_pair(patient: Experiment, treated: Experiment) -> Pair:
    """Their histories, trained once."""
    return run(patient), run(treated)
