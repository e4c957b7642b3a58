"""Small pictures for cards: what a run of two networks looks like at a glance, without axes or numbers."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine import RunHistory
from pages.charts.style.class_colors import CLASS_COLORS
from pages.charts.style.figure import PATIENT, TREATED, Look
from pages.charts.style.panels import dataset_of
from pages.text.labels import number, share

Array = np.ndarray

WIDTH, HEIGHT, AIR = 240, 80, 7  # of the drawing, in its own units
DASHES = {PATIENT: "", TREATED: ' stroke-dasharray="7 4"'}
FAINT = 0.7  # opacity of what stands behind
MOST_POINTS = 60  # of a training set
GRAY = "#7d8b91"  # contrast 3 and more on white and on a near-black page


class Picture(NamedTuple):
    """A drawing as SVG, and what it shows in words."""

    svg: str
    alt: str


def _svg(parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" fill="none" '
        f'stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round">{"".join(parts)}</svg>'
    )


BLANK = _svg([])  # of the same size, until the runs are there


class _Curve(NamedTuple):
    look: Look
    x: Array
    y: Array
    opacity: float = 1.0


def losses(patient: RunHistory, treated: RunHistory) -> Picture:
    """Training (faint) and validation loss against the steps, both networks on one log scale."""
    curves = [
        _Curve(look, history.evaluation_step, values, opacity)
        for look, history in ((PATIENT, patient), (TREATED, treated))
        for opacity, values in ((FAINT, history.train_loss), (1.0, history.validation_loss))
    ]
    ends = [
        f"{look.name}: validation loss {number(history.validation_loss[0])} to {number(history.validation_loss[-1])}"
        + (", then no finite number" if history.status == "diverged" else "")
        for look, history in ((PATIENT, patient), (TREATED, treated))
    ]
    return Picture(_svg(_log_lines(curves)), ". ".join(ends) + ".")


def error_signal(patient: RunHistory, treated: RunHistory) -> Picture:
    """rms δ of the layers at step 0, first to last, on one log scale."""
    histories = ((PATIENT, patient), (TREATED, treated))
    curves = [_Curve(look, np.arange(history.layers), history.delta_rms[0]) for look, history in histories]
    words = [f"{look.name}: layer 1 receives {share(history.gradient_ratio[0])}" for look, history in histories]
    return Picture(_svg(_log_lines(curves)), ". ".join(words) + " the last hidden layer’s error signal.")


def weight_size(patient: RunHistory, treated: RunHistory) -> Picture:
    """Norm of all weights against the steps, on one log scale: an explosion leaves it large, the gradient dies."""
    norms = {PATIENT: (patient, _norm(patient)), TREATED: (treated, _norm(treated))}
    curves = [_Curve(look, history.step, norm) for look, (history, norm) in norms.items()]
    words = [
        f"{look.name}: the norm of all weights is {number(float(np.nanmax(norm)))} at most"
        for look, (_, norm) in norms.items()
    ]
    return Picture(_svg(_log_lines(curves)), ". ".join(words) + ".")


def _norm(history: RunHistory) -> Array:
    """‖θ‖ over all layers' weights, (updates,)."""
    with np.errstate(all="ignore"):
        return np.linalg.norm(history.weight_norm, axis=1)


def fit(patient: RunHistory, treated: RunHistory) -> Picture:
    """Both networks' answers over the one input at the end, and training examples."""
    dataset = dataset_of(patient)
    if patient.prediction_axes is None or patient.predictions is None or treated.predictions is None or not dataset:
        raise ValueError("a fit needs one input")
    (x,) = patient.prediction_axes
    answers = {PATIENT: patient.predictions[-1, :, 0], TREATED: treated.predictions[-1, :, 0]}
    inputs, targets = dataset.train_inputs[:MOST_POINTS, 0], dataset.train_targets[:MOST_POINTS, 0]
    across = (float(x.min()), float(x.max()))
    heights = np.concatenate([targets, *answers.values()])
    up = (float(heights.min()), float(heights.max()))
    parts = [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.4" stroke="{GRAY}" stroke-width="1.2"/>'
        for a, b in zip(_across(inputs, across), _up(targets, up), strict=True)
    ]
    parts += [_line(look, _across(x, across), _up(y, up)) for look, y in answers.items()]
    histories = ((PATIENT, patient), (TREATED, treated))
    words = [
        f"{look.name}: training loss {number(float(history.train_loss[-1]))} at the end" for look, history in histories
    ]
    return Picture(_svg(parts), ". ".join(words) + ".")


