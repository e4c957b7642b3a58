"""What scripts are put together from: functions of the engine as text, arrays as text, settings in words."""

import ast
import base64
import inspect
import textwrap
import zlib
from collections.abc import Callable

import numpy as np

from engine.experiment import SETTINGS, Experiment

LINE = 116  # characters


def source_of(function: Callable) -> str:
    """A function's text as its file has it, without type hints, which would need names of their own."""
    text = inspect.getsource(function)
    (node,) = ast.parse(text).body
    assert isinstance(node, ast.FunctionDef)
    arguments = node.args
    for argument in (*arguments.args, arguments.vararg):
        if argument is not None:
            argument.annotation = None
    body = text.splitlines()[node.body[0].lineno - 1 :]
    return "\n".join([f"def {node.name}({ast.unparse(arguments)}):", *body])


def packed(array: np.ndarray) -> str:
    """An expression for an array: zlib's compression in base64, which `unpacked` of UNPACKED reads."""
    array = np.ascontiguousarray(array)
    text = base64.b64encode(zlib.compress(array.tobytes(), 9)).decode("ascii")
    return f'unpacked("{text}", "{array.dtype.str}", {array.shape})'


UNPACKED = '''\
def unpacked(text, kind, shape):
    """The array that a compressed text stands for."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind).reshape(shape)'''


def call_of(experiment: Experiment) -> str:
    """Experiment(...) with what differs from the defaults."""
    changed = ", ".join(f"{name}={new!r}" for name, (_, new) in Experiment().differences(experiment).items())
    one_line = f"Experiment({changed})"
    return one_line if len(one_line) <= LINE - 20 else f"Experiment(\n{_filled(changed, '    ')},\n)"


def in_words(experiment: Experiment) -> str:
    """The settings that differ from the defaults, as people write them."""
    changed = Experiment().differences(experiment)
    named = [f"{SETTINGS[name].label} {SETTINGS[name].in_words(new)}" for name, (_, new) in changed.items()]
    return _filled(f"Settings: {', '.join(named) if named else 'the defaults'}.", "")


def _filled(text: str, indent: str) -> str:
    return textwrap.fill(
        text, LINE, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
