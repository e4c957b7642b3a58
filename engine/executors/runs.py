"""Runs on their way, alone, coalesced or many at once, and the queue in which they wait for their turns.

A run is advanced in slices of a fraction of a second.  After each slice it goes back to the end of the queue, so that
one heavy run cannot starve a class, and a run that nobody wants any more costs at most one slice.
"""

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, InvalidStateError, as_completed
from contextlib import suppress
from typing import Any

from engine.executors.time_slices import Summary, TrainingArguments
from engine.training import shape_key

# Runs of one shape that train as one stack where they have to wait; each then takes two thirds of the time.
MOST_COALESCED = 4
BEGUN_BYTES = 30e6  # of runs that have begun and wait; while they are more, no other begins: one may hold 19 MB


class Run(Future):
    """One training, or one stack, on its way: a concurrent.futures.Future with progress.

    result() is a RunHistory or its summary, of a stack a tuple; or it raises what the training raised (OutOfRange).
    """

    def __init__(self, arguments: TrainingArguments, alone: bool, visitor: object, summary: Summary | None = None):
        super().__init__()
        self.experiments, self.branches = arguments.experiments, arguments.branches
        self.progress = 0.0  # share of the steps taken when the last slice ended
        self.visitor = visitor  # whose turn it takes
        self.training: TrainingArguments | bytes = arguments  # what a worker needs to go on
        self.alone = alone
        self.summary = summary
        self.attempts = 0  # at the present slice
        # What others must share to train together with it; None where it trains by itself.
        first, together = self.experiments[0], alone and not arguments.data and not self.branches
        self.shape = (first.dataset, shape_key(first), *arguments[1:]) if together else None
        self._notified = threading.Lock()  # taken once, by the first who cancels

    @property
    def nbytes(self) -> int:
        """What it takes to go on, once it has begun."""
        return len(self.training) if isinstance(self.training, bytes) else 0

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


class CoalescedRun(Run):
    """Runs of one shape, of different visitors, that train as one stack: with the same numbers, to the last bit."""

    def __init__(self, members: Sequence[Run]):
        self.members = tuple(members)
        arguments = members[0].training
        assert isinstance(arguments, TrainingArguments)  # none of them has begun
        together = arguments._replace(experiments=tuple(run.experiments[0] for run in members))
        super().__init__(together, alone=False, visitor=object())
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
        for i, run in enumerate(self.members):
            run.end(error, histories[i : i + 1])
        self.members = ()  # each holds this stack, and would keep the others' histories as long as itself

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
        """Whether all of them have ended."""
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


class Turns:
    """The queue: runs that wait, in fair turns of their visitors.  Not safe by itself where several threads use it."""

    def __init__(self) -> None:
        self._waiting: dict[object, deque[Run]] = {}  # by visitor, in the order of their turns

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, run: Run, first: bool = False) -> None:
        """Behind its visitor's other runs, or before them; a visitor who has none waiting comes after all others."""
        runs = self._waiting.setdefault(run.visitor, deque())
        (runs.appendleft if first else runs.append)(run)

    def next(self) -> Run | None:
        """One run of the visitor whose turn it is, with others of its shape; None if it was dropped.

        The visitor's other runs wait for their next turn.  While those that have begun hold more than BEGUN_BYTES,
        only they have turns.
        """
        begun = {visitor: sum(run.nbytes for run in runs) for visitor, runs in self._waiting.items()}
        full = sum(begun.values()) > BEGUN_BYTES
        visitor, runs = next(item for item in self._waiting.items() if begun[item[0]] or not full)
        del self._waiting[visitor]
        run = runs.popleft()
        if runs:
            self._waiting[visitor] = runs
        return None if run.cancelled() else self._with_others(run)

    def clear(self) -> list[Run]:
        """Forget all runs, and say which waited."""
        runs = [run for queue in self._waiting.values() for run in queue]
        self._waiting.clear()
        return runs

    def _with_others(self, run: Run) -> Run:
        """The run, or a stack of it and others of its shape that have to wait."""
        if run.shape is None:
            return run
        waiting = [other for runs in self._waiting.values() for other in runs]
        alike = [other for other in waiting if other.shape == run.shape and not other.cancelled()]
        others = alike[: MOST_COALESCED - 1]
        for other in others:
            self._waiting[other.visitor].remove(other)
            if not self._waiting[other.visitor]:
                del self._waiting[other.visitor]
        return CoalescedRun([run, *others]) if others else run
