"""Where training runs: the same bits everywhere, fair turns, and nothing lost with a worker."""

import json
import logging
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import loky
import numpy as np
import psutil
import pytest
from threadpoolctl import threadpool_info

from engine import places
from engine.executors import ATTEMPTS, Run, Workers
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.places import DASK_ADDRESS, Place, Slice, dask_cluster, default_places, this_process, worker_processes
from engine.settings import OutOfRange
from engine.training import train, train_many
from tests.patience import SOON

ROOT = Path(__file__).resolve().parents[2]

SHORT = Experiment(depth=2, width=8, steps=20)
LONG = Experiment(depth=8, width=16, steps=4500, activation="tanh", batch_size=32, dropout=0.1)  # several slices


def bits(history: RunHistory) -> list:
    """Everything in a history, down to the last bit."""
    values = [(row.name, getattr(history, row.name)) for row in fields(history)]
    flat = [(name, item) for name, value in values for item in (value if isinstance(value, tuple) else (value,))]
    return [
        (name, item.dtype.str, item.shape, item.tobytes()) if isinstance(item, np.ndarray) else (name, repr(item))
        for name, item in flat
    ]


def eventually(condition: Callable[[], object]) -> None:
    end = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(scope="module")
def long_history() -> RunHistory:
    return train(LONG)


