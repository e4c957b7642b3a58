"""What would help this network, and how surely?

Every change that could help, really trained over 8 seeds.  Validation loss ranks them; test loss, by which nothing was
chosen, and the doctor's own findings say what each is worth.  Those that do not help are shown as not helping.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from engine import Experiment, Trial
from engine.cures.changes import UNTREATED
from engine.cures.outcomes import SCREENED, SEEDS, Outcome, unit_of
from engine.cures.trials import (
    ACCURACY_RISE,
    ACCURACY_SHORT,
    CURES,
    EFFECT,
    HARMS,
    HELPS,
    LOSS_RATIO,
    NO_EFFECT,
    SET_ASIDE,
    surely,
    trials_of,
)
from pages.charts.style.annotations import captioned, footnotes, off_the_axis, words
from pages.charts.style.axes import loss_axis
from pages.charts.style.figure import PATIENT, TREATED, AnimatedFigure, Json, merged
from pages.charts.style.outlier_range import within_outlier_range
from pages.charts.style.traces import line, marks, stroke, upright
from pages.charts.sweeps.groups import search_of
from pages.text.findings_text import HEADINGS
from pages.text.labels import label, meaning, number, percent

TITLE = "Try the cures"
QUESTION = "Which changes would help, and how reliably?"
HOW_TO_READ = (
    f"A row a remedy at its best dose, tried over {SCREENED} seeds, or {SEEDS} where it promises; the best first, "
    "further left is better. The stroke is the median validation loss over the seeds, the bar reaches from the lowest "
    "to the highest, the diamond is the median on test data. The thin curve goes through all doses, the weakest on "
    "top; the dotted line is the untreated network. Rows of equal rank may differ by chance."
)
NEEDS = ""

MARKS = {
    CURES: "✔ cures",
    HELPS: "▲ helps",
    NO_EFFECT: "○ no clear effect",
    HARMS: "✖ harms",
    SET_ASIDE: f"– first {SCREENED} seeds only",
}
REPAIRED = {
    True: "a repair by the rule of the paper on RunSleuth",
    False: "no repair by the rule of the paper on RunSleuth",
}
ROW_HEIGHT, LOW_ROW_HEIGHT = 64, 42  # px: two lines of text, or one, and the bar below them
LINE_CHARACTERS = 54  # of a row's text
BAR = 10  # px
DOSE_APART = 0.07  # of a row, between two doses
_TEXT_ABOVE = 0.43  # of a row, from its bar to the middle of its text
_MARGINS = 16 + 58  # px above the rows, and for the axis below them
LINE_REACH = 0.2  # of a row, by which the dotted line is longer than the bar, to either side
MOST_NAMED = 4  # changes that a sentence lists
MOST_ROWS, FEWEST_ROWS = 4, 3  # of what helps, beside the untreated network, and of the best where nothing does
CLASSES_ALIKE = (
    "In these losses every class counts alike, however rare: without that, always naming the frequent one pays."
)

ENOUGH = surely(SEEDS)
RULES = f"""

- **Helps**: the test loss is lower in at least {ENOUGH} of {SEEDS} seeds, and by at least {EFFECT:.0%} in the median.
- **Cures**: it helps, and the doctor finds nothing wrong in at least {ENOUGH} of {SEEDS} seeds.
- **Harms**: the loss is higher, as surely.
- **First {SCREENED} seeds only**: what did no better than nothing over these, or worse than others, is not tried over
  all {SEEDS}.
- **Equal**: of the same rank within chance. The median validation loss ranks, the median test loss judges; a run that
  diverges counts as infinite and is not drawn.
- **Repair by RunSleuth’s rule**: accuracy at least {ACCURACY_RISE * 100:.0f} points up and at most
  {ACCURACY_SHORT * 100:.0f} short of the healthy network, here the best one in which the doctor finds nothing, and a
  loss of at most {LOSS_RATIO:g} times its loss.
"""

Results = Mapping[str, Sequence[Outcome]]


def trials(results: Results, patient: Experiment) -> tuple[Trial, ...]:
    """Ranked, of the changes whose seeds have all come; none before the untreated network's have."""
    known = {outcome.experiment: outcome for outcomes in results.values() for outcome in outcomes}
    search = search_of(patient)
    complete = search.results(search.plan(known), known)
    return trials_of(complete) if complete and complete[0][0].code == UNTREATED else ()


def left_out(results: Results, *, patient: Experiment) -> int:
    """How many rows a figure leaves out, unless it is to be whole."""
    rows = trials(results, patient)
    return len(rows) - len(_shown(rows, whole=False))


