"""Where training runs: worker processes here, a Dask cluster where there is one, this process as the last resort."""

import math
import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

from engine.executors.time_slices import TrainingArguments, advance_slice, prepare_worker
from engine.experiment import Experiment

DASK_ADDRESS = "DASK_SCHEDULER_ADDRESS"  # environment variable: where the scheduler of a cluster listens

OVERDUE_SECONDS = 10.0  # after which a slice's worker counts as stuck: more than ten times what the longest slice takes
MAX_WORKERS = 8  # processes; each holds about 50 MB
START_SECONDS = 60.0  # for the first worker to have trained
CONNECT_SECONDS = 5.0  # for a cluster's scheduler to answer
MANAGER_SECONDS = 2.0  # for loky to notice that all its workers are gone

PIPE_BYTES = 1024**2  # what Linux allows: a history comes in two parts, where it would come in twenty-five

# Read when BLAS is loaded: no threads, and no memory for them, from the start.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, eq=False)
class Backend:
    """Somewhere to run time slices: an executor, how many slices it works on at once, and how to give it up.

    overdue: seconds after which a slice's worker counts as stuck, and the backend is given up.
    """

    name: str
    executor: Executor
    slots: Callable[[], int]
    close: Callable[[], None]
    overdue: float


def train_one_step(executor: Executor) -> None:
    """Make sure that a worker can run our code; raises whatever keeps it from that."""
    part = executor.submit(advance_slice, TrainingArguments((Experiment(steps=1),))).result(START_SECONDS)
    if part.error:
        raise part.error


def worker_processes(n_workers: int | None = None) -> Backend:
    """Processes of this machine, one a core up to MAX_WORKERS; they stay warm until the backend is closed.

    Only cores that this process may use count: affinity and a container's limit are respected.
    loky starts them without importing `__main__`, which Streamlit replaces by the page's script.
    Raises whatever keeps the first of them from being ready.
    """
    import loky

    n_workers = n_workers or min(loky.cpu_count(), MAX_WORKERS)
    executor = loky.ProcessPoolExecutor(
        n_workers, timeout=None, initializer=prepare_worker, initargs=(os.getpid(),), env=ONE_THREAD
    )

    def close() -> None:
        # Killed by us: loky leaves that to a thread, which may be waiting for the rest of a stuck worker's answer.
        manager, answers = executor._executor_manager_thread, executor._result_queue
        for pid in tuple(executor._processes):
            with suppress(ProcessLookupError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        if manager:
            manager.join(MANAGER_SECONDS)
            if manager.is_alive():
                answers._writer.close()  # the last that could still say anything
        executor.shutdown(kill_workers=True)

    try:
        _widen(executor._result_queue._reader)
        train_one_step(executor)
    except BaseException:
        close()
        raise
    return Backend("worker processes", executor, lambda: n_workers, close, OVERDUE_SECONDS)


def _widen(pipe: Connection) -> None:
    """Let a pipe hold PIPE_BYTES where the system can: before each part this process waits for its other threads."""
    with suppress(ImportError, AttributeError, OSError):
        from fcntl import F_SETPIPE_SZ, fcntl

        fcntl(pipe.fileno(), F_SETPIPE_SZ, PIPE_BYTES)


def dask_cluster(address: str | None = None) -> Backend:
    """The Dask cluster whose scheduler listens at `address`, else at the one that the environment names.

    Its workers need this package on their path.  Raises OSError where no scheduler answers within CONNECT_SECONDS, and
    whatever keeps the first of its workers from training.
    """
    from distributed import Client

    client = Client(
        address or os.environ[DASK_ADDRESS], timeout=CONNECT_SECONDS, set_as_default=False, loop=_loop_of_clients()
    )
    # pure=False: a slice that is asked for again is computed again
    executor = client.get_executor(pure=False)
    try:
        train_one_step(executor)
    except BaseException:
        client.close()
        raise
    return Backend("Dask cluster", executor, lambda: sum(client.nthreads().values()), client.close, OVERDUE_SECONDS)


@cache
def _loop_of_clients() -> Any:
    """One event loop for all: a client that cannot connect would leave one of its own behind, with a thread."""
    from distributed.utils import LoopRunner

    runner = LoopRunner()
    runner.start()
    return runner.loop


def this_process() -> Backend:
    """One thread of this process: slow where many ask, but it always works."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="training")
    # Never overdue: a thread cannot be ended, and a second one would only make the first slower.
    return Backend("this process", executor, lambda: 1, lambda: executor.shutdown(wait=False), math.inf)


def default_backends() -> tuple[Callable[[], Backend], ...]:
    """Where to train, in order of preference."""
    cluster = (dask_cluster,) if os.environ.get(DASK_ADDRESS) else ()
    return *cluster, worker_processes, this_process
