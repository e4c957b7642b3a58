"""Numbers, sums and matrices in LaTeX, as a calculation on screen shows them."""

from collections.abc import Callable, Sequence

import numpy as np

DIGITS = 4  # significant, on screen
MOST_TERMS = 4  # of a sum that is written out
MOST_ROWS = 3  # of a matrix, and columns
PLAIN = range(-4, 6)  # powers of ten that are written without one

Digits = Callable[[float], str]


def rounded(value: float) -> str:
    """Four significant digits: 0.1385, 4.386 \\times\\nobreak 10^{-4}."""
    value = float(value)
    if not np.isfinite(value):
        return _not_finite(value)
    mantissa, _, power = f"{value:.{DIGITS - 1}e}".partition("e")
    if value == 0 or int(power) not in PLAIN:
        return _in_powers(mantissa, power) if value else "0"
    text = f"{float(f'{mantissa}e{power}'):.{max(DIGITS - 1 - int(power), 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def exact(value: float) -> str:
    """As many digits as tell the number from all others."""
    value = float(value)
    if not np.isfinite(value):
        return _not_finite(value)
    mantissa, _, power = repr(value).removesuffix(".0").partition("e")
    return _in_powers(mantissa, power) if power else mantissa


def _in_powers(mantissa: str, power: str) -> str:
    return rf"{mantissa} \times\nobreak 10^{{{int(power)}}}"  # no line ends within it


def _not_finite(value: float) -> str:
    return r"\text{not a number}" if np.isnan(value) else (r"\infty" if value > 0 else r"-\infty")


def bracketed(text: str) -> str:
    """A number for the right of a sign: in brackets where it is negative."""
    return f"({text})" if text.startswith("-") else text


def summed(terms: Sequence[str], last: str = "") -> str:
    """A sum; of a long one the first terms and how many more there are, then the last, which is of another kind."""
    shown = list(terms)
    if len(shown) > MOST_TERMS + 1:
        shown = [*shown[:MOST_TERMS], rf"\ldots\,\text{{({len(terms) - MOST_TERMS} more)}}"]
    if last:
        shown.append(last)
    return " + ".join([*shown[:1], *(bracketed(term) for term in shown[1:])])


def matrix(values: np.ndarray, digits: Digits) -> str:
    """A matrix, or a vector as a row; of a large one the first rows and columns."""
    values = np.atleast_2d(values)
    rows, columns = (min(size, MOST_ROWS) for size in values.shape)
    lines = [" & ".join(digits(value) for value in row[:columns]) for row in values[:rows]]
    if columns < values.shape[1]:
        lines = [rf"{line} & \cdots" for line in lines]
    if rows < values.shape[0]:
        lines.append(" & ".join([r"\vdots"] * (columns + (columns < values.shape[1]))))
    return r"\begin{pmatrix} " + r" \\ ".join(lines) + r" \end{pmatrix}"
