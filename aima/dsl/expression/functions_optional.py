"""Functions on optionals, the values of ``a.?b`` and ``a[?b]``."""

from __future__ import annotations

from collections.abc import Callable

from aima.dsl.expression.errors import Fault
from aima.dsl.expression.limits import Budget
from aima.dsl.expression.values import ABSENT, Optional, phrase


def of(_: Budget, content: object) -> Optional:
    """``optional.of(value)``: an optional that is there.

    >>> optional.of(1).value()
    """
    return Optional(present=True, value=content)


def none(_: Budget) -> Optional:
    """``optional.none()``: one that is absent.

    >>> optional.none().hasValue()
    """
    return ABSENT


def has_value(_: Budget, optional: object) -> bool:
    """``optional.hasValue()``: whether it is there.

    >>> {"a": 1}.?a.hasValue()
    """
    return optional_in("hasValue", optional).present


def value(_: Budget, optional: object) -> object:
    """``optional.value()``: what is there; absent, it is an error.

    >>> {"a": 1}.?a.value()
    """
    found = optional_in("value", optional)
    if not found.present:
        raise Fault("the value is absent", "orValue(x) gives x then")
    return found.value


def or_value(_: Budget, optional: object, other: Callable[[], object]) -> object:
    """``optional.orValue(other)``: what is there, else ``other``, evaluated only then.

    >>> {"a": 1}.?b.orValue(0)
    >>> {"a": {"b": 1}}.?a.?b.orValue(0)
    """
    found = optional_in("orValue", optional)
    return found.value if found.present else other()


def optional_in(function: str, content: object) -> Optional:
    """Give an argument that must be an optional."""
    if isinstance(content, Optional):
        return content
    raise Fault(f"{function}() works on an optional, not on {phrase(content)}", "read it with `.?`")
