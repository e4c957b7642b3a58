"""What came of the run that should confirm a cause, and what to train where another cause shows behind it.

Losses are compared as shares of the best constant answer's, before and after: a change of the targets' scale changes
the unit of the loss, too.
"""

from collections.abc import Sequence

import numpy as np

from engine.data.custom import CustomData
from engine.doctor.diagnosis import diagnose
from engine.doctor.examination import Examination
from engine.doctor.findings import MISLEADING, Finding
from engine.doctor.thresholds import CLEARLY_LOWER
from engine.experiment import Experiment
from engine.history import RunHistory

CONFIRMED, PARTLY, NOT_CONFIRMED = VERDICTS = "confirmed", "partly confirmed", "not confirmed"
UNDECIDED = "cannot_tell"  # a question, and no cause that a run could bear out
ON_NEW_DATA = {"overfitting", "label_noise", "large_start"}  # what they cost does not show in the training loss


def bears_out(finding: Finding, before: RunHistory, after: RunHistory, data: CustomData | None = None) -> str:
    """One of VERDICTS: what a run without the cause says of it.

    confirmed: nothing is found any more; where only validation was misled, the cause is gone and validation has come
    nearer to the test, whatever else is found.  partly: what the cause costs is clearly lower, and something is found
    still.  A loss above the average answer's counts as that, so that an explosion which ends lower is no success.
    """
    with np.errstate(all="ignore"):
        costs = [_cost(finding, history, data) for history in (before, after)]
    lower = costs[1] < (1 - CLEARLY_LOWER) * costs[0]
    left = [one.code for one in diagnose(after, data)]
    if finding.code in MISLEADING:
        return CONFIRMED if lower and finding.code not in left else NOT_CONFIRMED
    return PARTLY if lower and left else NOT_CONFIRMED if left else CONFIRMED


def _cost(finding: Finding, history: RunHistory, data: CustomData | None) -> float:
    """What the cause costs a run, over the average answer's loss."""
    run = Examination(history, data)
    new = float(history.validation_loss[run.result] / run.uninformed)
    if finding.code in MISLEADING:
        return abs(new - float(history.test_loss / run.uninformed))
    if finding.code in ON_NEW_DATA:
        return new
    return float(np.fmin(run.loss_share, 1.0))


def cause_behind(finding: Finding, after: RunHistory, data: CustomData | None = None) -> Finding | None:
    """Another cause that the confirming run shows, which could keep the change from helping, with its own run."""
    found = diagnose(after, data)
    behind = found[0] if found else None
    if behind is None or finding.code in MISLEADING or UNDECIDED in (finding.code, behind.code):
        return None
    if behind.code == finding.code:
        return None
    return behind if behind.confirm else None


def further_runs(behind: Finding, before: RunHistory, after: RunHistory) -> tuple[Experiment, Experiment]:
    """Both causes taken away, and the one behind alone."""
    assert behind.confirm is not None
    return behind.confirm.experiment(after.experiment), behind.confirm.experiment(before.experiment)


def bear_out_both(
    finding: Finding, before: RunHistory, further: Sequence[RunHistory], data: CustomData | None = None
) -> str:
    """What the runs without both causes, and without the one behind alone, say of the first.

    partly: it takes both changes.  not confirmed: the second is enough, or both are not.
    """
    both, alone = (bears_out(finding, before, history, data) for history in further)
    return NOT_CONFIRMED if both == NOT_CONFIRMED or alone == CONFIRMED else PARTLY
