"""Numbers and names as a sentence says them: two significant digits, units spelled out."""

import math

PERCENT = "\N{NO-BREAK SPACE}%"  # no line begins with the sign
TIMES_TEN = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10"  # nor is a number cut in two
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Two significant digits: 0.62, 3.2, 120, 2.7 × 10⁻⁶, −0.5."""
    if math.isnan(value):
        return "not defined"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinity"
    if value == 0:
        return "0"
    if value < 0:
        return f"−{number(-value)}"
    # The digits are read off the text, since logarithms and powers of ten fail at the ends of the range.
    mantissa, _, power = f"{value:.1e}".partition("e")
    exponent = int(power)
    if -3 <= exponent < 5:
        text = f"{float(f'{mantissa}e{power}'):.{max(1 - exponent, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{mantissa.removesuffix('.0')}{TIMES_TEN}{str(exponent).translate(_SUPERSCRIPTS)}"


def plural(tensor: str) -> bool:
    """Whether the name of a tensor takes a plural verb: the weights are, the loss is."""
    return tensor in ("weights", "biases", "scales", "shifts")


def counted(count: int, noun: str) -> str:
    """1 step, 2 steps."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def percent(value: float) -> str:
    """A share as a percentage without decimals; tiny but not nothing, and nearly but not all, stay visible."""
    if math.isnan(value):
        return "not defined"
    if 0 < value < 0.01:
        return f"under 1{PERCENT}" if value < 0.005 else f"1{PERCENT}"
    if 0.99 < value < 1:
        return f"over 99{PERCENT}" if value > 0.995 else f"99{PERCENT}"
    return f"{100 * value:.0f}{PERCENT}"
