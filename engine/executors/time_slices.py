"""Time slices: what a worker does, whichever backend it belongs to, and what it sends back."""

import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from engine.blas import one_blas_thread
from engine.cost import MAX_FRAMES, MAX_UPDATES
from engine.data.custom import CustomData
from engine.executors.memory import give_memory_back
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.limits import UNLIMITED, Limits
from engine.training import Branches, Training

SLICE_SECONDS = 0.4  # that a run keeps a worker before others get their turn
CHUNK_SECONDS = 0.005  # between two looks at the clock
NICENESS = 10  # of a worker: of 20
WATCH_SECONDS = 2.0  # between two looks of a worker after its server

Summary = Callable[[RunHistory], Any]  # a function of a module, so that a worker can import it


class TrainingArguments(NamedTuple):
    """The arguments of Training, in its order."""

    experiments: tuple[Experiment, ...]
    data: CustomData | None = None
    max_updates: int = MAX_UPDATES
    max_frames: int = MAX_FRAMES
    limits: Limits = UNLIMITED
    branches: Branches = ()


@dataclass(frozen=True)
class TimeSlice:
    """What comes back from a worker: histories of an ended run, or their summaries, or what it takes to go on."""

    progress: float = 0.0  # share of the steps taken
    training: bytes = b""
    histories: tuple = ()
    error: Exception | None = None


@cache
def hold_blas_to_one_thread() -> None:
    """For as long as this process lives, whichever thread asks."""
    one_blas_thread().__enter__()


def advance_slice(training: TrainingArguments | bytes, summary: Summary | None = None) -> TimeSlice:
    """Start or continue a run, for SLICE_SECONDS, or for up to twice as long where that is enough to end it.

    summary: made of each history at the end, here, so that what nobody needs is never sent.
    An error of the run is handed back; so whatever an executor raises speaks of the backend.
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
            return TimeSlice(1.0, histories=tuple(map(summary, histories)) if summary else histories)
        return TimeSlice(run.step / run.steps, pickle.dumps(run, pickle.HIGHEST_PROTOCOL))
    except Exception as error:
        error.add_note(f"In the worker:\n{traceback.format_exc()}")
        return TimeSlice(error=error)


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
