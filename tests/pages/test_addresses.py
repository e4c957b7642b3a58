"""Nonsense in an address: whatever a link says, a page opens, and says in a few sentences what it ignored."""

import math
from functools import partial

import pytest

from engine import OutOfRange
from engine.experiment import SETTINGS
from pages.components.backpropagation.base_network import ORDER, control_of, preset_base, trained_control
from pages.components.lesson.catalogue import lesson_of
from pages.components.settings.control import Control
from pages.components.settings.lesson_settings import controls_of
from pages.components.shell import frame
from pages.components.shell.address import MOST_SENTENCES, ignored, step_in
from pages.walkthrough.presets import PRESETS
from pages.walkthrough.user_input import LONGEST, read_number, with_example, with_parameters
from tests.pages.opened import opened

NUMBERS = ["7", "-1", "0.25", ".5", "5.", "1e-7", "+3", "2147483647", repr(1 / 3), "-2.2250738585072014e-308"]
NO_NUMBERS = [
    "", " ", " 5", "5\n", "4 2", "1_000", "0x10", "1e", "1e+", "--1", "1.2.3", "1,5", "nan", "NaN", "inf", "-Infinity",
    "٣", "５", "²", "½", "−1", "1\0", "\0", "true", "True", "None", "9" * 4301, "-" + "9" * 5000, "1." + "0" * 5000,
    "1e" + "9" * 5000, "0" * (LONGEST + 1), "x" * 100_000, "`", "**a**\n\n# b", "\u202e7", "\ud7ff",
]  # fmt: skip
NASTY = [*NO_NUMBERS, "1e999", "-1e999", "18446744073709551616", "1e300", "-1e300"]
PYTHON = "limit", "int()", "float:", "convert", "literal"  # words of Python's own messages
LESSON = lesson_of("vanishing_gradients")
BASES = [preset_base(name) for name in PRESETS]
CONTROLS: list[Control] = [
    *controls_of(LESSON).values(),
    *(trained_control(name) for name in SETTINGS if name != "data_digest"),
    *(control_of(base, name, base.defaults) for base in BASES for name in ORDER),
]


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_is_read(text):
    assert read_number(text) == float(text)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_not_read(text):
    assert math.isnan(read_number(text))


@pytest.mark.parametrize("text", NASTY)
def test_every_reader_takes_a_value_within_its_range_or_says_what_it_must_be(text):
    for control in CONTROLS:
        try:
            value = control.value(control.read([text]))
            assert value is None or control.setting.check(value) == value
        except OutOfRange as problem:
            one_sentence(ignored(control.name, text, problem.allowed))
    try:
        assert 0 <= step_in([text]) <= SETTINGS["steps"].high
    except OutOfRange as problem:
        one_sentence(ignored("timeline", text, problem.allowed))
    problem = PRESETS["mazur"].problem
    for read in (
        partial(with_parameters, problem, f"w1.1.1={text}"), partial(with_parameters, problem, f"w{text}"),
        partial(with_parameters, problem, f"b{text}.1=1"), partial(with_example, problem, f"1 {text}", "", 0),
        partial(with_example, problem, "", f"{text} 0", 0),
    ):  # fmt: skip
        try:
            read()
        except ValueError as trouble:
            one_sentence(str(trouble))


def one_sentence(message: str) -> None:
    """Ours, short, and what it quotes is code."""
    assert len(message) < 300
    assert message.count("`") in (0, 2)
    assert "\n" not in message
    assert message.isprintable()
    assert not any(word in message for word in PYTHON)


# Of all pages together; what belongs to another page is one more parameter that means nothing.  Streamlit itself leaves
# out an address of more than 1,000 parameters or 524,288 characters.
BAD = {control.name: "9" * 4301 for control in CONTROLS} | {f"trained_{name}": "9" * 999 for name in SETTINGS} | {
    "trained_depth": "9" * 4301,
    "timeline": "9" * 4301, "phase": "forward-" + "9" * 5000, "preset": "\0", "level": "easy\0", "x" * 10_000: "1",
    "\0": "\u202e", "projector": "\0", "inputs": "9" * 5000, "targets": "1e999 ٣", "changed": "w" + "9" * 5000,
}  # fmt: skip
MANY = {f"parameter{number}": "1" for number in range(800)}


@pytest.mark.parametrize("page", [row.name for row in frame.lessons()])
def test_every_page_opens_whatever_its_address_says(page):
    bad = opened(page, **BAD | MANY)
    twice = opened(page, **{name: ["1", "2"] for name in BAD})
    for app in (bad, twice):
        message = [line for warning in app.warning for line in warning.value.split("  \n")]
        assert MOST_SENTENCES < len(message) <= MOST_SENTENCES + 5
        assert not any(word in line for line in message for word in PYTHON)
        assert all(len(line) < 400 for line in message)
        assert not app.run().exception
