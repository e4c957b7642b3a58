"""The experiments that a sweep is made of."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from engine import SETTINGS, Experiment
from engine.cures.changes import DROPOUT, L1, L2, REGULARISERS, UNTREATED, Change, Maker, within
from engine.cures.outcomes import SEEDS, Sizes, seconds_of, seeded
from engine.cures.search import Known, Search
from engine.data.custom import CustomData
from engine.data.sources import DATASETS
from engine.limits import APP_LIMITS, MAX_SECONDS
from pages.charts.style.figure import Array
from pages.charts.style.panels import noise_free
from pages.text.own_data import own_data

Group = Sequence[Experiment]

OF_OVERFITTING = ("l1", "l2", "dropout", "patience", "narrower", "label_noise", "n_train")
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128)
DEPTHS = (1, 2, 3, 4, 6, 8, 12)
EXAMPLES = (5, 10, 20, 40, 80, 160, 320, 640)
SINGLES_SECONDS, CHANGES_SECONDS = 30.0, 60.0  # of one core, for all single changes at their first doses, and for all
SWEEP_SECONDS = 10.0  # of one core, for a curve: points that cost more than this together are left out, largest first
MOST_GROUPS = 64  # kept made, 60 kB each: each rerun of a page asks for the same ones again
FEW_GROUPS = 16  # of those with hundreds of experiments, 100 kB each
LINE = 101  # points of a function of one input


def clean_line(experiment: Experiment) -> tuple[Array, Array] | None:
    """The function behind a drawn regression of one input, see `noise_free`: inputs and targets, (LINE,) each."""
    return noise_free(experiment, LINE)


# --- what to train ---


def search_of(experiment: Experiment) -> Search:
    """The search for cures of this network, in as many trainings as CHANGES_SECONDS allow."""
    own = own_data(experiment)
    if own is None:
        return _search_of(experiment)
    if experiment not in own.kept:
        own.kept.clear()
        own.kept[experiment] = _search(experiment, own.arrays, own.sizes)
    return own.kept[experiment]


@lru_cache(FEW_GROUPS)
def _search_of(experiment: Experiment) -> Search:
    return _search(experiment)


def _search(experiment: Experiment, data: CustomData | None = None, sizes: Sizes = None) -> Search:
    maker = Maker(experiment, data, APP_LIMITS)
    return Search(maker, within(SINGLES_SECONDS, maker.singles(), sizes), seconds=CHANGES_SECONDS, sizes=sizes)


def changes_to(experiment: Experiment) -> tuple[Change, ...]:
    """The untreated network and every single change to try on it, as many as SINGLES_SECONDS allow."""
    return search_of(experiment).changes


def trials_of_search(experiment: Experiment, known: Known) -> dict[str, Group]:
    """What is to be trained to find its cures, by change, as far as what is known says; see engine/cures/search.py."""
    return {name: runs for name, (_, runs) in search_of(experiment).plan(known).items()}


@lru_cache(FEW_GROUPS)
def cures_of(experiment: Experiment) -> dict[str, Group]:
    """The untreated network and every cure of overfitting that it does not yet take, each over SEEDS seeds.

    Of each the dose that did best in other networks.
    """
    taken = [field for field in REGULARISERS if getattr(experiment, field)]
    wanted = {UNTREATED, *OF_OVERFITTING}.difference(taken)
    groups: dict[str, dict[str, Group]] = {}
    for change in changes_to(experiment):
        if change.code in wanted and change.experiment:
            groups.setdefault(change.remedy, {})[change.name] = seeded(change.experiment)
    usual = {f"{name} {doses[1]:g}" for name, doses in (("L1", L1), ("L2", L2), ("Dropout", DROPOUT))}
    return dict(
        next((one for one in doses.items() if one[0] in usual), next(iter(doses.items()))) for doses in groups.values()
    )


def widths_of(experiment: Experiment) -> Group:
    """The network with other widths, its own among them, each over SEEDS seeds."""
    return _curve(experiment, "width", WIDTHS)


def depths_of(experiment: Experiment) -> Group:
    """The network with other numbers of hidden layers, its own among them, each over SEEDS seeds."""
    return _curve(experiment, "depth", DEPTHS)


def examples_of(experiment: Experiment) -> Group:
    """The network with other numbers of training examples, its own among them, each over SEEDS seeds."""
    most = _most_examples(experiment)
    return _curve(experiment, "n_train", tuple(sorted({min(n, most) for n in EXAMPLES})))


@lru_cache(MOST_GROUPS)
def draws_of(experiment: Experiment) -> Group:
    """The network on SEEDS draws of the data from its own draw of the weights, and the other way round.

    None where the function that the network should learn is not known, or not one of one input.
    """
    if clean_line(experiment) is None:
        return ()
    own_data = experiment.seed if experiment.data_seed == -1 else experiment.data_seed
    of_data = [replace(experiment, data_seed=seed) for seed in range(SEEDS)]
    of_weights = [replace(experiment, seed=seed, data_seed=own_data) for seed in range(SEEDS)]
    return tuple(dict.fromkeys(of_data + of_weights))


def both(of: Callable[[Experiment], Group], patient: Experiment, treated: Experiment) -> dict[str, Group]:
    """A sweep for both networks; one group alone where the two would be the same."""
    groups = {"Patient": of(patient), "Treated": of(treated)}
    if set(groups["Patient"]) == set(groups["Treated"]):
        del groups["Treated"]
    return groups


@lru_cache(MOST_GROUPS)
def _curve(experiment: Experiment, field: str, values: tuple[int, ...]) -> Group:
    """SEEDS seeds of the experiment at its own value of a field and at others, smallest first.

    Values at which a run is over budget are left out, and the largest beside the own until the rest takes
    SWEEP_SECONDS at most.
    """
    own = getattr(experiment, field)
    points = {value: seeded(replace(experiment, **{field: value})) for value in sorted({own, *values})}
    points = {value: runs for value, runs in points.items() if value == own or _affordable(runs[0])}
    while seconds_of([run for runs in points.values() for run in runs]) > SWEEP_SECONDS:
        others = [value for value in points if value != own]
        if not others:
            break
        del points[others[-1]]
    return tuple(run for runs in points.values() for run in runs)


def _affordable(experiment: Experiment) -> bool:
    return experiment.cost.seconds <= MAX_SECONDS


def _most_examples(experiment: Experiment) -> int:
    """That the data set has, and the setting allows."""
    return DATASETS[experiment.dataset].n_train_max(experiment.held_out) or int(SETTINGS["n_train"].high)
