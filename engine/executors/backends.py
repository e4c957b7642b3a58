"""Where training runs: worker processes here, a Dask cluster where there is one, this process as the last resort."""

import ctypes
import gc
import math
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.blas import one_blas_thread
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.training import CustomData, Training

DASK_ADDRESS = "DASK_SCHEDULER_ADDRESS"  # environment variable: where the scheduler of a cluster listens

SLICE_SECONDS = 0.4  # that a run keeps a worker before others get their turn
CHUNK_SECONDS = 0.005  # between two looks at the clock
OVERDUE_SECONDS = 10.0  # after which a slice's worker counts as stuck: more than ten times what the longest slice takes
MAX_WORKERS = 8  # processes; each holds about 50 MB
START_SECONDS = 60.0  # for the first worker to have trained
CONNECT_SECONDS = 5.0  # for a cluster's scheduler to answer
MANAGER_SECONDS = 2.0  # for loky to notice that all its workers are gone
NICENESS = 10  # of a worker: of 20
WATCH_SECONDS = 2.0  # between two looks of a worker after its server

# Read when BLAS is loaded: no threads, and no memory for them, from the start.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

# The arguments of Training.
Recipe = tuple[tuple[Experiment, ...], CustomData | None, int, int, float | None, float | None]
Summary = Callable[[RunHistory], Any]  # a function of a module, so that a worker can import it


# --- in the worker ---


@dataclass(frozen=True)
class Slice:
    """What comes back from a worker: histories of an ended run, or their summaries, or what it takes to go on."""

    progress: float = 0.0  # share of the steps taken
    training: bytes = b""
    histories: tuple = ()
    error: Exception | None = None


@cache
def hold_blas_to_one_thread() -> None:
    """For as long as this process lives, whichever thread asks."""
    one_blas_thread().__enter__()


def advance_slice(training: Recipe | bytes, summary: Summary | None = None) -> Slice:
    """Start or continue a run, for SLICE_SECONDS, or for up to twice as long where that is enough to end it.

    summary: made of each history at the end, here, so that what nobody needs is never sent.
    An error of the run is handed back; so whatever a place raises speaks of the place.
    """
    hold_blas_to_one_thread()
    start = time.perf_counter()
    end = start + SLICE_SECONDS
    try:
        run = pickle.loads(training) if isinstance(training, bytes) else Training(*training)
        first = run.step
        steps = 1
        while True:
            before = time.perf_counter()
            run.advance(steps)
            now = time.perf_counter()
            needed = (now - start) * (run.steps - run.step) / max(run.step - first, 1)
            if run.done or (now > end and now + needed > end + SLICE_SECONDS):
                break
            if now - before < CHUNK_SECONDS:
                steps *= 2
        if run.done:
            histories = run.histories()
            return Slice(1.0, histories=tuple(map(summary, histories)) if summary else histories)
        return Slice(run.step / run.steps, pickle.dumps(run, pickle.HIGHEST_PROTOCOL))
    except Exception as error:
        error.add_note(f"In the worker:\n{traceback.format_exc()}")
        return Slice(error=error)


def prepare_worker(server: int) -> None:
    """Make a fresh worker process ready: one BLAS thread, deaf to Ctrl-C, warm, and gone when its server is.

    It gives way to the server, whom everybody waits for; what waits for a worker meanwhile trains as one stack.
    server: its process id, which a worker that starts as its server is killed could not find out.
    """
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # sent to the whole group; the server ends its workers itself
    hold_blas_to_one_thread()
    Training(Experiment(steps=1)).advance(1).histories()  # a first run pays for what NumPy does once


def _end_with(server: int) -> None:
    """End this process when the server that started it has gone without a word."""
    while os.getppid() == server:
        give_memory_back()
        time.sleep(WATCH_SECONDS)
    os._exit(1)


def give_memory_back() -> None:
    """Free what waits for the collector, and return it to the system where the C library can.

    By itself Python leaves circles of objects alone for minutes, and the library keeps half of what a worker holds.
    """
    gc.collect()
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


# --- places where slices can run ---


@dataclass(frozen=True, eq=False)
class Place:
    """Somewhere to run slices: an executor, how many slices it works on at once, and how to give it up.

    overdue: seconds after which a slice's worker counts as stuck, and the place is given up.
    """

    name: str
    executor: Executor
    slots: Callable[[], int]
    close: Callable[[], None]
    overdue: float


def train_one_step(executor: Executor) -> None:
    """Make sure that a worker can run our code; raises whatever keeps it from that."""
    part = executor.submit(advance_slice, ((Experiment(steps=1),), None, 1, 1, None, None)).result(START_SECONDS)
    if part.error:
        raise part.error


def worker_processes(n_workers: int | None = None) -> Place:
    """Processes of this machine, one a core up to MAX_WORKERS; they stay warm until the place is closed.

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
        train_one_step(executor)
    except BaseException:
        close()
        raise
    return Place("worker processes", executor, lambda: n_workers, close, OVERDUE_SECONDS)


def dask_cluster(address: str | None = None) -> Place:
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
    return Place("Dask cluster", executor, lambda: sum(client.nthreads().values()), client.close, OVERDUE_SECONDS)


@cache
def _loop_of_clients() -> Any:
    """One event loop for all: a client that cannot connect would leave one of its own behind, with a thread."""
    from distributed.utils import LoopRunner

    runner = LoopRunner()
    runner.start()
    return runner.loop


def this_process() -> Place:
    """One thread of this process: slow where many ask, but it always works."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="training")
    # Never overdue: a thread cannot be ended, and a second one would only make the first slower.
    return Place("this process", executor, lambda: 1, lambda: executor.shutdown(wait=False), math.inf)


def default_places() -> tuple[Callable[[], Place], ...]:
    """Where to train, in order of preference."""
    cluster = (dask_cluster,) if os.environ.get(DASK_ADDRESS) else ()
    return *cluster, worker_processes, this_process
