"""Backends: where training runs: the same bits everywhere, and nothing lost with a worker."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import loky
import numpy as np
import psutil
import pytest
from threadpoolctl import threadpool_info

from engine.executors import backends, scheduler
from engine.executors.backends import (
    DASK_ADDRESS,
    Backend,
    dask_cluster,
    default_backends,
    this_process,
    worker_processes,
)
from engine.executors.scheduler import Workers
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.settings import OutOfRange
from engine.training import train
from tests.engine.contract import bits, same_bits
from tests.patience import SOON, eventually

ROOT = Path(__file__).resolve().parents[2]

SHORT = Experiment(depth=2, width=8, steps=20)
LONG = Experiment(depth=20, width=16, steps=4500, activation="tanh", batch_size=32, dropout=0.1)  # several slices


@pytest.fixture(scope="module")
def long_history() -> RunHistory:
    return train(LONG)


class Cluster:
    """A real Dask scheduler and workers on loopback."""

    def __init__(self, folder: Path, stack: ExitStack):
        self.folder, self.stack = folder, stack
        self.found = folder / "scheduler.json"
        self.start("scheduler", "--port", "0")
        eventually(self.found.exists)
        eventually(self.found.read_text)
        self.address = json.loads(self.found.read_text())["address"]

    def add_worker(self, path: Path = ROOT) -> subprocess.Popen:
        return self.start("worker", "--no-nanny", "--nthreads", "1", "--local-directory", str(self.folder), path=path)

    def start(self, name: str, *more: str, path: Path = ROOT) -> subprocess.Popen:
        common = ["--scheduler-file", str(self.found), "--host", "tcp://127.0.0.1", "--no-dashboard"]
        log = self.stack.enter_context((self.folder / "log").open("a"))
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{name}", *common, *more],
            cwd=self.folder, env={**os.environ, "PYTHONPATH": str(path)}, stdout=log, stderr=log,
        )  # fmt: skip
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Without workers."""
    pytest.importorskip("distributed")
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)


# --- the same result everywhere ---


def test_a_worker_process_gives_the_bits_of_this_process(processes: Workers, long_history: RunHistory) -> None:
    long, short = processes.submit(LONG), processes.submit(SHORT)
    assert bits(short.result(SOON)) == bits(train(SHORT))
    assert bits(long.result(SOON)) == bits(long_history)
    assert processes.backend == "worker processes"
    assert long.progress == short.progress == 1
    assert not long.result().step.flags.writeable


def test_a_thread_of_this_process_gives_the_same_bits(long_history: RunHistory) -> None:
    with Workers([this_process]) as workers:
        assert bits(workers.submit(LONG).result(SOON)) == bits(long_history)
        assert workers.backend == "this process"


