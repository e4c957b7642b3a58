"""Sweeps on a page: many small trainings that answer one question, over several seeds; asked for, watched, drawn.

The page never waits for a sweep: it looks at the outcomes twice a second, in a fragment of its own.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import streamlit as st

from engine import OutOfRange
from engine.cost import estimate
from engine.cures.outcomes import SEEDS, UNRECORDED, Outcome, seconds_of
from engine.data.sources import DATASETS
from engine.limits import check_budget
from pages.charts.style.figure import SweepChart
from pages.charts.sweeps.groups import MOST_GROUPS
from pages.components.lesson.cards import show_data
from pages.components.lesson.sweep_jobs import AllWanted, shared_sweeps
from pages.components.shell.plot import encoded, plot
from pages.components.shell.runs import Branched, Wanted, last_of
from pages.components.shell.session import this_session
from pages.text import labels
from pages.text.own_data import OwnData, at_hand, own_data

MOST_SECONDS = 225.0  # of one core, that a sweep may take
SLOWER = 1.9  # than seconds_of says: measured 1.4 to 2.4 on two busy cores, up to 4 for the smallest networks
LEAST_BESIDE = 400  # pixels of a figure with something beside it
POLL_SECONDS = 0.5  # between two looks of a page at its sweep
REDRAW_SECONDS = 2.0  # between two figures of one on its way: server and browser have them to draw beside the training


@dataclass(eq=False)
class Visitor:
    """What a session asked for: sweep's place on its page -> experiments."""

    wanted: dict[str, AllWanted] = field(default_factory=dict)
    drawn: dict[str, tuple[float, bytes]] = field(default_factory=dict)  # place -> when, and the figure of that time

    def start(self, place: str, wanted: AllWanted) -> None:
        self.wanted[place] = wanted
        self.drawn.pop(place, None)

    def stop(self, place: str) -> None:
        self.drawn.pop(place, None)
        if wanted := self.wanted.pop(place, None):
            shared_sweeps().leave(self, wanted)


def visitor() -> Visitor:
    """This session's."""
    session = this_session()
    session.sweeps = session.sweeps or Visitor()
    return session.sweeps


Results = Mapping[str, Sequence[Outcome]]
Known = Mapping[Any, Outcome]  # by what was wanted
Groups = Mapping[str, Sequence[Wanted]]


@dataclass(frozen=True, eq=False)
class _Sweep:
    """A sweep as a page asked for it, see `sweep`; place: its name on the page."""

    chart: SweepChart
    place: str
    title: str
    groups: Callable[[Known], Groups]
    grows: bool
    own: OwnData | None
    then: Callable[[Results], None] | None
    first: Callable[[Results], None] | None
    left_out: Callable[..., int] | None
    rules: str
    start: str
    most: int
    context: dict[str, Any]

    def now(self) -> tuple[AllWanted, Known, Results]:
        return so_far(self.groups, self.grows)


def so_far(groups_of: Callable[[Known], Groups], grows: bool = True) -> tuple[AllWanted, Known, Results]:
    """What is wanted by now, and what of it is known, also by group: what is known may say what else is wanted."""
    known: Known = {}
    while True:
        groups = groups_of(known)
        wanted = wanted_of(groups)
        found = shared_sweeps().known(wanted)
        if len(found) == len(known) or not grows:
            results = {label: [found[one] for one in group if one in found] for label, group in groups.items()}
            return wanted, found, results
        known = found


