"""Sweeps: trained once for all, dropped when nobody looks; offered, watched and drawn on a page."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import fields, replace

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.cures.outcomes import SEEDS, Outcome, outcome_of, seconds_of, seeded
from engine.executors.backends import this_process
from engine.executors.scheduler import Run, Sweep, Workers
from engine.executors.time_slices import TrainingArguments
from engine.experiment import Experiment
from engine.training import Training, train
from pages.charts.sweeps import capacity_curve, cures
from pages.components.lesson import sweep_jobs, sweeps
from pages.components.lesson.sweep_jobs import SharedSweeps
from pages.components.shell.runs import Branched, SharedRuns
from tests.pages.opened import sent
from tests.patience import SOON, eventually

QUICK = Experiment(depth=1, width=2, steps=5)
WANTED = tuple(seeded(QUICK))
GROUPS = {"Untreated": seeded(QUICK), "Tanh": seeded(replace(QUICK, activation="tanh"))}
ALL = tuple(experiment for group in GROUPS.values() for experiment in group)
OVER_BUDGET = Experiment(depth=50, width=256, steps=20000)


def same(one: Outcome, other: Outcome) -> bool:
    return all(
        np.array_equal(getattr(one, row.name), getattr(other, row.name))
        if isinstance(getattr(one, row.name), np.ndarray)
        else repr(getattr(one, row.name)) == repr(getattr(other, row.name))
        for row in fields(Outcome)
    )


class Scripted:
    """Workers that never end a run by themselves; one run for every two experiments."""

    closed = False
    notice = ""
    slots = 2

    def __init__(self) -> None:
        self.requested: list[Sequence[Experiment]] = []
        self.runs: list[Run] = []

    def submit_many(self, experiments: Sequence[Experiment], data: object = None, **_: object) -> Sweep:
        if self.closed:
            raise CancelledError
        self.requested.append(experiments)
        pairs = [range(i, min(i + 2, len(experiments))) for i in range(0, len(experiments), 2)]
        runs = [Run(TrainingArguments(tuple(experiments[i] for i in pair)), False, self) for pair in pairs]
        self.runs += runs
        return Sweep(runs, pairs)

    def end(self, run: Run) -> None:
        run.set_result(tuple(outcome_of(train(experiment)) for experiment in run.experiments))


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def waiting(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> SharedSweeps:
    """Shared sweeps that the test ends, or nobody."""
    shared = SharedSweeps(scripted)  # type: ignore[arg-type]
    monkeypatch.setattr(sweeps, "shared_sweeps", lambda: shared)
    monkeypatch.setattr(sweep_jobs, "WATCH_SECONDS", 0.02)
    return shared


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedSweeps]:
    """Shared sweeps that really train, in this process."""
    with Workers([this_process]) as workers:
        shared = SharedSweeps(workers)
        monkeypatch.setattr(sweeps, "shared_sweeps", lambda: shared)
        yield shared


# --- one training for all ---


def test_the_outcomes_are_those_of_single_runs(training: SharedSweeps) -> None:
    futures = tuple(Branched(one, ((2, replace(one, learning_rate=0.7)),)) for one in WANTED[:2])
    training.look("visitor", WANTED + futures)
    eventually(lambda: len(training.known(WANTED + futures)) == SEEDS + len(futures))
    for wanted, outcome in training.known(WANTED + futures).items():
        start, branches = wanted if isinstance(wanted, Branched) else (wanted, ())
        history = Training(start, branches=branches).advance(start.steps).history()
        assert same(outcome, outcome_of(history))


def test_all_who_look_at_one_sweep_share_it(waiting: SharedSweeps, scripted: Scripted) -> None:
    jobs: list[sweep_jobs.Job] = []
    threads = [threading.Thread(target=lambda n=n: jobs.append(waiting.look(n, WANTED))) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    eventually(lambda: jobs[0].sweep)
    assert len(set(jobs)) == len(scripted.requested) == 1


def test_outcomes_come_as_they_end_and_only_the_missing_are_trained(waiting: SharedSweeps, scripted: Scripted) -> None:
    first = waiting.look("visitor", WANTED)
    eventually(lambda: len(scripted.runs) == SEEDS // 2)
    scripted.end(scripted.runs[1])
    eventually(lambda: len(waiting.known(WANTED)) == 2)
    waiting.leave("visitor", WANTED)
    assert first.sweep is not None
    assert all(run.done() for run in first.sweep.runs)
    waiting.look("visitor", WANTED)
    eventually(lambda: len(scripted.requested) == 2)
    assert set(scripted.requested[1]) == set(WANTED) - set(waiting.known(WANTED))


def test_a_sweep_goes_on_while_one_visitor_is_left(waiting: SharedSweeps, scripted: Scripted) -> None:
    job = waiting.look("one", WANTED)
    assert waiting.look("other", WANTED) is job
    eventually(lambda: job.sweep)
    waiting.leave("one", WANTED)
    assert not any(run.cancelled() for run in scripted.runs)
    waiting.leave("other", WANTED)
    assert all(run.cancelled() for run in scripted.runs)
    assert waiting.look("one", WANTED) is not job


def test_a_sweep_that_nobody_looks_at_is_dropped(
    waiting: SharedSweeps, scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_jobs, "LEASE_SECONDS", 0.2)
    waiting.look("visitor", WANTED)
    for _ in range(4):
        time.sleep(0.1)
        waiting.look("visitor", WANTED)
    assert not any(run.cancelled() for run in scripted.runs)
    eventually(lambda: all(run.cancelled() for run in scripted.runs))
    assert waiting._jobs == {}


def test_of_outcomes_the_last_asked_for_are_kept(training: SharedSweeps) -> None:
    training.limit = SEEDS + 2
    training.look("visitor", WANTED)
    eventually(lambda: len(training.known(WANTED)) == SEEDS)
    training.known(WANTED[:1])
    others = GROUPS["Tanh"][:3]
    training.look("visitor", tuple(others))
    eventually(lambda: len(training.known(others)) == 3)
    assert set(training.known(WANTED)) == set(WANTED) - {WANTED[1]}


def test_an_error_is_kept_until_it_is_left(waiting: SharedSweeps, scripted: Scripted) -> None:
    job = waiting.look("visitor", WANTED)
    eventually(lambda: scripted.runs)
    scripted.runs[0].set_exception(MemoryError())
    eventually(lambda: job.error)
    assert all(run.done() for run in scripted.runs)
    assert waiting.look("visitor", WANTED) is job
    waiting.leave("visitor", WANTED)
    assert waiting.look("visitor", WANTED) is not job


def test_a_sweep_outlives_neither_its_workers_nor_its_cancelled_runs(waiting: SharedSweeps, scripted: Scripted) -> None:
    job = waiting.look("visitor", WANTED)
    eventually(lambda: scripted.runs)
    for run in scripted.runs:
        run.cancel()
    eventually(lambda: waiting._jobs == {})
    assert job.error is None


def test_a_server_keeps_its_outcomes_when_a_visitor_clears_streamlits_caches(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_jobs, "shared_runs", lambda: SharedRuns(scripted))  # type: ignore[arg-type]
    monkeypatch.setattr(sweep_jobs, "_shared", None)
    first = sweep_jobs.shared_sweeps()
    st.cache_resource.clear()
    assert sweep_jobs.shared_sweeps() is first
    scripted = Scripted()
    assert sweep_jobs.shared_sweeps() is not first


# --- on a page ---

PAGE = """
from dataclasses import replace
import streamlit as st
from engine.experiment import Experiment
from pages.charts.sweeps import {module} as chart
from pages.components.lesson.sweeps import sweep

