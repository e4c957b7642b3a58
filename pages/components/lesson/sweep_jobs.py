"""What sweeps train: once for all sessions of a server, while anyone looks; what came of it is kept.

A thread of the server collects the outcomes; a sweep that nobody looks at any more is dropped.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass, field
from functools import partial

from engine.cures.outcomes import FRAMES, SEEDS, UPDATE_ROWS, Outcome, outcome_of
from engine.data.custom import CustomData
from engine.executors.scheduler import Sweep, Workers
from pages.components.shell.runs import Branched, Wanted, shared_runs, trained_by

MOST_OUTCOMES = 4000  # kept by the server, at most 3 kB each
LEASE_SECONDS = 10.0  # that a sweep goes on without being looked at: hidden pages look less often
AHEAD = 3 * SEEDS  # experiments that are trained before the rest, for a figure to begin with
WATCH_SECONDS = 0.5  # between two looks of the server whether anyone still looks

AllWanted = tuple[Wanted, ...]


@dataclass(eq=False)
class Job:
    """One sweep on its way."""

    looked: dict[object, float] = field(default_factory=dict)  # visitor -> when he last looked
    sweep: Sweep | None = None
    error: BaseException | None = None

    @property
    def progress(self) -> float:
        """Share of the steps taken of what was not known before."""
        return self.sweep.progress if self.sweep else 0.0

    @property
    def deserted(self) -> bool:
        """Whether nobody has looked for a while."""
        return time.monotonic() - max(self.looked.values(), default=0.0) > LEASE_SECONDS


class SharedSweeps:
    """Outcomes by experiment, shared by all sessions of a server.  Thread-safe.

    A sweep that several visitors look at is trained once, and only those of its experiments that are not known yet.
    Of outcomes the `limit` that were asked for last are kept.
    """

    def __init__(self, workers: Workers, limit: int = MOST_OUTCOMES):
        self.workers = workers
        self.limit = limit
        self._outcomes: OrderedDict[Wanted, Outcome] = OrderedDict()  # least recently asked for first
        self._jobs: dict[AllWanted, Job] = {}
        self._lock = threading.Lock()

    def known(self, experiments: Iterable[Wanted]) -> dict[Wanted, Outcome]:
        """The outcomes of those experiments that have been trained."""
        with self._lock:
            found = {one: self._outcomes[one] for one in experiments if one in self._outcomes}
            for experiment in found:
                self._outcomes.move_to_end(experiment)
            return found

    def look(self, visitor: object, wanted: AllWanted, data: CustomData | None = None) -> Job:
        """The job that trains these experiments, begun now unless it is on its way; keeps it alive for a while."""
        with self._lock:
            job = self._jobs.get(wanted)
            if job is None:
                self._jobs = {key: other for key, other in self._jobs.items() if not (other.error and other.deserted)}
                job = self._jobs[wanted] = Job()
                threading.Thread(target=self._work, args=(wanted, job, data), name="sweep", daemon=True).start()
            job.looked[visitor] = time.monotonic()
            return job

    def leave(self, visitor: object, wanted: AllWanted) -> None:
        """The visitor does not want them any more; nobody else, and what is running is dropped."""
        with self._lock:
            job = self._jobs.get(wanted)
            if job is None:
                return
            job.looked.pop(visitor, None)
            if not job.looked:
                self._drop(wanted, job)

    def _work(self, wanted: AllWanted, job: Job, data: CustomData | None) -> None:
        known = self.known(wanted)
        try:
            missing = [one for one in wanted if one not in known]
            sweep = self.workers.submit_many(
                [one.experiment if isinstance(one, Branched) else one for one in missing],
                data,
                max_updates=UPDATE_ROWS,
                max_frames=FRAMES,
                ahead=AHEAD,
                summary=partial(outcome_of, data=data) if data else outcome_of,
                branches=[one.branches if isinstance(one, Branched) else () for one in missing],
            )
            with self._lock:
                job.sweep = sweep
                if self._jobs.get(wanted) is not job:  # left in the meantime
                    sweep.cancel()
            trained: dict[Future, list[Wanted]] = {run: trained_by(run) for run in sweep.runs}
            waiting = set(trained)
            while waiting:
                ended, waiting = wait(waiting, WATCH_SECONDS, FIRST_COMPLETED)
                for run in ended:
                    self._keep(trained[run], run.result())
                with self._lock:
                    if job.deserted:
                        self._drop(wanted, job)
            self._forget(wanted, job)
        except CancelledError:  # dropped, or the workers were closed
            self._forget(wanted, job)
        except Exception as error:
            if job.sweep:
                job.sweep.cancel()
            job.error = error

    def _keep(self, wanted: Sequence[Wanted], outcomes: Sequence[Outcome]) -> None:
        with self._lock:
            for one, outcome in zip(wanted, outcomes, strict=True):
                self._outcomes[one] = outcome
                self._outcomes.move_to_end(one)
            while len(self._outcomes) > self.limit:
                self._outcomes.popitem(last=False)

    def _drop(self, wanted: AllWanted, job: Job) -> None:
        """With the lock held."""
        if self._jobs.get(wanted) is job:
            del self._jobs[wanted]
        if job.sweep:
            job.sweep.cancel()

    def _forget(self, wanted: AllWanted, job: Job) -> None:
        with self._lock:
            if self._jobs.get(wanted) is job:
                del self._jobs[wanted]


_shared: SharedSweeps | None = None  # not in a cache of Streamlit's, which every visitor can clear
_starting = threading.Lock()


def shared_sweeps() -> SharedSweeps:
    """The one object of the server; it trains where the pages' runs are trained, in fair turns with them."""
    global _shared
    workers = shared_runs().workers
    with _starting:
        if _shared is None or _shared.workers is not workers:
            _shared = SharedSweeps(workers)
        return _shared
