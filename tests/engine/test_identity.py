"""Same Experiment, same bits: alone or in a stack, in slices or in one go, recorded more or less, run again."""

import pickle
import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import SETTINGS, Experiment, Training, load_dataset, recording, train, train_many
from engine.training import stack_key, stacks
from tests.engine.contract import difference, same_bits

CASES = 60


def experiments(seed):
    """One experiment of a seeded draw that meets every choice, and many a divergence."""
    draw = random.Random(seed)
    names = {
        name: [c for c in setting.choices if c != "custom"] for name, setting in SETTINGS.items() if setting.choices
    }
    picked = {name: choices[seed % len(choices)] for name, choices in names.items()}
    shuffled = {name: draw.choice(choices) for name, choices in names.items()}
    picked |= {name: shuffled[name] for name in draw.sample(sorted(names), len(names) // 2)}
    if picked["loss"] == "cross_entropy" and (
        picked["dataset"] == "sine" or picked["output"] in ("linear", "tanh", "relu")
    ):
        picked["loss"] = "mse"
    steps = draw.choice([1, 13, 50])
    return Experiment(
        **picked,
        n_train=draw.choice([5, 37, 150]),
        depth=draw.randint(1, 5),
        width=draw.choice([1, 2, 3, 8, 17]),
        bias=draw.choice([0, 0.3]),
        bias_mean=random.Random(seed).choice([0, 0, 0, 0.5, -4]),
        gain=draw.choice([1, 1, 3, 100]),
        learning_rate=draw.choice([0.01, 0.1, 1, 1000]),
        batch_size=draw.choice([0, 1, 7, 32]),
        steps=steps,
        l1=draw.choice([0, 0, 0.01]),
        l2=draw.choice([0, 0.01, 100]),
        dropout=draw.choice([0, 0, 0.3]),
        patience=draw.choice([0, 0, 4]),
        seed=draw.randint(0, 99),
    )


alone = cache(train)  # what each is compared with
cases = pytest.mark.parametrize("part", range(4))


def of(part):
    return [experiments(seed) for seed in range(part, CASES, 4)]


def test_the_cases_cover_every_choice_and_every_end():
    drawn = [experiment for part in range(4) for experiment in of(part)]
    for name, setting in SETTINGS.items():
        if setting.choices:
            assert {getattr(experiment, name) for experiment in drawn} >= set(setting.choices) - {"custom"}
    assert {alone(experiment).status for experiment in drawn} == {"completed", "stopped_early", "diverged"}


@cases
@same_bits
def test_alone_or_in_a_stack(part):
    for experiment in of(part):
        others = [
            replace(
                experiment,
                seed=seed,
                learning_rate=min(1000, experiment.learning_rate * seed),
                gain=seed,
                bias_mean=seed,
            )
            for seed in (1, 2)
        ]
        stack = [others[0], experiment, others[1]]
        assert len({stack_key(each, load_dataset(each)) for each in stack}) == 1
        for each, history in zip(stack, Training(stack).advance(experiment.steps).histories(), strict=True):
            assert difference((alone if each is experiment else train)(each), history) is None, each


@cases
@same_bits
def test_in_slices_or_in_one_go(part):
    draw = random.Random(part)
    for experiment in of(part):
        training = Training(experiment)
        while not training.done:
            training = pickle.loads(pickle.dumps(training))
            training.advance(draw.randint(1, 20))
            training.history()  # looking at it on the way changes nothing
        assert difference(alone(experiment), training.history()) is None, experiment
        assert difference(pickle.loads(pickle.dumps(training)).history(), training.history()) is None


@cases
def test_recorded_more_or_less(part):
    for experiment in of(part):
        more = alone(experiment)
        for max_updates, max_frames in ((0, 60), (2000, 3), (7, 10)):
            less = train(experiment, max_updates=max_updates, max_frames=max_frames)
            for name in ("status", "best_step", "diverged_at"):
                assert getattr(more, name) == getattr(less, name), experiment
            for name in ("test_loss", "last_test_loss", "train_loss", "validation_loss", "probe_delta_rms"):
                np.testing.assert_array_equal(getattr(more, name), getattr(less, name), err_msg=str(experiment))
            shared = np.isin(more.frame_step, less.frame_step)
            assert less.frame_step[-1] == more.frame_step[-1]
            assert len(less.frame_step) <= max_frames
            for field in ("weights", "biases", "running_means", "running_variances"):
                for a, b in zip(getattr(more, field), getattr(less, field), strict=True):
                    np.testing.assert_array_equal(a[shared], b[np.isin(less.frame_step, more.frame_step)])
            rows = np.isin(more.step, less.step)
            np.testing.assert_array_equal(more.batch_loss[rows], less.batch_loss)


@same_bits
def test_measured_at_once_or_several_steps_together(monkeypatch):
    together = {experiment: alone(experiment) for experiment in of(1)}
    monkeypatch.setattr(recording, "WAITING", 0)
    for experiment, history in together.items():
        assert difference(train(experiment), history) is None, experiment


@same_bits
def test_a_loss_that_overflowed_at_an_evaluation_ends_the_run_there_though_it_was_measured_later(monkeypatch):
    base = Experiment(dataset="sine", depth=2, width=6, steps=150, batch_size=3, n_train=20, precision="float32")
    stack = [replace(base, learning_rate=rate, seed=i) for i, rate in enumerate((0.1, 0.3, 0.5, 0.8, 1.2, 2, 4))]
    measured, late = recording.Recorder.measure, []

    def measure(recorder):
        waiting = [waiting.step for waiting in recorder._evaluations]
        overflown = measured(recorder)
        late.extend(ending.step for ending in overflown.values() if ending.diverged_at[0] < waiting[-1])
        return overflown

    monkeypatch.setattr(recording.Recorder, "measure", measure)
    histories = Training(stack).advance(base.steps).histories()
    assert len(late) >= 2
    late.clear()
    by_steps = Training(stack)
    while not by_steps.done:
        by_steps.advance(1)  # measures at its end
    assert not late
    for together, one_by_one in zip(histories, by_steps.histories(), strict=True):
        assert difference(together, one_by_one) is None


@same_bits
def test_patience_that_runs_out_while_evaluations_wait():
    base = Experiment(n_train=40, learning_rate=0.5, label_noise=0.3, width=16, depth=2, steps=900)
    for patience in (1, 3, 10):
        experiment = replace(base, patience=patience)
        by_steps = Training(experiment)
        while not by_steps.done:
            by_steps.advance(1)
        history = train(experiment)
        assert history.status == "stopped_early"
        assert history.evaluation_step[-1] == history.best_step + 9 * patience
        assert difference(history, by_steps.history()) is None


def test_run_again_and_after_other_runs():
    first = {experiment: alone(experiment) for experiment in of(0)}
    for experiment in reversed(list(first)):
        assert difference(first[experiment], train(experiment)) is None, experiment


def test_many_come_back_in_their_order_whatever_their_shapes():
    many = of(0) + of(1)
    for experiment, history in zip(many, train_many(many), strict=True):
        assert history.experiment == experiment
        assert difference(alone(experiment), history) is None, experiment
    assert train_many([]) == []


@same_bits
def test_more_networks_than_one_stack_takes():
    many = [Experiment(depth=1, width=2, n_train=5, steps=3, seed=seed) for seed in range(70)]
    histories = train_many(many)
    for experiment, history in list(zip(many, histories, strict=True))[::23]:
        assert difference(train(experiment), history) is None


@same_bits
def test_a_neighbours_end_leaves_no_row_behind_where_rows_are_thinned():
    """The step at which a run diverges is recorded, due or not: in that run, not in one that ends a step later.

    The first two end between the same evaluations, and both go back to the earlier one, whose loss was finite.
    """
    base = Experiment(depth=1, n_train=12, activation="tanh", batch_size=5, steps=300, l2=1)
    stack = [replace(base, learning_rate=rate) for rate in (44, 43, 39, 38, 37, 36, 32, 31, 0.1)]
    together = Training(stack, max_updates=50).advance(300).histories()
    ends = [history.diverged_at[0] for history in together if history.diverged_at]
    assert len(ends) == len(stack) - 1
    assert any(end + 1 in ends and end % 6 for end in ends)  # 300 steps in at most 50 rows: every sixth
    for experiment, history in zip(stack, together, strict=True):
        alone = train(experiment, max_updates=50)
        assert difference(alone, history) is None
        assert ((alone.step % 6 == 0) | (alone.step == (alone.diverged_at or [None])[0])).all()


@same_bits
@pytest.mark.parametrize(
    "remedy", [{"l1": 0.01}, {"l2": 0.01}, {"optimizer": "adamw", "l2": 0.01}, {"dropout": 0.2}], ids=str
)
def test_a_remedy_that_one_of_two_networks_takes_leaves_the_other_as_it_is(remedy):
    without = Experiment(depth=1, width=3, n_train=20, steps=5, optimizer=remedy.get("optimizer", "sgd"))
    pair = [without, replace(without, **remedy)]
    for several in (pair, pair[::-1]):
        for experiment, history in zip(several, train_many(several), strict=True):
            assert difference(train(experiment), history) is None
    stronger = replace(pair[1], **{name: 2 * value for name, value in remedy.items() if name != "optimizer"})
    assert stacks([*pair, stronger]) == [[0], [1, 2]]


def test_experiments_of_unequal_shape_are_refused_as_a_stack():
    with pytest.raises(ValueError, match="equal shape"):
        Training([Experiment(depth=1), Experiment(depth=2)])