def _shown(rows: Sequence[Trial], whole: bool) -> Sequence[Trial]:
    """Those that a figure has: of all, the best that help, and the untreated network."""
    best = [trial for trial in rows if trial.verdict in (CURES, HELPS)][:MOST_ROWS]
    best = best or [trial for trial in rows if trial.verdict][:FEWEST_ROWS]
    return rows if whole else [trial for trial in rows if trial in best or not trial.verdict]


def figure(results: Results, *, patient: Experiment, whole: bool = False) -> AnimatedFigure:
    """A row a trial: from the lowest to the highest validation loss, its median, and the median test loss.

    whole: with the rows that are left out at first.
    """
    every = trials(results, patient)
    rows = _shown(every, whole)
    spreads = np.array([trial.validation_loss for trial in rows]).reshape(-1, 3)
    tests = np.array([trial.test_loss.median for trial in rows])
    doses = [dose.validation_loss for trial in rows for dose in trial.doses]
    layout: Json = {
        "xaxis": loss_axis(
            f"loss on new data ({_unit(results, patient)})",
            np.concatenate([spreads.ravel(), tests, doses]),
            medians=np.minimum(np.append(spreads[:, 0], tests), _farthest(rows)),
        ),
        "yaxis": {"range": [0.6 - max(len(rows), 1), 0.7], "visible": False},
        "hovermode": "closest",
        "showlegend": False,
        "margin": {"t": 8},
    }
    for trial in rows:
        if trial.change.code == UNTREATED and math.isfinite(middle := trial.validation_loss.median):
            # In pieces, beside the bars alone: it would cross the texts.
            pieces = [{"yref": "y", "y0": -place - LINE_REACH, "y1": -place + LINE_REACH} for place in range(len(rows))]
            dotted = upright(middle, layer="below", **stroke(PATIENT.color, 2, "dot"))
            layout["shapes"] = [dotted | piece for piece in pieces]
    texts = [text for text, trial in zip(_texts(every), every, strict=True) if trial in rows]
    low = all(len(text) <= LINE_CHARACTERS for text in texts)
    headings = [_heading(place, text, "   " if low else "<br>") for place, text in enumerate(texts)]
    headings += [off_the_axis(-place) for place, loss in enumerate(spreads[:, 0]) if math.isinf(loss)]
    farthest = _farthest(rows)
    headings += [off_the_axis(-place, "→") for place, loss in enumerate(spreads[:, 0]) if math.inf > loss > farthest]
    height = _MARGINS + (LOW_ROW_HEIGHT if low else ROW_HEIGHT) * max(len(rows), 1)
    notes = footnotes(_remarks(every, rows), height, others=headings)
    traces = [trace for place, trial in enumerate(rows) for trace in _row(place, trial)]
    return captioned(TITLE, AnimatedFigure(traces, merged(layout, notes)))


def says(results: Results, *, patient: Experiment) -> str:
    """What came first, what it does, and what does not help."""
    rows = trials(results, patient)
    tried = [trial for trial in rows if trial.change.code != UNTREATED]
    if not tried:
        return "There is nothing to try."
    best, before = tried[0], next(trial for trial in rows if not trial.verdict).test_loss.median
    equal = [trial.change.name for trial in tried if trial.rank == best.rank > 0][1:]
    without = f"the untreated network has {number(before)}" if math.isfinite(before) else "most untreated runs diverge"
    text = (
        f"**{best.change.name}** comes first of {len(tried)}. Its median test loss is {number(best.test_loss.median)} "
        f"where {without}, lower in {best.better} of {best.seeds} seeds, and the doctor finds nothing wrong in "
        f"{best.healed_seeds} of {best.seeds}."
    )
    text += f" {CLASSES_ALIKE}" if search_of(patient).classes_alike else ""
    text += f" Equal to it within chance: {_listed(equal)}." if equal else ""
    for verdict, message in ((NO_EFFECT, "No clear effect"), (HARMS, "Harmful")):
        names = [trial.change.name for trial in tried if trial.verdict == verdict]
        text += f" {message}: {_listed(names)}." if names else ""
    return text + _against_the_cause(results, tried)


def _against_the_cause(results: Results, tried: Sequence[Trial]) -> str:
    """That what the doctor names first against the root cause does not help alone, and what it finds then."""
    cause, trial = _unhelpful(results, tried)
    if trial is None:
        return ""
    healthy = sum(not outcome.findings for outcome in results[UNTREATED][: trial.seeds])
    left = Counter(outcome.findings[0] for outcome in results[trial.change.name] if outcome.findings)
    found = "; ".join(f"“{HEADINGS[code]}” in {count}" for code, count in left.most_common())
    return (
        f" **{trial.change.name}** is what the doctor names first against the root cause, “{HEADINGS[cause]}”; alone "
        f"it {_alone(trial)}. With it the doctor finds nothing wrong in {trial.healed_seeds} of {trial.seeds}, without "
        f"in {healthy}" + (f"; the root cause is then {found}." if found else ".")
    )


