"""How long a time slice keeps a worker, by a clock of the test's own."""

import itertools

import pytest

from engine import Experiment, train
from engine.executors import time_slices
from engine.executors.time_slices import SLICE_SECONDS, TrainingArguments, advance_slice
from tests.engine.contract import difference, same_bits

LOOK = 0.01  # s between two looks at the clock, of which each update takes two


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    looks = itertools.count()
    monkeypatch.setattr(time_slices.time, "perf_counter", lambda: LOOK * next(looks))


def of(seconds):
    """A run that takes so long by this clock."""
    return Experiment(depth=1, width=2, n_train=5, steps=round(seconds / (2 * LOOK)))


@same_bits
@pytest.mark.parametrize("share", [0.5, 1.8])
def test_a_run_that_is_nearly_done_ends_in_its_slice(share):
    experiment = of(share * SLICE_SECONDS)
    (history,) = advance_slice(TrainingArguments((experiment,))).histories
    assert difference(history, train(experiment)) is None


@same_bits
def test_any_other_goes_on_in_another():
    experiment = of(4 * SLICE_SECONDS)
    part = advance_slice(TrainingArguments((experiment,)))
    assert not part.histories
    assert part.progress == pytest.approx(1 / 4, abs=0.05)
    slices = 1
    while not part.histories:
        part = advance_slice(part.training)
        slices += 1
    assert difference(part.histories[0], train(experiment)) is None
    assert slices == 3
