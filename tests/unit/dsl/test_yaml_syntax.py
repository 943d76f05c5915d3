from __future__ import annotations

import pytest
import yaml

from aima.dsl.diagnostic import Diagnostic
from aima.dsl.load import DEFAULT_LIMITS, _load
from aima.dsl.yaml_compose import PARSER, Parser

PARSERS = [pytest.param(PARSER, id="libyaml"), pytest.param(yaml.SafeLoader, id="pyyaml")]


def cause_of(text: str, parser: Parser = PARSER) -> Diagnostic:
    """Load a text that is not YAML."""
    _, root, diagnostics = _load(text, "w.yaml", DEFAULT_LIMITS, parser=parser)
    assert root is None
    (found,) = diagnostics
    return found


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a:\n\tb: 1\n", "yaml/tab", 2, 1),
        ("a:\n  b: 1\n\tc: 2\n", "yaml/tab", 3, 1),
        ("a: |\n\tx\n", "yaml/tab", 2, 1),
        ("-\tx: 1\n", "yaml/tab", 1, 2),
        ("name:x\nb: 1\n", "yaml/missing-space", 1, 5),
        ("a: 1\nname:x\n", "yaml/missing-space", 2, 5),
        ("steps:\n  - id:a\n    type: b\n", "yaml/missing-space", 2, 7),
        ("a: 1\nfoo\nb: 2\n", "yaml/missing-colon", 2, 1),
        ("foo\n\nb: 2\n", "yaml/missing-colon", 1, 1),
        ("url\nhttp://x\nb: 2\n", "yaml/missing-colon", 2, 1),
        ('a: "foo\nb: 1\n', "yaml/unclosed-quote", 1, 4),
        ("a: 'foo\nb: 1\n", "yaml/unclosed-quote", 1, 4),
        ('a: "foo\n---\nb: 1\n', "yaml/unclosed-quote", 1, 4),
        ("a: 'it's'\n", "yaml/text-after-value", 1, 8),
        ('a: "x" y\n', "yaml/text-after-value", 1, 8),
        ('a: "foo\nb: "bar"\n', "yaml/text-after-value", 2, 5),
        ("a: {x.y} foo\n", "yaml/text-after-value", 1, 10),
        ("a: &x &y z\n", "yaml/text-after-value", 1, 7),
        ("a: foo: bar\n", "yaml/unquoted", 1, 7),
        ("- foo: bar: baz\n", "yaml/unquoted", 1, 11),
        ("a: foo:\n", "yaml/unquoted", 1, 7),
        ("a: %foo\n", "yaml/unquoted", 1, 4),
        ("a: @foo\n", "yaml/unquoted", 1, 4),
        ("- `foo`\n", "yaml/unquoted", 1, 3),
        ("cron: */5 * * * *\n", "yaml/unquoted", 1, 7),
        ("a: & foo\n", "yaml/unquoted", 1, 4),
        ("if: !x && y\n", "yaml/unquoted", 1, 5),
        ("if: !{\n", "yaml/unquoted", 1, 5),
        ("a: !e!foo x\n", "yaml/unquoted", 1, 4),
        ("a: ,b\n", "yaml/unquoted", 1, 4),
        ("a: ]\n", "yaml/unquoted", 1, 4),
        ("a: ? b\n", "yaml/unquoted", 1, 4),
        ("a: >= 5\n", "yaml/unquoted", 1, 4),
        ("a: |foo\n", "yaml/unquoted", 1, 4),
        ("a: {b: ${x.y}, c: 1}\n", "yaml/unquoted", 1, 8),
        ("a: [${x.y}, 1]\n", "yaml/unquoted", 1, 5),
        ("a: [1, 2\nb: 3\n", "yaml/bracket", 2, 2),
        ("a: {x: 1 y: 2}\n", "yaml/bracket", 1, 11),
        ("a: [1, 2}\n", "yaml/bracket", 1, 9),
        ("a: {x: 1", "yaml/bracket", 1, 4),
        ("a: [x, [y]\n\n", "yaml/bracket", 1, 4),
        ("a: [", "yaml/bracket", 1, 4),
        ("a: [\n", "yaml/bracket", 1, 4),
        ("a: {\n# why\n", "yaml/bracket", 1, 4),
        ("a: {b:\n", "yaml/bracket", 1, 4),
        ("a: [[1], {b: 2},\n", "yaml/bracket", 1, 4),
        ("a: {b: [\n", "yaml/bracket", 1, 8),
        ("a: [}\n", "yaml/bracket", 1, 5),
        ("a: [\n- b\n", "yaml/bracket", 2, 1),
        ("a:\n  b: 1\n c: 2\n", "yaml/indentation", 3, 2),
        ("a:\n  - b\n - c\n", "yaml/indentation", 3, 2),
        ("a: 1\n  b: 2\n", "yaml/indentation", 2, 3),
        ("a: 1\n- b\n", "yaml/indentation", 2, 1),
        ("- b\na: 1\n", "yaml/indentation", 2, 1),
        ("a: |\n   x\n  y\n", "yaml/indentation", 3, 3),
        ('a: "C:\\path"\n', "yaml/bad-escape", 1, 7),
        ('a: "\\d+"\n', "yaml/bad-escape", 1, 5),
        ('a: "\\xZZ"\n', "yaml/bad-escape", 1, 5),
        ('a: "\\U00110000"\n', "yaml/bad-escape", 1, 5),
        ("a: - b\n", "yaml/syntax", 1, 4),
        (": x\n", "yaml/syntax", 1, 1),
        ('"a\n b": 1\n', "yaml/syntax", 2, 4),
        ("a: 1\n... x\n", "yaml/text-after-value", 2, 5),
        ("foo # why\nb: 2\n", "yaml/text-after-value", 2, 1),
    ],
)
def test_the_cause_is_named_at_its_place_with_either_parser(
    text: str, code: str, line: int, column: int, *, parser: Parser
) -> None:
    """The parser's own place is often a line below the mistake, its words no help."""
    found = cause_of(text, parser)
    assert (found.code, found.line, found.column) == (code, line, column)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("a:\n\tb: 1\n", "a tab cannot be used for indentation", "replace it with spaces"),
        (
            "steps:\n  - id:a\n    type: b\n",
            "a space is missing after `:`",
            "write `key: value`, or put the whole in quotes if it is text",
        ),
        ("a: @b\n", "text without quotes cannot start with `@`", "put the text in quotes"),
        (
            "a: [${x.y}, 1]\n",
            "inside `{…}` and `[…]` a `${…}` needs quotes",
            'write "${…}", or give each entry a line of its own',
        ),
        (
            "a: 'it's'\n",
            "text goes on after the closing `'`",
            "inside single quotes write '' for '",
        ),
        (
            'a: "foo\nb: "bar"\n',
            'text goes on after the closing `"`',
            'the `"` before it closes a text opened on a line above; close it there',
        ),
        (
            "a: [1, 2\nb: 3\n",
            "`,` or `]` is missing here: the `[` of line 1, column 4 is open",
            "separate entries with `,`, close with `]`; put text with such signs in quotes",
        ),
        ("a: [\n", "the `[` that opens here is never closed", "close it with `]`"),
        ("a: {b: [1,\n", "the `[` that opens here is never closed", "close it with `]`"),
        (
            "a: [1, }\n",
            "a value or `]` is missing here: the `[` of line 1, column 4 is open",
            "separate entries with `,`, close with `]`; put text with such signs in quotes",
        ),
    ],
)
def test_a_cause_is_one_sentence_with_a_way_out(text: str, message: str, hint: str) -> None:
    """Someone who has never read the YAML specification must know what to do."""
    found = cause_of(text)
    assert found.message == message
    assert found.hint == hint


def test_a_cause_nobody_foresaw_is_told_in_the_parsers_words() -> None:
    """Unknown causes are rare, and a true sentence beats a wrong guess."""
    assert cause_of("%YAML 1.2\n%YAML 1.2\n---\n").message.startswith("this is not YAML: found dup")


def test_a_missing_colon_does_not_quote_a_whole_page() -> None:
    """The file may be anything, a message is a line."""
    found = cause_of("x" * 5000 + "\nb: 1\n")
    assert found.code == "yaml/missing-colon"
    assert len(found.message) < 100
