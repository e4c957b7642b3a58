"""Whose turn it is to train: fair turns, stacks of those who wait, and sweeps."""

import math
import operator
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from engine.executors import scheduler
from engine.executors.backends import Backend, this_process, worker_processes
from engine.executors.scheduler import ATTEMPTS, Run, Workers
from engine.executors.time_slices import TimeSlice
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.training import train, train_many
from tests.engine.contract import bits
from tests.patience import SOON, eventually

# --- turns: with an executor that does nothing until it is told to ---


class Script(Executor):
    """Notes which experiment's slice it was given; the test says how each ends."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Future]] = []
        self.closed = False

    def submit(self, fn: Callable, /, *args: object, **_: object) -> Future:
        (training,) = args
        name = training.decode() if isinstance(training, bytes) else name_of(training[0])  # type: ignore[index]
        future: Future = Future()
        self.given.append((name, future))
        return future

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.given]

    def next(self, n: int) -> tuple[str, Future]:
        eventually(lambda: len(self.given) > n)
        return self.given[n]

    def go_on(self, n: int) -> None:
        """Slice n ends, its run does not."""
        name, future = self.next(n)
        future.set_result(TimeSlice(0.5, name.encode()))

    def end(self, n: int) -> None:
        """The run of slice n ends, and each of its experiments has a history."""
        name, future = self.next(n)
        future.set_result(TimeSlice(1.0, histories=tuple(f"history of {one}" for one in name)))


def experiment(name: str, width: int = 0) -> Experiment:
    """Of a shape of its own, unless a width is given."""
    return Experiment(seed=ord(name), width=width or ord(name))


def name_of(experiments: tuple[Experiment, ...]) -> str:
    return "".join(chr(experiment.seed) for experiment in experiments)


def scripted_backend(script: Script, slots: int = 1, overdue: float = math.inf) -> Backend:
    return Backend("script", script, lambda: slots, lambda: setattr(script, "closed", True), overdue)


@contextmanager
def scripted(slots: int = 1) -> Iterator[tuple[Workers, Script]]:
    script = Script()
    with Workers([lambda: scripted_backend(script, slots)]) as workers:
        eventually(lambda: workers.backend)
        yield workers, script
    assert script.closed


def test_a_short_run_overtakes_a_long_one() -> None:
    with scripted() as (workers, script):
        long = workers.submit(experiment("L"))
        script.next(0)
        short = workers.submit(experiment("s"))
        script.go_on(0)
        script.end(1)
        assert short.result(SOON) == "history of s"
        assert long.progress == 0.5
        assert not long.done()
        script.end(2)
        assert long.result(SOON) == "history of L"
        assert script.names == ["L", "s", "L"]


def test_workers_that_wait_keep_no_history() -> None:
    with scripted() as (workers, script):
        run = workers.submit(experiment("a"))
        script.end(0)
        assert run.result(SOON) == "history of a"
        script.given.clear()
        kept = weakref.ref(run)
        del run
        eventually(lambda: kept() is None)


def test_visitors_take_turns_and_a_sweep_is_one_visitor() -> None:
    with scripted() as (workers, script):
        sweep = workers.submit_many([Experiment(seed=ord(name), depth=3 - i) for i, name in enumerate("123")])
        script.next(0)
        workers.submit(experiment("A"))
        workers.submit(experiment("B"))
        for n in range(9):
            script.go_on(n)
        script.next(9)
        assert script.names == list("11AB1AB1AB")  # its second run waited before A came
        assert sweep.progress == pytest.approx(0.5 / 3)


def test_while_those_that_have_begun_hold_much_no_other_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.executors.runs.BEGUN_BYTES", 1)  # and a script's run takes one byte to go on
    with scripted() as (workers, script):
        workers.submit(experiment("A"))
        script.next(0)
        for name in "BCD":
            workers.submit(experiment(name))
        for n in range(4):
            script.go_on(n)
        script.end(4)  # A
        for n in range(5, 8):
            script.go_on(n)
        script.next(8)
        assert script.names == list("ABABA" + "CBC" + "B")


def test_a_cancelled_run_gets_no_worker() -> None:
    with scripted() as (workers, script):
        first, second, third = (workers.submit(experiment(name)) for name in "123")
        script.next(0)
        assert second.cancel()
        script.end(0)
        script.end(1)
        assert (first.result(SOON), third.result(SOON)) == ("history of 1", "history of 3")
        assert script.names == ["1", "3"]
        with pytest.raises(CancelledError):
            second.result(0)


def test_a_run_that_is_cancelled_on_its_way_gets_no_other_slice() -> None:
    with scripted() as (workers, script):
        run = workers.submit(experiment("L"))
        script.next(0)
        assert run.cancel()
        after = workers.submit(experiment("s"))
        script.go_on(0)
        script.end(1)
        assert after.result(SOON) == "history of s"
        assert script.names == ["L", "s"]


def test_no_more_slices_are_handed_out_than_there_are_workers() -> None:
    with scripted(slots=2) as (workers, script):
        for name in "1234":
            workers.submit(experiment(name))
        script.next(1)
        time.sleep(0.05)
        assert script.names == ["1", "2"]
        script.end(1)
        script.next(2)
        assert script.names == ["1", "2", "3"]


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that was lost may be started again at once."""
    monkeypatch.setattr(scheduler, "LONGEST_PAUSE", 0.0)
    monkeypatch.setattr(scheduler, "LOOK_SECONDS", 0.02)


