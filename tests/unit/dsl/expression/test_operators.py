"""Arithmetic, comparison, logic: values, types and errors."""

from __future__ import annotations

import pytest

from aima.dsl.expression import ExpressionEvaluationError, parse

HUGE = 10**5000  # more digits than Python turns into text

DATA: dict[str, object] = {"i": 7, "d": 2.5, "t": "text", "n": None, "l": [1], "m": {"a": 1}}
DATA |= {"huge": HUGE, "yes": True}


def value(text: str) -> object:
    """Evaluate over DATA."""
    return parse(text).evaluate(DATA)


def failure(text: str) -> ExpressionEvaluationError:
    """Evaluate over DATA and give the error."""
    with pytest.raises(ExpressionEvaluationError) as caught:
        value(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i + 1", 8),
        ("i - 10", -3),
        ("i * -2", -14),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("-7 / -2", 3),
        ("7 % 3", 1),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("-i", -7),
        ("9223372036854775806 + 1", 2**63 - 1),
        ("d + 0.5", 3.0),
        ("d * 2.0", 5.0),
        ("d / 2.0", 1.25),
        ("d - 3.0", -0.5),
        ("-d", -2.5),
        ("'a' + 'b'", "ab"),
        ("[1] + ['a']", [1, "a"]),
        ("'x' + string(i)", "x7"),
    ],
)
def test_arithmetic_keeps_the_type_of_its_operands(text: str, expected: object) -> None:
    """Ints stay ints: a count that turns into 3.0 breaks the unit that gets it."""
    found = value(text)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("i + d", "double(x)"),
        ("1.0 * i", "double(x)"),
        ("i - 1.0", "double(x)"),
        ("i / 2.0", "double(x)"),
        ("d % 2.0", "int(x)"),
        ("i % 2.0", "double(x)"),
        ("'a' + 1", "string(x)"),
        ("1 + 'a'", "string(x)"),
        ("t + n", "string(x)"),
    ],
)
def test_mixed_types_are_an_error_with_the_conversion_to_write(text: str, hint: str) -> None:
    """CEL converts nothing silently; the way out is one call."""
    error = failure(text)
    assert hint in (error.hint or "")
    assert (error.offset, error.end) == (0, len(text))


@pytest.mark.parametrize(
    "text",
    [
        "yes + yes",
        "n + n",
        "m + m",
        "[1] + 1",
        "t - t",
        "t * 2",
        "l / l",
        "-t",
        "-yes",
        "-n",
        "n - 1",
    ],
)
def test_an_operator_without_meaning_for_its_operands_is_an_error(text: str) -> None:
    """Booleans are no numbers, and maps are not merged."""
    assert failure(text).end == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "9223372036854775807 + 1",
        "-9223372036854775807 - 2",
        "9223372036854775807 * 2",
        "-9223372036854775808 / -1",
        "-9223372036854775808 % -1",
        "- -9223372036854775808",
        "huge + 1",
        "huge % 7",
        "huge * huge",
        "-huge",
        "huge < 1.5",
        "huge == 1.5",
        "string(huge)",
        "toJson(huge)",
        "double(huge)",
        "l[huge]",
        "[huge].sum() + 1",
    ],
)
def test_an_integer_that_leaves_64_bits_is_an_error(text: str) -> None:
    """Never a wrapped-around number, and never Python's own overflow."""
    assert "64 bits" in failure(text).message


@pytest.mark.parametrize("text", ["1 / 0", "1 % 0", "0 / 0", "i / (i - 7)"])
def test_dividing_an_int_by_zero_is_an_error(text: str) -> None:
    """There is no such int."""
    assert "zero" in failure(text).message


