"""Seven animated charts of realistic size over invented numbers: what the timeline's browser tests drive.

The numbers are random walks, not a run: the page is about moving charts, and nobody but a test sees it.
"""

import numpy as np
import streamlit as st

from pages.charts.style.axes import axis, log_axis, log_color_axis
from pages.charts.style.figure import MAGNITUDE_SCALE, PATIENT, TREATED, AnimatedFigure, depth_colors, frame, step_line
from pages.components.shell.plot import encoded, load_plotly, plot
from pages.components.shell.timeline import timeline

UPDATES = 500
LAYERS = 11
BINS = 30
GRID = 32
STEPS = np.unique(np.linspace(0, UPDATES, 60).round().astype(int))
NETWORKS = (PATIENT, TREATED)


def main() -> None:
    st.set_page_config(layout="wide")
    load_plotly()
    short = st.toggle("Shorter run")
    st.button("Rerun")
    if st.button("Jump"):
        st.session_state.jump = (st.session_state.get("jump", (0, 0))[0] + 1, 240)
    late = st.toggle("Late chart")
    st.text_input("Name")
    steps = STEPS[STEPS <= 240] if short else STEPS
    timeline(steps, int(steps[-1]), jump=st.session_state.get("jump"))
    generator = np.random.default_rng(0)
    walks = 10 ** (generator.normal(0, 0.05, (len(steps), 2, 2, LAYERS)).cumsum(0) - np.arange(LAYERS)[::-1] / 3)

    first, second, third = st.columns(3)
    draw(first, "gradient per layer", gradients(steps, walks))
    draw(second, "loss", losses(generator))
    draw(third, "decision surface", surfaces(steps, generator))
    if late:
        draw(st.container(), "late", gradients(steps[::3], walks[::3]))
    draw(st.container(), "gradient through training", gradient_map(generator))
    draw(st.container(), "two factors", factors(steps, walks))
    draw(st.container(), "weights", histograms(steps, generator))
    draw(st.container(), "activations", gradients(steps, walks[:, ::-1] * 3))


def draw(place, name: str, figure: AnimatedFigure) -> None:
    with place:
        plot(encoded(figure, name), key=name.replace(" ", "_"))