@pytest.mark.parametrize("loss", [BrokenExecutor("gone"), OSError("no answer"), None])
def test_a_lost_slice_is_done_again_a_few_times(loss: Exception | None, no_pauses: None) -> None:
    """None: the cluster cancels the slice by itself."""
    script = Script()
    started = []

    def start() -> Backend:
        started.append(1)
        return scripted_backend(script)

    with Workers([start]) as workers:
        run = workers.submit(experiment("a"))
        script.go_on(0)  # a slice that succeeds makes up for those that were lost
        for n in range(1, ATTEMPTS + 1):
            assert not run.done()
            _, future = script.next(n)
            if loss is None:
                future.cancel()
            else:
                future.set_exception(loss)
        with pytest.raises(BrokenExecutor if loss is None else type(loss)):
            run.result(SOON)
        again = workers.submit(experiment("b"))
        script.end(ATTEMPTS + 1)
        assert again.result(SOON) == "history of b"
        assert len(started) == ATTEMPTS + 1


def test_runs_of_one_shape_that_have_to_wait_train_together() -> None:
    with scripted() as (workers, script):
        runs = {"1": workers.submit(experiment("1", width=8))}
        script.next(0)
        runs |= {name: workers.submit(experiment(name, width=8)) for name in "234567"}
        other = workers.submit(experiment("x"))
        script.end(0)  # the first did not have to wait
        script.go_on(1)
        assert script.next(1)[0] == "2345"  # as many as are allowed
        eventually(lambda: runs["4"].progress == 0.5)
        script.end(2)
        script.end(3)
        script.end(4)
        for name, run in runs.items():
            assert run.result(SOON) == f"history of {name}"
        assert other.result(SOON) == "history of x"
        assert script.names == ["1", "2345", "67", "x", "2345"]


def test_who_trains_together_may_leave_alone() -> None:
    with scripted() as (workers, script):
        first = workers.submit(experiment("1", width=8))
        script.next(0)
        two, three = (workers.submit(experiment(name, width=8)) for name in "23")
        script.go_on(0)
        script.next(1)
        two.cancel()
        script.go_on(1)
        script.end(2)
        assert first.result(SOON) == "history of 1"
        script.end(3)  # goes on for the other
        assert two.cancelled()
        assert three.result(SOON) == "history of 3"


def test_a_stack_that_all_have_left_is_dropped() -> None:
    with scripted() as (workers, script):
        workers.submit(experiment("1", width=8))
        script.next(0)
        runs = [workers.submit(experiment(name, width=8)) for name in "23"]
        script.end(0)
        script.next(1)
        for run in runs:
            run.cancel()
        script.go_on(1)
        workers.submit(experiment("x"))
        script.end(2)
        assert script.names == ["1", "23", "x"]


