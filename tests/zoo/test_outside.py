"""What people report is named, "cannot tell" counts as neither right nor wrong, and what is well is left alone."""

from collections import Counter

import pytest

from engine import diagnose, train
from tests.zoo.outside import REPORTS, SEEDS


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_what_people_report_is_named(report):
    roots = Counter()
    for seed in SEEDS["reported"]:
        experiment, data = report.run(seed)
        findings = diagnose(train(experiment, data, max_updates=200, max_frames=3), data)
        roots[findings[0].code if findings else ""] += 1
    right = sum(roots[code] for code in report.expected or ("",))
    assert right >= len(SEEDS["reported"]) - 1, roots
    if not report.expected:
        assert set(roots) == {""}, roots
