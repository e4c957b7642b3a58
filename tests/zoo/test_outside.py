"""What people report is named, "cannot tell" counts as neither right nor wrong, and what is well is left alone."""

from collections import Counter

import pytest

from engine import diagnose, train
from tests.zoo.outside import REPORTS, SEEDS

HARMLESS_AT_TIMES = {"half of a few units are dropped"}
RIGHT = 0.92  # of the test examples: above, what was done to the network did it no harm


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_what_people_report_is_named(report):
    roots = Counter()
    for seed in SEEDS["reported"]:
        experiment, data = report.run(seed)
        history = train(experiment, data, max_updates=200, max_frames=3)
        if report.name in HARMLESS_AT_TIMES and history.test_accuracy > RIGHT:
            continue
        findings = diagnose(history, data)
        roots[findings[0].code if findings else ""] += 1
    right = sum(roots[code] for code in report.expected or ("",))
    assert roots.total() >= len(SEEDS["reported"]) / 2
    assert right >= roots.total() - 1, roots
    if not report.expected:
        assert set(roots) == {""}, roots
