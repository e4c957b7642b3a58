"""A report in Markdown of one or more runs: what they are, what differs, what the doctor found, what was tried."""

import re
from collections.abc import Collection, Iterator, Sequence

from engine import SETTINGS, Experiment, RunHistory, Trial
from pages.text import findings_text
from pages.text.labels import meaning, network, number, percent
from pages.text.three_sets import SETS, result_row, typical_error
from pages.text.verdict import outcome

Picture = tuple[str, str]  # what it shows, and where it is
Run = tuple[str, RunHistory]  # a name, and what the network of that name left behind
SEVERITIES = {"severe": "Severe", "warning": "Warning", "info": "Note"}
# Which pictures show what is said of results, and of a finding; by the names of the charts.
OF_RESULTS = "learning_curves", "predictions", "three_sets", "recall_by_class", "generalization_gap", "best_and_last"
_GRADIENTS = "gradient_per_layer", "gradient_through_training", "chain_rule_factors"
_STEPS = "step_size", "gradient_and_steps", "norms_per_layer", "weight_norms"
OF_FINDING = {
    "symmetry": ("weight_distributions",), "vanishing_gradients": _GRADIENTS, "exploding_gradients": _GRADIENTS,
    "not_finite": ("overflow", *_GRADIENTS, *_STEPS), "learning_rate_too_high": _STEPS, "learning_rate_too_low": _STEPS,
    "dead_units": ("activations",), "saturated_units": ("activations",),
    "over_regularized": ("data_loss_and_penalty", "weight_sizes"), "dropout_too_high": ("mask_loss",),
    "small_start": ("activations", "weight_distributions", *_GRADIENTS),
    "large_start": ("activations", "weight_distributions", *_GRADIENTS),
    "unscaled_inputs": ("inputs_by_feature",), "unshuffled": ("batch_losses",), "batch_too_small": ("batch_losses",),
    "one_answer": ("recall_by_class", "predictions"), "wrong_output": ("predictions",),
    "overfitting": ("generalization_gap", "learning_curves", "three_sets"),
    "underfitting": ("learning_curves", "predictions"),
}  # fmt: skip
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def report(
    runs: Sequence[Run],
    title: str = "Report",
    trials: Sequence[Trial] = (),
    link: str = "",
    pictures: Sequence[Picture] = (),
    data: Sequence[str] = (),
) -> str:
    """The report.

    trials: cures of the first run's network that were tried, ranked, the untreated among them.  link: the address of
    the page that shows the runs.  pictures: what each shows, and where it is in the page as HTML beside the
    report: page.html#chart; each stands with what it shows.  data: sentences about data that were handed in, which
    are at hand.
    Names, titles and these sentences are shown as text, never as markup.
    """
    parts = [f"# {_text(title)}"]
    if link:
        parts.append(f"<{re.sub(r'[<> ]', '', link)}>")
    parts += [f"**{_text(name)}:** {network(history)}. {_sentence(outcome(history))}" for name, history in runs]
    if data:
        parts += ["## Data", "\n".join(f"- {_text(sentence)}" for sentence in data)]
    parts += ["## Results", _results(runs)]
    if pictures:
        page = pictures[0][1].partition("#")[0]
        parts.append(
            f"Pictures move with the timeline in the page as HTML: save it beside this report, as `{page}`. There each "
            f"can be saved as PNG or SVG.{_see(pictures, OF_RESULTS)}"
        )
    parts += ["## Settings", _settings(runs), "## Findings"]
    spoken_of = {*OF_RESULTS}
    for name, history in runs:
        parts += [f"### {_text(name)}", *_findings(history, pictures)]
        spoken_of.update(*(OF_FINDING.get(one.code, ()) for one in findings_text.found_in(history)))
    if trials:
        parts += ["## Cures that were tried", _trials(trials)]
    if others := [one for one in pictures if _chart(one) not in spoken_of]:
        parts += ["## Other pictures", "\n".join(f"- {_link(one)}" for one in others)]
    parts.append("Every number is measured on networks that were trained for this report.")
    return "\n\n".join(parts) + "\n"


