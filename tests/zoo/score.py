"""Confusion matrix and rates of a zoo that was looked at, as text."""

from collections import Counter

from tests.zoo.cases import FAULTS
from tests.zoo.published import PUBLISHED
from tests.zoo.training import Judged

NOTHING = "nothing"


def rates(runs: list[Judged]) -> dict[str, float]:
    """Shares: healthy runs that are not flagged, faults named as root cause, faults among the findings."""
    healthy = [run for run in runs if run.kind == "healthy"]
    faults = [run for run in runs if run.kind == "fault"]
    return {
        "not flagged": 1 - sum(run.flagged for run in healthy) / len(healthy),
        "named": sum(run.named for run in faults) / len(faults),
        "found": sum(run.found for run in faults) / len(faults),
    }


def table(runs: list[Judged]) -> str:
    """Confusion matrix, rates, the other tools on the same runs, and what was not counted."""
    healthy = [run for run in runs if run.kind == "healthy"]
    faults = [run for run in runs if run.kind == "fault"]
    counted = f"{len(runs)} runs: {len(healthy)} healthy runs, {len(faults)} with a fault that hurts"
    lines = [counted, "", "injected: root cause named"]
    for name, group in (("nothing", healthy), *((name, _of(faults, name)) for name in FAULTS)):
        counts = Counter(run.root or NOTHING for run in group)
        named = ", ".join(f"{code} {count}" for code, count in counts.most_common())
        lines.append(f"  {name:24} {len(group):4}: {named}")
    shares = rates(runs)
    lines += [
        "",
        "| | healthy runs flagged | fault named as the root cause | among the findings |",
        "| --- | --- | --- | --- |",
        f"| the doctor | {_share(sum(run.flagged for run in healthy), len(healthy))} "
        f"| {_share(round(shares['named'] * len(faults)), len(faults))} "
        f"| {_share(round(shares['found'] * len(faults)), len(faults))} |",
    ]
    for tool in PUBLISHED:
        flagged = sum(bool(run.look.published[tool]) for run in healthy)
        found = sum(bool(run.look.published[tool] & set(run.case.expected)) for run in faults)
        lines.append(f"| {tool} * | {_share(flagged, len(healthy))} | | {_share(found, len(faults))} |")
    lines += ["", "* re-implemented", "", "not counted:"]
    others = [run for run in runs if run.kind not in ("healthy", "fault")]
    for kind in dict.fromkeys(run.kind for run in others):
        group = [run for run in others if run.kind == kind]
        lines.append(f"  {kind}: {len(group)}, of which the doctor flags {sum(run.flagged for run in group)}")
    return "\n".join(lines)


def misses(runs: list[Judged]) -> str:
    """The runs that the doctor is wrong about, one a line."""
    lines = []
    for run in runs:
        if (run.kind == "healthy" and run.flagged) or (run.kind == "fault" and not run.named):
            changed = {name: value for name, (_, value) in run.case.twin.differences(run.case.experiment).items()}
            codes = [finding.code for finding in run.look.findings]
            lines.append(f"{run.case.fault or 'healthy'} {changed} -> {codes}, error {run.look.error:.2f}")
    return "\n".join(lines)


def _of(runs: list[Judged], fault: str) -> list[Judged]:
    return [run for run in runs if run.case.fault == fault]


def _share(count: int, total: int) -> str:
    return f"{count} of {total} ({100 * count / total:.1f} %)"
