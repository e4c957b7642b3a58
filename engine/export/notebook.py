"""An experiment as a Jupyter notebook: this engine's script, its charts, the PyTorch script, and both compared."""

import json
from collections.abc import Sequence
from typing import Any

from engine.data.custom import CustomData
from engine.experiment import Experiment
from engine.export.engine_script import engine_script
from engine.export.script_parts import in_words
from engine.export.torch_script import torch_script

_LOSSES = """\
import plotly.graph_objects as go

figure = go.Figure(layout={"xaxis": {"title": {"text": "step"}}, "yaxis": {"title": {"text": "loss"}}})
figure.add_scatter(x=history.evaluation_step, y=history.train_loss, name="training set")
figure.add_scatter(x=history.evaluation_step, y=history.validation_loss, name="validation set")
figure.show()"""

_GRADIENTS = """\
import numpy as np

figure = go.Figure(layout={"xaxis": {"title": {"text": "layer"}}, "yaxis": {"title": {"text": "rms ∂L/∂z"}}})
figure.update_yaxes(type="log")
for row in sorted({0, len(history.step) // 2, len(history.step) - 1} & set(range(len(history.step)))):
    signal = history.delta_rms[row]
    figure.add_scatter(
        x=np.arange(1, len(signal) + 1), y=np.where(signal > 0, signal, np.nan), name=f"step {history.step[row]}"
    )
figure.show()"""

_COMPARED = """\
both = history.step < len(losses)
mine, theirs = history.batch_loss[both], np.array(losses)[history.step[both]]
figure = go.Figure(layout={"xaxis": {"title": {"text": "step"}}, "yaxis": {"title": {"text": "loss of the batch"}}})
figure.add_scatter(x=history.step[both], y=mine, name="this engine")
figure.add_scatter(x=history.step[both], y=theirs, name="PyTorch", line={"dash": "dash"})
figure.show()
apart = np.abs(mine - theirs) / np.maximum(np.abs(mine), np.finfo(float).tiny)
print(f"largest relative difference: {apart.max(initial=0):.1e}")"""


def notebook(experiment: Experiment, data: CustomData | None = None, names: Sequence[str] = (), link: str = "") -> str:
    """The notebook as JSON of nbformat 4.5.

    data, names: as for torch_script.  link: the address of the page that it comes from, shown as text.  The cells need
    this engine, plotly and torch.  Raises OutOfRange for data that do not fit.
    """
    from_page = f"\n\nFrom the page `{link.replace('`', '')}`" if link else ""
    text = f"# A network of Backprop Clinic\n\n{in_words(experiment)}{from_page}"
    cells = [
        _markdown(text),
        _markdown("## Trained by this engine\n\nIt records what happens in every layer: see `engine/history.py`."),
        _code(engine_script(experiment, data)),
        _markdown(
            "## What happened\n\nLosses, and the error signal of every layer at the first, middle and last update."
        ),
        _code(_LOSSES),
        _code(_GRADIENTS),
        _markdown("## The same in PyTorch\n\nThe same data, initial weights, batches and update rule."),
        _code(torch_script(experiment, data, names)),
        _code(_COMPARED),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book = {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, ensure_ascii=False, indent=1)


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": text.rstrip("\n")}
