"""Raw inputs, tables of one and of thirty columns, and a class of 3 %: one network of each of the quicker kinds."""

from tests.zoo.data_kinds import FIRST_SEED, KINDS, judged, report

QUICK = {
    "raw: tumours", "raw: one column", "one column, straight lines", "one column, large targets",
    "thirty columns, few examples", "well: raw digits, normalised", "well: one column", "well: thirty columns",
}  # fmt: skip


def test_faults_are_named_and_what_is_well_is_left_alone():
    runs = [judged(kind, FIRST_SEED["reported"]) for kind in KINDS if kind.name in QUICK]
    counted = [run for run in runs if run.root is not None]
    assert len(runs) == len(QUICK)
    assert len(counted) >= len(QUICK) - 3
    assert sum(run.right for run in counted) >= len(counted) - 1, report(runs)
    assert all(run.right for run in counted if not run.kind.expected), report(runs)
