"""How does the loss fall, update by update, and how well did the gradient predict the next one?"""

from engine.losses import LOSSES
from pages.charts.style.axes import axis
from pages.charts.style.figure import AnimatedFigure, Json
from pages.charts.style.tokens import TOKENS
from pages.text.labels import number
from pages.walkthrough.calculation import Course

TITLE = "Loss, update by update"
QUESTION = "How does the loss fall, and how well did the gradient predict the next update?"
COLOR = TOKENS["teal"]  # the page's own; no patient and no treated network here
HEIGHT = 260


def figure(course: Course) -> AnimatedFigure:
    """The loss before each update, and the change of the next one: predicted (dotted) and real (open circle)."""
    losses, next_update = course.losses, course.next
    last = len(losses) - 1
    line = {"color": COLOR, "width": 3}
    predicted = losses[-1] + next_update.predicted_change
    happened = losses[-1] + next_update.change
    dotted = {"color": COLOR, "width": 2, "dash": "dot"}
    circle = {"color": COLOR, "symbol": "circle-open", "size": 11, "line": {"width": 2}}
    traces: list[Json] = [
        {"type": "scatter", "x": list(range(last + 1)), "y": losses, "mode": "lines+markers" if last < 30 else "lines",
         "name": "loss", "line": line, "marker": {"size": 7}},
        {"type": "scatter", "x": [last, last + 1], "y": [losses[-1], predicted], "mode": "lines",
         "name": "next, predicted", "line": dotted},
        {"type": "scatter", "x": [last + 1], "y": [happened], "mode": "markers", "name": "next", "marker": circle},
    ]  # fmt: skip
    layout = {
        "xaxis": axis("update", [0, max(last + 1, 10)], rangemode="tozero"),
        "yaxis": axis(f"loss ({LOSSES[next_update.problem.loss].unit})", [*losses, predicted, happened, 0]),
        "height": HEIGHT,
    }
    return AnimatedFigure(traces, layout)


def alt(course: Course) -> str:
    """The curve in words."""
    losses, next_update = course.losses, course.next
    return (
        f"The loss goes from {number(losses[0])} to {number(losses[-1])} in {len(losses) - 1} updates; the next is "
        f"predicted to change it by {number(next_update.predicted_change)}, "
        f"and changes it by {number(next_update.change)}."
    )
