"""The glossary's entries, and where a text uses their words."""

import pytest

from pages.components.lesson.catalogue import glossary_of, sections_of
from pages.text.glossary import LINK, explained, glossary, slug, used
from tests.pages.opened import LESSONS

WORDS = r"""
- **$\delta = \partial L / \partial z$, error signal**: how much the loss would change
  if $z$ did.
- **Saturated**: with a flat slope. **Dead**: always 0.
- **Xavier, He**: rules for $\|W\|$. **Gain** multiplies.
- **Step, $\Delta\theta$**: how far.
- **$R$**: a ratio.
"""
ENTRIES = glossary(WORDS)


def test_every_word_has_its_entry_in_plain_text():
    assert ENTRIES == {
        "error signal": "how much the loss would change if z did.",
        "Saturated": "with a flat slope.",
        "Dead": "always 0.",
        "Xavier": "rules for ‖W‖. Gain multiplies.",
        "He": "rules for ‖W‖. Gain multiplies.",
        "R": "a ratio.",
    }


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("A saturated unit, saturated", "A [saturated](#word-saturated) unit, saturated"),
        ("The error signal and R.", "The [error signal](#word-error-signal) and [R](#word-r)."),
        ("**Dead** for $R$, `R` and [R](x).", "**[Dead](#word-dead)** for $R$, `R` and [R](x)."),
        ("$$R = 1$$\n\nR and $R$", "$$R = 1$$\n\n[R](#word-r) and $R$"),
        ("He normal", "[He](#word-he) normal"),
        ("He says Hebbian, unsaturated, R2, ReLU", "He says Hebbian, unsaturated, R2, ReLU"),
        ("A step", "A step"),
    ],
)
def test_a_word_is_marked_where_it_first_stands(text, marked):
    assert explained(text, ENTRIES) == marked
    assert explained(text, {}) == text


def test_the_words_that_a_text_uses_come_in_its_order():
    assert used("R, dead, $Xavier$ and R of He uniform", ENTRIES) == ["R", "Dead", "He"]
    assert used("", ENTRIES) == []


@pytest.mark.parametrize("page", LESSONS)
def test_every_lesson_explains_what_all_of_them_use_without_a_formula(page):
    words = glossary_of(page)
    assert {"error signal", "rms", "R", "Nats", "Xavier", "He", "Saturated"} <= set(words)
    assert "variance 2/inputs" in words["He"]
    assert "variance 2/(inputs + outputs" in words["Xavier"]
    assert not any(sign in text for text in words.values() for sign in "$\\*")
    assert len({slug(name) for name in words}) == len(words)
    read = [explained(text, words) for heading, text in sections_of(page).items() if heading != "Words"]
    assert sum(text.count(LINK) for text in read) >= 3
