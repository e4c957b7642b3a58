"""One update on the way to overflow does not flatten the rest; runs of ordinary spread are shown whole."""

import warnings

import numpy as np
import pytest

from pages.charts.style.outlier_range import LEAST_DECADES, beyond, within_outlier_range


@pytest.mark.parametrize("decades", [0, 1, 3, 9, 40])
def test_an_even_spread_is_shown_whole(decades):
    values = np.logspace(-decades / 2, decades / 2, 101)
    np.testing.assert_allclose(within_outlier_range(values), values)
    assert not beyond(values, within_outlier_range(values)).any()


def test_two_levels_of_equal_share_are_shown_whole():
    values = np.repeat([1e-12, 1.0], 50)
    np.testing.assert_allclose(within_outlier_range(values), values)


def test_what_lies_beyond_the_outer_fences_is_moved_onto_them():
    values = np.array([1e-200, *np.full(98, 1.0), 1e300])
    shown = within_outlier_range(values)
    assert (shown.min(), shown.max()) == pytest.approx((10**-LEAST_DECADES, 10**LEAST_DECADES))
    np.testing.assert_array_equal(np.flatnonzero(beyond(values, shown)), [0, 99])


def test_the_fences_are_tukeys():
    logs = np.concatenate([np.linspace(0, 8, 101), [100.0]])
    lower, upper = np.quantile(logs, (0.25, 0.75))
    assert np.log10(within_outlier_range(10**logs).max()) == pytest.approx(upper + 3 * (upper - lower))


def test_zeros_and_what_is_not_finite_have_no_place():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert within_outlier_range([0, -1, np.nan, np.inf, 2]).tolist() == [2]
        assert within_outlier_range([0, np.nan]).size == 0
        assert not beyond([0, np.nan, 1], within_outlier_range([])).any()
        assert within_outlier_range([1e-300, 1e300, 1e-300, 1e300]).size == 4  # whose fences are no numbers
