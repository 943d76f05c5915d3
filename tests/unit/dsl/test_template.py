"""Texts with `${…}`, and whole values made of them."""

from __future__ import annotations

import json
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.dsl.expression import (
    ExpressionError,
    ExpressionEvaluationError,
    ExpressionLimitExceeded,
    ExpressionSyntaxError,
)
from aima.dsl.json import Json
from aima.dsl.template import (
    Template,
    compile_value,
    evaluator,
    parse_template,
    to_text,
)

ROOTS: dict[str, object] = {
    "input": {"name": "Ada", "n": 3, "x": 2.0, "none": None, "yes": True, "list": [1, 2.0, "é"]},
    "steps": {
        "chat": {"content": "hi", "load-data": [1]},
        "bad": {"error": {"code": "TIMEOUT", "message": "too slow", "step": "bad", "line": 7}},
    },
}


def value(text: str) -> Json:
    """Evaluate a template over ROOTS."""
    return parse_template(text, {"load-data"}).evaluate(ROOTS)


def same(value: Json, other: Json) -> bool:
    """Compare with the types of numbers."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)


# -- texts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${input.n}", 3),
        ("${input.x}", 2.0),
        ("${input.none}", None),
        ("${input.yes}", True),
        ("${input.list}", [1, 2.0, "é"]),
        ("${ input.n + 1 }", 4),
        ("${{'a': {'b': input.n}}}", {"a": {"b": 3}}),
        ("${'}'}", "}"),
        ("${\n  input.n // a comment with }\n}", 3),
        ("${steps.chat.load-data[0]}", 1),
    ],
)
def test_a_text_that_is_one_expression_keeps_its_type(text: str, expected: Json) -> None:
    """A number stays a number, a list a list."""
    assert same(value(text), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello ${input.name}!", "Hello Ada!"),
        ("${input.name}${input.n}", "Ada3"),
        (" ${input.n}", " 3"),
        ("${input.n}\n", "3\n"),
        ("${input.x} ${0.5} ${1e6}", "2 0.5 1000000"),
        ("${input.yes}, ${input.none}", "true, null"),
        ("list: ${input.list}", 'list: [1,2,"é"]'),
        ("map: ${{'b': 1, 'a': input.name}}", 'map: {"b":1,"a":"Ada"}'),
        ("failed: ${steps.bad.error}", "failed: too slow"),
        ("${timestamp(0)} + ${duration('90s')}", "1970-01-01T00:00:00Z + 90s"),
        ("日本${'語'}😀", "日本語😀"),
    ],
)
def test_inside_longer_text_a_value_becomes_text(text: str, expected: str) -> None:
    """Texts as they are, everything else compact JSON."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain", "plain"),
        ("$ {x} $x {y}} $", "$ {x} $x {y}} $"),
        ("$${input.name}", "${input.name}"),
        ("$$${input.name}", "$${input.name}"),
        ("$${a} ${input.n} $${b}", "${a} 3 ${b}"),
        ("${input.n}$${", "3${"),
        ("$${${input.n}}", "${3}"),
        ("costs $5 and $", "costs $5 and $"),
    ],
)
def test_a_doubled_dollar_is_a_literal_one(text: str, expected: str) -> None:
    """Shell scripts and prompts contain `${`; nothing else needs an escape."""
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "marked", "says"),
    [
        ("a ${", "${", "is not closed"),
        ("a ${1 + ", "${", "is not closed"),
        ("a ${} b", "}", "an expression is missing"),
        ("a ${input.n", "${", "is not closed"),
        ("a ${'}", "'", "no closing quote"),
        ("${input.n} and ${1 +} end", "}", "a value is wanted"),
        ("日本 ${input.} x", "}", "a name is wanted"),
        ("x ${a} ${nope(1)}", "nope", "there is no function"),
        ("x ${a b}", "b", "should end here"),
    ],
)
def test_a_syntax_error_is_told_in_offsets_of_the_whole_text(
    text: str, marked: str, says: str
) -> None:
    """From there the loader finds line and column in the file."""
    with pytest.raises(ExpressionSyntaxError, match=says) as caught:
        parse_template(text)
    found = text[caught.value.offset : caught.value.end]
    assert found == marked or (marked == "}" and text[caught.value.offset] == "}")