def beside_the_cause(results: Results, *, patient: Experiment, cause: str) -> str:
    """That what is named first against this root cause was tried and did not help alone, in a sentence; or nothing."""
    found, trial = _unhelpful(results, trials(results, patient))
    return f"{trial.change.name}, named first, was tried: alone it {_alone(trial)}." if trial and found == cause else ""


def _unhelpful(results: Results, tried: Sequence[Trial]) -> tuple[str, Trial | None]:
    """The root cause in most seeds, and the trial of what is named first against it where that does not help alone."""
    untreated = results[UNTREATED]
    causes = Counter(outcome.findings[0] if outcome.findings else "" for outcome in untreated)
    ((cause, _),) = causes.most_common(1)
    first = next((one.remedies[:1] for one in untreated if cause and one.findings[:1] == (cause,)), ())
    named = [trial for trial in tried if (trial.change.code,) == first]
    helps = any(trial.verdict in (CURES, HELPS) for trial in named)
    return cause, None if helps or not named else named[0]


def _alone(trial: Trial) -> str:
    return {
        NO_EFFECT: f"has no clear effect, with a lower test loss in {trial.better} of {trial.seeds} seeds",
        HARMS: "makes the loss higher",
        SET_ASIDE: f"did no better over the first {trial.seeds} seeds",
    }[trial.verdict]


def _listed(names: Sequence[str]) -> str:
    more = f", and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return "; ".join(names[:MOST_NAMED]) + more


def explained(trial: Trial) -> str:
    """One trial in words: what is changed, what it did, and what it costs."""
    changes = ", ".join(
        f"{label(field)} {meaning(field, old)} → {meaning(field, new)}"
        for field, (old, new) in trial.change.settings.items()
    )
    loss = f"Test loss{', every class alike' if trial.by_class else ''}"
    text = (
        f"Changes {changes}. {loss}: {_effect(trial)}, lower in {trial.better} and higher in {trial.worse} of "
        f"{trial.seeds} seeds; the doctor finds nothing wrong in {trial.healed_seeds}."
    )
    if trial.repaired is not None:
        text += f" By medians it is {REPAIRED[trial.repaired]}."
    if len(trial.doses) > 1:
        doses = "; ".join(f"{dose.name}: {number(dose.validation_loss)}" for dose in trial.doses)
        text += f" Doses tried, with the median validation loss over the first seeds: {doses}."
    return f"{text} Costs: {trial.cost}."


def alt(results: Results, *, patient: Experiment, whole: bool = False) -> str:
    """Every row of the figure in its order, in numbers, and how many there are besides."""
    every = trials(results, patient)
    rows = _shown(every, whole)
    sentences = [
        f"{text}; median validation loss {number(trial.validation_loss.median)}, from "
        f"{number(trial.validation_loss.low)} to {number(trial.validation_loss.high)}, median test loss "
        f"{number(trial.test_loss.median)}."
        for text, trial in zip(_texts(every), every, strict=True)
        if trial in rows
    ]
    sentences += _remarks(every, rows)[1:]
    return " ".join(sentences) or f"{sum(map(len, results.values()))} networks are trained, and no trial is complete."


def table(results: Results, *, patient: Experiment) -> pd.DataFrame:
    """One row a trial, ranked, the untreated network's among them; losses and accuracies are of the runs' results."""
    unit = _unit(results, patient)
    accuracy = f"accuracy ({'mean share of the classes' if search_of(patient).classes_alike else 'share'})"
    return pd.DataFrame(
        [
            {
                "place": place + 1,
                "rank": trial.rank or None,
                "change": trial.change.name,
                "verdict": trial.verdict or "untreated",
                "repair by RunSleuth’s rule": {None: "", True: "yes", False: "no"}[trial.repaired],
                "healed seeds": trial.healed_seeds,
                "seeds": trial.seeds,
                f"median validation loss ({unit})": trial.validation_loss.median,
                f"lowest validation loss ({unit})": trial.validation_loss.low,
                f"highest validation loss ({unit})": trial.validation_loss.high,
                f"median test loss ({unit})": trial.test_loss.median,
                f"lowest test loss ({unit})": trial.test_loss.low,
                f"highest test loss ({unit})": trial.test_loss.high,
                "median relative change of test loss": trial.effect,
                "seeds with lower test loss": trial.better,
                "seeds with higher test loss": trial.worse,
                f"median validation {accuracy}": trial.validation_accuracy.median,
                f"median test {accuracy}": trial.test_accuracy.median,
                "work, relative to untreated": trial.work,
                "costs": trial.cost if trial.verdict else "",
                f"doses, with median validation loss ({unit}) over the first seeds": "; ".join(
                    f"{dose.name}: {dose.validation_loss:.3g}" for dose in trial.doses
                ),
            }
            for place, trial in enumerate(trials(results, patient))
        ]
    )