def test_where_several_together_fail_each_is_tried_by_itself() -> None:
    with scripted() as (workers, script):
        workers.submit(experiment("1", width=8))
        script.next(0)
        two, three = (workers.submit(experiment(name, width=8)) for name in "23")
        script.end(0)
        script.next(1)[1].set_result(TimeSlice(error=MemoryError()))
        script.next(2)[1].set_result(TimeSlice(error=ValueError("its own")))
        script.end(3)
        assert script.names == ["1", "23", "2", "3"]
        with pytest.raises(ValueError, match="its own"):
            two.result(SOON)
        assert three.result(SOON) == "history of 3"


def test_closing_ends_those_who_train_together() -> None:
    with scripted() as (workers, script):
        workers.submit(experiment("1", width=8))
        script.next(0)
        runs = [workers.submit(experiment(name, width=8)) for name in "23"]
        script.end(0)
        script.next(1)
    script.go_on(1)
    for run in runs:
        with pytest.raises(CancelledError):
            run.result(SOON)


def test_closing_cancels_what_waits_and_what_is_on_its_way() -> None:
    with scripted() as (workers, script):
        runs = [workers.submit(experiment(name)) for name in "12"]
        script.next(0)
    assert workers.closed
    script.go_on(0)
    for run in runs:
        with pytest.raises(CancelledError):
            run.result(SOON)
    with pytest.raises(CancelledError, match="closed"):
        workers.submit(experiment("3"))


def test_where_nothing_can_be_started_runs_fail_instead_of_waiting(caplog: pytest.LogCaptureFixture) -> None:
    go = threading.Event()

    def start() -> Backend:
        go.wait(SOON)
        raise OSError("no")

    workers = Workers([start])
    run = workers.submit(experiment("a"))
    go.set()
    with pytest.raises(RuntimeError, match="No backend can be started"):
        run.result(SOON)
    assert workers.closed


# --- workers that do not answer ---


class Clock:
    """The workers' clock, which the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def let_pass(self, workers: Workers, seconds: float) -> None:
        """In steps that are no suspension, each of which is noticed."""
        for _ in range(round(seconds / scheduler.LOOK_SECONDS)):
            before = workers._awake
            self.now += scheduler.LOOK_SECONDS
            eventually(lambda before=before: workers._awake > before)  # type: ignore[misc]


@pytest.fixture
def clock(no_pauses: None, monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(scheduler, "monotonic", clock)
    return clock


class Scripts:
    """Starts one script after the other, whose slices may take a second."""

    def __init__(self, slots: int = 1):
        self.slots = slots
        self.started: list[Script] = []

    def __call__(self) -> Backend:
        self.started.append(Script())
        return scripted_backend(self.started[-1], self.slots, overdue=1.0)

    def __getitem__(self, n: int) -> Script:
        eventually(lambda: len(self.started) > n)
        return self.started[n]


def test_an_overdue_slice_is_given_to_a_fresh_worker_and_then_comes_too_late(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    scripts = Scripts()
    with Workers([scripts]) as workers:
        run = workers.submit(experiment("a"))
        scripts[0].go_on(0)
        scripts[0].next(1)
        clock.let_pass(workers, 0.9)
        assert not workers.notice
        clock.let_pass(workers, 0.2)
        scripts[1].next(0)
        assert "did not answer" in workers.notice
        eventually(lambda: scripts[0].closed)
        scripts[0].end(1)
        assert not run.done()
        scripts[1].go_on(0)
        scripts[1].end(1)
        assert run.result(SOON) == "history of a"
        assert scripts[1].names == ["a", "a"]
    assert [record.message for record in caplog.records] == ["Lost script: A worker did not answer."]


def test_what_is_slow_gets_more_time_but_not_for_ever(clock: Clock) -> None:
    scripts = Scripts()
    with Workers([scripts]) as workers:
        run = workers.submit(experiment("a"))
        for n in range(ATTEMPTS):
            scripts[n].next(0)
            clock.let_pass(workers, 0.9 * 2**n)
            assert len(scripts.started) == n + 1
            clock.let_pass(workers, 0.2 * 2**n)
        with pytest.raises(TimeoutError, match="did not answer"):
            run.result(SOON)


def test_who_shares_workers_with_a_stuck_one_does_not_pay_for_it(clock: Clock) -> None:
    scripts = Scripts(slots=2)
    with Workers([scripts]) as workers:
        stuck = workers.submit(experiment("s"))
        scripts[0].next(0)
        clock.let_pass(workers, 0.5)
        other = workers.submit(experiment("o"))
        scripts[0].next(1)
        clock.let_pass(workers, 0.6)
        scripts[1].next(1)
        assert (stuck.attempts, other.attempts) == (1, 0)
        assert sorted(scripts[1].names) == ["o", "s"]


def test_after_a_suspension_of_the_machine_nothing_is_overdue(clock: Clock) -> None:
    scripts = Scripts()
    with Workers([scripts]) as workers:
        run = workers.submit(experiment("a"))
        scripts[0].next(0)
        clock.now += 3600
        clock.let_pass(workers, 0.5)
        scripts[0].end(0)
        assert run.result(SOON) == "history of a"
        assert len(scripts.started) == 1


def test_a_backend_that_hangs_holds_nobody_up(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for its slots once more, and when it is closed."""
    monkeypatch.setattr(scheduler, "CLOSE_SECONDS", 0.1)
    go = threading.Event()
    asked: list[str] = []

    def hang(where: str) -> None:
        asked.append(where)
        go.wait(SOON)

    def slots() -> int:
        asked.append("slots")
        if len(asked) == 2:
            go.wait(SOON)
        return 1

    scripts = Scripts()
    hanging = Backend("hanging", Script(), slots, lambda: hang("close"), overdue=1.0)
    backends = iter([hanging])
    with Workers([lambda: next(backends, None) or scripts()]) as workers:
        run = workers.submit(experiment("a"))
        eventually(lambda: len(asked) == 2)
        clock.let_pass(workers, 1.1)
        scripts[0].end(0)
        assert run.result(SOON) == "history of a"
        last = workers.submit(experiment("b"))
        scripts[0].next(1)
    assert last.cancelled()
    go.set()
    eventually(lambda: asked[-1] == "close")


