"""One reader for all pages' addresses, in a table: what is taken, what stays, what is said of the rest."""

import pytest

from engine import OutOfRange
from pages.components.shell.address import Address, Field, only, read_address, step_in


def number(texts):
    text = only("depth", texts)
    if not text.isdigit():
        raise OutOfRange("depth", text, "a number")
    return int(text)


def up_to_depth(values):
    def read(texts):
        if int(texts[-1]) > values["depth"]:
            raise OutOfRange("layer", texts[-1], f"at most {values['depth']}")
        return int(texts[-1])

    return Field(read, 1, "there is no such layer, ")


FIELDS = {"depth": Field(number, 4), "layer": up_to_depth, "timeline": Field(step_in), "projector": Field(tuple)}
DEFAULTS = {"depth": 4, "layer": 1}
DEPTH = "`depth={}` in the address was ignored: it must be {}."
LAYER = "`layer={}` in the address was ignored: there is no such layer, it must be at most {}."


@pytest.mark.parametrize(
    ("requested", "values", "texts", "sentences"),
    [
        ({}, {}, {}, {}),
        ({"depth": ["7"]}, {"depth": 7}, {"depth": "7"}, {}),
        ({"depth": ["4"]}, {}, {}, {}),  # the default leaves the address
        ({"depth": ["x"]}, {}, {}, {"depth": DEPTH.format("x", "a number")}),
        ({"depth": ["3", "5"]}, {}, {}, {"depth": DEPTH.format("5", "named once")}),
        ({"layer": ["6"], "depth": ["7"]}, {"depth": 7, "layer": 6}, {"layer": "6", "depth": "7"}, {}),
        ({"layer": ["6"], "depth": ["5"]}, {"depth": 5}, {"depth": "5"}, {"layer": LAYER.format(6, 5)}),
        # A field that depends on one that means nothing is read with that one's default.
        (
            {"layer": ["6"], "depth": ["x"]}, {}, {},
            {"layer": LAYER.format(6, 4), "depth": DEPTH.format("x", "a number")},
        ),
        ({"timeline": ["0"]}, {"timeline": 0}, {"timeline": "0"}, {}),  # without a default: stays, whatever it says
        (
            {"timeline": ["-1"]}, {}, {},
            {"timeline": "`timeline=-1` in the address was ignored: it must be a whole number from 0 to 20000."},
        ),
        ({"projector": ["a", "b"]}, {"projector": ("a", "b")}, {"projector": "b"}, {}),
        (
            {"banana": ["1", "2"], "depth": ["x"], "x`": [""]}, {}, {},
            {
                "banana": "`banana=2` in the address was ignored: it must be a fruit, not 2 banana.",
                "depth": DEPTH.format("x", "a number"),
                "x`": "`x'=` in the address was ignored: it must be a fruit, not 1 x`.",
            },
        ),
    ],
)  # fmt: skip
def test_an_address_is_read(requested, values, texts, sentences):
    found = read_address(requested, FIELDS, lambda name, given: f"a fruit, not {len(given)} {name}")
    assert found.values == DEFAULTS | values
    assert found.texts == texts
    assert found.ignored == sentences.keys()
    assert found.sentences == tuple(sentences.values())  # in the order of the address


def test_what_one_part_of_an_address_ignores_is_not_kept_by_the_other():
    given = Address({"depth": 99}, {"depth": "99", "seed": "2"}, frozenset(), ())
    refused = Address({}, {}, frozenset({"depth"}), ("No network is that deep.",))
    both = given | refused
    assert (both.texts, both.ignored, both.sentences) == (
        {"seed": "2"}, {"depth"}, ("No network is that deep.",),
    )  # fmt: skip
