"""Whatever is written and whatever the data: a value or a typed error, nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.dsl.expression import (
    Expression,
    ExpressionError,
    ExpressionEvaluationError,
    ExpressionSyntaxError,
    parse,
)
from aima.dsl.expression.functions import FUNCTIONS
from aima.dsl.expression.nodes import MACROS
from aima.dsl.json import Json

CASES = settings(max_examples=300, deadline=None)

SIGNS = "+ - * / % ! ? : . , ( ) [ ] { } .? [? == != < <= > >= && || in = & ${ // ' \" ''' \\"
WORDS = "a b.c x true null if has(a.b) 1 -1 2.5 0x1F 1e9 'text' r'\\d' b'x' 1u 'ü' '\\u00e9' \n"
TOKENS = [*SIGNS.split(), *WORDS.split(" "), *FUNCTIONS, *MACROS]

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
LEAVES = ["a", "b", "a.x", "b[0]", "x", "1", "-9223372036854775808", "1.5", "'t'", "null", "true"]
LEAVES += ["[]", "{}", "a.?x", "b[?0]", "timestamp(0)", "duration('1s')", "int", "optional.none()"]
OPERATORS = "+ - * / % == != < <= > >= && || in".split()  # noqa: SIM905 - read as written
FORMS = [
    *(f"({{}} {sign} {{}})" for sign in OPERATORS),
    *("-({})", "!({})", "({} ? {} : {})", "[{}, {}]", "{{'k': {}}}", "{}[{}]", "{}[?{}]", "{}.?k"),
    *(f"{{}}.{macro}(x, {{}})" for macro in MACROS),
    "{}.map(x, {}, {})",
]
for name, function in FUNCTIONS.items():
    for count in range(function.least, min(function.most, 3) + 1):
        first, rest = ("{}.", count - 1) if function.method else ("", count)
        FORMS.append(f"{first}{name}({', '.join(['{}'] * rest)})")


def filled(form: str, parts: list[str]) -> str:
    """Put expressions into the holes of a form."""
    return form.format(*parts)


EXPRESSIONS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.builds(
        filled, st.sampled_from(FORMS), st.lists(inner, min_size=3, max_size=3)
    ),
    max_leaves=8,
)


def attempt(call: Callable[[], object]) -> object:
    """Give what the call gives, or the error if it is one of an expression's."""
    try:
        return call()
    except ExpressionError as error:
        assert str(error)  # noqa: PT017 - hints are found only when the error is told
        return error


@CASES
@given(st.text() | st.lists(st.sampled_from(TOKENS), max_size=30).map(" ".join))
def test_any_text_is_an_expression_or_a_syntax_error(text: str) -> None:
    """The checker must survive every file."""
    found = attempt(lambda: parse(text))
    if isinstance(found, Expression):
        assert Expression.from_json(json.loads(json.dumps(found.to_json()))) == found
        assert all(0 <= read.offset < read.end <= len(text) for read in found.reads)
    else:
        assert isinstance(found, ExpressionSyntaxError)
        assert 0 <= found.offset <= found.end <= len(text)


@CASES
@given(EXPRESSIONS, DATA, DATA)
def test_any_expression_over_any_data_has_a_value_or_an_evaluation_error(
    text: str, a: object, b: object
) -> None:
    """The interpreter catches one family of errors; anything else would fail a workflow task."""
    before = repr((a, b))
    expression = parse(text)
    found = attempt(lambda: expression.evaluate({"a": a, "b": b}))
    if isinstance(found, ExpressionError):
        assert isinstance(found, ExpressionEvaluationError)
        assert 0 <= found.offset <= found.end <= len(text)
    else:
        assert found is a or found is b or isinstance(json.dumps(found), str)
    assert repr((a, b)) == before


@CASES
@given(EXPRESSIONS, DATA, DATA)
def test_a_stored_expression_evaluates_like_the_written_one(
    text: str, a: object, b: object
) -> None:
    """A run that restores its plan after days continues with the same values."""
    written = parse(text)
    stored = Expression.from_json(json.loads(json.dumps(written.to_json())))
    roots = {"a": a, "b": b}
    outcomes = [attempt(partial(e.evaluate, roots)) for e in (stored, written)]
    told = [f"{o!r} {o}" for o in outcomes]  # as text, in which a not-a-number equals itself
    assert told[0] == told[1]
    assert stored.reads == written.reads


@CASES
@given(EXPRESSIONS, st.data())
def test_a_damaged_stored_expression_is_refused_or_still_sound(
    text: str, data: st.DataObject
) -> None:
    """A plan comes back from a database; no damage may become another kind of error."""
    stored = json.loads(json.dumps(parse(text).ast))
    place = stored
    while True:
        index = data.draw(st.integers(0, len(place) - 1))
        if not (isinstance(place[index], list) and place[index]) or data.draw(st.booleans()):
            break
        place = place[index]
    place[index] = data.draw(DAMAGE)
    roots: dict[str, object] = {"a": 1, "b": [1]}
    attempt(lambda: Expression.from_json({"source": text, "ast": stored}).evaluate(roots))


DAMAGE: st.SearchStrategy[object] = st.sampled_from(
    [None, True, -1, 0, 99, 0.5, "get", "name", "", "+", "size", [], {}]
)


@CASES
@given(DATA)
def test_any_data_instead_of_a_stored_expression_are_refused(data: Json) -> None:
    """Also data that merely look like a plan's."""
    stored: list[Json] = [data, {"source": "", "ast": data}, {"source": "", "ast": [data]}]
    for candidate in stored:
        with pytest.raises(ExpressionSyntaxError):
            Expression.from_json(candidate)
