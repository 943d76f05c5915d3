"""Functions on text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aima.dsl.expression import ExpressionEvaluationError, parse


def value(text: str, **roots: object) -> object:
    """Evaluate over these roots."""
    return parse(text).evaluate(roots)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'abc'.contains('b')", True),
        ("'abc'.contains('')", True),
        ("'abc'.contains('d')", False),
        ("'abc'.startsWith('ab')", True),
        ("'abc'.startsWith('b')", False),
        ("'abc'.endsWith('bc')", True),
        ("'abc'.endsWith('b')", False),
        ("'ÄbC'.lowerAscii()", "Äbc"),
        ("'äBc'.upperAscii()", "äBC"),
        ("'ABC'.lowerAscii()", "abc"),
        ("'abc'.upperAscii()", "ABC"),
        ("' \\t\\u00a0\\u3000x y\\n'.trim()", "x y"),
        ("'\\u001cx\\u200b'.trim()", "\x1cx\u200b"),
        ("'a,b,c'.split(',')", ["a", "b", "c"]),
        ("'a,b,c'.split(',', 2)", ["a", "b,c"]),
        ("'a,b,c'.split(',', 1)", ["a,b,c"]),
        ("'a,b,c'.split(',', 0)", []),
        ("'a,b,c'.split(',', -1)", ["a", "b", "c"]),
        ("'日本'.split('')", ["日", "本"]),
        ("'abc'.split('', 2)", ["a", "bc"]),
        ("''.split('')", [""]),
        ("''.split(',')", [""]),
        ("['a', 'b'].join('-')", "a-b"),
        ("['a', 'b'].join()", "ab"),
        ("[].join('-')", ""),
        ("'abcabc'.replace('b', 'xy')", "axycaxyc"),
        ("'abcabc'.replace('b', '', 1)", "acabc"),
        ("'abc'.replace('b', 'x', 0)", "abc"),
        ("'abc'.replace('', '-')", "-a-b-c-"),
        ("'abc'.replace('', '-', 2)", "-a-bc"),
        ("size('日本😀')", 3),
        ("'日本😀'.size()", 3),
    ],
)
def test_a_text_function_does_what_cels_does(text: str, expected: object) -> None:
    """By code points, and by ASCII where the name says so."""
    assert value(text) == expected


def test_trim_takes_unicodes_white_space_and_nothing_else() -> None:
    """The same 25 characters as Google's CEL; Python's `strip` has more."""
    points = [p for p in range(0x11000) if value("t.trim() == ''", t=chr(p))]
    assert points == [
        *(*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)),
        *(0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'abc'.matches('b')", True),
        ("'abc'.matches('^b')", False),
        ("matches('abc', 'a.c')", True),
        ("'日本'.matches('^..$')", True),
        ("'ABC'.matches('(?i)b')", True),
        (r"'a1'.matches(r'^\pL\d$')", True),
        ("'a\\nb'.matches('^b')", False),
    ],
)
def test_matches_finds_a_pattern_anywhere(text: str, expected: object) -> None:
    """RE2's syntax, Unicode text, no anchors unless written."""
    assert value(text) is expected


@pytest.mark.parametrize(
    "pattern",
    ["(", "a(?=b)", r"\1", "(?P<x>a)(?P=x)", "a" * 1001, "x{1001}", r"(\pL|\pN){1,500}", "\ud800"],
)
def test_a_pattern_that_re2_refuses_is_an_error(pattern: str) -> None:
    """Backreferences and look-around have no linear time; giant patterns no bounded memory."""
    with pytest.raises(ExpressionEvaluationError, match="regular expression"):
        value("'abc'.matches(p)", p=pattern)


def test_a_pattern_that_kills_a_backtracking_engine_is_harmless() -> None:
    """Python's own `re` would not finish this in the age of the universe."""
    assert value("t.matches('^(x+x+)+y$')", t="x" * 50_000) is False


def test_matching_text_with_half_a_surrogate_pair_does_not_crash() -> None:
    """Python's strings can hold what UTF-8 cannot."""
    with pytest.raises(ExpressionEvaluationError, match="Unicode"):
        value("t.matches('a')", t="a\ud800")


@pytest.mark.parametrize(
    "text",
    [
        "1.trim()",
        "null.contains('a')",
        "'a'.contains(1)",
        "'a'.startsWith(null)",
        "'a'.endsWith(['a'])",
        "'a'.split(1)",
        "'a'.split('a', 'b')",
        "'a'.split('a', 1.0)",
        "'a'.replace('a', 1)",
        "'a'.replace('a', 'b', true)",
        "'a'.join()",
        "['a'].join(1)",
        "['a', 1].join('')",
        "true.lowerAscii()",
        "[].upperAscii()",
        "'a'.matches(1)",
        "matches(1, 'a')",
        "size(1)",
        "size(null)",
    ],
)
def test_a_wrong_type_is_an_error_that_names_the_function(text: str) -> None:
    """The error points at the call and says what it works on."""
    with pytest.raises(ExpressionEvaluationError) as caught:
        value(text)
    assert (caught.value.offset, caught.value.end) == (0, len(text))
    assert "()" in caught.value.message or "size" in caught.value.message


def test_the_regular_expression_library_is_loaded_by_the_first_match() -> None:
    """`aima --help` must not wait for a library that few expressions need."""
    script = (
        "import sys; from aima.dsl.expression import parse;"
        "e = parse(\"'a'.matches('a')\"); assert 're2' not in sys.modules;"
        "assert e.evaluate({}) is True; assert 're2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
