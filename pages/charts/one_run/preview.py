"""A small picture of two runs, for a card: how the loss of the patient and of the treated network went."""

import math

import numpy as np

from engine import RunHistory
from pages.charts.style.figure import PATIENT, TREATED
from pages.text.labels import number

WIDTH, HEIGHT, AIR = 240, 64, 4  # of the drawing, in its own units
DASHES = {PATIENT: "", TREATED: ' stroke-dasharray="7 4"'}
_SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
    'fill="none" stroke-width="2.5" stroke-linejoin="round">{}</svg>'
)
BLANK = _SVG.format("")  # of the same size, until the runs are there
FAINT = 0.5  # opacity of the training loss; the validation loss is drawn in full


def preview(patient: RunHistory, treated: RunHistory) -> str:
    """An SVG: training (faint) and validation loss against the steps, both networks on one log scale."""
    runs = {PATIENT: patient, TREATED: treated}
    curves = [
        (look, opacity, history.evaluation_step, values)
        for look, history in runs.items()
        for opacity, values in ((FAINT, history.train_loss), (1.0, history.validation_loss))
    ]
    drawn = np.concatenate([values for *_, values in curves])
    drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
    low, high = (math.log(drawn.min()), math.log(drawn.max())) if drawn.size else (0.0, 1.0)
    last = max(1, *(int(steps[-1]) for *_, steps, _ in curves))
    lines = []
    for look, opacity, steps, values in curves:
        kept = np.isfinite(values) & (values > 0)
        x = AIR + steps[kept] / last * (WIDTH - 2 * AIR)
        y = AIR + (high - np.log(values[kept])) / max(high - low, 1e-9) * (HEIGHT - 2 * AIR)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        lines.append(f'<polyline points="{points}" stroke="{look.color}" opacity="{opacity}"{DASHES[look]}/>')
    return _SVG.format("".join(lines))


def alt(patient: RunHistory, treated: RunHistory) -> str:
    """What the picture shows, in numbers."""
    ends = [
        f"{look.name}: validation loss {number(history.validation_loss[0])} to {number(history.validation_loss[-1])}"
        + (", then no finite number" if history.status == "diverged" else "")
        for look, history in ((PATIENT, patient), (TREATED, treated))
    ]
    return ". ".join(ends) + "."