# --- the next best backend ---


def test_what_cannot_be_started_is_tried_again_after_longer_and_longer_pauses(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scheduler, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(scheduler, "LONGEST_PAUSE", 0.6)
    tried: list[float] = []
    good, worse = Script(), Script()

    def start() -> Backend:
        tried.append(clock.now)
        if len(tried) < 5:
            raise OSError("not yet")
        return scripted_backend(good)

    with Workers([start, lambda: scripted_backend(worse)]) as workers:
        runs = [workers.submit(experiment(name)) for name in "ab"]
        worse.next(0)
        assert "without them" in workers.notice
        clock.let_pass(workers, 2.0)
        eventually(lambda: workers.notice == "")
        worse.end(0)  # which goes on to the end of its slice
        good.end(0)
        assert [run.result(SOON) for run in runs] == ["history of a", "history of b"]
        eventually(lambda: worse.closed)
    assert [later - before for before, later in pairwise(tried)] == pytest.approx([0.2, 0.4, 0.6, 0.6], abs=0.05)
    assert [record.message for record in caplog.records] == ["Cannot train in start: not yet"]


def test_where_a_backend_takes_long_to_start_the_next_is_used_meanwhile(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scheduler, "FALLBACK_SECONDS", 1.0)
    go = threading.Event()
    slow, quick = Script(), Script()

    def start() -> Backend:
        go.wait(SOON)
        return scripted_backend(slow)

    with Workers([start, lambda: scripted_backend(quick)]) as workers:
        run = workers.submit(experiment("a"))
        clock.let_pass(workers, 0.9)
        assert not quick.given
        clock.let_pass(workers, 0.2)
        quick.end(0)
        assert run.result(SOON) == "history of a"
        go.set()
        eventually(lambda: quick.closed)
        after = workers.submit(experiment("b"))
        slow.end(0)
        assert after.result(SOON) == "history of b"
    assert [record.message for record in caplog.records] == ["Cannot train in start: not ready within 1 s"]


def test_what_keeps_being_lost_is_left_for_the_next_best(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "LONGEST_PAUSE", 10.0)
    scripts, worse = Scripts(), Script()
    with Workers([scripts, lambda: scripted_backend(worse)]) as workers:
        run = workers.submit(experiment("a"))
        clock.let_pass(workers, 1.5)  # overdue, but it worked long enough to be started at once
        scripts[1].next(0)[1].set_exception(BrokenExecutor("gone"))
        worse.go_on(0)
        clock.let_pass(workers, 2.0)
        worse.go_on(1)
        scripts[2].end(0)
        assert run.result(SOON) == "history of a"


# --- sweeps ---


def test_a_sweep_spreads_stacks_over_the_workers_and_keeps_the_order(processes: Workers) -> None:
    experiments = [Experiment(depth=1 + seed % 2, width=8, steps=20, seed=seed) for seed in range(5)]
    sweep = processes.submit_many(experiments)
    came = dict(sweep.as_completed(SOON))
    assert [bits(history) for history in sweep.result(SOON)] == [bits(history) for history in train_many(experiments)]
    assert {i: history.experiment for i, history in came.items()} == dict(enumerate(experiments))
    assert sweep.done()
    assert sweep.progress == 1
    one_shape = processes.submit_many([Experiment(steps=1, seed=seed) for seed in range(5)])
    assert [len(run.experiments) for run in one_shape.runs] == [3, 2]
    one_shape.result(SOON)
    assert processes.submit_many([]).result(SOON) == []


def test_the_first_of_a_sweep_need_not_wait_for_others_of_their_shape(processes: Workers) -> None:
    experiments = [Experiment(steps=3, seed=seed, depth=2 - seed // 6) for seed in range(8)]
    sweep = processes.submit_many(experiments, ahead=2, summary=operator.attrgetter("experiment"))
    assert [run.experiments for run in sweep.runs] == [
        tuple(experiments[:2]), tuple(experiments[2:6]), tuple(experiments[6:])
    ]  # fmt: skip
    assert sweep.result(SOON) == experiments


def test_of_a_sweep_the_dearest_comes_first_and_wide_networks_stay_in_the_cache(processes: Workers) -> None:
    few = Experiment(steps=2, width=4)
    wide = [replace(few, width=64, n_train=100, seed=seed) for seed in range(8)]
    experiments = [few, replace(few, depth=6), replace(few, depth=9), *wide]
    sweep = processes.submit_many(experiments, ahead=1, summary=operator.attrgetter("experiment"))
    assert [run.experiments for run in sweep.runs] == [
        (few,), tuple(wide[:4]), tuple(wide[4:]), (experiments[2],), (experiments[1],)
    ]  # fmt: skip
    assert sweep.result(SOON) == experiments


def test_of_a_sweep_only_what_is_asked_for_comes_back(processes: Workers) -> None:
    experiments = [Experiment(steps=5, width=width) for width in (2, 3)]
    sweep = processes.submit_many(experiments, max_updates=0, max_frames=3, summary=operator.attrgetter("test_loss"))
    assert sweep.result(SOON) == [train(experiment).test_loss for experiment in experiments]
    failing = processes.submit_many(experiments, summary=operator.attrgetter("nothing"))
    with pytest.raises(AttributeError):
        failing.result(SOON)


def test_a_sweep_waits_for_the_workers_to_be_there() -> None:
    with Workers([partial(worker_processes, 2)]) as workers:
        assert len(workers.submit_many([Experiment(steps=1, seed=seed) for seed in range(2)]).runs) == 2


def test_a_cancelled_sweep_ends() -> None:
    with scripted() as (workers, script):
        sweep = workers.submit_many([Experiment(depth=depth) for depth in (1, 2, 3)])
        script.next(0)
        sweep.cancel()
        assert sweep.done()
        with pytest.raises(CancelledError):
            sweep.result(SOON)


def test_many_threads_may_ask_at_once() -> None:
    with Workers([this_process]) as workers:
        experiments = [Experiment(depth=1, width=2, steps=2, seed=seed) for seed in range(16)]
        histories: dict[int, RunHistory] = {}

        def ask(experiment: Experiment) -> None:
            run: Run = workers.submit(experiment)
            histories[experiment.seed] = run.result(SOON)

        threads = [threading.Thread(target=ask, args=(experiment,)) for experiment in experiments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON)
        assert {seed: history.experiment.seed for seed, history in histories.items()} == {s: s for s in range(16)}
