"""Functions on text.

Sources: https://github.com/google/cel-go/blob/master/ext/README.md#strings and, for
``matches``, https://github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import TypeGuard

from aima.dsl.expression.errors import Fault
from aima.dsl.expression.limits import Budget
from aima.dsl.expression.values import phrase
from aima.regex import compiled

_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)
# Unicode's White_Space; Python's strip() would also take \x1c to \x1f.
_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_COMPILED_IN_STEPS = 5_000
_MATCHED_IN_A_STEP = 256  # states of the pattern, times characters, that RE2 goes through


def contains(budget: Budget, text: object, part: object) -> bool:
    """``text.contains(part)``: whether a part stands in it.

    >>> "workflow".contains("flow")
    """
    text, part = text_in("contains", text), text_in("contains", part)
    budget.read(16 * len(text))
    return part in text


def starts_with(budget: Budget, text: object, part: object) -> bool:
    """``text.startsWith(part)``: whether it begins so.

    >>> "workflow".startsWith("work")
    """
    text, part = text_in("startsWith", text), text_in("startsWith", part)
    budget.read(len(part))
    return text.startswith(part)


def ends_with(budget: Budget, text: object, part: object) -> bool:
    """``text.endsWith(part)``: whether it ends so.

    >>> "workflow".endsWith("flow")
    """
    text, part = text_in("endsWith", text), text_in("endsWith", part)
    budget.read(len(part))
    return text.endswith(part)


def matches(budget: Budget, text: object, pattern: object) -> bool:
    """``text.matches(pattern)``: whether a regular expression of RE2 is found in the text.

    >>> "a-17".matches("^[a-z]-[0-9]+$")
    """
    text, pattern = text_in("matches", text), text_in("matches", pattern)
    budget.prepare(pattern, _COMPILED_IN_STEPS)
    regex = compiled(pattern)
    if isinstance(regex, str):
        raise Fault(f"{pattern[:64]!r} is no regular expression: {regex}")
    budget.visit(10 + len(text) * regex.programsize // _MATCHED_IN_A_STEP)
    try:
        return regex.search(text) is not None
    except UnicodeEncodeError:
        raise Fault("the text holds half a surrogate pair, which is no Unicode text") from None


def lower_ascii(budget: Budget, text: object) -> str:
    """``text.lowerAscii()``: the text with A to Z made small.

    >>> "ABC".lowerAscii()
    """
    text = text_in("lowerAscii", text)
    budget.write(len(text))
    return text.lower() if text.isascii() else text.translate(_LOWER)


def upper_ascii(budget: Budget, text: object) -> str:
    """``text.upperAscii()``: the text with a to z made capital.

    >>> "abc".upperAscii()
    """
    text = text_in("upperAscii", text)
    budget.write(len(text))
    return text.upper() if text.isascii() else text.translate(_UPPER)


def trim(budget: Budget, text: object) -> str:
    """``text.trim()``: the text without white space at both ends.

    >>> "  a b ".trim()
    """
    text = text_in("trim", text)
    budget.write(len(text))
    return text.strip(_WHITE_SPACE)


def split(budget: Budget, text: object, separator: object, limit: object = -1) -> list[str]:
    """``text.split(separator, limit)``: its parts, at most ``limit``; with no separator, letters.

    >>> "a,b,c".split(",")
    >>> "a,b,c".split(",", 2)
    """
    text, separator = text_in("split", text), text_in("split", separator)
    limit = _count("split", limit)
    if limit == 0:
        return []
    cuts = text.count(separator) if separator else max(0, len(text) - 1)
    if limit > 0:
        cuts = min(cuts, limit - 1)
    budget.visit(cuts)
    budget.write(len(text))
    if separator:
        return text.split(separator, cuts)
    return [*text[:cuts], text[cuts:]]


def join(budget: Budget, items: object, separator: object = "") -> str:
    """``texts.join(separator)``: all of them in one text.

    >>> ["a", "b"].join("-")
    """
    separator = text_in("join", separator)
    if not isinstance(items, list):
        raise Fault(f"join() works on a list of strings, not on {phrase(items)}")
    budget.visit(len(items))
    if not _texts(items):
        wrong = next(item for item in items if type(item) is not str)
        raise Fault(f"join() works on strings, not on {phrase(wrong)}", "map(x, string(x)) first")
    budget.write(sum(map(len, items)) + len(separator) * max(0, len(items) - 1))
    return separator.join(items)


def replace(budget: Budget, text: object, *arguments: object) -> str:
    """``text.replace(old, new, limit)``: another text in the first ``limit`` places, or all.

    >>> "banana".replace("a", "o")
    >>> "banana".replace("a", "o", 1)
    """
    text = text_in("replace", text)
    old, new = (text_in("replace", argument) for argument in arguments[:2])
    limit = _count("replace", arguments[2] if len(arguments) > 2 else -1)  # noqa: PLR2004 - `limit` is the third
    found = text.count(old)
    if limit >= 0:
        found = min(found, limit)
    budget.write(len(text) + found * max(0, len(new) - len(old)))
    budget.visit(found)
    return text.replace(old, new, found)


def text_in(function: str, value: object) -> str:
    """Give an argument that must be text."""
    if isinstance(value, str):
        return value
    raise Fault(f"{function}() works on a string, not on {phrase(value)}")


def _count(function: str, value: object) -> int:
    if type(value) is int:
        return value
    raise Fault(f"the limit of {function}() is an int, not {phrase(value)}")


def _texts(items: list[object]) -> TypeGuard[list[str]]:
    return all(type(item) is str for item in items)