@pytest.fixture(scope="module")
def processes() -> Iterator[Workers]:
    with Workers([partial(worker_processes, 2)]) as workers:
        yield workers


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Dask scheduler with one worker, both on loopback."""
    folder = tmp_path_factory.mktemp("dask")
    found = folder / "scheduler.json"
    common = ["--scheduler-file", str(found), "--host", "tcp://127.0.0.1", "--no-dashboard"]
    worker = ["--no-nanny", "--nthreads", "1", "--local-directory", str(folder)]
    commands = [("scheduler", ["--port", "0"]), ("worker", worker)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = []
    with open(folder / "log", "w") as log:
        for name, more in commands:
            command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *common, *more]
            started.append(subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log))
    try:
        eventually(found.exists)
        eventually(found.read_text)
        yield json.loads(found.read_text())["address"]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


# --- the same result everywhere ---


def test_a_worker_process_gives_the_bits_of_this_process(processes: Workers, long_history: RunHistory) -> None:
    long, short = processes.submit(LONG), processes.submit(SHORT)
    assert bits(short.result(SOON)) == bits(train(SHORT))
    assert bits(long.result(SOON)) == bits(long_history)
    assert processes.place == "worker processes"
    assert long.progress == short.progress == 1
    assert not long.result().step.flags.writeable


def test_a_thread_of_this_process_gives_the_same_bits(long_history: RunHistory) -> None:
    with Workers([this_process]) as workers:
        assert bits(workers.submit(LONG).result(SOON)) == bits(long_history)
        assert workers.place == "this process"


def test_a_dask_cluster_gives_the_same_bits(
    cluster: str, long_history: RunHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DASK_ADDRESS, cluster)
    assert default_places()[0] is dask_cluster
    with Workers() as workers:
        assert bits(workers.submit(LONG).result(SOON)) == bits(long_history)
        assert workers.place == "Dask cluster"
        with pytest.raises(OutOfRange):
            workers.submit(Experiment(depth=50, width=256, steps=20000)).result(SOON)
        assert workers._place is not None
        blas = workers._place.executor.submit(threadpool_info).result(SOON)
        assert {library["num_threads"] for library in blas if library["user_api"] == "blas"} == {1}


def test_a_stack_comes_back_as_a_tuple_with_the_bits_of_single_runs(processes: Workers) -> None:
    experiments = [Experiment(depth=2, width=8, steps=20, seed=seed) for seed in range(3)]
    histories = processes.submit(experiments, max_updates=10, max_frames=5).result(SOON)
    assert [bits(history) for history in histories] == [bits(train(e, None, 10, 5)) for e in experiments]


def test_own_data_travel_with_the_run(processes: Workers) -> None:
    from engine.datasets import data_digest

    generator = np.random.default_rng(0)
    data = generator.standard_normal((40, 3)), generator.integers(0, 2, 40)
    experiment = Experiment(dataset="custom", data_digest=data_digest(*data), n_train=20, steps=20)
    assert bits(processes.submit(experiment, data).result(SOON)) == bits(train(experiment, data))


def test_errors_of_a_run_arrive_as_they_are_and_harm_no_worker(processes: Workers) -> None:
    before = processes._place
    with pytest.raises(OutOfRange) as caught:
        processes.submit(Experiment(depth=50, width=256, steps=20000)).result(SOON)
    assert caught.value.field == "steps"
    with pytest.raises(ValueError, match="equal shape"):
        processes.submit([Experiment(depth=1), Experiment(depth=2)]).result(SOON)
    assert processes.submit(SHORT).result(SOON).status == "completed"
    assert processes._place is before


# --- what a worker is ---


def test_a_worker_has_one_blas_thread_and_nothing_of_the_page(processes: Workers) -> None:
    processes.submit(SHORT).result(SOON)
    assert processes._place is not None
    ask = processes._place.executor.submit
    assert {library["num_threads"] for library in ask(threadpool_info).result(SOON)} == {1}
    packages = ask(eval, "{name.partition('.')[0] for name in __import__('sys').modules}").result(SOON)
    assert "numpy" in packages
    assert not packages & {"streamlit", "plotly", "pandas", "distributed", "pytest"}
    resident = psutil.Process(ask(os.getpid).result(SOON)).memory_info().rss
    assert resident < 100e6  # measured: 46 MB


def test_a_killed_worker_is_replaced_and_its_run_ends_with_the_same_bits(long_history: RunHistory) -> None:
    with Workers([partial(worker_processes, 1)]) as workers:
        eventually(lambda: workers.place)
        assert workers._place is not None
        pid = workers._place.executor.submit(os.getpid).result(SOON)
        run, other = workers.submit(LONG), workers.submit(SHORT)
        eventually(lambda: run.progress > 0)
        os.kill(pid, signal.SIGKILL)
        assert bits(run.result(SOON)) == bits(long_history)
        assert bits(other.result(SOON)) == bits(train(SHORT))
        assert workers._place.executor.submit(os.getpid).result(SOON) != pid


def test_a_worker_that_dies_idle_is_replaced(processes: Workers) -> None:
    eventually(lambda: processes.place)
    assert processes._place is not None
    os.kill(processes._place.executor.submit(os.getpid).result(SOON), signal.SIGKILL)
    assert processes.submit(SHORT).result(SOON).status == "completed"
    assert processes.place == "worker processes"


SERVER = """
import os, sys, time
from engine.executors import Workers
from engine.experiment import Experiment
workers = Workers()
runs = [workers.submit(Experiment(depth=8, steps=4000, seed=seed)) for seed in range(4)]
while not any(run.progress for run in runs):
    time.sleep(0.01)
print(workers._place.executor.submit(os.getpid).result(), flush=True)
if sys.argv[1] == "wait":
    runs[-1].result()
"""


@pytest.mark.parametrize("how", ["exit", "interrupt", "kill"])
def test_workers_end_with_their_server(how: str) -> None:
    """By itself, on Ctrl-C (which the whole process group gets), or killed; with runs on their way."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, "exit" if how == "exit" else "wait"],
        cwd=ROOT, start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert server.stdout is not None
    worker = psutil.Process(int(server.stdout.readline()))
    if how == "interrupt":
        os.killpg(server.pid, signal.SIGINT)
    elif how == "kill":
        server.kill()
    server.wait(SOON)
    eventually(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    _, complaints = server.communicate(timeout=SOON)
    assert (how == "exit") == (server.returncode == 0)
    if how != "kill":  # after which loky's own watchman tells what it cleans up
        assert complaints.count("Traceback") == (how == "interrupt")  # of the KeyboardInterrupt itself
        assert "Warning" not in complaints


# --- where no process or no cluster can be had ---


def test_without_processes_training_goes_on_in_this_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no processes here")

    monkeypatch.delenv(DASK_ADDRESS, raising=False)
    monkeypatch.setattr(loky, "ProcessPoolExecutor", refuse)
    with caplog.at_level(logging.WARNING), Workers() as workers:
        assert bits(workers.submit(SHORT).result(SOON)) == bits(train(SHORT))
        assert workers.place == "this process"
    assert [record.message for record in caplog.records] == ["Cannot train in worker_processes: no processes here"]


def test_workers_that_die_while_they_start_count_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "prepare_worker", partial(os._exit, 1))
    with pytest.raises(BrokenExecutor):
        worker_processes(1)


