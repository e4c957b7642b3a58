"""A report in Markdown of one or more runs: what they are, what differs, what the doctor found, what was tried."""

import re
from collections.abc import Iterator, Sequence

from engine import SETTINGS, Experiment, RunHistory, Trial, diagnose
from pages.text import findings_text
from pages.text.labels import meaning, network, number
from pages.text.verdict import outcome

Run = tuple[str, RunHistory]  # a name, and what the network of that name left behind
SEVERITIES = {"severe": "Severe", "warning": "Warning", "info": "Note"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def report(
    runs: Sequence[Run],
    title: str = "Report",
    trials: Sequence[Trial] = (),
    link: str = "",
    pictures: Sequence[tuple[str, str]] = (),
) -> str:
    """The report.

    trials: cures of the first run's network that were tried, ranked, the untreated among them.  link: the address of
    the page that shows the runs.  pictures: what each shows, and the file beside the report that has it.
    Names and titles are shown as text, never as markup.
    """
    parts = [f"# {_text(title)}"]
    if link:
        parts.append(f"<{re.sub(r'[<> ]', '', link)}>")
    parts += [f"**{_text(name)}:** {network(history)}. {_sentence(outcome(history))}" for name, history in runs]
    parts += ["## Settings", _settings(runs), "## Findings"]
    for name, history in runs:
        parts += [f"### {_text(name)}", *_findings(history)]
    if trials:
        parts += ["## Cures that were tried", _trials(trials)]
    if pictures:
        parts += ["## Pictures", "\n".join(f"- [{_text(shown)}]({file})" for shown, file in pictures)]
    parts.append("Every number is measured on networks that were trained for this report.")
    return "\n\n".join(parts) + "\n"


def _text(text: str) -> str:
    """A text as it is, whatever Markdown or HTML would make of it, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


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
    return [name for name in SETTINGS if name in changed]


def _findings(history: RunHistory) -> Iterator[str]:
    found = diagnose(history)
    if not found:
        yield f"Nothing found.{findings_text.even_so(history)}"
    for finding in found:
        helps = f" What could help: {findings_text.remedies(finding)}." if finding.role == "cause" else ""
        yield (
            f"- **{SEVERITIES[finding.severity]}: {findings_text.HEADINGS[finding.code]}** ({finding.role}). "
            f"{finding.explanation}\n  Evidence: {findings_text.evidence(finding, history)}. "
            f"Rule: {finding.source}.{helps}"
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
    header = ["Rank", "Change", "Verdict", "Test loss, median (range)", "Lower in seeds", "Nothing found in", "Cost"]
    return _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell if cell == '---' else _text(cell) for cell in line)} |" for line in lines)
