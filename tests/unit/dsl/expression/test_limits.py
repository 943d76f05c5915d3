"""What bounds an expression: steps, characters, depth. Reaching a bound is a typed error."""

from __future__ import annotations

import pytest

from aima.dsl.expression import ExpressionLimitExceeded, parse
from aima.dsl.expression.errors import LimitFault
from aima.dsl.expression.limits import (
    CHARACTERS_IN_A_STEP,
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_STEPS,
    Budget,
)

TEXT = "x" * 2_000_000


def nested(levels: int) -> object:
    """Make a list in a list in a list."""
    data: object = 1
    for _ in range(levels):
        data = [data]
    return data


DATA: dict[str, object] = {
    "t": TEXT,
    "u": TEXT[:-1] + "y",
    "l": list(range(100_000)),
    "words": ["ab" * 1000 + str(i) for i in range(1000)],
    "alike": [TEXT[:-1] + chr(97 + i) for i in range(20)],
    "m": {str(i): i for i in range(100_000)},
    "f": [0.5] * 20_000,
    "deep": nested(5000),
    "just": nested(MAX_DEPTH - 1),
}


@pytest.mark.parametrize(
    "text",
    [
        # loops in loops
        "range(1001).map(i, range(1001).map(j, 0))",
        "l.all(i, l.all(j, true))",
        "l.map(i, m.map(k, k))",
        "words.map(a, words.map(b, a == b))",
        "l.exists(i, m.exists(k, false))",
        # loops over functions that go through much data
        "l.map(i, t == u)",
        "l.map(i, t < u)",
        "l.filter(i, u in alike)",
        "l.map(i, 0 in l)",
        "l.map(i, i in l)",
        "l.map(i, t.contains('y'))",
        "l.map(i, t.startsWith(t))",
        "l.map(i, t.endsWith(t))",
        "l.map(i, t.matches('a'))",
        "l.map(i, t.split('', 1))",
        "l.map(i, toJson(f))",
        "l.map(i, sort(l))",
        "l.map(i, max(l))",
        "l.map(i, sum(l))",
        "l.map(i, keys(m))",
        "l.map(i, l + l)",
        "l.map(i, f == f)",
        "l.map(i, parseJson('[1,2,3,4,5,6,7,8,9,10]'))",
        # patterns that are costly to compile or to follow
        "l.map(i, 'a'.matches('(((a{1,20}){1,20}){1,2})' + string(i)))",
        "l.exists(i, 'a'.matches('(x{1,500}y{1,500}){2}' + string(i)) || false)",
        "l.all(i, ' '.matches('(?i)(\\\\pL|\\\\pN){1,500}' + string(i)) || true)",
        "t.matches('.{0,500}.{0,500}.{0,500}z')",
        # much from little
        "range(1000001)",
        "range(1100).map(i, range(1100))",
        "flatten(range(100).map(i, l))",
        "t.split('')",
        "t.split('x')",
        "[1]" + ".map(a, [a, a, a, a, a, a, a, a])" * 20,
        "toJson([1]" + ".map(a, [a, a, a, a, a, a, a, a])" * 20 + ")",
        " == ".join(["[1]" + ".map(a, [a, a, a, a, a, a, a, a])" * 20] * 2),
        # text from text
        "[t]" + ".map(a, a + a)" * 10,
        "t.replace('x', 'yyyyyyyyy')",
        "t.replace('', 'yyyyyyyyy')",
        "words.join(t)",
        "range(1000).map(i, t).join('')",
        "range(100000).map(i, t)",
        "range(100000).map(i, {t: i})",
        "range(100000).map(i, t + 'a')",
        "range(100000).map(i, t.trim())",
        "range(100000).map(i, t.upperAscii())",
        "range(100000).map(i, toJson(t))",
        "range(100000).map(i, parseJson(toJson(t)))",
        # depth
        "[deep]",
        "deep == deep",
        "toJson(deep)",
        "deep in [deep]",
        "[[just]]",
    ],
)
@pytest.mark.timeout(60)
def test_what_would_take_too_much_is_refused(text: str) -> None:
    """One line of YAML, or one large answer of a model, must not stop a worker."""
    with pytest.raises(ExpressionLimitExceeded) as caught:
        parse(text).evaluate(DATA)
    assert caught.value.code == "VALIDATION_ERROR"
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "text",
    [
        "[1].exists(x, l.all(i, l.all(j, true)) || true)",
        "l.all(i, l.all(j, true)) || true",
        "l.all(i, l.all(j, true)) && false",
        "[1, 2].all(x, l.all(i, l.all(j, true)) && x == 3)",
    ],
)
def test_a_limit_is_never_absorbed(text: str) -> None:
    """Or an expression could go on for ever after every refusal."""
    with pytest.raises(ExpressionLimitExceeded):
        parse(text).evaluate(DATA)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("range(100000).map(i, {'n': i, 'even': i % 2 == 0})", 100_000),
        ("l.filter(i, i % 3 == 0).map(i, 'item ' + string(i))", 33_334),
        ("m.filter(k, m[k] < 10)", 10),
        ("words.filter(w, w in words)", 1000),
        ("words.filter(w, w.matches('^(ab)+5'))", 111),
        ("sort(l)", 100_000),
        ("f.map(x, x * 2.0)", 20_000),
        ("t.split('x', 3)", 3),
        ("flatten([l, l])", 200_000),
        ("[just]", 1),
    ],
)
def test_honest_work_stays_within_the_limits(text: str, size: int) -> None:
    """`for_each` goes over 100 000 items, and their list is an expression."""
    result = parse(text).evaluate(DATA)
    assert isinstance(result, list)
    assert len(result) == size


def test_the_budget_belongs_to_one_evaluation() -> None:
    """The thousandth run of a plan has as much as the first."""
    expression = parse("range(400000).size()")
    assert [expression.evaluate({}) for _ in range(5)] == [400_000] * 5


def test_the_limit_is_the_same_number_everywhere() -> None:
    """Work is counted, not timed, so a replay on a slower machine ends alike."""
    assert parse(f"size(range({MAX_STEPS - 1}))").evaluate({}) == MAX_STEPS - 1
    with pytest.raises(ExpressionLimitExceeded, match=str(MAX_STEPS)):
        parse(f"size(range({MAX_STEPS + 1}))").evaluate({})


def test_the_error_names_the_place_and_the_way_out() -> None:
    """The author has to know which of ten calls it was."""
    text = "1 + range(10000000).size()"
    with pytest.raises(ExpressionLimitExceeded) as caught:
        parse(text).evaluate({})
    assert text[caught.value.offset : caught.value.end] == "range(10000000)"
    assert "fewer items" in (caught.value.hint or "")


def test_a_budget_counts_down_to_its_limit_and_no_further() -> None:
    """The arithmetic all other tests rest on."""
    budget = Budget()
    budget.visit(MAX_STEPS)
    with pytest.raises(LimitFault):
        budget.visit(1)
    budget = Budget()
    budget.write(MAX_CHARACTERS)
    assert budget.steps == MAX_STEPS - 1 - MAX_CHARACTERS // CHARACTERS_IN_A_STEP
    with pytest.raises(LimitFault):
        budget.write(1)
    budget = Budget()
    budget.prepare("a", 10)
    budget.prepare("a", 10)
    assert budget.steps == MAX_STEPS - 10
