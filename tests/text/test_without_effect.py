"""What is said to make no difference makes none: the runs are the same."""

from dataclasses import replace

import numpy as np
import pytest

from engine import SETTINGS, Experiment, train
from pages.text.labels import differences
from pages.text.without_effect import WITHOUT_EFFECT, without_effect

SMALL = Experiment(depth=2, width=4, n_train=20, steps=5)
NUMBERS = replace(SMALL, dataset="sine")
BATCHES = replace(SMALL, batch_size=4)
# A setting of the treated network, in a patient where it changes nothing, and in one where it does.
CASES = {
    "target_scale": (100.0, SMALL, NUMBERS),
    "target_shift": (3.0, SMALL, NUMBERS),
    "shuffle": (False, SMALL, BATCHES),
    "validation_labels": ("permuted", NUMBERS, SMALL),
    "residual": ("plain", replace(SMALL, depth=1), SMALL),
    "output": ("sigmoid", SMALL, NUMBERS),
    "class_weights": ("balanced", NUMBERS, replace(SMALL, imbalance=0.1)),
    "batch_size": (50, SMALL, BATCHES),
    "clip_threshold": (0.01, SMALL, replace(SMALL, clip="norm")),
}


def same_run(one: Experiment, other: Experiment) -> bool:
    """To the last bit, in what is measured of training."""
    rows = ("train_loss", "validation_loss", "batch_loss", "gradient_norm", "weight_norm")
    first, second = train(one), train(other)
    return all(np.array_equal(getattr(first, row), getattr(second, row), equal_nan=True) for row in rows)


@pytest.mark.parametrize("field", WITHOUT_EFFECT)
def test_what_is_said_to_make_no_difference_makes_none(field):
    value, vain, effective = CASES[field]
    treated = replace(vain, **{field: value})
    assert set(without_effect(vain, treated)) == {field}
    assert same_run(vain, treated)
    treated = replace(effective, **{field: value})
    assert not without_effect(effective, treated)
    assert not same_run(effective, treated)


def test_it_is_said_of_the_treated_network():
    """The patient's batches are in another order; the treated network has no use for one."""
    treated = replace(BATCHES, batch_size=0, shuffle=False)
    assert set(without_effect(BATCHES, treated)) == {"shuffle"}
    assert differences(BATCHES, treated) == (
        "Treated differs in: shuffle on → off (no difference: a batch holds all examples), batch size 4 → all."
    )


def test_of_data_of_ones_own_nothing_is_said_before_they_are_known():
    own = Experiment(dataset="custom")
    for field in ("target_scale", "validation_labels", "output", "class_weights"):
        value = CASES[field][0]
        assert SETTINGS[field].default != value
        assert not without_effect(own, replace(own, **{field: value}))