rate = st.number_input("learning rate", value=0.1)
groups = {{label: [replace(one, learning_rate=rate) for one in group] for label, group in {groups}.items()}}
sweep(chart, groups, **{context})
st.write("end")
"""


def page(groups: object = GROUPS, module: str = "cures", context: object = None) -> AppTest:
    return AppTest.from_string(PAGE.format(module=module, groups=groups, context=context or {}), default_timeout=SOON)


def charts(test: AppTest) -> list:
    components = [element.proto for element in test.get("bidi_component")]
    return [proto for proto in components if proto.component_name == "backprop_clinic_chart_place"]


def text_of(test: AppTest) -> str:
    return " ".join(paragraph.value for paragraph in test.markdown)


def test_it_is_offered_trained_and_drawn(training: SharedSweeps) -> None:
    test = page().run()
    assert not test.exception
    assert not charts(test)
    assert f"{len(ALL)} networks are trained" in text_of(test)
    assert test.button(key="start_cures").label == f"Measure over {SEEDS} seeds"
    test.button(key="start_cures").click().run()
    eventually(lambda: len(training.known(ALL)) == len(ALL))
    test.run()
    assert not test.exception
    results = {label: [training.known(group)[experiment] for experiment in group] for label, group in GROUPS.items()}
    (chart,) = charts(test)
    assert sent(chart.bytes)["alt"] == cures.alt(results)
    assert cures.says(results) in text_of(test)
    assert text_of(test).endswith("end")


def test_what_is_known_is_drawn_without_being_asked_for(training: SharedSweeps) -> None:
    training.look("another visitor", ALL)
    eventually(lambda: len(training.known(ALL)) == len(ALL))
    test = page().run()
    assert len(charts(test)) == 1
    test.button(key="data_cures").click().run()
    assert not test.exception
    assert len(test.dataframe[0].value) == len(ALL)


def test_while_it_runs_the_figure_grows_and_the_page_goes_on(waiting: SharedSweeps, scripted: Scripted) -> None:
    test = page().run()
    test.button(key="start_cures").click().run()
    eventually(lambda: scripted.runs)
    assert test.get("progress")[0].proto.text == f"0% of the steps; 0 of {len(ALL)} networks finished"
    assert text_of(test).endswith("end")
    assert not charts(test)
    scripted.notice = "A worker did not answer."
    test.run()
    assert test.get("progress")[0].proto.text.endswith("finished · A worker did not answer.")
    scripted.notice = ""
    for run in scripted.runs[:5]:
        scripted.end(run)
    eventually(lambda: len(waiting.known(ALL)) == 10)
    test.run()
    assert len(charts(test)) == 1
    assert test.get("progress")[0].proto.text.endswith(f"10 of {len(ALL)} networks finished")
    assert len(scripted.requested) == 1


def test_stop_drops_it_and_offers_the_rest(waiting: SharedSweeps, scripted: Scripted) -> None:
    test = page().run()
    test.button(key="start_cures").click().run()
    eventually(lambda: scripted.runs)
    scripted.end(scripted.runs[0])
    eventually(lambda: len(waiting.known(ALL)) == 2)
    test.button(key="stop_cures").click().run()
    assert all(run.done() for run in scripted.runs)
    assert f"2 of {len(ALL)} networks are trained already, the others are trained" in text_of(test)
    assert len(charts(test)) == 1  # of those
    assert not [button for button in test.button if button.key == "stop_cures"]
    test.button(key="start_cures").click().run()
    eventually(lambda: len(scripted.requested) == 2)


def test_other_settings_drop_what_is_running(waiting: SharedSweeps, scripted: Scripted) -> None:
    test = page().run()
    test.button(key="start_cures").click().run()
    eventually(lambda: scripted.runs)
    assert test.run().get("progress")  # the same settings: it goes on
    assert not any(run.cancelled() for run in scripted.runs)
    test.number_input[0].set_value(0.2).run()
    assert all(run.cancelled() for run in scripted.runs)
    assert test.button(key="start_cures")


def test_a_network_over_budget_is_said_and_not_offered(waiting: SharedSweeps) -> None:
    test = page(GROUPS | {"Huge": seeded(OVER_BUDGET)}).run()
    assert not test.exception
    assert "steps is 20000, but it must be at most" in text_of(test)
    assert not test.button


def test_too_many_networks_are_said_and_not_offered(waiting: SharedSweeps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "MOST_SECONDS", 0.9 * seconds_of(ALL))
    test = page().run()
    assert not test.exception
    assert "fewer steps or units help" in text_of(test)
    assert not test.button


def test_what_goes_on_from_a_step_shares_no_stack_and_is_said_to_take_longer() -> None:
    alone = tuple(Branched(one, ((1, one),)) for one in ALL)
    assert sweeps._cost(alone)[0] > 1.2 * sweeps._cost(ALL)[0]


def test_what_cannot_be_measured_here_is_said(waiting: SharedSweeps) -> None:
    context = {"patient": QUICK}
    test = page({"Patient": []}, "bias_variance", context).run()
    assert not test.exception
    assert "only for a known function of one input" in text_of(test)
    assert not test.button


def test_two_sweeps_of_one_chart_have_their_own_place(training: SharedSweeps) -> None:
    for field in ("width", "depth"):
        test = page({"Patient": list(WANTED)}, "capacity_curve", {"patient": QUICK, "field": field}).run()
        assert test.button(key=f"start_capacity_curve_{field}")
        assert [one.value for one in test.subheader] == [f"{capacity_curve.TITLE}: {field}"]


def test_whoever_watches_while_the_workers_are_closed_asks_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [Scripted(), Scripted()]
    present = SharedSweeps(made[0])  # type: ignore[arg-type]
    monkeypatch.setattr(sweeps, "shared_sweeps", lambda: present)
    test = page().run()
    test.button(key="start_cures").click().run()
    eventually(lambda: made[0].runs)
    for run in made[0].runs:
        run.cancel()
    made[0].closed = True
    test.run()  # before others are there
    assert not test.exception
    assert not test.error
    present = SharedSweeps(made[1])  # type: ignore[arg-type]
    test.run()
    assert not test.error
    eventually(lambda: made[1].runs)


def test_an_error_is_a_sentence(waiting: SharedSweeps, scripted: Scripted) -> None:
    test = page().run()
    test.button(key="start_cures").click().run()
    eventually(lambda: scripted.runs)
    scripted.runs[0].set_exception(MemoryError())
    eventually(lambda: next(iter(waiting._jobs.values())).error)
    test.run()
    assert not test.exception
    assert "went wrong" in test.error[0].value
    test.button(key="stop_cures").click().run()
    assert test.button(key="start_cures")
