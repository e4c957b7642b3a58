"""Several networks over the same seeds: what is drawn are their scores, and what is said counts seed by seed."""

from dataclasses import replace

import numpy as np
import pytest

from engine.cures.outcomes import NewData
from pages.charts.style.figure import LOOKS
from pages.charts.sweeps import networks as chart
from tests.charts.made_outcomes import odd

PLAIN, _ = odd("plain")
NUMBER, _ = odd("of regression")


def seeds(template, scores, **changes):
    """Outcomes of one network whose test results are these, seed by seed."""
    field = "test_loss" if np.isnan(template.train_accuracy) else "test_accuracy"
    return [
        replace(template, experiment=replace(template.experiment, seed=seed), **{field: score}, **changes)
        for seed, score in enumerate(scores)
    ]


def test_networks_are_compared_seed_by_seed():
    mine, theirs = seeds(PLAIN, [0.9, 0.8, 0.7, 0.6]), seeds(PLAIN, [0.8, 0.9, 0.6, 0.6])
    assert chart.better_in(mine, theirs) == (2, 1, 4)
    assert chart.better_in(mine[:2], theirs[1:]) == (0, 1, 1), "only seeds that both have count"
    results = {"deep": mine, "flat": theirs}
    text = chart.says(results)
    assert "**deep**: right on test data 75" in text
    assert "60 % to 90 %".replace(" %", "\u00a0%") in text
    assert "**deep** is better than **flat** in 2 of 4, and as good in 1." in text
    assert "**deep** and **same** are equally good in all 4." in chart.says({"deep": mine, "same": mine})
    lower, higher = seeds(NUMBER, [1.0, 2.0]), seeds(NUMBER, [3.0, 1.0])
    assert chart.better_in(lower, higher) == (1, 1, 2), "of losses the lower one is better"
    in_cents = [
        replace(one, experiment=replace(one.experiment, target_scale=100.0)) for one in seeds(NUMBER, [1e4, 4e4])
    ]
    assert chart.better_in(lower, in_cents) == (1, 0, 2), "errors are compared in one unit"
    broken = seeds(NUMBER, [0.1, 0.1], status="diverged")
    assert chart.better_in(lower, broken) == (2, 0, 2)
    assert "all 2 diverged" in chart.says({"one": lower, "other": broken})
    texts = [note.text for note in chart.figure({"one": lower, "other": broken}).layout.annotations]
    assert "× diverged" in texts, "the row is not left empty"
    assert any("2 of 2 diverged" in text for text in texts)


@pytest.mark.parametrize("template", [PLAIN, NUMBER])
def test_every_seed_is_a_dot_on_the_axis(template):
    scores = np.linspace(0.4, 0.8, 8)
    results = {"Patient": seeds(template, scores), "Treated": seeds(template, scores / 2)}
    figure = chart.figure(results)
    figure.validate()
    for look, factor in zip(LOOKS, (1, 2), strict=True):
        dots = next(trace for trace in figure.data if trace.name == look.name)
        np.testing.assert_allclose(dots.x, np.sqrt(scores / factor) if template is NUMBER else scores / factor)
    low, high = figure.layout.xaxis.range
    ends = (10**low, 10**high) if figure.layout.xaxis.type == "log" else (low, high)
    assert ends[0] <= (0.2**0.5 if template is NUMBER else 0.2)
    assert ends[1] >= 0.8
    assert len(chart.table(results)) == 16
    assert "Patient" in chart.alt(results)


def test_where_a_network_weighs_its_classes_every_class_counts_alike():
    alike = NewData(0.5, 0.5, 0.5, 0.8), NewData(0.5, 0.5, 0.5, 0.5)
    weighed = replace(PLAIN.experiment, class_weights="balanced")
    fair = seeds(replace(PLAIN, experiment=weighed, classes_alike=alike[0]), [0.7, 0.7])
    plain = seeds(replace(PLAIN, classes_alike=alike[1]), [0.95, 0.95])
    text = chart.says({"fair": fair, "plain": plain})
    assert "**fair**: right on test data, every class counting alike, 80" in text
    assert "**fair** is better than **plain** in 2 of 2." in text
    assert "every class counting alike" in chart.figure({"fair": fair, "plain": plain}).layout.xaxis.title.text
    assert "alike" not in chart.says({"one": plain, "other": plain})
