"""The verdict says the losses of the runs and the average answer's, whatever the runs."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, data_digest, train
from engine.data.baselines import average_loss
from pages.text.labels import number
from pages.text.underfitting_verdict import underfits, verdict
from tests.charts.odd_runs import PAIRS, pair

SMALL = Experiment(dataset="sine", depth=1, width=2, optimizer="adam", learning_rate=0.03, steps=60, n_train=40, seed=1)
LARGE = replace(SMALL, depth=2, width=32, steps=300)


@pytest.fixture(scope="module")
def small():
    return train(SMALL)


@pytest.fixture(scope="module")
def large():
    return train(LARGE)


@pytest.mark.parametrize("name", PAIRS)
def test_every_odd_pair_has_a_verdict_in_whole_sentences(name):
    patient, treated = pair(name)
    text = verdict(patient, treated)
    assert text.startswith("The patient")
    assert text.endswith(".")
    assert "nan" not in text
    assert "not defined" not in text
    for who, history in (("The patient diverged", patient), ("The treated network diverged", treated)):
        if patient.experiment != treated.experiment or history is patient:
            assert (who in text) == (history.status == "diverged")
    if "diverged" not in (patient.status, treated.status):
        assert number(float(patient.train_loss[-1])) in text


def test_a_small_network_underfits_and_a_large_one_is_judged_on_new_data_too(small, large):
    assert underfits(small)
    assert not underfits(large)
    assert verdict(small, large) == (
        f"The patient’s training loss ends at {number(small.train_loss[-1])}; always giving the average answer would "
        f"cost {number(average_loss(SMALL))}: it underfits (it has no more than 2 bends). "
        f"The treated network’s ends at {number(large.train_loss[-1])}, and on validation data at "
        f"{number(large.validation_loss[-1])}."
    )


def test_both_may_underfit_or_the_treated_one_alone(small, large):
    assert verdict(small, train(replace(SMALL, width=1))).endswith("it underfits too.")
    assert verdict(large, small).endswith("it underfits.")


def test_a_treatment_that_helps_is_not_called_a_failure(small):
    lower = replace(small, train_loss=small.train_loss / 1.5)
    assert verdict(small, replace(lower, experiment=replace(SMALL, steps=61))).endswith(
        f"ends at {number(lower.train_loss[-1])}: better, though it still underfits."
    )


def test_what_its_layers_cannot_do_is_said(large):
    line = train(replace(LARGE, dataset="circles", activation="linear"))
    assert "it underfits (linear layers make no more than one straight line)." in verdict(line, line)


def test_as_good_as_the_average_and_worse_are_said_so(small, large):
    level = replace(small, train_loss=np.full_like(small.train_loss, average_loss(SMALL)))
    assert "no better than always giving the average answer (it has no more than 2 bends)." in verdict(level, large)
    worse = replace(small, train_loss=2 * level.train_loss)
    assert f"worse than always giving the average answer, which would cost {number(average_loss(SMALL))}." in verdict(
        worse, large
    )
    far = replace(small, train_loss=40_000 * level.train_loss)
    assert ", far worse than always giving" in verdict(replace(far, experiment=replace(SMALL, seed=2)), large)
    assert verdict(small, replace(far, experiment=replace(SMALL, steps=61))).endswith(
        f"ends at {number(far.train_loss[-1])}, far worse than always giving the average answer."
    )
    assert not underfits(far), "what blew up is no small network that cannot bend"


def test_equal_networks_are_said_to_be_equal(small):
    assert verdict(small, small).endswith("the same network: change one setting of the treated.")


def test_other_data_have_another_average(small):
    more = train(replace(SMALL, n_train=100))
    assert f"(its average answer: {number(average_loss(more.experiment))})" in verdict(small, more)


def test_nothing_is_said_of_the_average_of_data_that_were_handed_in():
    inputs, targets = np.random.default_rng(0).normal(size=(2, 20, 1))
    own = Experiment(dataset="custom", n_train=8, steps=3, data_digest=data_digest(inputs, targets))
    patient, treated = (train(one, data=(inputs, targets)) for one in (own, replace(own, width=4)))
    text = verdict(patient, treated)
    assert "average" not in text
    assert number(patient.train_loss[0]) in text
