"""Arrays that are handed in: what may be handed in, what kind of problem they pose, and their digest."""

import hashlib

import numpy as np

from engine.data.sources import Source
from engine.settings import OutOfRange

Array = np.ndarray
CustomData = tuple[Array, Array]  # inputs and targets

CUSTOM_EXAMPLES, CUSTOM_INPUTS, CUSTOM_OUTPUTS = 20_000, 256, 20  # the most that a custom data set may have
FEWEST_CUSTOM = 9  # leaves the five training examples that the setting asks for
LARGEST = 1e100  # size of an input, so that squares do not overflow


def data_digest(inputs: Array, targets: Array) -> str:
    """SHA-256 over shape, type and bytes of both arrays, in hexadecimal: the `data_digest` of a custom experiment.

    Equal values have equal digests, whether they come as lists, as integers of 8 or of 64 bits, or as Python objects.
    Raises OutOfRange for arrays that no experiment can use.
    """
    return digest_of(*checked(inputs, targets))


def digest_of(inputs: Array, targets: Array) -> str:
    """The digest of arrays that are checked."""
    digest = hashlib.sha256()
    for array in (inputs, targets):
        digest.update(f"{array.shape} {array.dtype.str}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _refusal(value: str, allowed: str, reason: str = "") -> OutOfRange:
    return OutOfRange("data", value, allowed, reason)


def checked(inputs: Array, targets: Array) -> tuple[Array, Array]:
    """Custom arrays in plain form: float64 inputs (n, n_in); targets of truth values, integers, float64 or text."""
    try:
        inputs = np.asarray(inputs)
        if inputs.dtype.kind not in "biufOUT":
            raise TypeError
        inputs = inputs.astype(np.float64)
    except (TypeError, ValueError):
        raise _refusal("inputs that are not numbers", "a table of numbers") from None
    if inputs.ndim != 2 or not 1 <= inputs.shape[1] <= CUSTOM_INPUTS:
        raise _refusal(f"inputs of shape {inputs.shape}", f"a table: examples in rows, 1 to {CUSTOM_INPUTS} columns")
    n = len(inputs)
    if not FEWEST_CUSTOM <= n <= CUSTOM_EXAMPLES:
        raise _refusal(f"{n:,} examples", f"{FEWEST_CUSTOM} to {CUSTOM_EXAMPLES:,} examples")
    if not np.isfinite(inputs).all():
        raise _refusal("inputs with gaps or infinities", "finite numbers throughout")
    if np.abs(inputs).max() > LARGEST:
        raise _refusal(f"inputs as large as {np.abs(inputs).max():g}", f"numbers of at most {LARGEST:g}")
    try:
        values = np.asarray(targets, dtype=object)
        shape, flat = values.shape, values.ravel().tolist()
        gaps = any(value is None or value != value for value in flat)  # a NaN differs from itself
        plain = np.array(flat)
    except (TypeError, ValueError):  # what cannot be compared, such as pandas' NA, is a gap as well
        raise _refusal("targets that are neither numbers nor text", "one target for each example") from None
    if len(shape) not in (1, 2) or shape[0] != n or not 1 <= len(flat) // n <= CUSTOM_OUTPUTS:
        allowed = f"one target, or a row of 1 to {CUSTOM_OUTPUTS} numbers, for each of the {n:,} examples"
        raise _refusal(f"targets of shape {shape}", allowed)
    if gaps:
        raise _refusal("targets with gaps", "one target for each example")
    if plain.dtype.kind not in "biufU":
        raise _refusal("targets that are neither numbers nor text", "numbers, truth values or text")
    return inputs, plain.astype(np.float64 if plain.dtype.kind == "f" else plain.dtype).reshape(shape)


def problem_of(inputs: Array, targets: Array) -> tuple[Source, Array]:
    """What kind of problem checked custom arrays pose, and their targets as numbers (n,) or (n, n_out)."""
    names = tuple(f"x{i + 1}" for i in range(inputs.shape[1]))
    if targets.dtype.kind == "f":
        if not np.isfinite(targets).all():
            raise _refusal("targets with infinities", "finite numbers throughout")
        return Source("", "regression", input_names=names), targets
    labels, numbers = np.unique(targets, return_inverse=True)
    if targets.size != len(targets) or not 2 <= len(labels) <= CUSTOM_OUTPUTS:
        raise _refusal(
            f"targets of {len(labels):,} classes in {targets.size // len(targets)} column(s)",
            f"one column of 2 to {CUSTOM_OUTPUTS} classes",
            "Whole numbers and text are classes; for regression hand in real numbers (1.0, not 1).",
        )  # fmt: skip
    task = "binary" if len(labels) == 2 else "classes"
    class_names = tuple(str(label) for label in labels)
    return Source("", task, input_names=names, class_names=class_names), numbers.ravel().astype(np.float64)
