"""Where, in two settings, do networks train?

Each cell is a network that was trained; its colour is R at step 0, the loss in the end, or what the doctor finds.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from engine.cures.outcomes import Outcome, unit_of
from pages.charts.style.annotations import captioned, footnotes
from pages.charts.style.axes import axis, key_bar
from pages.charts.style.class_colors import CLASS_COLORS
from pages.charts.style.figure import LOOKS, MAGNITUDE_SCALE, AnimatedFigure, Array, Json, Look
from pages.charts.style.traces import key, line, marks, nothing, stroke
from pages.charts.sweeps.settings_grid import CELLS, Cell, SettingsGrid, position_of, ticks_of
from pages.text.findings_text import HEADINGS
from pages.text.labels import label, meaning, number

TITLE = "Map of two settings"
QUESTION = "Where, in two settings, do networks train?"
HOW_TO_READ = (
    "Each cell is a network that was trained with the values of its column and row; all else is the present network’s. "
    "Where neighbours come out differently, smaller cells were trained. The ring is the present network. A dashed line "
    "is where theory, for wide networks, expects the gradient neither to vanish nor to explode. Click a cell, and its "
    "network becomes the present one."
)
NEEDS = "settings with at least one network within what a run may cost"

R, LOSS, FINDING = COLORS = ("R", "loss", "finding")
COLOR_LABELS = {R: "gradient ratio R at step 0", LOSS: "loss on new data", FINDING: "the doctor’s finding"}
HEALTHY = "healthy"
# From vanished over level to exploded: ends told apart without red-green vision.
R_SCALE = [[0, CLASS_COLORS[0]], [0.5, "#f2f2f2"], [1, "#b8860b"]]
MOST_DECADES = 6  # of R, to either side
FINDING_COLORS = ("#f0f0f0", *CLASS_COLORS)
FINE = 2 * CELLS  # cells of the picture along an axis
SQUARE = 420  # px
BELOW = 150  # px that axis title and key take

Results = Mapping[str, Sequence[Outcome]]


def figure(results: Results, grid: SettingsGrid, color: str = R, looks: Sequence[Look] = LOOKS) -> AnimatedFigure:
    """The cells, the diverged ones marked, theory's line where it has one, and a ring around the present network."""
    drawn = list(_drawn(results, grid))
    if not drawn:
        return AnimatedFigure([nothing()])
    z, coloring, keys = _colored([outcome for _, outcome in drawn], color)
    picture = np.full((FINE, FINE), np.nan)
    texts = np.full((FINE, FINE), "", dtype=object)
    links = np.full((FINE, FINE), None, dtype=object)
    for (cell, outcome), value in zip(drawn, z, strict=True):
        rows, columns = _pixels(cell.y, cell.size), _pixels(cell.x, cell.size)
        picture[rows, columns] = value
        texts[rows, columns] = _hover(grid, outcome)
        links[rows, columns] = _link(grid, outcome)
    places = np.arange(FINE) / 2 - 0.25
    traces: list[Json] = [
        *keys,
        {
            "type": "heatmap", "x": places, "y": places, "z": picture, "coloraxis": "coloraxis",
            "text": texts.tolist(), "customdata": links.tolist(), "hovertemplate": "%{text}<extra></extra>",
        }
    ]  # fmt: skip
    diverged = [cell for cell, outcome in drawn if outcome.status == "diverged" and cell.size <= 1]
    if diverged:
        cross = {"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": "#444444"}}
        x, y = [cell.x for cell in diverged], [cell.y for cell in diverged]
        traces.append(marks(x, y, "diverged", marker=cross, showlegend=False))
    if critical := grid.critical():
        x, y = [point[0] for point in critical], [point[1] for point in critical]
        for shade, width, dash in (("#ffffff", 4, "solid"), ("#111111", 2.5, "dash")):
            traces.append(line(x, y, "theory: χ₁ = 1", showlegend=False, **stroke(shade, width, dash)))
    x, y = ([position_of(name, float(getattr(grid.base, name)))] for name in (grid.x, grid.y))
    ring = {"symbol": f"{looks[0].symbol}-open", "size": 16, "color": looks[0].color, "line": {"width": 3}}
    traces.append(marks(x, y, "present network", marker=ring, showlegend=False))
    layout: Json = {
        "xaxis": _axis(grid.x),
        "yaxis": _axis(grid.y),
        "coloraxis": coloring,
        "showlegend": bool(keys),
        "hovermode": "closest",
        "meta": {"opens": True},
    }
    notes = footnotes(_notes(bool(critical), bool(diverged), drawn, grid), SQUARE, BELOW)
    return captioned(TITLE, AnimatedFigure(traces, layout | notes))