def test_a_dask_cluster_gives_the_same_bits(
    cluster: Cluster, long_history: RunHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.add_worker()
    monkeypatch.setattr(scheduler, "FALLBACK_SECONDS", SOON)
    monkeypatch.setenv(DASK_ADDRESS, cluster.address)
    assert default_backends()[0] is dask_cluster
    with Workers() as workers:
        assert bits(workers.submit(LONG).result(SOON)) == bits(long_history)
        assert workers.backend == "Dask cluster"
        with pytest.raises(OutOfRange):
            workers.submit(Experiment(depth=50, width=256, steps=20000)).result(SOON)
        assert workers._pool is not None
        blas = workers._pool.backend.executor.submit(threadpool_info).result(SOON)
        assert {library["num_threads"] for library in blas if library["user_api"] == "blas"} == {1}


@same_bits
def test_a_stack_comes_back_as_a_tuple_with_the_bits_of_single_runs(processes: Workers) -> None:
    experiments = [Experiment(depth=2, width=8, steps=20, seed=seed) for seed in range(3)]
    histories = processes.submit(experiments, max_updates=10, max_frames=5).result(SOON)
    assert [bits(history) for history in histories] == [bits(train(e, None, 10, 5)) for e in experiments]


@same_bits
def test_who_trains_together_gets_the_bits_of_a_single_run(processes: Workers) -> None:
    experiments = [Experiment(depth=2, width=8, steps=20, seed=seed) for seed in range(12)]
    runs = [processes.submit(experiment) for experiment in experiments]
    assert [bits(run.result(SOON)) for run in runs] == [bits(train(experiment)) for experiment in experiments]


def test_own_data_travel_with_the_run(processes: Workers) -> None:
    from engine.data.custom import data_digest

    generator = np.random.default_rng(0)
    data = generator.standard_normal((40, 3)), generator.integers(0, 2, 40)
    experiment = Experiment(dataset="custom", data_digest=data_digest(*data), n_train=20, steps=20)
    assert bits(processes.submit(experiment, data).result(SOON)) == bits(train(experiment, data))


def test_errors_of_a_run_arrive_as_they_are_and_harm_no_worker(processes: Workers) -> None:
    before = processes._pool
    with pytest.raises(OutOfRange) as caught:
        processes.submit(Experiment(depth=50, width=256, steps=20000)).result(SOON)
    assert caught.value.field == "steps"
    with pytest.raises(ValueError, match="equal shape"):
        processes.submit([Experiment(depth=1), Experiment(depth=2)]).result(SOON)
    assert processes.submit(SHORT).result(SOON).status == "completed"
    assert processes._pool is before


# --- what a worker is ---


def test_a_worker_has_one_blas_thread_and_nothing_of_the_page(processes: Workers) -> None:
    processes.submit(SHORT).result(SOON)
    assert processes._pool is not None
    ask = processes._pool.backend.executor.submit
    assert {library["num_threads"] for library in ask(threadpool_info).result(SOON)} == {1}
    packages = ask(eval, "{name.partition('.')[0] for name in __import__('sys').modules}").result(SOON)
    assert "numpy" in packages
    assert not packages & {"streamlit", "plotly", "pandas", "distributed", "pytest"}
    resident = psutil.Process(ask(os.getpid).result(SOON)).memory_info().rss
    assert resident < 100e6  # measured: 46 MB


def test_a_killed_worker_is_replaced_and_its_run_ends_with_the_same_bits(long_history: RunHistory) -> None:
    with Workers([partial(worker_processes, 1)]) as workers:
        eventually(lambda: workers.backend)
        assert workers._pool is not None
        pid = workers._pool.backend.executor.submit(os.getpid).result(SOON)
        run, other = workers.submit(LONG), workers.submit(SHORT)
        eventually(lambda: run.progress > 0)
        os.kill(pid, signal.SIGKILL)
        assert bits(run.result(SOON)) == bits(long_history)
        assert bits(other.result(SOON)) == bits(train(SHORT))
        assert workers._pool.backend.executor.submit(os.getpid).result(SOON) != pid


def test_a_worker_that_dies_idle_is_replaced(processes: Workers) -> None:
    eventually(lambda: processes.backend)
    assert processes._pool is not None
    os.kill(processes._pool.backend.executor.submit(os.getpid).result(SOON), signal.SIGKILL)
    assert processes.submit(SHORT).result(SOON).status == "completed"
    assert processes.backend == "worker processes"


SERVER = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what runs in the background
from engine.executors.scheduler import Workers
from engine.experiment import Experiment
workers = Workers()
runs = [workers.submit(Experiment(depth=8, steps=4000, seed=seed)) for seed in range(4)]
while not any(run.progress for run in runs):
    time.sleep(0.01)
print(workers._pool.backend.executor.submit(os.getpid).result(), flush=True)
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


def test_a_worker_that_is_stopped_is_replaced(
    long_history: RunHistory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scheduler, "FALLBACK_SECONDS", SOON)  # on a busy machine a start may take long
    with Workers([partial(worker_processes, 1)]) as workers:
        run = workers.submit(LONG)
        eventually(lambda: run.progress > 0)
        assert workers._pool is not None
        (stuck,) = map(psutil.Process, loky_of(workers._pool.backend)._processes)
        stuck.suspend()
        eventually(lambda: workers.notice)
        assert bits(run.result(SOON)) == bits(long_history)
        eventually(lambda: gone(stuck))
    assert [record.message for record in caplog.records] == ["Lost worker processes: A worker did not answer."]


def stop_in_the_middle_of_an_answer() -> None:
    """To be called in a worker of loky's: the server has read how long the answer is, and waits for the rest."""
    frame = sys._getframe()
    while "result_queue" not in frame.f_locals:
        assert frame.f_back
        frame = frame.f_back
    os.write(frame.f_locals["result_queue"]._writer.fileno(), (1000).to_bytes(4, "big"))
    os.kill(os.getpid(), signal.SIGSTOP)


def test_a_worker_that_is_stopped_in_the_middle_of_an_answer_is_ended() -> None:
    backend = worker_processes(1)
    backend.executor.submit(stop_in_the_middle_of_an_answer)
    (worker,) = map(psutil.Process, loky_of(backend)._processes)
    manager = loky_of(backend)._executor_manager_thread
    eventually(lambda: worker.status() == psutil.STATUS_STOPPED)
    closing = threading.Thread(target=backend.close, daemon=True)
    closing.start()
    closing.join(SOON)
    assert not closing.is_alive()
    assert not manager.is_alive()  # which the interpreter waits for at its end
    assert gone(worker)


KILLED = f"""
import time
from engine.executors.scheduler import Workers
from engine.experiment import Experiment
with Workers() as workers:
    runs = [workers.submit(Experiment(depth=8, steps=2400, seed=seed)) for seed in range(4)]
    print("begun", flush=True)
    for run in runs:
        run.result()
    print(workers.backend, flush=True)
    end = time.monotonic() + {SOON}
    while workers.backend != "worker processes" and time.monotonic() < end:
        time.sleep(0.01)
    run = workers.submit(Experiment(depth=8, steps=20, seed=9))
    run.result()
    print(workers.backend, flush=True)
"""


def test_after_workers_were_killed_again_and_again_training_returns_to_them() -> None:
    server = subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        assert server.stdout.readline() == "begun\n"
        for _ in range(24):
            for worker in loky_workers(psutil.Process(server.pid)):
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
            time.sleep(0.15)
        assert server.stdout.readline()  # the runs have ended, wherever
        assert server.stdout.readline() == "worker processes\n"
        assert server.wait(SOON) == 0
    finally:
        server.kill()
        server.wait()


def loky_of(backend: Backend) -> Any:
    return backend.executor


def loky_workers(server: psutil.Process) -> list[psutil.Process]:
    """The children of a server that train, without the trackers of what they share."""
    workers = []
    for child in server.children():
        with suppress(psutil.NoSuchProcess):
            if "loky.backend.popen_loky_posix" in child.cmdline():
                workers.append(child)
    return workers


def gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.0])
def test_nothing_is_left_of_a_server_that_is_killed_while_its_workers_start(seconds: float) -> None:
    server = psutil.Popen([sys.executable, "-c", SERVER, "wait"], cwd=ROOT, stdout=subprocess.PIPE)
    eventually(lambda: loky_workers(server))
    time.sleep(seconds)
    family = server.children(recursive=True)
    server.kill()
    server.wait()
    assert family
    eventually(lambda: all(map(gone, family)))


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
        assert workers.backend == "this process"
    assert [record.message for record in caplog.records] == ["Cannot train in worker_processes: no processes here"]