def test_an_unreachable_cluster_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(places, "CONNECT_SECONDS", 0.2)
    monkeypatch.setenv(DASK_ADDRESS, "tcp://127.0.0.1:1")
    with caplog.at_level(logging.WARNING, "engine"), Workers([dask_cluster, this_process]) as workers:
        assert workers.submit(SHORT).result(SOON).status == "completed"
        assert workers.place == "this process"
    (warning,) = [record for record in caplog.records if record.name == "engine.executors"]
    assert "tcp://127.0.0.1:1" in warning.message


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
        future.set_result(Slice(0.5, name.encode()))

    def end(self, n: int) -> None:
        """The run of slice n ends, and each of its experiments has a history."""
        name, future = self.next(n)
        future.set_result(Slice(1.0, histories=tuple(f"history of {one}" for one in name)))


def experiment(name: str, width: int = 0) -> Experiment:
    """Of a shape of its own, unless a width is given."""
    return Experiment(seed=ord(name), width=width or ord(name))


def name_of(experiments: tuple[Experiment, ...]) -> str:
    return "".join(chr(experiment.seed) for experiment in experiments)


@contextmanager
def scripted(slots: int = 1) -> Iterator[tuple[Workers, Script]]:
    script = Script()
    with Workers([lambda: Place("script", script, lambda: slots, lambda: setattr(script, "closed", True))]) as workers:
        eventually(lambda: workers.place)
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


@pytest.mark.parametrize("loss", [BrokenExecutor("gone"), OSError("no answer"), None])
def test_a_lost_slice_is_done_again_a_few_times(loss: Exception | None) -> None:
    """None: the cluster cancels the slice by itself."""
    script = Script()
    started = []

    def start() -> Place:
        started.append(1)
        return Place("script", script, lambda: 1, lambda: None)

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
        with pytest.raises(CancelledError if loss is None else type(loss)):
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
        script.next(1)[1].set_result(Slice(error=MemoryError()))
        script.next(2)[1].set_result(Slice(error=ValueError("its own")))
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


def test_who_trains_together_gets_the_bits_of_a_single_run(processes: Workers) -> None:
    experiments = [Experiment(depth=2, width=8, steps=20, seed=seed) for seed in range(12)]
    runs = [processes.submit(experiment) for experiment in experiments]
    assert [bits(run.result(SOON)) for run in runs] == [bits(train(experiment)) for experiment in experiments]


def test_closing_cancels_what_waits_and_what_is_on_its_way() -> None:
    with scripted() as (workers, script):
        runs = [workers.submit(experiment(name)) for name in "12"]
        script.next(0)
    assert workers.closed
    script.go_on(0)
    for run in runs:
        with pytest.raises(CancelledError):
            run.result(SOON)
    with pytest.raises(RuntimeError, match="closed"):
        workers.submit(SHORT)


def test_where_nothing_can_be_started_runs_fail_instead_of_waiting(caplog: pytest.LogCaptureFixture) -> None:
    go = threading.Event()

    def start() -> Place:
        go.wait(SOON)
        raise OSError("no")

    workers = Workers([start])
    run = workers.submit(SHORT)
    go.set()
    with pytest.raises(RuntimeError, match="no place to train"):
        run.result(SOON)
    assert workers.closed


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
