"""Cutting the text of an expression into tokens, by CEL's lexical rules.

Source: https://github.com/cel-expr/cel-spec/blob/master/doc/langdef.md#syntax. Left out are
bytes and unsigned integers. Added are hyphens in declared names.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from enum import Enum
from typing import NamedTuple

from aima.dsl.expression.errors import ExpressionSyntaxError
from aima.dsl.expression.limits import MAX_SOURCE
from aima.dsl.expression.literals import number, text_of


class Kind(Enum):
    """What a token is."""

    NAME = "name"
    VALUE = "value"
    SIGN = "sign"
    END = "end"


class Token(NamedTuple):
    """A word of the language: its kind, its text, the literal's value, its place."""

    kind: Kind
    text: str
    at: int
    end: int
    value: int | float | str | None = None


_STRING = r"""
    [rR] (?: \"{3} .*? \"{3} | '{3} .*? '{3} | " [^"\r\n]* " | ' [^'\r\n]* ' )
  | \"{3} (?: [^\\] | \\. )*? \"{3} | '{3} (?: [^\\] | \\. )*? '{3}
  | " (?: [^"\\\r\n] | \\. )*+ " | ' (?: [^'\\\r\n] | \\. )*+ '
"""
_TOKEN = re.compile(
    rf"""
    (?P<space> (?: [\ \t\r\n\f] | //[^\r\n]* )++ )
  | (?P<bytes> [bB][rR]?["'] | [rR][bB]["'] )
  | (?P<string> {_STRING} )
  | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<unsigned> (?: 0x[0-9A-Fa-f]+ | [0-9]+ ) [uU] )
  | (?P<number> 0x[0-9A-Fa-f]+ | [0-9]*\.[0-9]+ (?:[eE][+-]?[0-9]+)?
              | [0-9]+ (?:[eE][+-]?[0-9]+)? )
  | (?P<sign> && | \|\| | [=!<>]= | [-+*/%!?:.,<>()\[\]{{}}] )
    """,
    re.VERBOSE | re.DOTALL,
)
_HYPHENATED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z0-9_]+)+")
_INSTEAD = {
    "=": "write `==` to compare",
    "&": "write `&&` for and",
    "|": "write `||` for or; there are no filters, call a function: `value.trim()`",
    "`": "write `['key']` for a key that is no plain name",
    "$": "`${` is not needed inside an expression",
    ";": "an expression is one value",
    "\\": "a backslash has a meaning only inside quotes",
}


def tokens_of(
    text: str, names: Collection[str] = (), *, start: int = 0, embedded: bool = False
) -> list[Token]:
    """Cut ``text`` from ``start`` on; the last token is the end.

    ``names`` are declared names; where one with hyphens stands, it is one token. An
    ``embedded`` expression ends before the first ``}`` that closes no ``{`` of its own.
    """
    found: list[Token] = []
    open_braces = 0
    for token in _walk(text, names, start):
        open_braces += (token.text == "{") - (token.text == "}")
        if embedded and open_braces < 0:
            found.append(Token(Kind.END, "", token.at, token.at))
            return found
        found.append(token)
    found.append(Token(Kind.END, "", len(text), len(text)))
    return found


def _walk(text: str, names: Collection[str], start: int) -> Iterator[Token]:
    at = start
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unknown(text, at)
        if match.end() - start > MAX_SOURCE:
            message = f"an expression may be {MAX_SOURCE} characters long, and this one is longer"
            raise ExpressionSyntaxError(message, offset=start, end=at)
        word, end = match.group(), match.end()
        kind = match.lastgroup
        if kind == "name":
            word = _longest(text, at, names) or word
            end = at + len(word)
            yield Token(Kind.NAME, word, at, end)
        elif kind == "sign":
            yield Token(Kind.SIGN, word, at, end)
        elif kind == "string":
            yield Token(Kind.VALUE, word, at, end, text_of(word, at))
        elif kind == "number":
            yield Token(Kind.VALUE, word, at, end, number(word, at))
        elif kind != "space":
            raise ExpressionSyntaxError(
                f"there are no {'bytes' if kind == 'bytes' else 'unsigned integers'} here",
                offset=at,
                end=end,
                hint="leave the letter out",
            )
        at = end


def _longest(text: str, at: int, names: Collection[str]) -> str | None:
    """Give the longest declared name that stands here whole, if it has a hyphen."""
    match = _HYPHENATED.match(text, at) if names else None
    name = match.group() if match else ""
    while "-" in name:
        if name in names:
            return name
        name = name[: name.rindex("-")]
    return None


def _unknown(text: str, at: int) -> ExpressionSyntaxError:
    character = text[at]
    if character in "'\"":
        return ExpressionSyntaxError(
            "the text that begins here has no closing quote", offset=at, end=at + 1
        )
    hint = _INSTEAD.get(character)
    if hint is None and not character.isascii():
        hint = "letters outside ASCII stand in quotes: `['key']`"
    return ExpressionSyntaxError(
        f"{character!r} has no meaning here", offset=at, end=at + 1, hint=hint
    )
