"""Every chart of two runs draws every odd pair: without a warning, in valid Plotly, on the timeline's clock, small."""

import importlib
import inspect
import pkgutil
import re
import warnings
from dataclasses import replace

import plotly.io
import pytest

from pages.charts import hidden_patient, one_run, sweeps
from pages.text.clock import timeline_steps
from pages.text.labels import differences
from tests.charts.odd_runs import FOUR, ILL_WORDED, PAIRS, pair

MOST_BYTES = 70_000  # of 600,000 for all charts of a page
HEAVIER = {
    "gradient_per_layer": 90_000, "gradient_through_training": 90_000, "weight_norms": 100_000,
    "chain_rule_factors": 110_000, "predictions": 135_000,
}  # fmt: skip


OF_TWO = ["patient", "treated"], ["histories", "looks"]  # and of any number


def is_chart_of_two_runs(module):
    parts = [getattr(module, name, None) for name in ("figure", "alt", "table")]
    return all(part and list(inspect.signature(part).parameters) in OF_TWO for part in parts)


MODULES = [
    importlib.import_module(f"{one_run.__name__}.{found.name}") for found in pkgutil.iter_modules(one_run.__path__)
]
CHARTS = {module.__name__.rpartition(".")[2]: module for module in MODULES if is_chart_of_two_runs(module)}


def test_the_charts_are_found():
    assert {"learning_curves", "predictions", "weight_norms"} <= set(CHARTS)
    assert set(HEAVIER) <= set(CHARTS)
    for chart in CHARTS.values():
        assert chart.TITLE
        assert chart.QUESTION.endswith("?")


@pytest.mark.parametrize("package", [one_run, hidden_patient, sweeps], ids=lambda one: one.__name__.rpartition(".")[2])
def test_every_chart_says_how_it_is_read(package):
    """In a few sentences that do not give the question again."""
    found = [
        importlib.import_module(f"{package.__name__}.{one.name}") for one in pkgutil.iter_modules(package.__path__)
    ]
    charts = [module for module in found if hasattr(module, "TITLE")]
    assert charts
    for chart in charts:
        assert 2 <= len(re.findall(r"[.:](?=\s|$)", chart.HOW_TO_READ)) <= 8, chart.__name__
        assert 100 < len(chart.HOW_TO_READ) < 420, chart.__name__
        assert chart.QUESTION not in chart.HOW_TO_READ
        assert "?" not in chart.HOW_TO_READ


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("stem", CHARTS)
def test_every_pair_of_odd_runs_is_drawn(stem, name):
    chart, histories = CHARTS[stem], pair(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, text, table = chart.figure(*histories), chart.alt(*histories), chart.table(*histories)
    figure.validate()
    meta = figure.to_dict()["layout"]["meta"]
    assert (meta["title"], meta["note"]) == (chart.TITLE, differences(*(run.experiment for run in histories)))
    clock = timeline_steps(*histories)
    assert set(figure.steps) <= set(clock)
    if figure.steps:
        assert (figure.steps[0], figure.steps[-1]) == (clock[0], clock[-1])
    assert len(plotly.io.to_json(figure.to_dict(), validate=False)) < HEAVIER.get(stem, MOST_BYTES)
    assert text.startswith("Patient")
    assert text.endswith(".")
    assert not ILL_WORDED.search(text)
    if "network" in table:
        assert set(table["network"]) <= {"Patient", "Treated"}


def is_of_any_number(chart):
    return "looks" in inspect.signature(chart.figure).parameters


@pytest.mark.parametrize("stem", [stem for stem, chart in CHARTS.items() if is_of_any_number(chart)])
def test_a_chart_of_any_number_of_networks_draws_one_three_and_four(stem):
    chart, four = (
        CHARTS[stem],
        [
            replace(run, experiment=replace(run.experiment, clip="norm", clip_threshold=1e6))  # else there is no angle
            for run in (*pair("plain"), *pair("of unequal depth"))
        ],
    )
    for count in (1, 3, 4):
        runs, shown = four[:count], FOUR[:count]
        sent, text = chart.figure(*runs, looks=shown).validate().to_json(), chart.alt(*runs, looks=shown)
        assert all((look.name in sent, look.name in text) == (look in shown, look in shown) for look in FOUR)
        assert set(chart.table(*runs, looks=shown)["network"]) == {look.name for look in shown}
