"""The union clock of two runs, and what a run shows between its rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.text.clock import BEGINNING, MOST_STEPS, latest, rows_at, thinned, timeline_steps
from tests.charts.odd_runs import PAIRS, pair


@pytest.mark.parametrize("name", PAIRS)
def test_the_clock_has_the_first_the_best_and_the_last_frame_of_both_runs(name):
    histories = pair(name)
    steps = timeline_steps(*histories)
    assert steps == sorted(set(steps))
    assert len(steps) <= MOST_STEPS + BEGINNING
    assert all(isinstance(step, int) for step in steps)
    for history in histories:
        assert {int(history.frame_step[0]), history.best_step, int(history.frame_step[-1])} <= set(steps)
    framed = {int(step) for history in histories for step in history.frame_step}
    updates = {int(step) for history in histories for step in history.step}
    assert {step for step in steps if step > BEGINNING} <= framed
    assert {step for step in updates if step <= BEGINNING} <= set(steps) <= framed | updates


def test_few_frames_are_all_kept():
    patient, treated = pair("stopped early")

    def begins(history):
        return {int(step) for step in history.step if step <= BEGINNING}

    mine = {*patient.frame_step.tolist(), *begins(patient)}
    assert timeline_steps(patient) == sorted(mine)
    assert timeline_steps(patient, treated) == sorted({*mine, *treated.frame_step.tolist(), *begins(treated)})


@given(st.lists(st.integers(0, 10_000), min_size=1, unique=True), st.integers(0, 10_000))
def test_the_latest_row_is_the_last_one_not_after_the_step(steps, step):
    clock = np.sort(steps)
    index = latest(clock, step)
    before = [one for one in clock if one <= step]
    assert clock[index] == (before[-1] if before else clock[0])


def test_rows_are_the_latest_ones():
    values = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    shown = rows_at(np.array([0, 2, 4]), values, [0, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(shown, values[[0, 0, 1, 1, 2, 2]])


def test_a_run_without_rows_shows_nothing():
    shown = rows_at(np.empty(0, int), np.empty((0, 3)), [0, 1])
    assert shown.shape == (2, 3)
    assert np.isnan(shown).all()


@given(st.lists(st.integers(0, 500), unique=True).map(sorted), st.integers(2, 60))
def test_thinned_steps_keep_both_ends(steps, most):
    kept = thinned(steps, most)
    assert kept == sorted(set(kept))
    assert set(kept) <= set(steps)
    assert len(kept) == min(most, len(steps))
    assert kept[:1] + kept[-1:] == steps[:1] + steps[-1:]


def test_the_odd_pairs_are_what_they_are_called():
    assert pair("diverging")[0].status == "diverged"
    assert pair("stopped early")[0].status == "stopped_early"
    assert not len(pair("diverging at once")[0].step)
    assert (pair("of zeros")[0].delta_rms[:, :-1] == 0).all()
    assert np.diff(pair("of thinned rows")[0].step).min() > 1
    assert not np.isfinite(pair("without finite gradients at the end")[0].delta_rms[-1]).all()