def says(results: Results, grid: SettingsGrid, color: str = R, looks: Sequence[Look] = LOOKS) -> str:
    """How many networks learnt, where R is level, and what the others have."""
    outcomes = list(dict.fromkeys(outcome for _, outcome in _drawn(results, grid)))
    findings = Counter(HEADINGS[one.findings[0]] if one.findings else HEALTHY for one in outcomes)
    healthy = findings.pop(HEALTHY, 0)
    best = min(outcomes, key=lambda one: one.validation_loss if np.isfinite(one.validation_loss) else np.inf)
    others = ", ".join(f"{name[0].lower()}{name[1:]} ({count})" for name, count in findings.most_common(3))
    return (
        f"The doctor finds nothing wrong with **{healthy} of {len(outcomes)}** networks"
        f"{f'; with the others most often: {others}' if others else ''}. The lowest loss on new data, "
        f"{number(best.validation_loss)} {unit_of(best)}, is at {_where(grid, best)}."
    )


def alt(results: Results, grid: SettingsGrid, color: str = R, looks: Sequence[Look] = LOOKS) -> str:
    """The same in plain words."""
    axes = f"{label(grid.x)} against {label(grid.y)}, coloured by {COLOR_LABELS[color]}. "
    return axes[0].upper() + axes[1:] + says(results, grid, color).replace("**", "")


def table(results: Results, grid: SettingsGrid, color: str = R, looks: Sequence[Look] = LOOKS) -> pd.DataFrame:
    """One row a network."""
    rows = []
    for outcome in dict.fromkeys(one for outcomes in results.values() for one in outcomes):
        found = HEADINGS[outcome.findings[0]] if outcome.findings else HEALTHY
        rows.append(
            {
                label(grid.x): getattr(outcome.experiment, grid.x),
                label(grid.y): getattr(outcome.experiment, grid.y),
                "R at step 0": outcome.gradient_ratio,
                f"loss on new data ({unit_of(outcome)})": outcome.validation_loss,
                "ended": outcome.status.replace("_", " "),
                "finding": found,
            }
        )
    return pd.DataFrame(rows)


def _drawn(results: Results, grid: SettingsGrid) -> Iterator[tuple[Cell, Outcome]]:
    """What is known of the cells, the finer ones over the coarser; the first ones stand for those that are missing."""
    known = {one.experiment: one for outcomes in results.values() for one in outcomes}
    missing = any(cell.experiment not in known for cell in grid.coarse())
    fine = [cell for cells in grid.refined(known).values() for cell in cells]
    for cell in (*(grid.first() if missing else ()), *grid.coarse(), *fine):
        if cell.experiment in known:
            yield cell, known[cell.experiment]


def _pixels(middle: float, size: float) -> slice:
    start = round(2 * (middle - size / 2 + 0.5))
    return slice(start, start + round(2 * size))


