"""Small runs, trained once for all tests, as detectors see them."""

from dataclasses import replace
from functools import cache

import numpy as np

from engine import Experiment, train
from engine.doctor.examination import Examination

SMALL = Experiment(dataset="circles", depth=2, width=8, activation="tanh", initializer="xavier_normal", steps=60)
PARROT = {"label_noise": 0.3, "n_train": 60, "width": 64, "optimizer": "adam", "learning_rate": 0.02, "steps": 300}


@cache
def run(**settings):
    return train(replace(SMALL, **settings))


def examined(history):
    return Examination(history)


def edited(history, **fields):
    """The same run as if some of what it left behind were different."""
    return examined(replace(history, **fields))


def finding(detect, history):
    with np.errstate(all="ignore"):
        return detect(examined(history))