def sweep(
    chart: SweepChart,
    groups: Groups | Callable[[Known], Groups],
    *,
    own: OwnData | None = None,
    then: Callable[[Results], None] | None = None,
    first: Callable[[Results], None] | None = None,
    left_out: Callable[..., int] | None = None,
    rules: str = "",
    start: str = f"Measure over {SEEDS} seeds",
    most: int = 0,
    **context: Any,
) -> None:
    """Draw what came of these groups of experiments, or the button that has them trained.

    chart: a module with TITLE, QUESTION, and figure, alt, table and says of (results, **context), results: group ->
    outcomes that there are, in the order of the group's experiments; NEEDS, where groups may be empty: what the sweep
    can be made for.  context goes to the chart.
    groups: or what makes them of the outcomes that are known; where it wants more then, that is trained too.
    own: data that the experiments are trained on, where they are custom.
    then, first: draw what stands beside and above the figure in the end.  start: what the button says.
    left_out: how many rows the chart leaves out at first, of (results, **context); its figure and alt take `whole`.
    rules: by which the chart judges, in Markdown, told with how to read it.
    most: how many experiments they may grow to be, where that is known.
    """
    field_name = context.get("field", "")  # what a chart that can be made for several is made for
    place = "_".join(filter(None, [chart.__name__.rpartition(".")[2], field_name]))
    title = ": ".join(filter(None, [chart.TITLE, field_name]))
    grows = callable(groups)
    made = groups if callable(groups) else lambda _: groups
    with st.container(key=f"sweep_{place}"):
        _sweep(_Sweep(chart, place, title, made, grows, own, then, first, left_out, rules, start, most, context))


def wanted_of(groups: Groups) -> AllWanted:
    """All experiments of a sweep, each once."""
    return tuple(dict.fromkeys(experiment for group in groups.values() for experiment in group))


@st.fragment
def _sweep(sweep: _Sweep) -> None:
    with at_hand(sweep.own):
        _show(sweep)


def _show(sweep: _Sweep) -> None:
    chart, place = sweep.chart, sweep.place
    wanted, known, results = sweep.now()
    complete = bool(wanted) and len(known) == len(wanted)
    before = visitor().wanted.get(place, ())
    running = not complete and bool(before) and (before == wanted or (sweep.grows and set(before) <= set(wanted)))
    if not running:
        visitor().stop(place)  # what it asked for before other settings
    elif before != wanted:
        visitor().start(place, wanted)  # what follows from what it asked for
    with st.container(horizontal=True, vertical_alignment="center", key=f"head_{place}"):
        st.subheader(sweep.title, help=chart.HOW_TO_READ + sweep.rules, width="stretch", anchor=False)
        whole = _toggle(sweep, results) if known else {}
        slot = st.empty()  # which is emptied by the next run, where a container would keep the button
        if complete and slot.button(
            f"Data: {sweep.title}", icon=":material/table:", type="tertiary", key=f"data_{place}", help="Data"
        ):
            show_data(sweep.title, place, lambda: chart.table(results, **sweep.context))
        if running:
            slot.button(
                "Stop", icon=":material/stop:", type="tertiary", key=f"stop_{place}", on_click=visitor().stop,
                args=(place,),
            )  # fmt: skip
    if complete and sweep.then:
        with st.grid(2, min_column_width=LEAST_BESIDE):
            with st.container():
                _say(sweep, results)
                sweep.then(results)
            with st.container():
                _plot(sweep, _figure(sweep, results, **whole))
    elif complete:
        _say(sweep, results)
        _plot(sweep, _figure(sweep, results, **whole))
    elif running:
        _watch(sweep, wanted)
    else:
        _offer(sweep, wanted, len(known))
        if known:
            _plot(sweep, _figure(sweep, results, **whole))


def _offer(sweep: _Sweep, wanted: AllWanted, n_known: int) -> None:
    """What would be trained, and the button; or why not."""
    question = sweep.chart.QUESTION
    if not wanted:
        st.markdown(f"{question} It can be measured only for {sweep.chart.NEEDS}.")
        return
    seconds, reason = _cost(wanted)
    if seconds > MOST_SECONDS:
        minutes = f"about {seconds / 60:.0f} minutes"
        reason = f"All {len(wanted)} networks would take {minutes}; fewer steps or units help."
    if reason:
        st.markdown(f"{question} With these settings it is too much work to measure here. {reason}")
        return
    seconds /= shared_sweeps().workers.slots
    about = _duration(seconds * (1 - n_known / len(wanted)))
    if sweep.most > len(wanted):
        about += f"; up to {sweep.most} in all, {_duration(seconds * (sweep.most - n_known) / len(wanted))}"
    left = (
        f"{n_known} of {len(wanted)} networks are trained already, the others" if n_known else f"{len(wanted)} networks"
    )
    first = " to begin with" if sweep.grows else ""
    st.markdown(f"{question} {left} are trained to measure it{first}, {about}.")
    st.button(
        sweep.start, icon=":material/play_arrow:", key=f"start_{sweep.place}",
        on_click=visitor().start, args=(sweep.place, wanted),
    )  # fmt: skip