def _farthest(rows: Sequence[Trial]) -> float:
    """The largest loss that decides the axis: one of 1e65 would leave the others a single line."""
    losses = [loss for trial in rows for loss in (trial.validation_loss.median, trial.test_loss.median)]
    return float(within_outlier_range(losses).max(initial=0.0)) or math.inf


def _texts(rows: Sequence[Trial]) -> list[str]:
    """What stands over each row: "2. Batch normalization: ✔ cures, 7/8 healthy"; the untreated network has no rank."""
    ranks, texts, farthest = Counter(trial.rank for trial in rows), [], _farthest(rows)
    for trial in rows:
        equal = " equal" if ranks[trial.rank] > 1 else ""
        name = f"{trial.rank}{equal}. {trial.change.name}" if trial.rank else trial.change.name
        broken = "" if math.isfinite(loss := trial.validation_loss.median) else "diverges, "
        broken = f"loss {number(loss)}, off the axis, " if math.inf > loss > farthest else broken
        healthy = f"{trial.healed_seeds}/{trial.seeds} healthy"
        texts.append(f"{name}: " + (f"{MARKS[trial.verdict]}, " if trial.verdict else "") + broken + healthy)
    return texts


def _effect(trial: Trial) -> str:
    if trial.effect == 0:
        return "unchanged in the median"
    if math.isinf(trial.effect):
        return "infinite in the median, since runs diverge"
    if trial.effect == -1:
        return "finite, where most untreated runs diverge"
    return f"{percent(abs(trial.effect))} {'lower' if trial.effect < 0 else 'higher'} in the median"


def _unit(results: Results, patient: Experiment) -> str:
    unit = next((unit_of(outcome) for outcomes in results.values() for outcome in outcomes), "nats")
    return f"{unit}, every class counts alike" if search_of(patient).classes_alike else unit


def _heading(place: int, text: str, between: str) -> Json:
    name, _, rest = text.partition(": ")
    return words(f"<b>{name}</b>{between}{rest}", 0, _TEXT_ABOVE - place, "left", "middle", yref="y", align="left")


def _row(place: int, trial: Trial) -> list[Json]:
    look = TREATED if trial.verdict else PATIENT
    spread, test = trial.validation_loss, trial.test_loss.median
    ends = [end for end in (spread.low, spread.high) if math.isfinite(end)]
    name = trial.change.name
    bar = {"symbol": "line-ns", "size": 16, "color": look.color, **stroke(look.color, 4)}
    diamond = {"symbol": "diamond-open", "size": 10, "color": look.color, "line": {"width": 2}}
    hover = "median %s loss %%{x:.3g}<extra>" + name + "</extra>"
    return [
        line(ends, [-place] * len(ends), name, opacity=0.35, **stroke(look.color, BAR)),
        marks(_drawn(spread.median), [-place], name, hover % "validation", marker=bar),
        marks(_drawn(test), [-place], name, hover % "test", marker=diamond),
        *_doses(place, trial),
    ]


def _doses(place: int, trial: Trial) -> list[Json]:
    """The curve over the doses, through the row's own, at the height of its stroke."""
    if len(trial.doses) < 2:
        return []
    chosen = [dose.name for dose in trial.doses].index(trial.change.name)
    heights = [DOSE_APART * (chosen - i) - place for i in range(len(trial.doses))]
    losses = [dose.validation_loss if math.isfinite(dose.validation_loss) else None for dose in trial.doses]
    names = [dose.name for dose in trial.doses]
    hover = f"%{{customdata}}: median validation loss %{{x:.3g}} over the first seeds<extra>{trial.change.name}</extra>"
    dots = {"size": 5, "color": TREATED.color}
    return [
        line(losses, heights, trial.change.name, **stroke(TREATED.color, 1)),
        marks(losses, heights, trial.change.name, hover, customdata=names, marker=dots),
    ]


def _drawn(value: float) -> list[float | None]:
    return [value if math.isfinite(value) else None]


def _remarks(every: Sequence[Trial], rows: Sequence[Trial]) -> list[str]:
    texts = ["Stroke: median validation loss; bar: lowest to highest seed; diamond: median test loss."]
    if hidden := [trial for trial in every if trial not in rows]:
        helps = sum(trial.verdict in (CURES, HELPS) for trial in hidden)
        texts.append(f"Not shown: {len(hidden)} more, of which {helps or 'none'} help{'s' if helps < 2 else ''}.")
    return texts
