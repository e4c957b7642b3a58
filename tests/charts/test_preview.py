"""The small pictures of cards."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from engine import Experiment, train
from pages.charts.one_run import preview
from pages.charts.one_run.preview import HEIGHT, WIDTH, Picture
from tests.charts.odd_runs import PAIRS, pair


def lines_of(picture: Picture) -> list[list[tuple[float, float]]]:
    """The lines' points, all of them within the picture."""
    lines = []
    for line in ElementTree.fromstring(picture.svg).findall("{*}polyline"):
        points = [(float(x), float(y)) for x, y in re.findall(r"([-\d.]+),([-\d.]+)", line.get("points"))]
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
        lines.append(points)
    return lines


@pytest.mark.parametrize("name", PAIRS)
def test_it_draws_any_losses_within_itself(name):
    picture = preview.losses(*pair(name))
    assert len(lines_of(picture)) == 4
    assert "validation loss" in picture.alt


@pytest.mark.parametrize(
    ("draw", "words"), [(preview.error_signal, "layer 1 receives"), (preview.weight_size, "norm of all weights")]
)
def test_a_line_for_each_network(draw, words):
    patient = Experiment(activation="sigmoid", depth=5, steps=3)
    picture = draw(train(patient), train(replace(patient, activation="relu")))
    assert len(lines_of(picture)) == 2
    assert words in picture.alt


def test_the_fit_of_a_line():
    patient = Experiment(dataset="sine", depth=1, width=2, steps=3)
    histories = train(patient), train(replace(patient, width=8))
    picture = preview.fit(*histories)
    lines = lines_of(picture)
    assert [len(line) for line in lines] == [histories[0].predictions.shape[1]] * 2
    assert "training loss" in picture.alt


def test_a_network_has_a_line_for_each_weight():
    picture = preview.weights([np.array([[1.0, 2.0, 3.0], [-4.0, 0.0, 1.0]]), np.ones((3, 1))])
    drawing = ElementTree.fromstring(picture.svg)
    widths = [float(path.get("stroke-width")) for path in drawing.findall("{*}path")]
    assert len(widths) == 9
    assert np.argmax(widths) == 3
    assert len(drawing.findall("{*}circle")) == 6
    assert picture.alt == "A network of 2-3-1 units; the largest weight is 4."


def test_a_riddle_shows_a_loss_and_nothing_else():
    picture = preview.riddle(pair(next(iter(PAIRS)))[0])
    assert len(lines_of(picture)) == 1
    assert "hidden" in picture.alt
