"""Numbers and names as a sentence says them: two significant digits, units spelled out."""

import math

from engine import SETTINGS, Experiment, RunHistory
from engine.settings import Value

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NAMES = {
    "relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "selu": "SELU", "gelu": "GELU", "silu": "SiLU",
    "he_normal": "He normal", "he_uniform": "He uniform", "xavier_normal": "Xavier normal",
    "xavier_uniform": "Xavier uniform", "lecun": "LeCun", "sgd": "gradient descent", "rmsprop": "RMSprop",
    "adam": "Adam", "nesterov": "Nesterov", "xor": "XOR", "mse": "mean squared error", "cross_entropy": "cross-entropy",
    "small_normal": "small normal (sd 0.01)", "standard_normal": "standard normal (sd 1)", "constant": "constant 0.5",
}  # fmt: skip
_PARTS = {-1: "tenth", -2: "hundredth", -3: "thousandth", -6: "millionth", -9: "billionth"}


def number(value: float) -> str:
    """Two significant digits: 0.62, 3.2, 120, 2.7 × 10⁻⁶."""
    if math.isnan(value):
        return "not defined"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinity"
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(float(f"{value:.1e}"))))
    if -3 <= exponent < 5:
        text = f"{float(f'{value:.1e}'):.{max(1 - exponent, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa = float(f"{value / 10**exponent:.1f}") if exponent > -300 else float(f"{value:.1e}".split("e")[0])
    return f"{mantissa:g} × 10{str(exponent).translate(_SUPERSCRIPTS)}"


def share(value: float) -> str:
    """A share of something, in words where words are short: about 2.7 millionths of, 0.62 of, 3.2 times."""
    if not math.isfinite(value):
        return "an undefined share of"
    if value == 0:
        return "nothing of"
    if value >= 0.095:
        return f"{number(value)} of" if value < 1 else f"{number(value)} times"
    for exponent in (-2, -3, -6, -9):
        multiple = value / 10**exponent
        if 0.95 <= multiple < 1000 and not (exponent == -2 and multiple >= 10):
            rounded = number(multiple)
            if rounded == "1":
                return f"about a {_PARTS[exponent]} of"
            return f"about {rounded} {_PARTS[exponent]}s of"
    return f"{number(value)} of"


def percent(value: float) -> str:
    """A share as a percentage without decimals; tiny but not nothing stays visible."""
    if math.isnan(value):
        return "not defined"
    return f"{100 * value:.0f} %" if value == 0 or value >= 0.005 else "under 1 %"


def name(value: Value) -> str:
    """A setting's value as people write it: he_normal is He normal, 0.1 is 0.1."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return _NAMES.get(value, value.replace("_", " "))
    return f"{value:g}"


def label(field: str) -> str:
    """A setting's label in the middle of a sentence."""
    text = SETTINGS[field].label
    return text if text[:2].isupper() else text[0].lower() + text[1:]


def differences(patient: Experiment, treated: Experiment) -> str:
    """In words, what the treated network does differently."""
    changes = patient.differences(treated)
    if not changes:
        return "Patient and treated are the same network."
    parts = [f"{label(field)} {name(mine)} → {name(theirs)}" for field, (mine, theirs) in changes.items()]
    return "Treated differs in: " + ", ".join(parts) + "."


def network(history: RunHistory) -> str:
    """A network in a few words: 10 hidden layers of 16, sigmoid, Xavier normal."""
    e = history.experiment
    layers = "1 hidden layer" if e.depth == 1 else f"{e.depth} hidden layers"
    return f"{layers} of {e.width}, {name(e.activation)}, {name(e.initializer)}"
