"""An expression as the rest of AIMA sees it."""

from __future__ import annotations

import dataclasses
import json

import pytest

import aima.dsl.expression as package
from aima.dsl.expression import (
    TYPES,
    Expression,
    ExpressionError,
    ExpressionEvaluationError,
    ExpressionLimitExceeded,
    ExpressionSyntaxError,
    parse,
)
from aima.errors import AimaError, ValidationFailed, error_class


def test_an_expression_is_a_value() -> None:
    """Equal by text and tree, frozen, shown by its text."""
    expression = parse("a.b + 1")
    assert expression == parse("a.b + 1")
    assert expression != parse("a.b + 2")
    assert repr(expression) == "Expression(source='a.b + 1')"
    with pytest.raises(dataclasses.FrozenInstanceError):
        expression.source = "x"  # type: ignore[misc]  # that it cannot be set is the point


def test_it_is_compiled_once_and_evaluated_over_any_data() -> None:
    """Plans run for days; what is derived from the text is derived once."""
    expression = parse("a.b * 2")
    evaluate = expression._evaluate
    assert [expression.evaluate({"a": {"b": n}}) for n in (1, 2)] == [2, 4]
    assert expression._evaluate is evaluate


def test_the_same_text_and_data_give_the_same_result() -> None:
    """Replay depends on it: also the order of a map is that of its text or data."""
    text = "{'z': a, 'b': {'y': 1, 'c': a}}.map(k, k) + a.map(k, k)"
    data: dict[str, object] = {"a": {"q": 1, "p": 2}}
    assert parse(text).evaluate(data) == ["z", "b", "q", "p"] == parse(text).evaluate(data)
    assert json.dumps(parse("{'z': 1, 'a': 2}").evaluate({})) == '{"z": 1, "a": 2}'


def test_what_is_made_is_new_and_what_is_read_is_shared() -> None:
    """A path never copies; a new list holds copies, so that nothing leads back into the data."""
    inner: dict[str, object] = {"x": [1]}
    data: dict[str, object] = {"a": inner}
    assert parse("a").evaluate(data) is inner
    made = parse("[a]").evaluate(data)
    assert made == [inner]
    assert isinstance(made, list)
    assert made[0] is not inner


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.c", True),
        ("a['b']", True),
        ("a", True),
        ("int", False),
        ("a[0]", False),
        ("a.?b", False),
        ("-a.b", False),
    ],
)
def test_it_tells_whether_it_is_a_plain_path(text: str, expected: object) -> None:
    """Only then is the type of the read the type of the value."""
    assert parse(text).is_path is expected


def test_types_leave_as_their_names() -> None:
    """JSON has no types."""
    assert parse("[type(1), type(null), int]").evaluate({}) == ["int", "null_type", "int"]
    assert "google.protobuf.Timestamp" in TYPES


def test_a_type_is_no_root_unless_something_follows_it() -> None:
    """`map` alone is the type; data under such a name can still be reached by a path."""
    assert parse("map").evaluate({"map": {"a": 1}}) == "map"
    assert parse("map.a").evaluate({"map": {"a": 1}}) == 1
    assert [read.path for read in parse("map.a").reads] == [("map", "a")]


def test_errors_are_one_family_with_a_code_that_is_never_retried() -> None:
    """The same text and data fail the same way, so another attempt is a waste."""
    for kind in (ExpressionError, ExpressionSyntaxError, ExpressionLimitExceeded):
        assert issubclass(kind, ValidationFailed)
        assert (kind.code, kind.retryable) == ("VALIDATION_ERROR", False)
    assert issubclass(ExpressionLimitExceeded, ExpressionEvaluationError)
    assert error_class("VALIDATION_ERROR") is ValidationFailed


def test_an_error_can_be_told_without_a_place() -> None:
    """Errors cross process borders as code and message."""
    error: AimaError = ExpressionEvaluationError("it is wrong")
    assert str(error) == "it is wrong"
    assert isinstance(error, ExpressionError)
    assert (error.offset, error.end, error.hint, error.path) == (0, 0, None, ())


def test_the_package_offers_what_it_lists() -> None:
    """`__all__` is the public surface."""
    assert set(package.__all__) == {
        "TYPES",
        "Expression",
        "ExpressionError",
        "ExpressionEvaluationError",
        "ExpressionLimitExceeded",
        "ExpressionSyntaxError",
        "Read",
        "shared_names",
        "parse",
    }
    assert all(hasattr(package, name) for name in package.__all__)
    assert Expression.from_json(parse("a.b").to_json()) == parse("a.b")