def gradients(steps, values) -> AnimatedFigure:
    layers = np.arange(1, LAYERS + 1)
    traces, names = [], ("rms δ", "‖∂L/∂W‖")
    for look in NETWORKS:
        for width, name in zip((3, 1.5), names, strict=True):
            traces.append(
                {
                    "type": "scatter", "x": layers, "mode": "lines+markers", "name": f"{look.name} {name}",
                    **look.line(width), **look.marker(),
                }
            )  # fmt: skip
    return AnimatedFigure(
        traces,
        {"xaxis": axis("layer", dtick=2, range=[0.5, LAYERS + 0.5]), "yaxis": log_axis("gradient", values)},
        [
            frame(step, {i: {"y": values[k, i // 2, i % 2]} for i in range(4)})
            for k, step in enumerate(steps)
        ],
    )  # fmt: skip


def losses(generator) -> AnimatedFigure:
    steps = np.linspace(0, UPDATES, 101).round().astype(int)
    curves = np.exp(generator.normal(0, 0.05, (4, 101)).cumsum(1) - steps / 300)
    traces = [
        {"type": "scatter", "x": steps, "y": curve, "mode": "lines", "name": look.name, **look.line(2)}
        for look, curve in zip((PATIENT, TREATED) * 2, curves, strict=True)
    ]
    return AnimatedFigure(
        traces,
        {"xaxis": axis("step", range=[0, UPDATES]), "yaxis": axis("cross-entropy (nats)", curves)},
        [frame(step, layout={"shapes": step_line(step)}) for step in STEPS],
    )


def surfaces(steps, generator) -> AnimatedFigure:
    places = np.linspace(-2, 2, GRID)
    x, y = np.meshgrid(places, places)
    turns = np.linspace(0, 3, len(steps))
    traces = [
        {
            "type": "heatmap", "x0": -2, "dx": 4 / (GRID - 1), "y0": -2, "dy": 4 / (GRID - 1), "zmin": 0, "zmax": 255,
            "colorscale": MAGNITUDE_SCALE, "showscale": False, "hoverinfo": "skip",
            "xaxis": name, "yaxis": f"y{name[1:]}",
        }
        for name in ("x", "x2")
    ]  # fmt: skip
    traces += [
        {
            "type": "scatter", "mode": "markers", "x": generator.normal(size=150), "y": generator.normal(size=150),
            "marker": {"size": 4, "color": "white"}, "showlegend": False, "xaxis": name, "yaxis": f"y{name[1:]}",
        }
        for name in ("x", "x2")
    ]  # fmt: skip
    frames = [
        frame(
            step,
            {
                i: {"z": (255 / (1 + np.exp(-3 * (x * np.cos(turn + i) + y * np.sin(turn + i))))).astype(np.uint8)}
                for i in (0, 1)
            },
        )
        for step, turn in zip(steps, turns, strict=True)
    ]
    sides = ((0, 0.49), (0.51, 1))
    return AnimatedFigure(
        traces,
        {
            "xaxis": axis("patient", domain=sides[0], range=[-2, 2]),
            "yaxis": axis("", range=[-2, 2]),
            "xaxis2": axis("treated", domain=sides[1], range=[-2, 2]),
            "yaxis2": axis("", range=[-2, 2], anchor="x2", showticklabels=False),
        },
        frames,
    )


def gradient_map(generator) -> AnimatedFigure:
    logs = generator.normal(0, 0.2, (2, LAYERS, UPDATES)).cumsum(2).astype(np.float32)
    traces = [
        {"type": "heatmap", "z": values, "coloraxis": "coloraxis", "xaxis": name, "yaxis": f"y{name[1:]}"}
        for name, values in zip(("x", "x2"), logs, strict=True)
    ]
    return AnimatedFigure(
        traces,
        {
            "xaxis": axis("step", domain=[0, 0.49]),
            "yaxis": axis("layer"),
            "xaxis2": axis("step", domain=[0.51, 1]),
            "yaxis2": axis("", anchor="x2"),
            "coloraxis": log_color_axis("rms δ", 10**logs),
        },
        [
            frame(step, layout={"shapes": step_line(step) + step_line(step, "y2 domain", "x2")})
            for step in STEPS
        ],
    )  # fmt: skip


def factors(steps, values) -> AnimatedFigure:
    layers = np.arange(1, LAYERS + 1)
    traces = [
        {"type": "bar", "x": layers, "name": f"{look.name} {name}", "marker": {"color": look.color, "opacity": opacity}}
        for look in NETWORKS
        for name, opacity in (("slope", 1), ("weights", 0.6))
    ]
    return AnimatedFigure(
        traces,
        {"xaxis": axis("layer"), "yaxis": log_axis("factor", values)},
        [frame(step, {i: {"y": values[k, i // 2, i % 2]} for i in range(4)}) for k, step in enumerate(steps)],
    )


def histograms(steps, generator) -> AnimatedFigure:
    edges = np.linspace(-2, 2, BINS, dtype=np.float32)
    spread = np.exp(generator.normal(0, 0.05, (len(steps), 2, LAYERS, 1)).cumsum(0) - 1)
    density = np.exp(-((edges / spread) ** 2)) / spread
    # In thousandths of a layer: int16 halves what travels.
    height = (1000 * (np.arange(LAYERS)[:, None] + density / density.max())).astype(np.int16)
    traces = [
        {
            "type": "scatter", "mode": "lines", "x": edges, "showlegend": False,
            "line": {"color": color, "dash": look.dash, "width": 2}, "xaxis": name, "yaxis": "y",
        }
        for look, name in zip(NETWORKS, ("x", "x2"), strict=True)
        for color in depth_colors(LAYERS)
    ]  # fmt: skip
    return AnimatedFigure(
        traces,
        {
            "height": 500,
            "xaxis": axis("weight", domain=[0, 0.49]),
            "xaxis2": axis("weight", domain=[0.51, 1]),
            "yaxis": axis(
                "layer", height, tickvals=list(range(0, 1000 * LAYERS, 2000)), ticktext=list(range(1, LAYERS + 1, 2))
            ),
        },
        [
            frame(step, {i: {"y": height[k, i // LAYERS, i % LAYERS]} for i in range(2 * LAYERS)})
            for k, step in enumerate(steps)
        ],
    )


main()