def test_doubles_divide_by_ieee_754_but_only_numbers_leave_an_expression() -> None:
    """Inside, infinity compares as in CEL; outside, JSON has no word for it."""
    assert value("1.0 / 0.0 > 1e308 && -1.0 / 0.0 < 0.0 && 1.0 / -0.0 < 0.0") is True
    assert value("0.0 / 0.0 == 0.0 / 0.0") is False
    for text in ("1.0 / 0.0", "[0.0 / 0.0]", "{'a': [1.5, -1.0 / 0.0]}", "1e308 * 10.0"):
        assert "no number of JSON" in failure(text).message


@pytest.mark.parametrize(
    "text",
    [
        "1 == 1.0",
        "1 != 2",
        "[1, [2.0]] == [1.0, [2]]",
        "{'a': 1, 'b': [1]} == {'b': [1.0], 'a': 1.0}",
        "null == n",
        "1 != true",
        "1 != '1'",
        "[1] != [true]",
        "[1] != [1, 2]",
        "{'a': 1} != {'a': 2}",
        "{'a': 1} != {'b': 1}",
        "{} != []",
        "null != 0",
        "1 < 2.5 && 2.5 <= 2.5 && 3 > 2.5 && 3 >= 3.0",
        "'a' < 'b' && 'B' < 'a' && 'é' > 'z' && '😀' > '\\uffff'",
        "false < true",
        "t == 'text' && 'text' == t && t != 'TEXT'",
        "int == int && int != string && type(i) == int",
        "l == [1] && m == {'a': 1}",
        "!(1.5 == t)",
    ],
)
def test_comparison_is_cels(text: str) -> None:
    """Values of different types are unequal, ints and doubles are numbers, text has code points."""
    assert value(text) is True


@pytest.mark.parametrize("text", ["1 < 'a'", "n < n", "l < l", "m >= m", "int < string", "yes < 1"])
def test_ordering_what_has_no_order_is_an_error(text: str) -> None:
    """False would be a lie in both directions."""
    assert "have no order" in failure(text).message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 in [1.0, 2]", True),
        ("1 in [true, '1']", False),
        ("'a' in ['b', 'a']", True),
        ("'a' in [1, null, ['a']]", False),
        ("[1] in [[1.0]]", True),
        ("null in [n]", True),
        ("'a' in m", True),
        ("'b' in m", False),
        ("1 in m", False),
        ("5 in []", False),
        ("0.0 / 0.0 in [0.0 / 0.0]", False),
    ],
)
def test_in_looks_for_an_item_or_a_key(text: str, expected: object) -> None:
    """By the same equality as `==`."""
    assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "hint"), [("'e' in t", "contains"), ("1 in i", ""), ("n in m", "")]
)
def test_in_something_without_items_is_an_error(text: str, hint: str) -> None:
    """The most common slip, `in` on text, gets its spelling."""
    assert hint in (failure(text).hint or "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true && true", True),
        ("true && false", False),
        ("false || true", True),
        ("false || false", False),
        ("!yes", False),
        ("false && 1 / 0 == 0", False),
        ("1 / 0 == 0 && false", False),
        ("true || 1 / 0 == 0", True),
        ("1 / 0 == 0 || true", True),
        ("n.x.y || 1 / 0 == 0 || true", True),
        ("1 && false", False),
        ("n || true", True),
        ("yes ? 1 : 1 / 0", 1),
        ("!yes ? 1 / 0 : 2", 2),
    ],
)
def test_logic_decides_whatever_the_other_side_is(text: str, expected: object) -> None:
    """CEL's `&&` and `||` are commutative: a deciding operand absorbs the errors of the rest."""
    assert value(text) is expected or value(text) == expected


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("true && 1", "1"),
        ("i && true", "i"),
        ("false || t", "t"),
        ("!n", "n"),
        ("!l", "l"),
        ("i ? 1 : 2", "i"),
        ("m ? 1 : 2", "m"),
        ("true && 1 / 0 == 0 && n", "1 / 0"),
        ("false || d", "d"),
    ],
)
def test_nothing_is_truthy(text: str, marked: str) -> None:
    """A non-boolean is an error where a boolean is wanted, told at the operand."""
    error = failure(text)
    assert text[error.offset : error.end] == marked