def _colored(outcomes: Sequence[Outcome], color: str) -> tuple[Array, Json, list[Json]]:
    """A number for each, the colour axis that it is on, and the entries of a legend, where there is one instead."""
    with np.errstate(all="ignore"):
        if color == R:
            decades = np.log10([one.gradient_ratio for one in outcomes])
            decades = np.clip(np.where(np.isnan(decades), MOST_DECADES, decades), -MOST_DECADES, MOST_DECADES)
            reach = max(1, int(np.ceil(np.abs(decades).max())))
            ticks = list(range(-reach, reach + 1, 1 if reach < 4 else 2))
            bar = key_bar("R at step 0: vanishes · level · explodes", ticks, [_power(tick) for tick in ticks], y=-0.24)
            return decades, {"cmin": -reach, "cmax": reach, "colorscale": R_SCALE, "colorbar": bar}, []
        if color == LOSS:
            losses = np.array([one.validation_loss for one in outcomes])
            finite = losses[np.isfinite(losses) & (losses > 0)]
            logs = np.log10(np.clip(losses, finite.min(), finite.max())) if finite.size else np.zeros(len(losses))
            low, high = float(logs.min()), max(float(logs.max()), float(logs.min()) + 0.1)
            ticks = np.linspace(low, high, 4).tolist()
            bar = key_bar(f"loss on new data ({unit_of(outcomes[0])})", ticks, [number(10**t) for t in ticks], y=-0.24)
            scale = {"colorscale": MAGNITUDE_SCALE, "reversescale": True}
            return logs, scale | {"cmin": low, "cmax": high, "colorbar": bar}, []
    codes = [one.findings[0] if one.findings else HEALTHY for one in outcomes]
    named = [HEALTHY, *(code for code, _ in Counter(codes).most_common() if code != HEALTHY)][: len(FINDING_COLORS)]
    index = np.array([float(named.index(code)) if code in named else len(named) - 1.0 for code in codes])
    n = len(named)
    steps = [[edge / n, FINDING_COLORS[i]] for i in range(n) for edge in (i, i + 1)]
    keys = [
        key(HEADINGS.get(code, "Healthy"), marker={"symbol": "square", "size": 12, "color": shade})
        for code, shade in zip(named, FINDING_COLORS, strict=False)
    ]
    return index, {"cmin": -0.5, "cmax": n - 0.5, "colorscale": steps, "showscale": False}, keys


def _power(decade: float) -> str:
    return "1" if decade == 0 else f"10<sup>{decade:g}</sup>".replace("-", "−")


def _axis(name: str) -> Json:
    positions, values = ticks_of(name)
    texts = [meaning(name, int(value) if float(value).is_integer() else value) for value in values]
    return axis(label(name), range=[-0.5, CELLS - 0.5], tickvals=positions, ticktext=texts, showgrid=False)


def _where(grid: SettingsGrid, outcome: Outcome) -> str:
    return ", ".join(f"{label(name)} {meaning(name, getattr(outcome.experiment, name))}" for name in (grid.x, grid.y))


def _hover(grid: SettingsGrid, outcome: Outcome) -> str:
    found = HEADINGS[outcome.findings[0]] if outcome.findings else "Healthy"
    loss = f"{number(outcome.validation_loss)} {unit_of(outcome)}" if np.isfinite(outcome.validation_loss) else "∞"
    ended = " · diverged" if outcome.status == "diverged" else ""
    return f"{_where(grid, outcome)}<br>R {number(outcome.gradient_ratio)} · loss on new data {loss}<br>{found}{ended}"


def _link(grid: SettingsGrid, outcome: Outcome) -> dict[str, str]:
    """The parameters of the address that make this network the present one."""
    changed = outcome.experiment.differences(grid.base)
    return {name: str(getattr(outcome.experiment, name)) for name in {grid.x, grid.y} | changed.keys()}


def _notes(critical: bool, diverged: bool, drawn: list[tuple[Cell, Outcome]], grid: SettingsGrid) -> list[str]:
    notes = []
    if critical:
        notes.append("Dashed: χ₁ = 1 by mean-field theory of wide networks; the gradient is level there.")
    if diverged:
        notes.append("×: diverged.")
    if len(grid.coarse()) < CELLS**2:
        notes.append("Empty cells: networks that cannot be, or take too long here.")
    if sum(cell.size == 1 for cell, _ in drawn) < len(grid.coarse()):
        notes.append("Not all cells are trained yet: large ones stand for their neighbours too.")
    return notes
