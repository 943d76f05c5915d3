"""The values of expressions: plain data, and the few kinds that JSON lacks.

``None``, ``bool``, ``int`` (64 bits), ``float``, ``str``, ``list`` and ``dict`` stand for
themselves, so data are used where they lie and never converted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from aima.dsl.expression.errors import Fault
from aima.dsl.expression.literals import INT_MAX, INT_MIN


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A moment: nanoseconds since 1970 in UTC."""

    nanoseconds: int


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds; it may be negative."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class TypeName:
    """What ``type(x)`` gives."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent."""

    present: bool
    value: object = None


ABSENT = Optional(present=False)

_KINDS: dict[type, str] = {
    type(None): "null_type",
    bool: "bool",
    int: "int",
    float: "double",
    str: "string",
    list: "list",
    dict: "map",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    TypeName: "type",
    Optional: "optional_type",
}
_SPOKEN = {
    "null_type": "null",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
    "optional_type": "optional",
}

TYPES = frozenset(_KINDS.values())
"""The words that, standing alone, are a type and never data."""


def kind_of(value: object) -> str:
    """Name the type of a value as ``type()`` does."""
    kind = _KINDS.get(type(value))
    if kind is None:
        raise Fault(f"a {type(value).__name__} is no value an expression can work with")
    return kind


def spoken(value: object) -> str:
    """Name the type of a value in messages."""
    kind = kind_of(value)
    return _SPOKEN.get(kind, kind)


def phrase(value: object) -> str:
    """Name the type of a value in messages, with its article."""
    name = spoken(value)
    if name == "null":
        return name
    return f"an {name}" if name[0] in "aio" else f"a {name}"


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is an int or a double; booleans are neither."""
    return type(value) is int or type(value) is float


def int64(value: int) -> int:
    """Give the value back if it fits in 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise Fault("the integer does not fit in 64 bits", "calculate with double(x)")
