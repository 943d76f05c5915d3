"""Numbers and texts as they are written."""

from __future__ import annotations

import pytest

from aima.dsl.expression import ExpressionSyntaxError, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("007", 7),
        ("42", 42),
        ("-42", -42),
        ("0x1F", 31),
        ("-0xff", -255),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("-0x8000000000000000", -(2**63)),
        ("0000000000000000000000001", 1),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-2.5E-3", -0.0025),
        ("1.0", 1.0),
    ],
)
def test_a_number_has_the_value_and_type_it_is_written_with(text: str, value: object) -> None:
    """1 and 1.0 are different types, and arithmetic does not mix them."""
    found = parse(text).evaluate({})
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775808",
        "-9223372036854775809",
        "0xffffffffffffffff",
        "1" * 5000,
        "0x" + "f" * 99,
    ],
)
def test_an_integer_beyond_64_bits_is_refused_when_it_is_read(text: str) -> None:
    """A plan must not hold a number that no JSON reader agrees on."""
    with pytest.raises(ExpressionSyntaxError, match="64 bits"):
        parse(text)


def test_a_double_too_large_is_refused_when_it_is_read() -> None:
    """JSON cannot store infinity in a plan."""
    with pytest.raises(ExpressionSyntaxError, match="too large"):
        parse("1e999")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'plain'", "plain"),
        ('"double"', "double"),
        ("''", ""),
        ("'''it's'''", "it's"),
        ('"""two\nlines"""', "two\nlines"),
        (r"'\a\b\f\n\r\t\v'", "\a\b\f\n\r\t\v"),
        (r"'\\ \? \" \' \`'", "\\ ? \" ' `"),
        (r"'\x41\u00e9\U0001F600\101'", "Aé😀A"),
        (r"r'\d+\n'", r"\d+\n"),
        (r'R"\"', "\\"),
        (r"r'''a\'''", "a\\"),
        ("'日本語'", "日本語"),
    ],
)
def test_a_text_stands_for_what_is_between_its_quotes(text: str, value: str) -> None:
    """CEL's escapes, in all four kinds of quotes."""
    assert parse(text).evaluate({}) == value


@pytest.mark.parametrize(
    ("text", "escape"),
    [
        (r"'ab\q'", r"\q"),
        (r"'\x4'", r"\x"),
        (r"'\u12'", r"\u"),
        (r"'\0'", r"\0"),
        (r"'\400'", r"\4"),
        (r"'\ud800'", r"\ud800"),
        (r"'\U00110000'", r"\U00110000"),
    ],
)
def test_a_meaningless_escape_is_told_at_its_place(text: str, escape: str) -> None:
    """The caret stands under the escape, not under the whole text."""
    with pytest.raises(ExpressionSyntaxError, match="no meaning") as caught:
        parse(text)
    assert text[caught.value.offset : caught.value.end] == escape
