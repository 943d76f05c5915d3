"""Turning values of one type into another."""

from __future__ import annotations

import pytest

from aima.dsl.expression import ExpressionEvaluationError, ExpressionLimitExceeded, parse
from aima.dsl.expression.limits import MAX_DEPTH


def value(text: str, **roots: object) -> object:
    """Evaluate over these roots."""
    return parse(text).evaluate(roots)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int(7)", 7),
        ("int(2.9)", 2),
        ("int(-2.9)", -2),
        ("int('42')", 42),
        ("int(' -7 ')", -7),
        ("int('+007')", 7),
        ("int(true)", 1),
        ("int(timestamp(90))", 90),
        ("double(2)", 2.0),
        ("double('2.5e3')", 2500.0),
        ("double('.5')", 0.5),
        ("double(1.5)", 1.5),
        ("string('a')", "a"),
        ("string(-7)", "-7"),
        ("string(2.5)", "2.5"),
        ("string(2.0)", "2"),
        ("string(1000000.0)", "1e+06"),
        ("string(1234567.5)", "1.2345675e+06"),
        ("string(0.00001)", "1e-05"),
        ("string(1e100)", "1e+100"),
        ("string(-0.0)", "-0"),
        ("string(double('inf'))", "inf"),
        ("string(double('nan'))", "nan"),
        ("string(true)", "true"),
        ("string(false)", "false"),
        ("bool('true')", True),
        ("bool('F' == 'f' ? 't' : '0')", False),
        ("bool(true)", True),
        ("type(1) == int", True),
        ("type(1.0) == double", True),
        ("type('') == string", True),
        ("type(true) == bool", True),
        ("type(null) == null_type", True),
        ("type([]) == list", True),
        ("type({}) == map", True),
        ("type(int) == type", True),
        ("type(timestamp(0)) == google.protobuf.Timestamp", True),
        ("type(duration('1s')) == google.protobuf.Duration", True),
    ],
)
def test_a_conversion_gives_what_cels_gives(text: str, expected: object) -> None:
    """Value and type."""
    found = value(text)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    "text",
    [
        "int('1.5')",
        "int('')",
        "int('1_0')",
        "int('٣')",
        "int('9223372036854775808')",
        "int(9.3e18)",
        "int(double('nan'))",
        "int(null)",
        "int([])",
        "double('')",
        "double('1_0')",
        "double('٣')",
        "double(true)",
        "double(null)",
        "string(null)",
        "string([])",
        "string({})",
        "string(int)",
        "bool(1)",
        "bool('yes')",
        "bool(null)",
        "timestamp(1.5)",
        "timestamp(true)",
        "duration(1)",
    ],
)
def test_what_cannot_be_converted_is_an_error(text: str) -> None:
    """Never a zero, never an empty string."""
    with pytest.raises(ExpressionEvaluationError):
        value(text)


def test_giant_texts_of_digits_are_refused_at_once() -> None:
    """Reading them takes time that grows with the square of their length."""
    says = {"int(t)": "is no int", "double(t)": "is no number", "parseJson(t)": "64 bits"}
    for text, message in says.items():
        with pytest.raises(ExpressionEvaluationError, match=message):
            value(text, t="9" * 1_000_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("toJson('é\"\\n')", '"é\\"\\n"'),
        ("toJson(null)", "null"),
        ("toJson(true)", "true"),
        ("toJson(1)", "1"),
        ("toJson(1.0)", "1"),
        ("toJson(1e6)", "1000000"),
        ("toJson(1e16)", "1e+16"),
        ("toJson(0.1)", "0.1"),
        ("toJson([])", "[]"),
        ("toJson({})", "{}"),
        ("toJson([1, [2.5, {}], {'b': 1, 'a': [null]}])", '[1,[2.5,{}],{"b":1,"a":[null]}]'),
        ("[1, 2].toJson()", "[1,2]"),
    ],
)
def test_to_json_is_compact_and_keeps_the_order_of_keys(text: str, expected: object) -> None:
    """The text goes into prompts: no spaces, no escapes, no `.0`."""
    assert value(text) == expected


@pytest.mark.parametrize("text", ["toJson(timestamp(0))", "toJson([int])", "toJson([1.0 / 0.0])"])
def test_what_is_no_json_cannot_be_written_as_json(text: str) -> None:
    """`string(x)` says how a time becomes text."""
    with pytest.raises(ExpressionEvaluationError, match="JSON"):
        value(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": [1, 2.0, "x", null, true]}', {"a": [1, 2.0, "x", None, True]}),
        (" 3 ", 3),
        ('"\\ud83d\\ude00"', "😀"),
        ("9223372036854775807", 2**63 - 1),
        ("[[[]]]", [[[]]]),
        ('"[[[["', "[[[["),
    ],
)
def test_parse_json_reads_strict_json(text: str, expected: object) -> None:
    """What models answer is parsed with it."""
    found = value("parseJson(t)", t=text)
    assert found == expected
    assert value("t.parseJson()", t=text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{'a': 1}",
        "[1,]",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "9223372036854775808",
        '"\\ud800"',
        '{"\\udc00": 1}',
        "[1] 2",
        "\ufeff1",
    ],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """Strictly: what another reader would refuse or read differently is refused here."""
    with pytest.raises(ExpressionEvaluationError, match=r"JSON|64 bits|surrogate"):
        value("parseJson(t)", t=text)


def test_parse_json_says_where_the_text_stops_being_json() -> None:
    """The author needs to see what the model wrote there."""
    with pytest.raises(ExpressionEvaluationError, match="line 2 column 6"):
        value("parseJson(t)", t='{"a": 1,\n"b": oops}')


@pytest.mark.parametrize("piece", ["[", '{"a":', '[{"a":'])
def test_deep_json_is_a_limit_and_never_a_stack_overflow(piece: str) -> None:
    """A hundred thousand brackets are a known attack on JSON readers."""
    with pytest.raises(ExpressionLimitExceeded):
        value("parseJson(t)", t=piece * 100_000)


def test_json_as_deep_as_allowed_is_read() -> None:
    """Brackets inside texts do not count."""
    text = "[" * MAX_DEPTH + '"[[[[]]"' + "]" * MAX_DEPTH
    assert value("toJson(parseJson(t)) == t", t=text) is True
    with pytest.raises(ExpressionLimitExceeded):
        value("parseJson(t)", t=f"[{text}]")