def weights(matrices: Sequence[Array]) -> Picture:
    """A small network as a graph, its connections as thick as their weights are large.  matrices: (n_in, n_out)."""
    sizes = [len(matrices[0]), *(matrix.shape[1] for matrix in matrices)]
    largest = max(float(np.abs(matrix).max()) for matrix in matrices)
    columns = np.linspace(4 * AIR, WIDTH - 4 * AIR, len(sizes))
    units = [[(x, HEIGHT * (k + 1) / (size + 1)) for k in range(size)] for x, size in zip(columns, sizes, strict=True)]
    parts = [
        f'<path d="M{x:.1f},{y:.1f}L{to_x:.1f},{to_y:.1f}" stroke="{GRAY}" '
        f'stroke-width="{0.5 + 4 * abs(matrix[i, j]) / largest:.2f}"/>'
        for matrix, these, those in zip(matrices, units[:-1], units[1:], strict=True)
        for i, (x, y) in enumerate(these)
        for j, (to_x, to_y) in enumerate(those)
    ]
    parts += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="8" style="fill:var(--{TREATED.key})"/>'
        for column in units
        for x, y in column
    ]
    shape = "-".join(map(str, sizes))
    return Picture(_svg(parts), f"A network of {shape} units; the largest weight is {number(largest)}.")


def points(places: Array, classes: Array, what: str) -> Picture:
    """Examples by two inputs, (n, 2), and class, (n,).  what: they are, in words."""
    names, numbers = np.unique(classes, return_inverse=True)
    x, y = places.T
    parts = [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.6" fill="{CLASS_COLORS[k]}"/>'
        for a, b, k in zip(_across(x, (x.min(), x.max())), _up(y, (y.min(), y.max())), numbers, strict=True)
    ]
    return Picture(_svg(parts), f"{what}: {len(places)}, of {len(names)} classes.")


def riddle(patient: RunHistory) -> Picture:
    """The training loss of one network, and a question mark."""
    mark = (
        f'<text x="{WIDTH / 2}" y="{HEIGHT * 0.82}" font-size="{HEIGHT}" font-weight="700" font-family="sans-serif" '
        f'text-anchor="middle" fill="{GRAY}" opacity="0.45">?</text>'
    )
    lines = _log_lines([_Curve(PATIENT, patient.evaluation_step, patient.train_loss)])
    ends = f"training loss {number(float(patient.train_loss[0]))} to {number(float(patient.train_loss[-1]))}"
    return Picture(_svg([mark, *lines]), f"A patient whose settings are hidden: {ends}.")


# --- lines ---


def _log_lines(curves: Sequence[_Curve]) -> list[str]:
    """Lines on one log scale; what is not finite, or 0, is left out."""
    drawn = np.concatenate([curve.y for curve in curves])
    drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
    up = (math.log(drawn.min()), math.log(drawn.max())) if drawn.size else (0.0, 1.0)
    across = (0.0, float(max(1, *(curve.x[-1] if len(curve.x) else 1 for curve in curves))))
    lines = []
    for look, x, y, opacity in curves:
        kept = np.isfinite(y) & (y > 0)
        lines.append(_line(look, _across(x[kept], across), _up(np.log(y[kept]), up), opacity))
    return lines


def _across(values: Array, ends: tuple[float, float]) -> Array:
    return AIR + (values - ends[0]) / (ends[1] - ends[0]) * (WIDTH - 2 * AIR)


def _up(values: Array, ends: tuple[float, float]) -> Array:
    return AIR + (ends[1] - values) / max(ends[1] - ends[0], 1e-9) * (HEIGHT - 2 * AIR)


def _line(look: Look, x: Array, y: Array, opacity: float = 1.0) -> str:
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return f'<polyline points="{points}" style="stroke:var(--{look.key})" opacity="{opacity}"{DASHES[look]}/>'
