"""Training for pages: what is on the screen is trained once, whoever asks, and dropped when nobody asks any more."""

import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, CancelledError, wait
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from engine.executors.scheduler import Run, Workers
from engine.experiment import Experiment
from engine.history import RunHistory
from engine.training import Branches, CustomData
from pages.components.shell.script_turns import letting_others

CACHE_BYTES = 56e6  # of histories; a default run leaves about 1.6 MB, the largest 16 MB
AGAIN_SHARE = 0.9  # of them, for runs that were asked for more than once
REMEMBERED = 1000  # of the runs last asked for: whether they were is known after their histories have gone
POLL_SECONDS = 0.05  # between two looks whether the visitor has moved on, at first
PATIENCE_SECONDS = 0.3  # before progress shows, so that a quick run does not flicker
PROGRESS_SECONDS = 0.25  # between two looks, and states of the bar, then: a waiting class must not slow down its runs
GRACE_SECONDS = 0.5  # that a run outlives its last visitor, who may ask for it again in the very next rerun


class Branched(NamedTuple):
    """A run that begins as one experiment and goes on as others, see `Training.branch`."""

    experiment: Experiment
    branches: Branches


Wanted = Experiment | Branched


def trained_by(run: Run) -> list[Wanted]:
    """What a run trains."""
    return [Branched(one, run.branches) if run.branches else one for one in run.experiments]


def last_of(wanted: Wanted) -> Experiment:
    """The settings that it ends with."""
    return wanted.branches[-1][1] if isinstance(wanted, Branched) else wanted


@dataclass(eq=False)
class _Entry:
    run: Run
    again: bool  # whether it was asked for before
    first: bool  # whether it was the first of those that were asked for together
    visitors: int = 0  # who wait for it
    nbytes: int = 0  # of its history, once there is one


class SharedRuns:
    """Runs by experiment, shared by all sessions of a server.  Thread-safe.

    An experiment that several ask for is trained once.  Histories are kept up to `limit` bytes, those least recently
    asked for going first; failures are not kept.  Those asked for once go before the others, which have AGAIN_SHARE of
    the bytes, and of either kind those go last that were the first of several, the patients of a class: each visitor
    changes the other network of two, and the patient must outlast what all change theirs to.
    """

    def __init__(self, workers: Workers, limit: float = CACHE_BYTES):
        self.workers = workers
        self.limit = limit
        self.nbytes = 0
        self._entries: OrderedDict[Wanted, _Entry] = OrderedDict()  # least recently asked for first
        self._remembered: OrderedDict[int, None] = OrderedDict()  # hashes of what was asked for lately, the same way
        self._lock = threading.RLock()  # a callback of a run may come from inside

    def __len__(self) -> int:
        return len(self._entries)

    def join(self, wanted: Wanted, data: CustomData | None = None, first: bool = False) -> Run:
        """The run of this experiment, whether ended, on its way, or begun now.  Whoever joins must leave.

        first: of several that are asked for together.
        """
        with self._lock:
            again = self._remember(wanted)
            entry = self._entries.get(wanted)
            if entry:
                entry.again, entry.first = True, entry.first or first
                self._entries.move_to_end(wanted)
            else:
                experiment, branches = wanted if isinstance(wanted, Branched) else (wanted, ())
                run = self.workers.submit(experiment, data, branches=branches)
                entry = self._entries[wanted] = _Entry(run, again, first)
                # It does not hold the entry: in a circle with its run a dropped history waits long for the collector.
                entry.run.add_done_callback(partial(self._ended, wanted))
            entry.visitors += 1
            return entry.run

    def prefetch(self, experiment: Experiment) -> None:
        """Have a run trained to its end, whoever waits for it."""
        run = self.join(experiment)
        run.add_done_callback(lambda _: self.leave(run))

    def leave(self, run: Run) -> None:
        """A visitor who joined does not wait any more; a run without visitors is soon dropped."""
        (wanted,) = trained_by(run)
        with self._lock:
            entry = self._entries.get(wanted)
            if entry is None or entry.run is not run:
                return
            entry.visitors -= 1
            if entry.visitors or run.done():
                return
        timer = threading.Timer(GRACE_SECONDS, self._drop, (entry,))
        timer.daemon = True
        timer.start()

    def close(self) -> None:
        """Give up the workers and forget all."""
        self.workers.close()
        with self._lock:
            self._entries.clear()
            self.nbytes = 0

    def _drop(self, entry: _Entry) -> None:
        with self._lock:
            if entry.visitors == 0 and not entry.run.done():
                entry.run.cancel()

    def _ended(self, wanted: Wanted, run: Run) -> None:
        with self._lock:
            entry = self._entries.get(wanted)
            if entry is None or entry.run is not run:
                return
            if run.cancelled() or run.exception():
                del self._entries[wanted]
                return
            entry.nbytes = run.result().nbytes
            self.nbytes += entry.nbytes
            if self.nbytes > self.limit:
                self._make_room(entry)

    def _make_room(self, newest: _Entry) -> None:
        kept = {wanted: entry for wanted, entry in self._entries.items() if entry.nbytes and entry is not newest}
        again = sum(entry.nbytes for entry in kept.values() if entry.again)
        while kept and self.nbytes > self.limit:
            crowded = again > AGAIN_SHARE * self.limit
            alike = [wanted for wanted, entry in kept.items() if entry.again == crowded] or list(kept)
            least = min(alike, key=lambda wanted: kept[wanted].first)  # the oldest of equals
            entry = kept.pop(least)
            del self._entries[least]
            self.nbytes -= entry.nbytes
            again -= entry.nbytes * entry.again

    def _remember(self, wanted: Wanted) -> bool:
        """Whether it was asked for lately."""
        key = hash(wanted)
        again = key in self._remembered
        self._remembered[key] = None
        self._remembered.move_to_end(key)
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return again