@st.fragment(run_every=POLL_SECONDS)
def _watch(sweep: _Sweep, wanted: AllWanted) -> None:
    with at_hand(sweep.own):
        _show_so_far(sweep, wanted)


def _show_so_far(sweep: _Sweep, wanted: AllWanted) -> None:
    """Progress, and the figure of what there was a short while ago."""
    drawn, figure = visitor().drawn.get(sweep.place, (0.0, b""))
    known: Known = shared_sweeps().known(wanted)
    late = time.monotonic() - drawn > REDRAW_SECONDS
    if late or (known and not figure) or len(known) == len(wanted):
        now, known, results = sweep.now()
        if len(known) == len(now) or now != wanted:
            st.rerun()
        figure = _figure(sweep, results) if known else b""
        visitor().drawn[sweep.place] = time.monotonic(), figure
    job = shared_sweeps().look(visitor(), wanted, sweep.own.arrays if sweep.own else None)
    if job.error:
        message = str(job.error) if isinstance(job.error, OutOfRange) else "Something went wrong while it was trained."
        st.error(f"{message} Stop, and try again or with other settings.")
        return
    share, so_far = job.progress, f"{len(known)} of {len(wanted)} networks finished"
    if sweep.grows:  # in rounds, each of which begins at none of its steps
        share = len(known) / max(len(wanted), sweep.most)
        so_far += "; they say what is worth trying next"
    else:
        so_far = f"{share:.0%} of the steps; {so_far}"
    st.progress(share, text=" · ".join(filter(None, (so_far, shared_sweeps().workers.notice))))
    _plot(sweep, figure)


def _say(sweep: _Sweep, results: Results) -> None:
    """The sentence that follows the measurement."""
    st.markdown(sweep.chart.says(results, **sweep.context))
    if sweep.first:
        sweep.first(results)


def _toggle(sweep: _Sweep, results: Results) -> dict[str, bool]:
    """The choice of a whole figure, where rows are left out at first, as the chart has it."""
    n = sweep.left_out(results, **sweep.context) if sweep.left_out else 0
    return {"whole": st.toggle(f"Show {n} more", key=f"whole_{sweep.place}")} if n else {}


def _figure(sweep: _Sweep, results: Results, **whole: bool) -> bytes:
    """As a page sends it; empty where nothing can be drawn yet."""
    figure = sweep.chart.figure(results, **sweep.context, **whole)
    return b"" if figure.empty else encoded(figure, sweep.chart.alt(results, **sweep.context, **whole))


def _plot(sweep: _Sweep, figure: bytes) -> None:
    if figure:
        plot(figure, key=f"chart_{sweep.place}")


@lru_cache(MOST_GROUPS)
def _cost(wanted: AllWanted) -> tuple[float, str]:
    """Seconds of one core that they take, and why one of them cannot be trained here, in a sentence."""
    experiments = [last_of(one) for one in wanted]
    own = own_data(experiments[0])
    for experiment in experiments:
        source = DATASETS[experiment.dataset]
        try:
            check_budget(experiment, *(own.sizes if own else (source.n_in, source.n_out)))
        except OutOfRange as error:
            return 0.0, labels.refusal(error)
    sizes = own.sizes if own else None
    together = [one for one in wanted if not isinstance(one, Branched)]
    alone = [last_of(one) for one in wanted if isinstance(one, Branched)]  # these share no stack, and save nothing
    costs = [estimate(one, *sizes) if sizes else one.cost for one in alone]
    return SLOWER * (seconds_of(together, sizes) + UNRECORDED * sum(cost.seconds for cost in costs)), ""


def _duration(seconds: float) -> str:
    return "in about a second" if seconds < 1.5 else f"in about {seconds:.0f} seconds"
