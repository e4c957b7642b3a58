"""The small picture of two runs."""

import re
from xml.etree import ElementTree

import pytest

from pages.charts.one_run.preview import HEIGHT, WIDTH, alt, preview
from tests.charts.odd_runs import PAIRS, pair


@pytest.mark.parametrize("name", PAIRS)
def test_it_draws_within_itself(name):
    picture = ElementTree.fromstring(preview(*pair(name)))
    lines = picture.findall("{*}polyline")
    assert len(lines) == 4
    for line in lines:
        for x, y in re.findall(r"([-\d.]+),([-\d.]+)", line.get("points")):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT
    assert "validation loss" in alt(*pair(name))
