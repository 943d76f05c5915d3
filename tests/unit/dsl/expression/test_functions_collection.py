"""Functions on lists and maps, which CEL's standard does not have."""

from __future__ import annotations

import pytest

from aima.dsl.expression import ExpressionEvaluationError, ExpressionLimitExceeded, parse

DATA: dict[str, object] = {"m": {"z": 1, "a": {"b": 2}}, "l": [3, 1, 2]}


def value(text: str) -> object:
    """Evaluate over DATA."""
    return parse(text).evaluate(DATA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("size(l)", 3),
        ("m.size()", 2),
        ("range(3)", [0, 1, 2]),
        ("range(0)", []),
        ("range(-2)", []),
        ("range(2, 5)", [2, 3, 4]),
        ("range(5, 2)", []),
        ("sum(l)", 6),
        ("sum([])", 0),
        ("[1.5, 2.0].sum()", 3.5),
        ("min(l)", 1),
        ("max(l)", 3),
        ("min(3, 1.5)", 1.5),
        ("max('a', 'b', 'ab')", "b"),
        ("[duration('1m'), duration('1s')].min()", "1s"),
        ("max(1, 1.0)", 1),
        ("sort(l)", [1, 2, 3]),
        ("['b', 'a', 'é', 'B'].sort()", ["B", "a", "b", "é"]),
        ("sort([2, 1.5, 1])", [1, 1.5, 2]),
        ("sort([])", []),
        ("sort([true, false])", [False, True]),
        ("sort([timestamp(9), timestamp(1)]).map(t, int(t))", [1, 9]),
        ("flatten([[1], 2, [3, [4]], []])", [1, 2, 3, [4]]),
        ("keys(m)", ["z", "a"]),
        ("m.keys().sort()", ["a", "z"]),
        ("range(3).map(i, l[i] * 10).sort().flatten().sum()", 60),
    ],
)
def test_a_collection_function_gives_its_value(text: str, expected: object) -> None:
    """Each may be written as a function or, where it has one subject, as its method."""
    found = value(text)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    "text",
    [
        "range(1.5)",
        "range('3')",
        "range(true)",
        "sum(1)",
        "sum(['a'])",
        "sum([1, 1.5])",
        "sum([true])",
        "sum([9223372036854775807, 1])",
        "min([])",
        "max([])",
        "min([1, 'a'])",
        "max(['a', 1])",
        "min([null])",
        "min(1)",
        "max([[1]])",
        "sort([1, 'a'])",
        "sort([null])",
        "sort([[1], [2]])",
        "sort(m)",
        "sort('ba')",
        "flatten(m)",
        "keys(l)",
        "keys('m')",
    ],
)
def test_a_wrong_value_is_an_error_at_the_call(text: str) -> None:
    """Nothing is converted or skipped silently."""
    with pytest.raises(ExpressionEvaluationError) as caught:
        value(text)
    assert (caught.value.offset, caught.value.end) == (0, len(text))


def test_the_data_are_never_changed() -> None:
    """Expressions are pure: sorting gives a new list, in an evaluation as after it."""
    before = str(DATA)
    result = value("[sort(l), flatten([l]), l + [4], keys(m), l]")
    assert str(DATA) == before
    assert isinstance(result, list)
    assert all(item is not DATA["l"] for item in result)


@pytest.mark.parametrize(
    "text", ["range(9223372036854775807)", "range(-9223372036854775807, 9223372036854775807)"]
)
def test_a_giant_range_is_refused_before_it_is_made(text: str) -> None:
    """The memory is asked for by one word in a YAML file."""
    with pytest.raises(ExpressionLimitExceeded):
        value(text)