def _text(text: str) -> str:
    """A text as it is, whatever Markdown or HTML would make of it, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _results(runs: Sequence[Run]) -> str:
    """Of the weights that each run results in: its losses, and what they are in words."""
    columns = []
    for _, history in runs:
        row = result_row(history)
        losses = [float(loss) for loss in (history.train_loss[row], history.validation_loss[row], history.test_loss)]
        if history.confusion is None:
            said = [f"{typical_error(history, loss)} (loss {number(loss)})" for loss in losses]
        else:
            shares = history.train_accuracy[row], history.validation_accuracy[row], history.test_accuracy
            said = [f"{percent(p)} right (loss {number(loss)})" for p, loss in zip(shares, losses, strict=True)]
        columns.append(said)
    rows = [[f"{name} data", *cells] for name, *cells in zip(SETS, *columns, strict=True)]
    return _table(["", *(name for name, _ in runs)], rows)


def _settings(runs: Sequence[Run]) -> str:
    """The settings in which the networks differ from each other, then those in which they differ from the defaults."""
    columns = [history.experiment for _, history in runs]
    rows = sorted(_changed(columns), key=lambda name: len({getattr(one, name) for one in columns}) == 1)
    if not rows:
        return "All settings are the defaults."
    table = [[SETTINGS[name].label, *(meaning(name, getattr(one, name)) for one in columns)] for name in rows]
    return _table(["", *(name for name, _ in runs)], table)


def _changed(experiments: Sequence[Experiment]) -> list[str]:
    changed = {name for one in experiments for name in Experiment().differences(one)}
    data = {"dataset", "data_digest"} if all(one.dataset == "custom" for one in experiments) else set()
    return [name for name in SETTINGS if name in changed - data]  # which data those are is said in words


def _chart(picture: Picture) -> str:
    return picture[1].partition("#")[2]


def _link(picture: Picture) -> str:
    return f"[{_text(picture[0])}]({picture[1]})"


def _see(pictures: Sequence[Picture], charts: Collection[str]) -> str:
    """A sentence with the pictures of these charts; nothing where there is none."""
    links = [_link(one) for one in pictures if _chart(one) in charts]
    return f" See {', '.join(links)}." if links else ""


def _findings(history: RunHistory, pictures: Sequence[Picture]) -> Iterator[str]:
    found = findings_text.found_in(history)
    if not found:
        yield f"Nothing found.{findings_text.even_so(history)}"
    for finding in found:
        helps = f" What could help: {findings_text.remedies(finding)}." if finding.role == "cause" else ""
        yield (
            f"- **{SEVERITIES[finding.severity]}: {findings_text.HEADINGS[finding.code]}** ({finding.role}). "
            f"{finding.explanation}\n  Evidence: {findings_text.evidence(finding, history)}. "
            f"{findings_text.source(finding)}{helps}"
            f"{_see(pictures, OF_FINDING.get(finding.code, ()))}"
        )


def _trials(trials: Sequence[Trial]) -> str:
    rows = [
        [
            str(trial.rank) if trial.rank else "–",
            trial.change.name,
            trial.verdict or "untreated",
            f"{number(trial.test_loss.median)} ({number(trial.test_loss.low)} to {number(trial.test_loss.high)})",
            f"{trial.better} of {trial.seeds}" if trial.verdict else "–",
            f"{trial.healed_seeds} of {trial.seeds}",
            trial.cost,
        ]
        for trial in trials
    ]
    loss = f"Test loss{', every class alike' if any(trial.by_class for trial in trials) else ''}, median (range)"
    header = ["Rank", "Change", "Verdict", loss, "Lower in seeds", "Nothing found in", "Cost"]
    return _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else _text(cell) for cell in line)} |" for line in lines)
