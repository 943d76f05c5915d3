"""Every function of the language: its name, how many arguments it takes, how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aima.dsl.expression.errors import ExpressionSyntaxError
from aima.dsl.expression.functions_collection import (
    flatten,
    keys,
    largest,
    range_of,
    size,
    smallest,
    sort,
    total,
)
from aima.dsl.expression.functions_conversion import (
    parse_json,
    to_bool,
    to_double,
    to_duration,
    to_int,
    to_json,
    to_string,
    to_timestamp,
    type_of,
)
from aima.dsl.expression.functions_moment import PARTS, part
from aima.dsl.expression.functions_optional import has_value, none, of, or_value, value
from aima.dsl.expression.functions_text import (
    contains,
    ends_with,
    join,
    lower_ascii,
    matches,
    replace,
    split,
    starts_with,
    trim,
    upper_ascii,
)
from aima.dsl.expression.nodes import MACROS
from aima.dsl.nearest import nearest

NAMESPACE = "optional"
"""The word that ``optional.of`` and ``optional.none`` begin with."""

_NONE = {
    "not": "write `!`",
    "now": "`run.started_at` is when the run began; an expression comes to the same each time",
    "random": "an expression comes to the same each time; let a unit choose",
    "uuid": "`run.id` names the run; an expression comes to the same each time",
    "env": "`config` holds values of the file, `secrets` those of the environment",
}
"""What there is no function for, and what there is."""

_INSTEAD = {
    "touppercase": "upperAscii",
    "tolowercase": "lowerAscii",
    "len": "size",
    "length": "size",
    "count": "size",
    "lower": "lowerAscii",
    "upper": "upperAscii",
    "str": "string",
    "float": "double",
    "any": "exists",
    "default": "orValue",
    "strip": "trim",
    "json": "toJson",
    "tojson": "toJson",
    "fromjson": "parseJson",
}


@dataclass(frozen=True)
class Function:
    """A function: its body, its arguments with the target of a method, its spellings.

    The body is called with the budget and the arguments. Of a ``lazy`` function the last
    argument is a callable that evaluates it.
    """

    body: Callable[..., object]
    least: int
    most: int
    method: bool
    alone: bool
    lazy: bool = False


def _method(body: Callable[..., object], least: int, most: int | None = None) -> Function:
    return Function(body, least, most or least, method=True, alone=False)


def _alone(body: Callable[..., object], least: int, most: int | None = None) -> Function:
    return Function(body, least, least if most is None else most, method=False, alone=True)


def _either(body: Callable[..., object], least: int, most: int | None = None) -> Function:
    return Function(body, least, most or least, method=True, alone=True)


FUNCTIONS: dict[str, Function] = {
    "size": _either(size, 1),
    # text
    "contains": _method(contains, 2),
    "startsWith": _method(starts_with, 2),
    "endsWith": _method(ends_with, 2),
    "matches": _either(matches, 2),
    "lowerAscii": _method(lower_ascii, 1),
    "upperAscii": _method(upper_ascii, 1),
    "trim": _method(trim, 1),
    "split": _method(split, 2, 3),
    "join": _method(join, 1, 2),
    "replace": _method(replace, 3, 4),
    # conversion
    "type": _alone(type_of, 1),
    "int": _alone(to_int, 1),
    "double": _alone(to_double, 1),
    "string": _alone(to_string, 1),
    "bool": _alone(to_bool, 1),
    "timestamp": _alone(to_timestamp, 1),
    "duration": _alone(to_duration, 1),
    "parseJson": _either(parse_json, 1),
    "toJson": _either(to_json, 1),
    # collections
    "range": _alone(range_of, 1, 2),
    "sum": _either(total, 1),
    "min": _either(smallest, 1, 100),
    "max": _either(largest, 1, 100),
    "sort": _either(sort, 1),
    "flatten": _either(flatten, 1),
    "keys": _either(keys, 1),
    # optionals
    "optional.of": _alone(of, 1),
    "optional.none": _alone(none, 0),
    "hasValue": _method(has_value, 1),
    "value": _method(value, 1),
    "orValue": Function(or_value, 2, 2, method=True, alone=False, lazy=True),
    # timestamps and durations
    **{name: _method(part(name), 1, 2) for name in PARTS},
}


def check_call(function: str, arguments: int, *, method: bool, offset: int, end: int) -> None:
    """Refuse a call that can never succeed: no such function, or not with these arguments."""
    known = FUNCTIONS.get(function)
    if known is None:
        message = f"there is no function {function[:64]!r}"
        raise ExpressionSyntaxError(message, offset=offset, end=end, hint=_hint(function))
    if not (known.method if method else known.alone):
        spelling = f"value.{function}(…)" if known.method else f"{function}(value)"
        message = f"{function}() is written {spelling}"
        raise ExpressionSyntaxError(message, offset=offset, end=end)
    if not known.least <= arguments <= known.most:
        least, most = known.least - method, known.most - method
        wanted = f"{least}" if least == most else f"{least} to {most}"
        noun = "argument" if wanted == "1" else "arguments"
        message = f"{function}() takes {wanted} {noun}, not {arguments - method}"
        raise ExpressionSyntaxError(message, offset=offset, end=end)


def _hint(function: str) -> str | None:
    if function in MACROS:
        return f"it is written `list.{function}(x, …)`"
    if function.lower() in _NONE:
        return _NONE[function.lower()]
    near = _INSTEAD.get(function.lower()) or nearest(function, (*FUNCTIONS, *MACROS, "has"))
    return f"did you mean {near!r}?" if near else None
