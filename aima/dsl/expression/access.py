"""Following the links of a path into data.

Maps are read where they lie: following a link costs the same however large its map is. In the
messages ``where`` says what was read so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import islice

from aima.dsl.expression.errors import Fault
from aima.dsl.expression.values import ABSENT, Optional, int64, phrase, spoken
from aima.dsl.nearest import nearest

_KEYS_LOOKED_AT = 200
_KEYS_NAMED = 8
_LONGEST_KEY = 64  # characters of a key in messages


def follow(value: object, key: object, where: str) -> object:
    """Give what ``value[key]`` is; into an optional, the links stay optional."""
    if isinstance(value, Optional):
        return follow_optional(value, key, where)
    if isinstance(value, dict):
        if isinstance(key, str) and key in value:
            return value[key]
        raise _missing(key, value, where)
    if isinstance(value, list):
        index = _index(key, where)
        if 0 <= index < len(value):
            return value[index]
        raise Fault(f"{where} has no item {index}", f"it has {len(value)}, counted from 0")
    raise _no_container(value, key, where)


def follow_optional(value: object, key: object, where: str) -> object:
    """Give ``value[?key]``: an optional, absent where there is no such key or item."""
    if isinstance(value, Optional):
        return follow_optional(value.value, key, where) if value.present else ABSENT
    if not isinstance(value, dict | list):
        raise _no_container(value, key, where)
    if isinstance(value, list) and type(key) is not int:
        raise _no_index(key, where)
    if not leads_on(value, key):
        return ABSENT
    return Optional(present=True, value=follow(value, key, where))


def leads_on(value: object, key: object) -> bool:
    """Tell whether ``value`` has ``key``, whatever it is."""
    if isinstance(value, dict):
        return isinstance(key, str) and key in value
    return isinstance(value, list) and type(key) is int and 0 <= key < len(value)


def unknown_root(name: str, roots: Mapping[str, object]) -> Fault:
    """Give the fault for an expression that begins with a word nobody has defined."""
    return Fault(f"there is no {name[:_LONGEST_KEY]!r} here", partial(_meant, name, roots))


def _missing(key: object, value: dict[str, object], where: str) -> Fault:
    if not isinstance(key, str):
        return Fault(f"{where} is a map, whose keys are text, not {spoken(key)}")
    return Fault(f"{where} has no {key[:_LONGEST_KEY]!r}", partial(_meant, key, value))


def _meant(key: str, known: Mapping[str, object]) -> str:
    names = list(islice(known, _KEYS_LOOKED_AT))
    if near := nearest(key, names):
        return f"did you mean {near!r}?"
    if not names:
        return "it is empty"
    more = ", …" if len(known) > _KEYS_NAMED else ""
    return f"there is {', '.join(name[:_LONGEST_KEY] for name in names[:_KEYS_NAMED])}{more}"


def _index(key: object, where: str) -> int:
    if type(key) is int or (type(key) is float and key.is_integer()):
        return int64(int(key))
    raise _no_index(key, where)


def _no_index(key: object, where: str) -> Fault:
    if isinstance(key, str):
        hint = "write `[0]` for an item and `.map(x, …)` for all"
        return Fault(f"{where} is a list, so it has no {key[:_LONGEST_KEY]!r}", hint)
    return Fault(f"{where} is a list, whose index is an int, not {phrase(key)}")


def _no_container(value: object, key: object, where: str) -> Fault:
    shown = f"no {key[:_LONGEST_KEY]!r}" if isinstance(key, str) else "no items"
    hint = "guard it with has(…)" if value is None else None
    return Fault(f"{where} is {phrase(value)}, so it has {shown}", hint)
