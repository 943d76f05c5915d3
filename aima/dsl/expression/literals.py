"""What the literals of an expression stand for."""

from __future__ import annotations

import math
import re
import sys

from aima.dsl.expression.errors import ExpressionSyntaxError

INT_MAX = 2**63 - 1
INT_MIN = -(2**63)

_INT_DIGITS = 19
_SURROGATES = range(0xD800, 0xE000)
_ESCAPE = re.compile(
    r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-3][0-7]{2})|(.))", re.DOTALL
)
_PLAIN = dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))


def number(text: str, at: int) -> int | float:
    """Read a number as it is written; -2⁶³ needs its sign and is the parser's.

    An integer may therefore be 2⁶³ here.
    """
    end = at + len(text)
    if text.startswith("0x"):
        digits = text[2:].lstrip("0")
        if len(digits) > 16 or (value := int(digits or "0", 16)) > INT_MAX + 1:  # noqa: PLR2004 - 16 hexadecimal digits are 64 bits
            raise too_large(at, end)
        return value
    if text.isdecimal():
        digits = text.lstrip("0")
        if len(digits) > _INT_DIGITS or (value := int(digits or "0")) > INT_MAX + 1:
            raise too_large(at, end)
        return value
    real = float(text)
    if math.isinf(real):
        raise ExpressionSyntaxError("the number is too large for a double", offset=at, end=end)
    return real


def too_large(at: int, end: int) -> ExpressionSyntaxError:
    """Give the error for an integer outside 64 bits."""
    return ExpressionSyntaxError(
        "the integer does not fit in 64 bits",
        offset=at,
        end=end,
        hint="write it as a double: `1e20`",
    )


def text_of(literal: str, at: int) -> str:
    """Give the text between the quotes of a string literal, its escapes resolved."""
    raw = literal[0] in "rR"
    body = literal[1:] if raw else literal
    quotes = 3 if body[:3] in ("'''", '"""') else 1
    body = body[quotes:-quotes]
    if raw or "\\" not in body:
        return body
    start = at + quotes

    def resolve(match: re.Match[str]) -> str:
        *coded, octal, plain = match.groups()
        if plain is not None:
            if plain in _PLAIN:
                return _PLAIN[plain]
            raise _bad_escape(match, start, "write `\\\\` for a backslash")
        code = int(octal, 8) if octal else int(next(filter(None, coded)), 16)
        if code > sys.maxunicode or code in _SURROGATES:
            raise _bad_escape(match, start, "this is no Unicode character")
        return chr(code)

    return _ESCAPE.sub(resolve, body)


def _bad_escape(match: re.Match[str], start: int, hint: str) -> ExpressionSyntaxError:
    return ExpressionSyntaxError(
        f"the escape {match.group()!r} has no meaning",
        offset=start + match.start(),
        end=start + match.end(),
        hint=hint,
    )
