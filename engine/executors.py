"""Who trains when: runs in slices, in fair turns, on the workers of a place (see places.py).

A run is advanced in slices of a fraction of a second.  After each slice the run goes back to the end of the queue, so
that one heavy run cannot starve a class, and a run that nobody wants any more costs at most one slice.  Only as many
slices as there are workers are ever handed out; all others wait here, where they can be dropped.
A worker that dies takes one slice with it: the run goes on elsewhere from the slice before, with the same result.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Future,
    InvalidStateError,
    as_completed,
)
from contextlib import suppress
from typing import Any

from engine.experiment import Experiment
from engine.places import Place, Recipe, Slice, Summary, advance_slice, default_places
from engine.training import MAX_FRAMES, MAX_UPDATES, CustomData, shape_key, stacks

logger = logging.getLogger(__name__)

# Runs of one shape that train as one stack where they have to wait; each then takes two thirds of the time.
TOGETHER = 4
ATTEMPTS = 3  # that a slice gets when workers die under it


class Run(Future):
    """One training, or one stack, on its way: a concurrent.futures.Future with progress.

    result() is a RunHistory or its summary, of a stack a tuple; or it raises what the training raised (OutOfRange).
    """

    def __init__(self, recipe: Recipe, alone: bool, visitor: object, summary: Summary | None = None):
        super().__init__()
        self.experiments = recipe[0]
        self.progress = 0.0  # share of the steps taken when the last slice ended
        self.visitor = visitor  # whose turn it takes
        self.training: Recipe | bytes = recipe  # what a worker needs to go on
        self.alone = alone
        self.summary = summary
        self.attempts = 0  # at the present slice
        # What others must share to train together with it; None where it trains by itself.
        self.shape = (recipe[0][0].dataset, shape_key(recipe[0][0]), *recipe[1:]) if alone and not recipe[1] else None
        self._notified = threading.Lock()  # taken once, by the first who cancels

    def cancel(self) -> bool:
        """Drop the run unless it has ended: at most its present slice finishes; whoever waits learns so at once."""
        cancelled = super().cancel()
        if cancelled and self._notified.acquire(blocking=False):
            self.set_running_or_notify_cancel()
        return cancelled

    def end(self, error: BaseException | None, histories: tuple) -> None:
        """Say what came of it; without an error and histories it is dropped, and nothing changes once it was."""
        with suppress(InvalidStateError):
            if error:
                self.set_exception(error)
            elif histories:
                self.set_result(histories[0] if self.alone else histories)
            else:
                self.cancel()


class Together(Run):
    """Runs of one shape, of different visitors, that train as one stack: with the same numbers, to the last bit."""

    def __init__(self, members: Sequence[Run]):
        self.members = tuple(members)
        experiments, recipe = tuple(run.experiments[0] for run in members), members[0].training
        super().__init__((experiments, *recipe[1:]), alone=False, visitor=object())
        for run in members:
            run.shape = None  # once is enough, also where the stack fails
            run.add_done_callback(self._left)

    @property
    def progress(self) -> float:
        """Share of the steps taken, which is each member's."""
        return self.members[0].progress

    @progress.setter
    def progress(self, share: float) -> None:
        for run in self.members:
            run.progress = share

    def end(self, error: BaseException | None, histories: tuple) -> None:
        for place, run in enumerate(self.members):
            run.end(error, histories[place : place + 1])

    def _left(self, member: Future) -> None:
        if all(run.done() for run in self.members):
            self.cancel()  # nobody waits for it any more


class Sweep:
    """Many runs at once, as stacks over all workers."""

    def __init__(self, runs: Sequence[Run], indices: Sequence[Sequence[int]]):
        self.runs = tuple(runs)
        self._indices: dict[Future, Sequence[int]] = dict(zip(runs, indices, strict=True))  # of a run's experiments

    @property
    def progress(self) -> float:
        """Share of all steps taken."""
        steps = [sum(experiment.steps for experiment in run.experiments) for run in self.runs]
        return sum(n * run.progress for n, run in zip(steps, self.runs, strict=True)) / max(sum(steps), 1)

    def done(self) -> bool:
        return all(run.done() for run in self.runs)

    def cancel(self) -> None:
        """Drop what has not ended; at most the present slices finish."""
        for run in self.runs:
            run.cancel()

    def as_completed(self, timeout: float | None = None) -> Iterator[tuple[int, Any]]:
        """(index of the experiment, history or its summary) as they come.

        Raises the first error of a run, and CancelledError.
        """
        for run in as_completed(self._indices, timeout):
            yield from zip(self._indices[run], run.result(), strict=True)

    def result(self, timeout: float | None = None) -> list[Any]:
        """All histories, or their summaries, in the order of the experiments."""
        histories = dict(self.as_completed(timeout))
        return [histories[i] for i in sorted(histories)]


