"""Following paths into data: values, absence, and the errors of both."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import NoReturn

import pytest

from aima.dsl.expression import ExpressionEvaluationError, parse

DATA: dict[str, object] = {
    "input": {"question": "why?", "load-data": 1, "": "empty", "nothing": None},
    "steps": {"chat": {"content": "hi", "usage": {"tokens": 7}}, "list": {"items": [{"v": 1}, 2]}},
}

LIST_HINT = "write `[0]` for an item and `.map(x, …)` for all"


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
        ("input.question", "why?"),
        ("input['load-data']", 1),
        ("input['']", "empty"),
        ("input.nothing", None),
        ("steps.chat.usage.tokens", 7),
        ("steps['chat']['usage'].tokens", 7),
        ("steps.list.items[0].v", 1),
        ("steps.list.items[1]", 2),
        ("steps.list.items[1 - 1].v", 1),
        ("steps.list.items[0.0].v", 1),
        ("steps[input.question == 'why?' ? 'chat' : 'list'].content", "hi"),
        ("[10, 20][1]", 20),
        ("{'a': {'b': 3}}.a.b", 3),
    ],
)
def test_a_path_leads_to_its_value(text: str, expected: object) -> None:
    """Names, quoted names, numbers and computed keys are all links."""
    assert value(text) == expected


def test_a_path_gives_the_very_object_and_touches_nothing_beside_it() -> None:
    """Evaluating costs what is referenced: an embedding in scope must never be looked at."""

    class Untouchable(list[float]):
        def _refuse(self, *_: object) -> NoReturn:
            raise AssertionError("the embedding was touched")

        __len__ = __iter__ = __getitem__ = __eq__ = __contains__ = _refuse
        __hash__ = None

    embedding = Untouchable()
    roots: dict[str, object] = {"steps": {"embed": {"vector": embedding, "n": 3}}}
    assert parse("steps.embed.n").evaluate(roots) == 3
    assert parse("steps.embed.n > 2 ? 'many' : 'few'").evaluate(roots) == "many"
    assert parse("steps.embed.vector").evaluate(roots) is embedding
    assert parse("has(steps.embed.vector)").evaluate(roots) is True
    assert parse("steps.?embed.vector.orValue([])").evaluate(roots) is embedding
    assert parse("true ? steps.embed.vector : []").evaluate(roots) is embedding


def test_the_roots_are_looked_up_one_by_one() -> None:
    """The interpreter may give a view that computes roots only when they are read."""

    class Lazy(dict[str, object]):
        def __iter__(self) -> Iterator[str]:
            raise AssertionError("all roots were asked for")

    assert parse("input.a + 1").evaluate(Lazy(input={"a": 1}, steps=None)) == 2
    assert parse("input.a").evaluate(MappingProxyType({"input": {"a": 1}})) == 1


@pytest.mark.parametrize(
    ("text", "marked", "message", "hint"),
    [
        ("steps.chat.contnt", "contnt", "steps.chat has no 'contnt'", "did you mean 'content'?"),
        ("steps.chta.content", "chta", "steps has no 'chta'", "did you mean 'chat'?"),
        ("stpes.chat", "stpes", "there is no 'stpes' here", "did you mean 'steps'?"),
        (
            "input.answer",
            "answer",
            "input has no 'answer'",
            "there is question, load-data, , nothing",
        ),
        ("{}.a", "a", "this has no 'a'", "it is empty"),
        ("steps.chat.content.x", "x", "steps.chat.content is a string, so it has no 'x'", None),
        ("input.nothing.x", "x", "input.nothing is null, so it has no 'x'", "guard it with has(…)"),
        (
            "steps.list.items[2]",
            "[2]",
            "steps.list.items has no item 2",
            "it has 2, counted from 0",
        ),
        (
            "steps.list.items[-1]",
            "[-1]",
            "steps.list.items has no item -1",
            "it has 2, counted from 0",
        ),
        (
            "steps.list.items['v']",
            "['v']",
            "steps.list.items is a list, so it has no 'v'",
            LIST_HINT,
        ),
        (
            "steps.list.items[0.5]",
            "[0.5]",
            "steps.list.items is a list, whose index is an int, not a double",
            None,
        ),
        (
            "steps.list.items[true]",
            "[true]",
            "steps.list.items is a list, whose index is an int, not a bool",
            None,
        ),
        ("steps.list.items.v", "v", "steps.list.items is a list, so it has no 'v'", LIST_HINT),
        ("steps[1]", "[1]", "steps is a map, whose keys are text, not int", None),
        ("input.question[0]", "[0]", "input.question is a string, so it has no items", None),
        ("steps.list.items[0].w", "w", "steps.list.items[0] has no 'w'", "there is v"),
        ("steps[input.question]", "[input.question]", "steps has no 'why?'", "there is chat, list"),
    ],
)
def test_a_broken_path_is_told_at_the_link_that_breaks_it(
    text: str, marked: str, message: str, hint: str | None
) -> None:
    """Never an empty string: the author sees which link, what is there, and what was meant."""
    error = failure(text)
    assert text[error.offset : error.end] == marked
    assert (error.message, error.hint) == (message, hint)
    assert str(error) == (f"{message}; {hint}" if hint else message)


def test_an_error_does_not_repeat_endless_keys() -> None:
    """Keys come from data, and a message goes into logs and history."""
    roots: dict[str, object] = {"m": {"k" * 5000: 1, **{f"k{i}": i for i in range(5000)}}}
    with pytest.raises(ExpressionEvaluationError) as caught:
        parse("m['" + "z" * 5000 + "']").evaluate(roots)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("has(input.question)", True),
        ("has(input.nothing)", True),
        ("has(input.answer)", False),
        ("has(input['load-data'])", True),
        ("has(steps.nope.content)", False),
        ("has(steps.nope.a.b.c.d)", False),
        ("has(input.nothing.x)", False),
        ("has(input.question.x)", False),
        ("has(steps.list.items[0])", True),
        ("has(steps.list.items[0].v)", True),
        ("has(steps.list.items[1].v)", False),
        ("has(steps.list.items[9].v)", False),
        ("has(steps.list.items[-1])", False),
        ("has(steps.list[0])", False),
        ("has(steps.?nope.content)", False),
        ("has({'a': 1}.a)", True),
        ("has(optional.none().a)", False),
        ("has(optional.of({'a': 1}).a)", True),
    ],
)
def test_has_is_false_when_any_link_below_the_root_is_missing(text: str, expected: object) -> None:
    """One `has` guards a whole path: this is where the language departs from CEL."""
    assert value(text) is expected


def test_has_of_an_unknown_root_is_an_error() -> None:
    """A root is a word of the language; a misspelled one is a mistake, not absence."""
    assert failure("has(stpes.chat)").hint == "did you mean 'steps'?"


def test_has_passes_on_the_error_of_a_computed_key() -> None:
    """What is asked is whether the key is there, not whether it can be computed."""
    assert "divided by zero" in failure("has(input[string(1 / 0)])").message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps.?chat.content.orValue('none')", "hi"),
        ("steps.?nope.content.orValue('none')", "none"),
        ("steps.?chat.nope.orValue('none')", "none"),
        ("steps.?nope.a.b['c'][0].orValue('none')", "none"),
        ("steps.list.items[?0].v.orValue(0)", 1),
        ("steps.list.items[?5].orValue(0)", 0),
        ("steps[?'chat'].hasValue()", True),
        ("steps[?'nope'].hasValue()", False),
        ("steps.?chat.?usage.tokens.value()", 7),
        ("input.?nothing.orValue('none')", None),
        ("optional.of(1).orValue(1 / 0)", 1),
        ("optional.none().hasValue()", False),
        ("optional.of(null).hasValue()", True),
        ("optional.none() == optional.none()", True),
        ("optional.of([1]) == optional.of([1.0])", True),
        ("optional.of(1) == 1", False),
        ("type(optional.none()) == optional_type", True),
    ],
)
def test_an_optional_read_gives_a_value_or_its_replacement(text: str, expected: object) -> None:
    """`.?` asks, the links behind it go along, and `orValue` answers for absence."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps.?nope.value()", "the value is absent"),
        ("steps.?chat", "the result is an optional"),
        ("[steps.?chat]", "the result is an optional"),
        ("input.?question.?x", "input.question is a string"),
        ("input.?nothing.?x", "input.nothing is null"),
        ("steps.chat.orValue(1)", "orValue() works on an optional, not on a map"),
        ("steps.list.items[?'v']", "steps.list.items is a list"),
        ("stpes.?chat.orValue(1)", "there is no 'stpes' here"),
    ],
)
def test_an_optional_used_as_a_value_is_an_error(text: str, message: str) -> None:
    """An optional is not JSON, and a wrong type is not absence."""
    assert message in failure(text).message


def test_data_that_look_like_expressions_stay_data() -> None:
    """What a model or a caller writes is never evaluated."""
    roots: dict[str, object] = {"input": {"q": "${secrets.key}", "e": {"$": "input.q"}}}
    assert parse("input.q + '!'").evaluate(roots) == "${secrets.key}!"
    assert parse("[input.e]").evaluate(roots) == [{"$": "input.q"}]


def test_a_value_that_is_no_data_passes_through_whole_and_nothing_else_can_be_done_with_it() -> (
    None
):
    """A secret is an opaque reference: it goes into an input, and no operator sees inside."""
    secret = object()
    roots: dict[str, object] = {"secrets": {"key": secret}}
    assert parse("secrets.key").evaluate(roots) is secret
    for text in (
        "secrets.key + 'x'",
        "secrets.key == secrets.key",
        "toJson(secrets.key)",
        "[secrets]",
    ):
        with pytest.raises(ExpressionEvaluationError, match="no value an expression can work with"):
            parse(text).evaluate(roots)
