"""Syntax trees as a plan stores them."""

from __future__ import annotations

import json

import pytest

from aima.dsl.expression import Expression, ExpressionSyntaxError, parse
from aima.dsl.json import Json

EVERY_NODE = [
    "null",
    "'text'",
    "1.0",
    "a",
    "a.b['c'].?d[?0][x + 1]",
    "has(a.b['c'])",
    "size(a)",
    "a.split(',', 2)",
    "[1, 'two', [3.5]]",
    "{'a': 1, b: {}}",
    "-a",
    "!a",
    "a % 2 in b",
    "a && b && c || d",
    "a ? b : c",
    "a.map(x, x > 1, x * 2)",
    "a.exists(x, x.all(y, y == x))",
    "optional.of(a).orValue(1)",
    "type(a) == google.protobuf.Timestamp",
]


@pytest.mark.parametrize("text", EVERY_NODE)
def test_a_tree_survives_being_stored_as_json(text: str) -> None:
    """A run evaluates what was compiled, never what today's parser would make of the text."""
    expression = parse(text)
    stored = json.loads(json.dumps(expression.to_json(), sort_keys=True))
    restored = Expression.from_json(stored)
    assert restored == expression
    assert restored.reads == expression.reads
    assert restored.to_json() == stored


def test_a_restored_expression_evaluates_without_its_text() -> None:
    """The stored source is for people."""
    stored: Json = {"source": "not even CEL", "ast": parse("a.b + 1").ast}
    assert Expression.from_json(stored).evaluate({"a": {"b": 2}}) == 3


def test_doubles_stay_doubles_in_a_stored_plan() -> None:
    """1.0 + 1 is an error before storing and must be one after."""
    stored = json.loads(json.dumps(parse("1.0").to_json()))
    assert isinstance(Expression.from_json(stored).evaluate({}), float)


NAME: list[Json] = ["name", 0, 1, "a"]


@pytest.mark.parametrize(
    "ast",
    [
        [],
        ["const"],
        ["nothing", 0, 1],
        ["const", 0, 1],
        ["const", 0, 1, [1]],
        ["const", 0, 1, 2**63],
        ["const", 1, 0, 1],
        ["const", -1, 1, 1],
        ["const", True, 1, 1],
        ["const", 0.0, 1, 1],
        ["name", 0, 1, 1],
        ["name", 0, 1],
        ["get", 0, 1, NAME],
        ["get", 0, 1, NAME, [0, 1, False]],
        ["get", 0, 1, NAME, [0, 1, False, 5]],
        ["get", 0, 1, "a", [0, 1, False, "b"]],
        ["has", 0, 1, NAME],
        ["has", 0, 1],
        ["call", 0, 1, "open", NAME],
        ["call", 0, 1, "size"],
        ["method", 0, 1, "int", NAME],
        ["call", 0, 1, 7],
        ["list", 0, 1, 1],
        ["map", 0, 1, NAME],
        ["unary", 0, 1, "+", NAME],
        ["unary", 0, 1, "-"],
        ["binary", 0, 1, "**", NAME, NAME],
        ["binary", 0, 1, "+", NAME],
        ["logic", 0, 1, "&&", NAME],
        ["logic", 0, 1, "and", NAME, NAME],
        ["if", 0, 1, NAME, NAME],
        ["macro", 0, 1, "reduce", "x", NAME, NAME],
        ["macro", 0, 1, "all", "x", NAME, NAME, NAME],
        ["macro", 0, 1, "map", 1, NAME, NAME],
        ["macro", 0, 1, "map", "x", NAME],
        "name",
        None,
        {"name": "a"},
    ],
)
def test_what_is_no_stored_tree_is_refused(ast: Json) -> None:
    """A plan comes from a database: a damaged one must not run as something else."""
    with pytest.raises(ExpressionSyntaxError):
        Expression.from_json({"source": "a", "ast": ast})


@pytest.mark.parametrize(
    "data", [None, [], {}, {"source": "a"}, {"ast": NAME}, {"source": 1, "ast": NAME}]
)
def test_what_is_no_stored_expression_is_refused(data: Json) -> None:
    """The error says what is missing instead of failing later with a KeyError."""
    with pytest.raises(ExpressionSyntaxError, match="no stored expression"):
        Expression.from_json(data)


def test_a_stored_tree_that_nests_too_deep_is_refused() -> None:
    """Reading a plan must not overflow the stack either."""
    ast: Json = NAME
    for _ in range(3000):
        ast = ["unary", 0, 1, "-", ast]
    with pytest.raises(ExpressionSyntaxError):
        Expression.from_json({"source": "a", "ast": ast})
