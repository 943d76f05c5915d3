"""Cutting texts into tokens."""

from __future__ import annotations

import pytest

from aima.dsl.expression import ExpressionSyntaxError
from aima.dsl.expression.limits import MAX_SOURCE
from aima.dsl.expression.tokens import Kind, tokens_of


def words(text: str, *names: str) -> list[str]:
    """Give the texts of all tokens but the end."""
    return [token.text for token in tokens_of(text, names)[:-1]]


def test_every_kind_of_token_is_told_apart() -> None:
    """The parser decides by kind and text alone."""
    found = [(token.kind, token.text) for token in tokens_of("a.b1 + 2.5e-3 == 'x' && _c")]
    assert found == [
        (Kind.NAME, "a"),
        (Kind.SIGN, "."),
        (Kind.NAME, "b1"),
        (Kind.SIGN, "+"),
        (Kind.VALUE, "2.5e-3"),
        (Kind.SIGN, "=="),
        (Kind.VALUE, "'x'"),
        (Kind.SIGN, "&&"),
        (Kind.NAME, "_c"),
        (Kind.END, ""),
    ]


def test_a_token_knows_its_place_in_code_points() -> None:
    """A caret under the wrong letter is worse than none."""
    text = "'日本語😀' + input.名"
    with pytest.raises(ExpressionSyntaxError) as caught:
        tokens_of(text)
    assert text[caught.value.offset : caught.value.end] == "名"


def test_white_space_and_comments_separate_tokens() -> None:
    """Block scalars of YAML bring line breaks into expressions."""
    assert words("a // the sum\n\t+ \r\n b//end") == ["a", "+", "b"]


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        ("steps.load-data.items", ["load-data"], ["steps", ".", "load-data", ".", "items"]),
        ("load-data.x", ["load-data"], ["load-data", ".", "x"]),
        ("a-b-c", ["a-b", "a-b-c"], ["a-b-c"]),
        ("a-b-c", ["a-b"], ["a-b", "-", "c"]),
        ("a-b2", ["a-b"], ["a", "-", "b2"]),
        ("a-1", ["a-1"], ["a-1"]),
        ("a - b", ["a-b"], ["a", "-", "b"]),
        ("a-b", [], ["a", "-", "b"]),
        ("x.?load-data", ["load-data"], ["x", ".", "?", "load-data"]),
        ("'load-data'", ["load-data"], ["'load-data'"]),
        ("a-b", ["b", "a"], ["a", "-", "b"]),
    ],
)
def test_a_hyphen_belongs_to_a_declared_name_that_stands_whole(
    text: str, names: list[str], expected: list[str]
) -> None:
    """Older workflows have hyphens in ids; a minus must stay a minus elsewhere."""
    assert words(text, *names) == expected


@pytest.mark.parametrize(
    ("text", "offset", "hint"),
    [
        ("a = 1", 2, "`==`"),
        ("a & b", 2, "`&&`"),
        ("a | upper", 2, "no filters"),
        ("`a`", 0, "`['key']`"),
        ("a; b", 1, "one value"),
        ("${a}", 0, "not needed"),
        ("größe", 2, "ASCII"),
        ("a \\ b", 2, "quotes"),
    ],
)
def test_a_stray_character_is_told_with_what_was_probably_meant(
    text: str, offset: int, hint: str
) -> None:
    """People bring the habits of Python, Jinja and the shell."""
    with pytest.raises(ExpressionSyntaxError) as caught:
        tokens_of(text)
    assert (caught.value.offset, caught.value.end) == (offset, offset + 1)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["'abc", '"abc', "'a\nb'", "a + 'x", "'''abc''", "r'abc"])
def test_an_unclosed_text_is_told_at_its_beginning(text: str) -> None:
    """The end of the expression is not where the author has to look."""
    with pytest.raises(ExpressionSyntaxError, match="no closing quote"):
        tokens_of(text)


@pytest.mark.parametrize("text", ["b'x'", "rb'x'", 'B"x"', "1u", "0x1FU"])
def test_bytes_and_unsigned_integers_are_refused(text: str) -> None:
    """Data are JSON, which has neither."""
    with pytest.raises(ExpressionSyntaxError, match="there are no"):
        tokens_of(text)


def test_an_embedded_expression_ends_at_the_brace_that_is_not_its_own() -> None:
    """Braces in texts, comments and map literals do not end a template's expression."""
    text = "{'}': \"}\"} // }\n} tail"
    assert tokens_of(text, embedded=True)[-1].at == text.index("} tail")


def test_a_source_beyond_the_limit_is_refused() -> None:
    """The limit is what bounds everything else."""
    assert len(tokens_of("a" * MAX_SOURCE)) == 2
    with pytest.raises(ExpressionSyntaxError, match=str(MAX_SOURCE)):
        tokens_of("a" * (MAX_SOURCE + 1))
    with pytest.raises(ExpressionSyntaxError, match=str(MAX_SOURCE)):
        tokens_of(" " * MAX_SOURCE + "a")