_shared: SharedRuns | None = None  # not in a cache of Streamlit's, which every visitor can clear
_starting = threading.Lock()


def shared_runs() -> SharedRuns:
    """The one object of the server.  The first call starts the workers and does not wait for them."""
    global _shared
    with _starting:
        if _shared is None or _shared.workers.closed:
            _shared = SharedRuns(Workers())
        return _shared


def _close() -> None:
    if _shared is not None:
        _shared.close()


# Where its file watcher is on, Streamlit loads modules anew when a source file changes; the workers run the old code.
weakref.finalize(sys.modules[__name__], _close).atexit = False


def histories_of(
    experiments: Sequence[Wanted], data: CustomData | None = None, place: DeltaGenerator | None = None
) -> tuple[RunHistory, ...]:
    """What the runs of these experiments left behind, trained now unless they have been before.

    While they train, a bar in `place` (here, if none is given) shows how far they are.  A visitor who changes a widget
    or closes the page in the meantime ends the script in here, and with it the runs that nobody else waits for.
    Raises OutOfRange for an experiment over budget.
    """
    place = place or st.empty()
    while True:
        try:
            return _histories_of(experiments, data, place)
        except CancelledError:  # the workers were closed: others do it
            place.empty()


def ended_runs(experiments: Sequence[Wanted], data: CustomData | None = None) -> tuple[RunHistory, ...]:
    """The same outside of a script's run, as where a download is made: nothing shows how far they are."""
    shared = shared_runs()
    runs = [shared.join(experiment, data) for experiment in experiments]
    try:
        return tuple(run.result() for run in runs)
    finally:
        for run in runs:
            shared.leave(run)


def train_meanwhile(experiments: Sequence[Experiment]) -> None:
    """Have the runs of these experiments trained for who will soon ask for them; does not wait."""
    for experiment in experiments:
        shared_runs().prefetch(experiment)


def _histories_of(
    experiments: Sequence[Wanted], data: CustomData | None, place: DeltaGenerator
) -> tuple[RunHistory, ...]:
    shared = shared_runs()
    runs: list[Run] = []
    try:
        for i, experiment in enumerate(experiments):
            runs.append(shared.join(experiment, data, first=len(experiments) > 1 and i == 0))
        if not all(run.done() for run in runs):
            with letting_others():
                _wait(runs, place, shared.workers)
        return tuple(run.result() for run in runs)
    finally:
        for run in runs:
            shared.leave(run)


def _wait(runs: Sequence[Run], place: DeltaGenerator, workers: Workers) -> None:
    """Until all have ended, or raise what the first that failed raised.

    Streamlit interrupts a script only where it calls Streamlit.
    """
    due, shown = time.monotonic() + PATIENCE_SECONDS, None
    while True:
        ended, waiting = wait(runs, POLL_SECONDS if shown is None else PROGRESS_SECONDS, FIRST_EXCEPTION)
        for run in ended:
            run.result()
        if not waiting:
            break
        share = sum(run.progress for run in runs) / len(runs)
        text = " · ".join(filter(None, (f"Training: {share:.0%}", workers.notice)))
        if time.monotonic() > due and (share, text) != shown:
            place.progress(share, text=text)
            shown = share, text
        else:
            st.session_state.get("any")  # a point of interruption that sends nothing
    if shown is not None:
        place.empty()
