"""Inputs, targets and weights that the learner types in place of a network's own."""

import math
import re
from dataclasses import replace

import numpy as np

from pages.walkthrough.calculation import Problem

LARGEST = 1e6  # that may be typed
ENOUGH = 1e-9  # that shares may miss their sum by
MOST_QUOTED = 20  # characters of what is no number that are shown
LONGEST = 30  # characters of a number; Python writes at most 24
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_INDEX = r"(\d{1,4})"
PARAMETER = re.compile(rf"\s*(?:w{_INDEX}\.{_INDEX}\.{_INDEX}|b{_INDEX}\.{_INDEX})\s*=(.*)", re.ASCII)


def read_number(text: str) -> float:
    """The number that a text from outside writes in decimal digits; NaN where it writes none, or one that is too long.

    Python's own reading takes more: 1_000, digits of every script, nan; and it fails for thousands of digits.
    """
    return float(text) if len(text) <= LONGEST and NUMBER.fullmatch(text) else math.nan


def as_code(text: str, most: int = MOST_QUOTED) -> str:
    """A text from outside, as code of at most so many characters: it must not become Markdown."""
    short = text if len(text) <= most else text[: most - 1] + "…"
    visible = "".join(character if character.isprintable() else " " for character in short.replace("`", "'"))
    return "`" + " ".join(visible.split()) + "`"


def numbers_in(text: str, count: int, what: str) -> np.ndarray:
    """The numbers of a text, separated by spaces, commas or semicolons.

    ValueError, with a sentence, if they are not as many or no numbers within the limits.
    """
    words = re.split(r"[\s,;]+", text.strip())
    if len(words) != count:
        raise ValueError(f"{what} needs {count} {'number' if count == 1 else 'numbers'}, and there are {len(words)}.")
    return np.array([_number(word, what) for word in words])


def _number(word: str, what: str) -> float:
    value = read_number(word)
    if not (math.isfinite(value) and abs(value) <= LARGEST):
        raise ValueError(f"{what}: {as_code(word)} is not a number from −{LARGEST:,.0f} to {LARGEST:,.0f}.")
    return value + 0.0


def with_example(problem: Problem, inputs: str, targets: str, example: int) -> Problem:
    """The problem with one example, of typed inputs and targets; where one is "", that of the example.

    ValueError, with a sentence, for what makes no example.
    """
    x, t = problem.inputs[example], problem.targets[example]
    if inputs:
        x = numbers_in(inputs, len(x), "Inputs")
    if targets:
        t = numbers_in(targets, len(t), "Targets")
        probabilities = problem.architecture.output in ("sigmoid", "softmax") and _shares(problem.targets)
        if probabilities and not _shares(t):
            raise ValueError("Targets: the answers are probabilities, so a target is a number from 0 to 1.")
        if problem.architecture.output == "softmax" and abs(t.sum() - 1) > ENOUGH:
            raise ValueError("Targets: the answers are shares of one whole, so the targets must add up to 1.")
    return replace(problem, inputs=x[None], targets=t[None], masks=None)


def _shares(targets: np.ndarray) -> bool:
    return bool(((targets >= 0) & (targets <= 1)).all())


def with_parameters(problem: Problem, text: str) -> Problem:
    """The problem with some weights and biases changed: "w1.2.1 = 0.3, b2.1 = -1".

    w1.2.1 leads into layer 1, from its input 2 to its unit 1; b2.1 is the bias of layer 2's unit 1.
    ValueError, with a sentence, for what is not there or no number.
    """
    parameters = problem.parameters.copy()
    for part in filter(str.strip, re.split(r"[,;]", text)):
        found = PARAMETER.fullmatch(part)
        if not found:
            raise ValueError(f"{as_code(part.strip())} should look like w1.2.1=0.3 or b2.1=-1.")
        indices = [int(index) - 1 for index in found.groups()[:5] if index is not None]
        views = parameters.weights if len(indices) == 3 else parameters.biases
        layer, *position = indices
        inside = 0 <= layer < len(views) and all(
            0 <= index < size for index, size in zip(position, views[layer].shape[1:], strict=True)
        )
        if not inside:
            raise ValueError(
                f"{as_code(part.strip())}: this network has no such {'weight' if len(indices) == 3 else 'bias'}."
            )
        views[layer][(0, *position)] = _number(found.group(6).strip(), part.partition("=")[0].strip())
    return replace(problem, parameters=parameters)


def name_of(layer: int, unit: int, source: int | None = None) -> str:
    """How a weight, or a bias, is called in such a text."""
    return f"b{layer + 1}.{unit + 1}" if source is None else f"w{layer + 1}.{source + 1}.{unit + 1}"
