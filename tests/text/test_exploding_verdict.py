"""The verdict says the gradients, the clipping and the end of the runs, whatever the runs."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, train
from pages.text.exploding_verdict import largest_gradient, verdict
from pages.text.labels import number, percent
from tests.charts.odd_runs import PAIRS, pair

ILL = Experiment(depth=6, width=8, gain=2.0, steps=20, n_train=40, seed=1)
CLIPPED = replace(ILL, clip="norm", clip_threshold=3.0)


@pytest.fixture(scope="module")
def ill():
    return train(ILL)


@pytest.fixture(scope="module")
def clipped():
    return train(CLIPPED)


@pytest.mark.parametrize("name", PAIRS)
def test_every_odd_pair_has_a_verdict_in_whole_sentences(name):
    patient, treated = pair(name)
    text = verdict(patient, treated)
    assert text.startswith("The patient")
    assert text.endswith(".")
    assert "nan" not in text
    assert "infinite" not in text
    assert "not defined" not in text
    shown = [patient] if patient.experiment == treated.experiment else [patient, treated]
    broken = sum(history.status == "diverged" for history in shown)
    assert text.count("not finite at step") == broken
    assert text.count("its training loss ends at") == len(shown) - broken


def test_it_says_the_largest_gradient_before_clipping_the_share_of_clipped_updates_and_the_loss(ill, clipped):
    share = np.mean(clipped.total_gradient_norm > CLIPPED.clip_threshold)
    assert 0 < share < 1
    text = verdict(ill, clipped)
    assert f"The patient’s gradient norm reaches {number(ill.total_gradient_norm.max())} and its" in text
    assert (
        f"The treated network’s gradient norm reaches {number(clipped.total_gradient_norm.max())}, "
        f"is cut back to 3 in {percent(share)} of the updates, and its training loss ends at "
        f"{number(clipped.train_loss[-1])}"
    ) in text


def test_clipping_by_value_and_clipping_that_never_acts_are_said_so(ill):
    by_value = train(replace(ILL, clip="value", clip_threshold=0.01))
    assert ", has its entries cut off at 0.01 in 100\u00a0% of the updates, and" in verdict(ill, by_value)
    high = [train(replace(CLIPPED, gain=0.5, clip=clip, clip_threshold=100.0)) for clip in ("norm", "value")]
    assert ", never above its threshold of 100, and" in verdict(ill, high[0])
    assert ", no entry above its threshold of 100, and" in verdict(ill, high[1])


def test_a_loss_no_better_than_the_average_answer_is_said_so(clipped):
    flat = train(replace(ILL, initializer="zeros"))
    assert "no better than the average answer" in verdict(flat, clipped)
    far = replace(flat, train_loss=1000 * flat.train_loss)
    assert ", far worse than the average answer" in verdict(far, clipped)


def test_a_run_that_breaks_off_names_the_place(clipped):
    broken = train(replace(ILL, dataset="sine", gain=4.0, learning_rate=10.0))
    step, _, tensor = broken.diverged_at
    text = verdict(broken, clipped)
    assert f"before the run diverges: not finite at step {step} ({tensor}" in text
    assert np.isfinite(largest_gradient(broken))


def test_early_stopping_and_equal_networks_are_said_so(ill):
    stopped = train(replace(ILL, gain=1.0, patience=1, steps=400))
    assert stopped.status == "stopped_early"
    assert f"(stopped early at step {stopped.evaluation_step[-1]})" in verdict(ill, stopped)
    assert verdict(ill, ill).endswith("the same network: change one setting of the treated.")