def test_workers_that_die_while_they_start_count_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backends, "prepare_worker", os._exit)
    with pytest.raises(BrokenExecutor):
        worker_processes(1)


def test_an_unreachable_cluster_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(backends, "CONNECT_SECONDS", 0.2)
    monkeypatch.setenv(DASK_ADDRESS, "tcp://127.0.0.1:1")
    with caplog.at_level(logging.WARNING, "engine"), Workers([dask_cluster, this_process]) as workers:
        assert workers.submit(SHORT).result(SOON).status == "completed"
        assert workers.backend == "this process"
    (warning,) = warnings_of(caplog)
    assert "tcp://127.0.0.1:1" in warning


def test_a_cluster_that_is_out_of_reach_may_be_tried_for_days(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(backends, "CONNECT_SECONDS", 0.05)
    for _ in range(3):
        with pytest.raises(OSError, match=re.escape("tcp://127.0.0.1:1")):
            dask_cluster("tcp://127.0.0.1:1")
    assert [thread.name for thread in threading.enumerate() if "IO loop" in thread.name] == ["IO loop"]


def test_a_cluster_without_workers_is_left_until_it_has_some(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scheduler, "FALLBACK_SECONDS", 2.0)
    monkeypatch.setattr(backends, "OVERDUE_SECONDS", 2.0)
    monkeypatch.setenv(DASK_ADDRESS, cluster.address)
    with Workers([dask_cluster, this_process]) as workers:
        assert bits(workers.submit(SHORT).result(SOON)) == bits(train(SHORT))
        assert workers.backend == "this process"
        assert "without them" in workers.notice
        assert warnings_of(caplog) == ["Cannot train in dask_cluster: not ready within 2 s"]
        last = cluster.add_worker()
        eventually(lambda: workers.backend == "Dask cluster")
        assert not workers.notice
        assert bits(workers.submit(SHORT).result(SOON)) == bits(train(SHORT))
        last.kill()
        last.wait()
        assert bits(workers.submit(SHORT).result(SOON)) == bits(train(SHORT))
        assert workers.backend == "this process"


def test_workers_of_a_cluster_that_lack_this_code_are_not_used_until_others_come(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scheduler, "LONGEST_PAUSE", 2.0)
    monkeypatch.setenv(DASK_ADDRESS, cluster.address)
    without = cluster.add_worker(path=tmp_path)
    with Workers([dask_cluster, this_process]) as workers:
        assert bits(workers.submit(SHORT).result(SOON)) == bits(train(SHORT))
        assert workers.backend == "this process"
        (warning,) = warnings_of(caplog)
        assert "dask_cluster" in warning
        without.kill()
        cluster.add_worker()
        eventually(lambda: workers.backend == "Dask cluster")
        assert bits(workers.submit(SHORT).result(SOON)) == bits(train(SHORT))


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.message
        for record in caplog.records
        if record.name == "engine.executors.scheduler" and record.levelno == logging.WARNING
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="what other C libraries keep is their affair")
def test_an_idle_worker_gives_its_memory_back() -> None:
    stack = [Experiment(depth=10, steps=100, seed=seed) for seed in range(8)]
    with Workers([partial(worker_processes, 1)]) as workers:
        worker = psutil.Process(workers.submit_many([SHORT], summary=_process).runs[0].result(SOON)[0])
        before = worker.memory_info().rss
        workers.submit(stack).result(SOON)
        eventually(lambda: worker.memory_info().rss < before + 12e6)  # it was 40 MB more


def _process(history: RunHistory) -> int:
    return os.getpid()
