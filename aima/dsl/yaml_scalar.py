"""What a plain YAML scalar means: the core schema of YAML 1.2 (10.3.2), in lower case only."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

from aima.dsl.diagnostic import define, named

BAD_NUMBER = define("yaml/bad-number", "A number AIMA cannot hold: past int64, infinite or NaN.")
BAD_TAG = define("yaml/bad-tag", "A tag other than the YAML core tags, or one that does not fit.")

BAD_ESCAPE = define("yaml/bad-escape", "A backslash in double quotes starts no escape YAML knows.")

Value: TypeAlias = bool | int | float | str | None

_KINDS: dict[str, type] = {"null": type(None), "bool": bool, "int": int, "float": float}
_WORDS: dict[str, Value] = {"": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MAY_BE_NUMBER = frozenset("+-.0123456789")
_BASES = {"0o": 8, "0x": 16}
_INT64_DIGITS = 22  # as many as an int64 takes in octal: `int` is never asked for more


class Unreadable(Exception):
    """A scalar has no value; ``instead`` stands for it so that the check can go on."""

    def __init__(self, code: str, message: str, *, hint: str, instead: Value) -> None:
        """Say what is wrong, under which code, and what to write."""
        super().__init__(message)
        self.code, self.message, self.hint, self.instead = code, message, hint, instead


def resolve(text: str) -> Value:
    """Give the value of an untagged plain scalar.

    Raises:
        Unreadable: it is a number outside int64, infinite, or not a number.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _MAY_BE_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise _bad_number(text, "JSON knows neither infinity nor NaN", 0.0)
    return text


def resolve_tagged(text: str, tag: str) -> Value:
    """Give the value of a scalar tagged ``!!str``, ``!!int`` and so on; ``tag`` has no ``!!``.

    Raises:
        Unreadable: the tag means no scalar, or not one with this text.
    """
    if tag == "str":
        return text
    value = resolve(text)
    if tag == "float" and type(value) is int:
        return float(value)
    if tag in _KINDS and type(value) is _KINDS[tag]:
        return value
    message = f"{named(text)} does not fit its tag `!!{tag}`"
    raise Unreadable(BAD_TAG, message, hint="remove the tag, or write `!!str`", instead=text)


def _integer(text: str) -> int:
    base = _BASES.get(text[:2], 10)
    digits = text.lstrip("-+0ox")
    if len(digits) <= _INT64_DIGITS:
        value = int(text, base)
        if -(2**63) <= value < 2**63:
            return value
    raise _bad_number(text, "it does not fit into 64 bits", 0)


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _bad_number(text, "it is larger than any double", 0.0)
    return value


def _bad_number(text: str, why: str, instead: float) -> Unreadable:
    message = f"{named(text)} is no number AIMA can hold: {why}"
    hint = "put it in quotes if text is meant"
    return Unreadable(BAD_NUMBER, message, hint=hint, instead=instead)