class Workers:
    """Trains experiments somewhere else, in fair turns.  Safe to use from many threads; usable as a context manager.

    places are tried in order until one can be started, now and whenever the present one is lost.
    """

    def __init__(self, places: Sequence[Callable[[], Place]] | None = None):
        self._places = tuple(places or default_places())
        self._place: Place | None = None
        self._lost = False
        self._closed = False
        self._slots = 1
        self._in_flight = 0
        self._waiting: dict[object, deque[Run]] = {}  # by visitor, in the order of their turns
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._dispatch, name="training-dispatch", daemon=True)
        self._thread.start()

    @property
    def place(self) -> str:
        """Where training runs, in words; empty while the first place is being started."""
        return self._place.name if self._place else ""

    @property
    def slots(self) -> int:
        """How many slices are worked on at once; 1 while the first place is being started."""
        return self._slots

    @property
    def closed(self) -> bool:
        """Whether no more runs are taken."""
        return self._closed

    def submit(
        self,
        experiments: Experiment | Sequence[Experiment],
        data: CustomData | None = None,
        max_updates: int = MAX_UPDATES,
        max_frames: int = MAX_FRAMES,
    ) -> Run:
        """Have one experiment trained, or several of equal shape as one stack; returns at once.

        The result is that of Training with the same arguments, to the last bit.
        """
        alone = isinstance(experiments, Experiment)
        recipe = ((experiments,) if isinstance(experiments, Experiment) else tuple(experiments)), data
        return self._enqueue(Run((*recipe, max_updates, max_frames), alone, object()))

    def submit_many(
        self,
        experiments: Sequence[Experiment],
        data: CustomData | None = None,
        max_updates: int = MAX_UPDATES,
        max_frames: int = MAX_FRAMES,
        summary: Summary | None = None,
        ahead: int = 0,
    ) -> Sweep:
        """Have many experiments trained, those of equal shape in stacks, spread over the workers.

        summary: what comes back of each history, made where it was trained: a sweep then costs next to no memory here.
        ahead: so many of the first are stacked with no others, and so are there sooner; of the rest the dearest stack
        comes first, so that no worker is left with a long one at the end.
        All of them together take turns as one visitor.  Waits for the workers to be there, but not for the runs.
        Raises OutOfRange for data that do not fit.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._place or self._closed)
        visitor = object()
        rest = [[ahead + i for i in group] for group in stacks(experiments[ahead:], data)]
        rest.sort(key=lambda group: sum(experiments[i].cost.seconds for i in group), reverse=True)
        whole = stacks(experiments[:ahead], data) + rest
        groups = [part for group in whole for part in _parts(group, -(-self._slots // len(whole)))]
        recipes = [(tuple(experiments[i] for i in group), data, max_updates, max_frames) for group in groups]
        return Sweep([self._enqueue(Run(recipe, False, visitor, summary)) for recipe in recipes], groups)

    def close(self) -> None:
        """Give up the place; runs that have not ended are cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    # --- turns ---

    def _enqueue(self, run: Run) -> Run:
        with self._changed:
            if self._closed:
                raise RuntimeError("These workers are closed.")
            self._put(run)
            self._changed.notify_all()
        return run

    def _put(self, run: Run, first: bool = False) -> None:
        """Behind its visitor's other runs, or before them; a visitor who has none waiting comes after all others."""
        runs = self._waiting.setdefault(run.visitor, deque())
        (runs.appendleft if first else runs.append)(run)

    def _with_others(self, run: Run) -> Run:
        """The run, or a stack of it and others of its shape that have to wait."""
        if run.shape is None:
            return run
        waiting = [other for runs in self._waiting.values() for other in runs]
        others = [other for other in waiting if other.shape == run.shape and not other.cancelled()][: TOGETHER - 1]
        for other in others:
            self._waiting[other.visitor].remove(other)
            if not self._waiting[other.visitor]:
                del self._waiting[other.visitor]
        return Together([run, *others]) if others else run

    def _next(self) -> Run:
        """One run of the visitor whose turn it is; the visitor's others wait for their next turn."""
        visitor, runs = next(iter(self._waiting.items()))
        del self._waiting[visitor]
        run = runs.popleft()
        if runs:
            self._waiting[visitor] = runs
        return run

    # --- the thread that hands out slices ---

    def _dispatch(self) -> None:
        try:
            while not self._closed:
                if self._place is None or self._lost:
                    self._start()
                elif run := self._wait_for_turn():
                    self._hand_out(run)
        except BaseException as error:
            logger.exception("Training has stopped")
            self._give_up(error)
        finally:
            self._give_up()
            if self._place:
                self._place.close()

    def _start(self) -> None:
        """Start the first place that can be started."""
        with self._changed:
            place, self._place, self._lost = self._place, None, False
        if place:
            with suppress(Exception):  # what was lost may complain
                place.close()
        error: Exception | None = None
        for start in self._places:
            try:
                place = start()
                with self._changed:
                    self._place, self._slots = place, max(1, place.slots())
                    self._changed.notify_all()
                return
            except Exception as reason:
                error = reason
                logger.warning("Cannot train in %s: %s", getattr(start, "__name__", start), reason)
        raise RuntimeError("There is no place to train") from error

    def _wait_for_turn(self) -> Run | None:
        """The next run, when there is one and a worker is free; None when the place was lost or the run was dropped."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._lost or (self._waiting and self._in_flight < self._slots)
            )
            if self._closed or self._lost:
                return None
            run = self._next()
            if run.cancelled():
                return None
            self._in_flight += 1
            return self._with_others(run)

    def _hand_out(self, run: Run) -> None:
        place = self._place
        assert place is not None
        future: Future[Slice]
        try:
            self._slots = max(1, place.slots())
            future = place.executor.submit(advance_slice, run.training, summary=run.summary)
        except Exception as error:
            if isinstance(error, RuntimeError) and not isinstance(error, BrokenExecutor):
                # What executors say when the interpreter is shutting down; then they end by themselves.
                self._closed, self._place = True, None
            future = Future()
            future.set_exception(error)
        future.add_done_callback(lambda future: self._take_back(run, place, future))

    def _take_back(self, run: Run, place: Place, future: "Future[Slice]") -> None:
        """What became of a slice.  Called by the place's own threads: light work only."""
        lost = future.exception() if not future.cancelled() else CancelledError("The cluster dropped a slice.")
        part = future.result() if lost is None else Slice()
        if lost is None:
            run.training, run.progress, run.attempts, run.shape = part.training, part.progress, 0, None
        else:
            run.attempts += 1
        failed = lost if run.attempts == ATTEMPTS else part.error
        with self._changed:
            self._in_flight -= 1
            if lost is not None and place is self._place:
                self._lost = True
                logger.info("Lost %s: %s", place.name, lost)
            goes_on = not (failed or part.histories or run.cancelled() or self._closed)
            if goes_on:
                self._put(run, first=True)
            elif failed and isinstance(run, Together) and not self._closed:
                for member in run.members:  # each by itself, so that none suffers for another
                    self._put(member)
                goes_on = True
            self._changed.notify_all()
        if not goes_on:
            run.end(failed, part.histories)

    def _give_up(self, error: BaseException | None = None) -> None:
        """Take no more runs, and end those that wait."""
        with self._changed:
            self._closed = True
            runs = [run for queue in self._waiting.values() for run in queue]
            self._waiting.clear()
        for run in runs:
            run.end(error, ())


def _parts(group: Sequence[int], n: int) -> list[Sequence[int]]:
    """A group in at most n parts of about equal size."""
    size = -(-len(group) // n)
    return [group[start : start + size] for start in range(0, len(group), size)]
