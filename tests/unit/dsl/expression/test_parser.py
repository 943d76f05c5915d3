"""CEL's grammar: what binds how, and what is no expression."""

from __future__ import annotations

import pytest

from aima.dsl.expression import ExpressionSyntaxError, parse
from aima.dsl.expression.limits import MAX_NESTING


def shape(text: str) -> object:
    """Give the tree without places."""

    def bare(node: object) -> object:
        if not isinstance(node, list):
            return node
        if isinstance(node[0], str):
            return [node[0], *map(bare, node[3:])]
        return ["?" if node[2] else ".", bare(node[3])]

    return bare(parse(text).ast)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("1 + 2 * 3", "1 + (2 * 3)"),
        ("1 - 2 - 3", "(1 - 2) - 3"),
        ("8 / 4 % 3", "(8 / 4) % 3"),
        ("a || b && c", "a || (b && c)"),
        ("a && b || c && d", "(a && b) || (c && d)"),
        ("a == b && c < d", "(a == b) && (c < d)"),
        ("1 + 2 == 3", "(1 + 2) == 3"),
        ("1 < 2 == true", "(1 < 2) == true"),
        ("a in b == c", "(a in b) == c"),
        ("-a + b", "(-a) + b"),
        ("-a.b", "-(a.b)"),
        ("!a.b && c", "(!(a.b)) && c"),
        ("a ? b : c ? d : e", "a ? b : (c ? d : e)"),
        ("a || b ? c : d", "(a || b) ? c : d"),
        ("!!a", "a"),
        ("!!!a", "!a"),
        ("--a", "a"),
        ("(a.b).c", "a.b.c"),
        ("[1, 2,]", "[1, 2]"),
        ("{'a': 1,}", "{'a': 1}"),
    ],
)
def test_operators_bind_as_in_cel(text: str, same: str) -> None:
    """Precedence and associativity are what a reader assumes silently."""
    assert shape(text) == shape(same)


def test_a_chain_of_one_logical_operator_is_one_node() -> None:
    """A hundred alternatives must not count as a hundred levels."""
    text = " || ".join(f"x == {i}" for i in range(500))
    assert parse(text).evaluate({"x": 499}) is True


def test_a_path_of_any_length_is_one_level() -> None:
    """Deep documents are not deep expressions."""
    data: object = 1
    for _ in range(90):
        data = {"a": data}
    assert parse("r" + ".a" * 90).evaluate({"r": data}) == 1


def test_nodes_know_the_place_they_were_written_at() -> None:
    """Errors at run time point into the text the author wrote."""
    assert parse("a + b.c[0]").ast == [
        "binary",
        0,
        10,
        "+",
        ["name", 0, 1, "a"],
        ["get", 4, 10, ["name", 4, 5, "b"], [6, 7, False, "c"], [7, 10, False, ["const", 8, 9, 0]]],
    ]


def test_words_that_end_elsewhere_can_be_names_after_a_dot() -> None:
    """`steps.x.if` reads a key; only CEL's four keywords need quotes there."""
    assert parse("m.if.for.return").evaluate({"m": {"if": {"for": {"return": 1}}}}) == 1
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse("m.in")
    assert caught.value.hint == "write `['in']`"


@pytest.mark.parametrize(
    ("text", "marked", "says"),
    [
        ("", "", "an expression is missing"),
        ("  ", "", "an expression is missing"),
        ("1 +", "", "a value is wanted"),
        ("(1", "", "')' is wanted"),
        (")", ")", "a value is wanted"),
        ("1 2", "2", "should end here"),
        ("a.", "", "a name is wanted after the dot"),
        ("a.'b'", "'b'", "a name is wanted after the dot"),
        ("a[0", "", "']' is wanted"),
        ("[1 2]", "2", "',' is wanted"),
        ("[,]", ",", "a value is wanted"),
        ("{1}", "}", "':' is wanted"),
        ("{'a':}", "}", "a value is wanted"),
        ("a ? b", "", "':' is wanted"),
        ("a ? b ? 1 : 2 : 3", "?", "':' is wanted"),
        ("-!a", "!", "a value is wanted"),
        ("if", "if", "a value is wanted"),
        ("a.?b()", "(", "should end here"),
        (".a", ".", "a value is wanted"),
        ("f(1,)", ")", "a value is wanted"),
    ],
)
def test_what_is_no_expression_is_told_where_it_stops_being_one(
    text: str, marked: str, says: str
) -> None:
    """The message names the token, and the caret stands under it."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse(text)
    error = caught.value
    assert text[error.offset : error.end] == marked
    assert says in error.message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a and b", "`&&`"),
        ("a or b", "`||`"),
        ("not a", "`!`"),
        ("a is null", "`==`"),
        ("a if b else c", "`condition ? yes : no`"),
        ("len(a)", "'size'"),
        ("a.length()", "'size'"),
        ("str(a)", "'string'"),
        ("a.upper()", "'upperAscii'"),
        ("a.startswith('x')", "'startsWith'"),
        ("a.any(x, x)", "'exists'"),
        ("all(x)", "`list.all(x, …)`"),
        ("optional.off(a)", "'optional.of'"),
        ("has(a)", "has(steps.x.field)"),
    ],
)
def test_a_habit_from_another_language_gets_its_cel_spelling(text: str, hint: str) -> None:
    """The way out is one word; the message should have it."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse(text)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nope(1)", "there is no function 'nope'"),
        ("false && nope()", "there is no function 'nope'"),
        ("size()", "size() takes 1 argument, not 0"),
        ("size(a, b)", "size() takes 1 argument, not 2"),
        ("a.size(1)", "size() takes 0 arguments, not 1"),
        ("a.split()", "split() takes 1 to 2 arguments, not 0"),
        ("a.replace('x')", "replace() takes 2 to 3 arguments, not 1"),
        ("trim(a)", "trim() is written value.trim(…)"),
        ("a.int()", "int() is written int(value)"),
        ("a.map(x)", "map() takes a name and an expression"),
        ("a.all(x, y, z)", "all() takes a name and an expression"),
        ("a.map(x.y, z)", "the first argument of map() is a name"),
        ("has(a.?b)", "has() takes a path"),
        ("has(a.b, c)", "has() takes a path"),
    ],
)
def test_a_call_that_can_never_succeed_is_refused_before_it_runs(text: str, says: str) -> None:
    """A typo in a branch that runs once a year must not wait for that day."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse(text)
    assert says in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "[" * 9000,
        "a[" * 6000,
        "size(" * 3000,
        "{'a': " * 3000,
        "1 ? 1 : " * 2400 + "1",
        "1" + " + 1" * 4900,
        "x.map(x, " * 2000,
        "a" + ".trim()" * 2800,
        "!(" * 8000,
        "a || b && c == d + e * (" * 800,
    ],
)
def test_deep_nesting_is_an_error_and_never_a_stack_overflow(text: str) -> None:
    """Whatever a file holds, checking it ends with a diagnostic."""
    with pytest.raises(ExpressionSyntaxError, match=f"more than {MAX_NESTING} levels"):
        parse(text)


def test_nesting_up_to_the_limit_is_read_and_evaluated() -> None:
    """The limit is a number, not an accident of the stack."""
    parentheses = MAX_NESTING - 2
    assert parse("(" * parentheses + "1" + ")" * parentheses).evaluate({}) == 1
    assert parse("1" + " + 1" * (MAX_NESTING - 1)).evaluate({}) == MAX_NESTING
    with pytest.raises(ExpressionSyntaxError):
        parse("1" + " + 1" * MAX_NESTING)
