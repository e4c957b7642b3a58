"""The map of two settings: every cell is a run, finer where neighbours differ, and theory's line lies where R turns."""

from dataclasses import replace

import numpy as np
import pytest

from engine import Experiment, train, train_many
from engine.cures.outcomes import FRAMES, UPDATE_ROWS, Outcome, outcome_of
from engine.theory import mean_field
from pages.charts.sweeps import settings_map
from pages.charts.sweeps.settings_grid import CELLS, ENDS, MOST_REFINED, SettingsGrid, chi, position_of, value_at
from pages.charts.sweeps.settings_map import COLORS, FINE

BASE = Experiment(activation="tanh", initializer="xavier_normal", width=6, n_train=20, steps=25, learning_rate=0.5)
GRID = SettingsGrid(BASE, "depth", "gain")


def trained(grid: SettingsGrid, experiments: list[Experiment]) -> dict[Experiment, Outcome]:
    histories = train_many(experiments, max_updates=UPDATE_ROWS, max_frames=FRAMES)
    return {history.experiment: outcome_of(history) for history in histories}


@pytest.fixture(scope="module")
def known() -> dict[Experiment, Outcome]:
    coarse = trained(GRID, [cell.experiment for cell in GRID.coarse()])
    return coarse | trained(GRID, [one for one in GRID.groups(coarse)["fine"] if one not in coarse])


@pytest.fixture(scope="module")
def results(known: dict[Experiment, Outcome]) -> dict[str, list[Outcome]]:
    return {name: [known[one] for one in group] for name, group in GRID.groups(known).items()}


def test_it_is_coarse_at_first_and_finer_where_neighbours_differ(known: dict[Experiment, Outcome]) -> None:
    assert len(GRID.coarse()) == CELLS**2
    assert GRID.groups({})["fine"] == GRID.groups({})["coarse"] == []
    refined = GRID.refined(known)
    assert 0 < len(refined) <= MOST_REFINED
    for one, finer in refined.items():
        assert {(cell.x - one.x, cell.y - one.y) for cell in finer} == {
            (x, y) for x in (-0.25, 0.25) for y in (-0.25, 0.25)
        }
    calm = {cell.experiment: known[GRID.coarse()[0].experiment] for cell in GRID.coarse()}
    assert not GRID.refined(calm)  # where all come out alike


@pytest.mark.parametrize("stage", ["first", "all"])
def test_every_pixel_is_a_run_bit_for_bit(known, results, stage: str) -> None:
    if stage == "first":
        results = {"first": [known[one] for one in GRID.groups({})["first"]]}
    (heatmap,) = (one for one in settings_map.figure(results, GRID, "R").to_dict()["data"] if one["type"] == "heatmap")
    links = heatmap["customdata"]
    assert all(links[row][column] for row in range(FINE) for column in range(FINE))
    z = np.array(settings_map.figure(results, GRID, "R")._data[0]["z"])
    for row, column in ((0, 0), (7, 3), (12, 20), (23, 23), (16, 9)):
        changed = {name: type(getattr(BASE, name))(text) for name, text in links[row][column].items()}
        history = train(replace(BASE, **changed))
        outcome = known[history.experiment]
        assert outcome.validation_loss == history.validation_loss[-1]
        assert outcome.gradient_ratio == history.gradient_ratio[0]
        assert z[row, column] == np.clip(np.log10(outcome.gradient_ratio), -6, 6)


def test_the_line_is_where_theory_says() -> None:
    """At the line itself χ₁ is 1; deep and wide networks vanish below it and explode above it."""
    grid = SettingsGrid(replace(BASE, width=64, steps=1), "depth", "gain")
    deepest = [cell for cell in grid.coarse() if cell.x == CELLS - 1]
    known = trained(grid, [cell.experiment for cell in deepest])
    heights = {round(y, 3) for _, y in grid.critical()}
    assert len(heights) == 1  # it does not depend on depth
    (height,) = heights
    low, high = ENDS["gain"]
    gain = low * (high / low) ** (height / (CELLS - 1))
    assert mean_field("tanh", gain**2, 0)[1] == pytest.approx(1, abs=0.02)
    for cell in deepest:
        if abs(cell.y - height) > 1:
            assert (known[cell.experiment].gradient_ratio > 1) == (cell.y > height)


@pytest.mark.parametrize("other", ["width", "dropout", "bias"])
def test_the_line_follows_the_other_setting(other: str) -> None:
    grid = SettingsGrid(replace(BASE, activation="relu", initializer="he_normal"), other, "gain")
    for x, y in grid.critical():
        low, high = ENDS["gain"]
        at = replace(grid.base, **{other: value_at(other, x), "gain": low * (high / low) ** (y / (CELLS - 1))})
        assert chi(at) == pytest.approx(1, abs=0.02)


def test_theory_draws_nothing_where_it_says_nothing() -> None:
    assert not SettingsGrid(replace(BASE, normalization="batch"), "depth", "gain").critical()
    assert not SettingsGrid(BASE, "depth", "learning_rate").critical()


@pytest.mark.parametrize("color", COLORS)
def test_it_is_drawn_said_and_tabled(results, color: str) -> None:
    figure = settings_map.figure(results, GRID, color)
    figure.validate()
    networks = {one for group in results.values() for one in group}
    text = settings_map.alt(results, GRID, color)
    assert text.startswith("Hidden layers against gain")
    assert f"of {len(networks)} networks" in text
    assert len(settings_map.table(results, GRID, color)) == len(networks)


def test_what_is_not_trained_yet_stays_empty(known) -> None:
    first = GRID.groups({})["first"]
    one = GRID.coarse()[1].experiment
    for networks, filled in (([one], 4), (first[:1], 16), ([first[0], one], 16), (first, FINE**2)):
        figure = settings_map.figure({"coarse": [known[network] for network in networks]}, GRID, "loss")
        assert np.isfinite(np.array(figure._data[0]["z"], float)).sum() == filled
    assert settings_map.figure({"coarse": [], "fine": []}, GRID).empty is False


@pytest.mark.parametrize("name", ENDS)
def test_axes_go_through_allowed_values_and_back(name: str) -> None:
    values = [value_at(name, position) for position in range(CELLS)]
    assert values == sorted(values)
    for position, value in enumerate(values):
        replace(BASE, **{name: value})
        assert position_of(name, float(value)) == pytest.approx(position, abs=0.6)
