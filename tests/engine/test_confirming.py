"""What the run that confirms a cause says of it, in losses that are comparable."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, data_digest, diagnose, train, train_many
from engine.doctor.confirming import (
    CONFIRMED,
    NOT_CONFIRMED,
    PARTLY,
    bear_out_both,
    bears_out,
    cause_behind,
    further_runs,
)
from engine.doctor.examination import Examination
from engine.doctor.thresholds import UNDERFITS
from tests.engine.house_prices import house_prices


def confirmed(experiment, data=None):
    """The root cause, the run, and the one that should confirm it."""
    before = train(experiment, data)
    found = diagnose(before, data)[0]
    return found, before, train(found.confirm.experiment(experiment), data)


@pytest.mark.parametrize("seed", [4, 7])
def test_scaled_targets_whose_steps_still_explode_are_two_causes(seed):
    data = house_prices(seed)
    experiment = Experiment(dataset="custom", data_digest=data_digest(*data), n_train=180, steps=300)
    found, before, after = confirmed(experiment, data)
    assert found.code == "unscaled_targets"
    assert bears_out(found, before, after, data) == NOT_CONFIRMED
    behind = cause_behind(found, after, data)
    assert behind.code == "learning_rate_too_high"
    both, alone = train_many(list(further_runs(behind, before, after)), data)
    assert both.experiment.differences(after.experiment).keys() == {"learning_rate"}
    assert alone.experiment.differences(experiment).keys() == {"learning_rate"}
    assert Examination(both, data).loss_share < UNDERFITS
    assert diagnose(alone, data)[0].code == "unscaled_targets"
    assert bear_out_both(found, before, (both, alone), data) == PARTLY
    assert bear_out_both(found, before, (after, alone), data) == NOT_CONFIRMED


@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.01, "optimizer": "adam"}])
def test_targets_far_from_0_are_borne_out_by_standardised_ones(settings):
    """A multiple of years hardly differs from a constant, and a run with it would bear nothing out."""
    inputs = np.random.default_rng(0).normal(size=(200, 3))
    data = inputs, 1990 + 15 * np.tanh(inputs[:, 0] - inputs[:, 1])
    experiment = Experiment(dataset="custom", data_digest=data_digest(*data), n_train=120, **settings)
    for seed in range(3):
        found, before, after = confirmed(replace(experiment, seed=seed), data)
        assert found.code == "unscaled_targets"
        assert bears_out(found, before, after, data) != NOT_CONFIRMED
        assert Examination(after, data).loss_share < 0.2


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"depth": 10, "activation": "sigmoid", "learning_rate": 0.1, "steps": 300}, "vanishing_gradients"),
        ({"depth": 12, "gain": 0.6, "learning_rate": 0.1, "steps": 300}, "vanishing_gradients"),
        ({"depth": 8, "gain": 20.0, "learning_rate": 0.1, "steps": 300}, "saturated_units"),
    ],
)
def test_a_signal_that_does_not_get_through_is_borne_out_by_normalization(settings, code):
    before = train_many(
        [
            Experiment(**{"activation": "tanh", "initializer": "xavier_normal"} | settings, seed=seed)
            for seed in range(8)
        ]
    )
    found = [diagnose(history)[0] for history in before]
    assert {one.code for one in found} == {code}
    after = train_many([one.confirm.experiment(run.experiment) for one, run in zip(found, before, strict=True)])
    said = [bears_out(*each) for each in zip(found, before, after, strict=True)]
    assert said.count(NOT_CONFIRMED) <= 1
    assert said.count(CONFIRMED) >= 4


NOISY = {"width": 48, "n_train": 60, "optimizer": "adam", "learning_rate": 0.01}
IN_CENTS = {"dataset": "sine", "target_scale": 300.0, "optimizer": "momentum", "learning_rate": 0.03}


@pytest.mark.parametrize(
    ("settings", "code", "says"),
    [
        (IN_CENTS, "unscaled_targets", CONFIRMED),
        ({"initializer": "zeros"}, "symmetry", CONFIRMED),
        (NOISY | {"label_noise": 0.3, "noise": 0.3}, "overfitting", CONFIRMED),
        (NOISY | {"leakage": 0.5, "noise": 0.4}, "leakage", CONFIRMED),
        ({"learning_rate": 30.0}, "learning_rate_too_high", NOT_CONFIRMED),
    ],
)
def test_one_change_confirms_a_cause_or_does_not(settings, code, says):
    found, before, after = confirmed(Experiment(**settings))
    assert found.code == code
    assert bears_out(found, before, after) == says
    assert bears_out(found, before, before) == NOT_CONFIRMED
    assert bear_out_both(found, before, (after, after)) == NOT_CONFIRMED, "what is enough alone, or is not enough"
    if code == "leakage":
        assert np.median(after.validation_loss) > np.median(before.validation_loss), "it flattered the network"
