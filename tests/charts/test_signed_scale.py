"""Places on the axis keep sign and order, and the labels stand where the numbers do."""

import numpy as np
import pytest

from pages.charts.style.signed_scale import signed_axis


def test_layers_of_one_size_share_a_linear_axis():
    axis, place, on_log = signed_axis("weight", np.array([-0.5, -0.1]), np.array([0.2, 0.3]))
    assert not on_log
    assert axis["range"][0] <= -0.5
    assert axis["range"][1] >= 0.3
    np.testing.assert_array_equal(place(np.array([-0.5, 0.3])), [-0.5, 0.3])


def test_layers_of_unlike_size_share_a_log_axis():
    low, high = np.array([-0.01, -1.0, -300.0]), np.array([0.01, 0.5, 200.0])
    axis, place, on_log = signed_axis("weight", low, high)
    values = np.array([-300, -0.01, -1e-5, 0, 1e-5, 0.01, 200])
    assert on_log
    np.testing.assert_allclose(place(values), np.sign(values) * np.log10(1 + np.abs(values) / 0.01), rtol=1e-12)
    assert (np.diff(place(values)) > 0).all()
    assert axis["range"][0] < place(low).min()
    assert axis["range"][1] > place(high).max()
    assert "log scale" in axis["title"]["text"]
    numbers = {"0": 0, "1": 1, "−1": -1, "100": 100, "−100": -100}
    assert dict(zip(axis["ticktext"], axis["tickvals"], strict=True)) == pytest.approx(
        {text: float(place(np.array(float(number)))) for text, number in numbers.items()}
    )


@pytest.mark.parametrize(
    ("low", "high"),
    [([0.0], [0.0]), ([np.nan], [np.inf]), ([-1e308, -1e-300], [1e308, 1e-300]), ([0.0, 0.0], [1e-300, 1e-320])],
)
def test_the_extremes_have_a_finite_axis(low, high):
    axis, place, _ = signed_axis("weight", np.array(low), np.array(high))
    finite = np.array([value for value in (*low, *high) if np.isfinite(value)])
    assert np.isfinite(axis["range"]).all()
    assert np.isfinite(place(finite)).all()
