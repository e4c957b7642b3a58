"""Losses of one size are on a linear axis, losses that span more on a logarithmic one, and all of them are on it."""

import numpy as np
import pytest

from pages.charts.style.axes import ends, loss_axis


@pytest.mark.parametrize(
    ("losses", "kind"),
    [([0.2, 0.9], None), ([1e-4, 0.9], "log"), ([0.0, 1e-4, 0.9], "log"), ([0.5], None), ([np.nan, 0.3], None)],
)
def test_the_axis_holds_every_loss_that_it_can(losses, kind):
    axis = loss_axis("loss", losses)
    assert axis.get("type") == kind
    low, high = ends(axis)
    shown = np.array([loss for loss in losses if np.isfinite(loss) and (loss > 0 or kind is None)])
    assert (low <= shown).all()
    assert (high >= shown).all()


def test_without_a_finite_loss_there_still_is_an_axis():
    assert ends(loss_axis("loss", [np.nan, np.inf])) == (0.0, 1.0)