def test_an_unclosed_expression_tells_how_to_write_it_literally() -> None:
    """Most often it was never meant to be one."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse_template("echo ${HOME")
    assert "$${" in (caught.value.hint or "")


def test_an_evaluation_error_is_told_in_offsets_of_the_whole_text() -> None:
    """The caret stands under the link that broke, behind all the text before it."""
    text = "日本 ${input.name} and ${steps.chat.contnt}"
    with pytest.raises(ExpressionEvaluationError) as caught:
        parse_template(text).evaluate(ROOTS)
    assert text[caught.value.offset : caught.value.end] == "contnt"
    assert caught.value.hint == "did you mean 'content'?"


def test_a_value_that_has_no_text_is_told_at_its_expression() -> None:
    """A list nested too deep comes from data; the author needs to know through which hole."""
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    text = "a ${1} b ${deep} c"
    with pytest.raises(ExpressionLimitExceeded) as caught:
        parse_template(text).evaluate({"deep": deep})
    assert text[caught.value.offset : caught.value.end] == "deep"


def test_a_text_that_would_grow_beyond_the_limit_is_refused() -> None:
    """Each value alone is small enough; their sum is not."""
    with pytest.raises(ExpressionLimitExceeded):
        parse_template("${t} ${t} ${t}").evaluate({"t": "x" * 6_000_000})


def test_data_that_look_like_a_template_stay_data() -> None:
    """What a model writes is never evaluated."""
    assert parse_template("a ${t}").evaluate({"t": "${secrets.key}"}) == "a ${secrets.key}"


def test_a_template_tells_what_it_is_and_reads() -> None:
    """The checker decides types by it."""
    literal, path = parse_template("a $${b}"), parse_template("${input.n}")
    whole, text = parse_template("${input.n + 1}"), parse_template("a ${input.n} ${has(steps.x)}")
    flags = [(t.is_literal, t.is_whole, t.is_path) for t in (literal, path, whole, text)]
    assert flags == [
        (True, False, False),
        (False, True, True),
        (False, True, False),
        (False, False, False),
    ]
    assert [(read.path, read.offset, read.end) for read in text.reads] == [
        (("input", "n"), 4, 11),
        (("steps", "x"), 19, 26),
    ]
    assert [expression.source for expression in text.expressions] == ["input.n", "has(steps.x)"]
    assert literal.reads == ()


@pytest.mark.parametrize(
    "text", ["", "plain", "$${x}", "${input.n}", "a ${input.n} b ${1}", "${1}${2}"]
)
def test_a_template_survives_being_stored(text: str) -> None:
    """A plan holds templates as JSON."""
    template = parse_template(text)
    stored = json.loads(json.dumps(template.to_json()))
    restored = Template.from_json(stored)
    assert restored.evaluate(ROOTS) == template.evaluate(ROOTS)
    assert restored.to_json() == stored
    assert restored.reads == template.reads


@pytest.mark.parametrize(
    "data",
    [
        None,
        1,
        [],
        {},
        {"$": 1},
        {"$": {"source": "a"}},
        {"$text": "a"},
        {"$text": [1]},
        {"$text": [{"$": 1}]},
        {"$unknown": 1},
        {"$literal": 1},
    ],
)
def test_what_is_no_stored_template_is_refused(data: Json) -> None:
    """A damaged plan must not run."""
    with pytest.raises(ExpressionSyntaxError):
        Template.from_json(data)


# -- values as text --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("as it is\n", "as it is\n"),
        ("", ""),
        (1, "1"),
        (-1.5, "-1.5"),
        (3.0, "3"),
        (1e15, "1000000000000000"),
        (1e16, "1e+16"),
        (1e-7, "1e-07"),
        (True, "true"),
        (None, "null"),
        ([], "[]"),
        ({}, "{}"),
        (
            [1.0, "ü", None, {"b": False, "a": 'say "hi"\n'}],
            '[1,"ü",null,{"b":false,"a":"say \\"hi\\"\\n"}]',
        ),
    ],
)
def test_a_value_becomes_the_text_that_json_readers_understand(given: Json, expected: str) -> None:
    """Compact, keys in their order, Unicode as it is, no `.0`."""
    assert to_text(given) == expected
    if not isinstance(given, str):
        assert json.loads(to_text(given)) == given


@pytest.mark.parametrize(
    ("given", "is_error"),
    [
        ({"code": "X", "message": "boom"}, True),
        ({"code": "X", "message": "boom", "step": "s", "item": 3, "attempt": 2, "line": 9}, True),
        ({"code": "X", "message": "boom", "unit": None}, True),
        ({"code": 500, "message": "boom"}, False),
        ({"code": "X", "message": None}, False),
        ({"code": "X"}, False),
        ({"message": "boom"}, False),
        ({"code": "X", "message": "boom", "data": []}, False),
        ({"error": {"code": "X", "message": "boom"}}, False),
        ([{"code": "X", "message": "boom"}], False),
    ],
)
def test_only_an_error_of_a_step_becomes_its_message(given: Json, *, is_error: bool) -> None:
    """Older workflows put `.error` into texts; an answer of a web API is no such error."""
    assert (to_text(given) == "boom") is is_error


@pytest.mark.parametrize("given", [float("inf"), [float("nan")], {"a": 2**70}])
def test_a_value_that_is_no_json_has_no_text(given: Json) -> None:
    """It is an error here, and not in the reader of the text."""
    with pytest.raises(ExpressionEvaluationError):
        to_text(given)


# -- compiled values -------------------------------------------------------------------


def compiled(value: Json) -> Json:
    """Compile, and store and load like a plan does."""
    stored: Json = json.loads(
        json.dumps(
            compile_value(value, partial(parse_template, names={"load-data"})), sort_keys=True
        )
    )
    return stored


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1, 1),
        (None, None),
        ("plain", "plain"),
        ("$${x}", "${x}"),
        ("${input.n}", 3),
        (["${input.n}", "n = ${input.n}", 7], [3, "n = 3", 7]),
        ({"a": {"b": ["${input.list}"]}}, {"a": {"b": [[1, 2.0, "é"]]}}),
        ({"a": "${steps.chat.load-data[0]}"}, {"a": 1}),
        ({"$ref": "#/x"}, {"$ref": "#/x"}),
        ({"$": "x"}, {"$": "x"}),
        (
            {"$": {"source": "1", "ast": ["const", 0, 1, 1]}},
            {"$": {"source": "1", "ast": ["const", 0, 1, 1]}},
        ),
        ({"$text": ["a"]}, {"$text": ["a"]}),
        ({"$literal": {"$literal": {"$": 1}}}, {"$literal": {"$literal": {"$": 1}}}),
        ({"$schema": "s", "n": "${input.n}"}, {"$schema": "s", "n": 3}),
        ({"x": [{"$id": "${input.name}"}]}, {"x": [{"$id": "Ada"}]}),
        ([], []),
        ({}, {}),
    ],
)
def test_a_compiled_value_evaluates_to_what_was_written(given: Json, expected: Json) -> None:
    """Maps of users may have any keys, also those that mark expressions in a plan."""
    assert same(evaluator(compiled(given))(ROOTS), expected)


def test_a_value_without_expressions_is_given_back_as_it_is() -> None:
    """No copy of a large literal is made, neither in compiling nor in each evaluation."""
    literal: Json = {"a": [1, {"b": "text $ {"}], "c": None}
    assert compile_value(literal) is literal
    assert evaluator(literal)(ROOTS) is literal


def test_literal_parts_of_a_value_are_shared_and_the_rest_is_new() -> None:
    """Two evaluations must not see each other through a map that one of them fills."""
    given: Json = {"fixed": {"big": [1, 2, 3]}, "n": "${n}"}
    evaluate = evaluator(compile_value(given))
    one, two = evaluate({"n": 1}), evaluate({"n": 2})
    assert isinstance(given, dict)
    assert isinstance(one, dict)
    assert isinstance(two, dict)
    assert (one["n"], two["n"]) == (1, 2)
    assert one["fixed"] is two["fixed"] is given["fixed"]


def test_keys_stay_in_the_order_they_were_written_in() -> None:
    """Text made of a map has the order of its keys."""
    given: Json = {"z": 1, "a": "${n}", "m": [3], "b": "${n}"}
    found = evaluator(compile_value(given))({"n": 2})
    assert json.dumps(found) == '{"z": 1, "a": 2, "m": [3], "b": 2}'


def test_expressions_are_evaluated_in_no_keys() -> None:
    """`${}` works in values, never in keys."""
    assert evaluator(compile_value({"${input.n}": 1}))(ROOTS) == {"${input.n}": 1}


def test_an_error_tells_the_way_to_its_text() -> None:
    """The checker and the interpreter find the YAML line by it."""
    given: Json = {"messages": [{"role": "user"}, {"content": "hi ${input.nmae}"}]}
    with pytest.raises(ExpressionEvaluationError) as caught:
        evaluator(compile_value(given))(ROOTS)
    assert caught.value.path == ("messages", 1, "content")
    assert caught.value.offset == len("hi ${input.")
    with pytest.raises(ExpressionSyntaxError) as wrong:
        compile_value({"$a": [{"b": "x ${1 +}"}]})
    assert wrong.value.path == ("$a", 0, "b")


@pytest.mark.parametrize(
    "stored",
    [
        {"$": 1},
        {"$text": {}},
        {"$what": 1},
        {"$literal": 1},
        {"$literal": {}, "x": 1},
        [{"a": {"$": []}}],
    ],
)
def test_a_damaged_compiled_value_is_refused(stored: Json) -> None:
    """When the plan is loaded, not in the middle of a run."""
    with pytest.raises(ExpressionSyntaxError):
        evaluator(stored)


def test_a_value_nested_without_end_is_refused() -> None:
    """Whatever made it, compiling does not overflow the stack."""
    deep: Json = "${1}"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ExpressionSyntaxError, match="levels deep"):
        compile_value(deep)


# -- any text, any value ---------------------------------------------------------------

CASES = settings(max_examples=300, deadline=None)
PIECES = ["${", "}", "$${", "$", "{", "'", '"', "a", ".b", " ", "${a}", "${'}'}", "// ", "\n", "é"]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.just("${a}")
    | st.just("x${b}"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "$", "$text", "$literal", "b"]), inner, max_size=3)
    ),
)


@CASES
@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_is_a_template_or_a_syntax_error(text: str) -> None:
    """The checker must survive every string in every file."""
    try:
        template = parse_template(text)
    except ExpressionSyntaxError as error:
        assert 0 <= error.offset <= error.end <= len(text)  # noqa: PT017 - there may be no error
    else:
        assert Template.from_json(template.to_json()).to_json() == template.to_json()
        assert template.is_literal or "${" in text


@CASES
@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_can_be_written_literally(text: str) -> None:
    """Doubling the dollar of every `${` is all there is to know."""
    assert parse_template(text.replace("${", "$${")).evaluate({}) == text


@CASES
@given(VALUES)
def test_any_value_compiles_and_evaluates_to_itself_with_its_texts_filled_in(given: Json) -> None:
    """Whatever keys and texts there are, nothing else changes."""
    roots: dict[str, object] = {"a": [1], "b": "!"}

    def filled(value: Json) -> Json:
        if isinstance(value, list):
            return [filled(item) for item in value]
        if isinstance(value, dict):
            return {key: filled(item) for key, item in value.items()}
        return "x!" if value == "x${b}" else [1] if value == "${a}" else value

    try:
        found = evaluator(json.loads(json.dumps(compile_value(given))))(roots)
    except ExpressionError:
        assert "${" in json.dumps(given).replace("${a}", "").replace("x${b}", "")
    else:
        assert found == filled(given)
