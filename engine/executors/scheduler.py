"""Who trains where: runs (see runs.py) in slices, in fair turns, on the workers of a backend (see backends.py).

Only as many slices as there are workers are ever handed out; all other runs wait in the queue, where they can be
dropped.  A worker that dies or does not answer takes one slice with it: the run goes on elsewhere from the slice
before, with the same result.

Backends are tried in order of preference.  Each has a thread of its own, which starts it, hands out its time slices and
closes it, so that one that hangs holds up nobody but itself.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from engine.cost import MAX_FRAMES, MAX_UPDATES
from engine.data.custom import CustomData
from engine.executors.backends import Backend, default_backends
from engine.executors.runs import CoalescedRun, Run, Sweep, Turns
from engine.executors.time_slices import Summary, TimeSlice, TrainingArguments, advance_slice
from engine.experiment import Experiment
from engine.limits import APP_LIMITS, Limits
from engine.training import Branches, stacks

logger = logging.getLogger(__name__)

ATTEMPTS = 3  # that a slice gets when workers die under it

# Seconds between two starts of a backend, doubled with each until it has worked for the longest: one that keeps failing
# takes little of the processor from the one that works, and yet is soon back.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
FALLBACK_SECONDS = 10.0  # that a backend may take to start before the next one is started as well
LOOK_SECONDS = 0.5  # between two checks for overdue slices, and for better backends that may be tried again
NOTICE_SECONDS = 10.0  # that those who wait are told that a worker was replaced
CLOSE_SECONDS = 10.0  # to wait for backends to close; one that hangs is left behind


@dataclass(eq=False)
class _Candidate:
    """A backend that may be used: how it is started, and when that may be tried again."""

    start: Callable[[], Backend]
    rank: int  # 0 is preferred
    starting: bool = False
    begun: float = 0.0  # when its last start began
    due: float = 0.0  # when it may be started again
    pause: float = 0.0
    error: Exception | None = None  # of the last start
    warned: bool = False  # since it last started

    def warn(self, reason: object) -> None:
        if not self.warned:
            logger.warning("Cannot train in %s: %s", getattr(self.start, "__name__", self.start), reason)
        self.warned = True


@dataclass(eq=False)
class _Pool:
    """A started backend and what it works on."""

    candidate: _Candidate
    backend: Backend
    slots: int
    started: float
    in_flight: dict[Run, float] = field(default_factory=dict)  # run -> when its slice is overdue


class Workers:
    """Trains experiments somewhere else, in fair turns.  Safe to use from many threads; usable as a context manager.

    backends: in order of preference.  While a better one than the present cannot be used, it is tried again and again.
    limits: what a run may cost, because many share the workers.
    """

    def __init__(
        self,
        backends: Sequence[Callable[[], Backend]] | None = None,
        limits: Limits = APP_LIMITS,
    ):
        self._limits = limits
        self._candidates = [_Candidate(start, rank) for rank, start in enumerate(backends or default_backends())]
        self._pool: _Pool | None = None  # which gets the slices
        self._pools: list[_Pool] = []  # that one, and those it replaced while they finish their slices
        self._turns = Turns()
        self._closed = False
        self._awake, self._looked = 0.0, monotonic()
        self._stuck_until = 0.0  # the end of the notice that a worker did not answer
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._begin(self._keep)

    @property
    def backend(self) -> str:
        """Where training runs, in words; empty while it is being started."""
        pool = self._pool
        return pool.backend.name if pool else ""

    @property
    def slots(self) -> int:
        """How many slices are worked on at once; 1 while the backend is being started."""
        pool = self._pool
        return pool.slots if pool else 1

    @property
    def closed(self) -> bool:
        """Whether no more runs are taken."""
        return self._closed

    @property
    def notice(self) -> str:
        """What those who wait should know, in a sentence; empty where all is well."""
        pool = self._pool
        if self._stuck_until > self._awake:
            return "A worker did not answer and was replaced; its work is done again."
        if pool and pool.candidate.rank:
            return "The usual workers cannot be reached; training goes on without them and may be slower."
        return ""

    def submit(
        self,
        experiments: Experiment | Sequence[Experiment],
        data: CustomData | None = None,
        max_updates: int = MAX_UPDATES,
        max_frames: int = MAX_FRAMES,
        branches: Branches = (),
    ) -> Run:
        """Have one experiment trained, or several of equal shape as one stack; returns at once.

        The result is that of Training with the same arguments, to the last bit; a run beyond the limits raises
        OutOfRange as its result.
        Raises CancelledError where the workers are closed, as a run does that they leave unfinished.
        """
        alone = isinstance(experiments, Experiment)
        stack = (experiments,) if isinstance(experiments, Experiment) else tuple(experiments)
        arguments = TrainingArguments(stack, data, max_updates, max_frames, self._limits, branches)
        return self._enqueue(Run(arguments, alone, object()))

    def submit_many(
        self,
        experiments: Sequence[Experiment],
        data: CustomData | None = None,
        max_updates: int = MAX_UPDATES,
        max_frames: int = MAX_FRAMES,
        summary: Summary | None = None,
        ahead: int = 0,
        branches: Sequence[Branches] = (),
    ) -> Sweep:
        """Have many experiments trained, those of equal shape in stacks, spread over the workers.

        summary: what comes back of each history, made where it was trained: a sweep then costs next to no memory here.
        ahead: so many of the first are stacked with no others, and so are there sooner; of the rest the most expensive
        stack comes first, so that no worker is left with a long one at the end.
        branches: of each experiment, where there are any; one that has some trains alone.
        All of them together take turns as one visitor.  Waits for the workers to be there, but not for the runs.
        Raises OutOfRange for data that do not fit, and CancelledError where the workers are closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._pool or self._closed)
        visitor = object()
        alone = [i for i, some in enumerate(branches) if some]
        together = [i for i in range(len(experiments)) if i not in alone]

        def stacked_of(indices: Sequence[int]) -> list[list[int]]:
            return [[indices[k] for k in group] for group in stacks([experiments[i] for i in indices], data)]

        rest = stacked_of(together[ahead:]) + [[i] for i in alone]
        rest.sort(key=lambda group: sum(experiments[i].cost.seconds for i in group), reverse=True)
        whole = stacked_of(together[:ahead]) + rest
        groups = [part for group in whole for part in _parts(group, -(-self.slots // len(whole)))]
        stacked = [
            TrainingArguments(
                tuple(experiments[i] for i in group), data, max_updates, max_frames, self._limits,
                branches[group[0]] if branches else (),
            )
            for group in groups
        ]  # fmt: skip
        return Sweep([self._enqueue(Run(arguments, False, visitor, summary)) for arguments in stacked], groups)

    def close(self) -> None:
        """Give up all backends; runs that have not ended are cancelled."""
        self._give_up()
        end = monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _enqueue(self, run: Run) -> Run:
        with self._changed:
            if self._closed:
                raise CancelledError("These workers are closed.")
            self._turns.put(run)
            self._changed.notify_all()
        return run

    # --- backends ---

    def _begin(self, work: Callable, *args: object) -> None:
        """Do this in a thread.  An error that gets out of it is a bug: all runs end with it, so that nobody waits."""

        def watched() -> None:
            try:
                work(*args)
            except BaseException as error:
                logger.exception("Training has stopped")
                self._give_up(error)

        thread = threading.Thread(target=watched, name=f"training{work.__name__}", daemon=True)
        self._threads = [*filter(threading.Thread.is_alive, self._threads), thread]
        thread.start()

    def _clock(self) -> float:
        """Seconds that this process was awake, with the lock held: suspending the machine makes no slice overdue."""
        now = monotonic()
        self._awake += min(now - self._looked, 2 * LOOK_SECONDS)
        self._looked = now
        return self._awake

    def _keep(self) -> None:
        """Use the best backend that works, and take slices away from workers that do not answer."""
        while True:
            with self._changed:
                if self._closed:
                    return
                ended = self._lose_overdue()
                self._start_better()
                if not ended:
                    self._changed.wait(LOOK_SECONDS)
            for run, error in ended:
                run.end(error, ())

    def _start_better(self) -> None:
        """Start the backends that are better than the present one and due; where there is none, one after the other."""
        now, present = self._clock(), self._pool
        if not present and all(candidate.error and not candidate.starting for candidate in self._candidates):
            raise RuntimeError("No backend can be started") from self._candidates[-1].error
        for candidate in self._candidates[: present.candidate.rank if present else None]:
            if not candidate.starting:
                if now < candidate.due:
                    continue
                candidate.starting, candidate.begun = True, now
                candidate.pause = min(max(FIRST_PAUSE, 2 * candidate.pause), LONGEST_PAUSE)
                candidate.due = now + candidate.pause
                self._begin(self._serve, candidate)
            if not present:
                if now < candidate.begun + FALLBACK_SECONDS:
                    return
                candidate.warn(f"not ready within {FALLBACK_SECONDS:g} s")

    def _serve(self, candidate: _Candidate) -> None:
        """Start the backend, hand out slices until it is lost or a better one has taken over, and close it."""
        try:
            backend = candidate.start()
            slots = max(1, backend.slots())
        except Exception as error:
            with self._changed:
                candidate.starting, candidate.error = False, error
                candidate.warn(_in_a_line(error))
                self._changed.notify_all()
            return
        with self._changed:
            pool = _Pool(candidate, backend, slots, self._clock())
            candidate.starting, candidate.error, candidate.warned = False, None, False
            if not self._closed and (not self._pool or candidate.rank < self._pool.candidate.rank):
                logger.info("Training in %s", backend.name)
                self._pool = pool
                self._pools.append(pool)
                self._changed.notify_all()
        while run := self._wait_for_turn(pool):
            if not self._hand_out(run, pool):
                return
            del run  # or else its history would be kept here until the next turn
        with self._changed:
            self._changed.wait_for(lambda: not pool.in_flight)
            if pool in self._pools:
                self._pools.remove(pool)
        with suppress(Exception):  # what was lost may complain
            backend.close()

    def _wait_for_turn(self, pool: _Pool) -> Run | None:
        """The next run, when there is one and a worker is free; None when the pool gets no more."""
        with self._changed:
            while True:
                self._changed.wait_for(
                    lambda: self._pool is not pool or (self._turns and len(pool.in_flight) < pool.slots)
                )
                if self._pool is not pool:
                    return None
                if run := self._turns.next():
                    # More time with each attempt: a slice that is slow and not stuck must end at last.
                    pool.in_flight[run] = self._clock() + pool.backend.overdue * 2**run.attempts
                    return run

    def _hand_out(self, run: Run, pool: _Pool) -> bool:
        """False when the interpreter is shutting down."""
        future: Future[TimeSlice]
        try:
            pool.slots = max(1, pool.backend.slots())
            future = pool.backend.executor.submit(advance_slice, run.training, summary=run.summary)
        except Exception as error:
            if isinstance(error, RuntimeError) and not isinstance(error, BrokenExecutor):
                # What executors say when the interpreter is shutting down; then they end by themselves.
                self._give_up()
                return False
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda future: self._take_back(run, pool, future))
        return True

    def _take_back(self, run: Run, pool: _Pool, future: "Future[TimeSlice]") -> None:
        """What became of a slice.  Called by the backend's own threads: light work only."""
        lost = future.exception() if not future.cancelled() else BrokenExecutor("The cluster dropped a slice.")
        with self._changed:
            if run not in pool.in_flight:
                return  # too late: the slice is done again elsewhere
            if lost is not None:
                ended = self._lose(pool, lost, [run])
                histories: tuple = ()
            else:
                del pool.in_flight[run]
                part = future.result()
                run.training, run.progress, run.attempts, run.shape = part.training, part.progress, 0, None
                histories = part.histories
                ended = [] if self._goes_on(run, part.error, histories) else [(run, part.error)]
            self._changed.notify_all()
        for run, error in ended:
            run.end(error, histories)

    def _goes_on(self, run: Run, error: BaseException | None, histories: tuple = ()) -> bool:
        """Put the run, or the members of a stack that failed, back in the queue; whether that was done."""
        if error and isinstance(run, CoalescedRun):
            for member in run.members:  # each by itself, so that none suffers for another
                self._turns.put(member)
            return True
        if error or histories or run.cancelled():
            return False
        self._turns.put(run, first=True)
        return True

    def _lose_overdue(self) -> list[tuple[Run, BaseException | None]]:
        """Give up the pools in which a slice is overdue; see _lose."""
        now = self._clock()
        ended = []
        for pool in tuple(self._pools):
            if late := [run for run, end in pool.in_flight.items() if now > end]:
                self._stuck_until = now + NOTICE_SECONDS
                ended += self._lose(pool, TimeoutError("A worker did not answer."), late)
        return ended

    def _lose(self, pool: _Pool, error: BaseException, blamed: Sequence[Run]) -> list[tuple[Run, BaseException | None]]:
        """Give up a pool: its runs go on elsewhere.  Returns those that end instead, with the reason.

        Only for the blamed this counts as one of their ATTEMPTS.
        """
        logger.warning("Lost %s: %s", pool.backend.name, _in_a_line(error))
        self._pools.remove(pool)
        if self._pool is pool:
            self._pool = None
        if self._clock() - pool.started > LONGEST_PAUSE:
            pool.candidate.pause = 0.0
        runs = tuple(pool.in_flight)
        pool.in_flight.clear()
        ended: list[tuple[Run, BaseException | None]] = []
        for run in reversed(runs):  # each is put before those of its visitor
            run.attempts += run in blamed
            failed = error if run.attempts == ATTEMPTS else None
            if not self._goes_on(run, failed):
                ended.append((run, failed))
        return ended

    def _give_up(self, error: BaseException | None = None) -> None:
        """Take no more runs, and end those that wait or are on their way."""
        with self._changed:
            self._closed, self._pool = True, None
            runs = self._turns.clear()
            for pool in self._pools:
                runs += pool.in_flight
                pool.in_flight.clear()
            self._changed.notify_all()
        for run in runs:
            run.end(error, ())


def _in_a_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or repr(error)


def _parts(group: Sequence[int], n: int) -> list[Sequence[int]]:
    """A group in at most n parts of about equal size."""
    size = -(-len(group) // n)
    return [group[start : start + size] for start in range(0, len(group), size)]
