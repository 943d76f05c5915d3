"""Functions that turn a value of one type into another."""

from __future__ import annotations

import json
import math
import re
from typing import NoReturn

from aima.dsl.expression.compare import real, too_deep
from aima.dsl.expression.errors import Fault
from aima.dsl.expression.functions_text import text_in
from aima.dsl.expression.limits import MAX_DEPTH, Budget
from aima.dsl.expression.literals import INT_MAX, INT_MIN
from aima.dsl.expression.moments import (
    SECOND,
    duration_of,
    duration_text,
    timestamp,
    timestamp_of,
    timestamp_text,
)
from aima.dsl.expression.text import cel_real, json_text
from aima.dsl.expression.values import (
    Duration,
    Timestamp,
    TypeName,
    int64,
    is_number,
    kind_of,
    phrase,
)

_WHOLE = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)[ \t\n\v\f\r]*")
_REAL = re.compile(
    r"[ \t\n\v\f\r]*([+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan))"
    r"[ \t\n\v\f\r]*",
    re.IGNORECASE | re.ASCII,
)
_LONGEST_NUMBER = 400
_STEPS_OF_A_TIME = 10  # reading one takes about as long as so many additions
_TRUE = ("true", "True", "TRUE", "t", "1")
_FALSE = ("false", "False", "FALSE", "f", "0")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?+|([\[{])|([\]}])', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def type_of(_: Budget, value: object) -> TypeName:
    """``type(value)``: its type, to compare with ``int``, ``string`` and such.

    >>> type(1) == int
    """
    return TypeName(kind_of(value))


def to_int(_: Budget, value: object) -> int:
    """``int(value)``: of a double the part before the point, of a timestamp its seconds.

    >>> int("17")
    >>> int(2.9)
    """
    if isinstance(value, bool | int):
        return int64(int(value))
    if isinstance(value, float):
        if math.isfinite(value) and INT_MIN < value < INT_MAX + 1:
            return int(value)
        raise Fault("the double does not fit in an int")
    if isinstance(value, Timestamp):
        return value.nanoseconds // SECOND
    if isinstance(value, str):
        match = _WHOLE.fullmatch(value) if len(value) <= _LONGEST_NUMBER else None
        if match is None:
            raise Fault(f"{value[:64]!r} is no int", "int(double(x)) cuts off what follows a point")
        return int64(int(match[1]))
    raise _unfit("int", value)


def to_double(_: Budget, value: object) -> float:
    """``double(value)``: a number with a point, of a whole number or of text.

    >>> double(1) / 2.0
    """
    if is_number(value):
        return real(value)
    if isinstance(value, str):
        match = _REAL.fullmatch(value) if len(value) <= _LONGEST_NUMBER else None
        if match is None:
            raise Fault(f"{value[:64]!r} is no number")
        return float(match[1])
    raise _unfit("double", value)


def to_string(_: Budget, value: object) -> str:
    """``string(value)``: numbers, booleans and times as text; lists and maps have toJson().

    >>> string(17) + "%"
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int64(value))
    if isinstance(value, float):
        return cel_real(value)
    if isinstance(value, Timestamp):
        return timestamp_text(value)
    if isinstance(value, Duration):
        return duration_text(value)
    raise _unfit("string", value, "write toJson(x)")


def to_bool(_: Budget, value: object) -> bool:
    """``bool(value)``: of the texts ``true`` and ``false``, ``t`` and ``f``, ``1`` and ``0``.

    >>> bool("true")
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _TRUE + _FALSE:
        return value in _TRUE
    raise _unfit("bool", value, "nothing is true or false by itself: compare, as in `x > 0`")


def to_timestamp(budget: Budget, value: object) -> Timestamp:
    """``timestamp(value)``: a moment, of RFC 3339 text, or of seconds since 1970.

    >>> timestamp("2026-05-01T12:00:00Z") < timestamp("2026-05-02T00:00:00Z")
    """
    if isinstance(value, Timestamp):
        return value
    if isinstance(value, str):
        budget.visit(_STEPS_OF_A_TIME)
        return timestamp_of(value)
    if type(value) is int:
        return timestamp(value * SECOND)
    raise _unfit("timestamp", value)


def to_duration(budget: Budget, value: object) -> Duration:
    """``duration(value)``: a span of time, of text such as ``1h30m``.

    >>> timestamp("2026-05-01T12:00:00Z") + duration("1h30m")
    """
    if isinstance(value, Duration):
        return value
    if isinstance(value, str):
        budget.visit(_STEPS_OF_A_TIME)
        return duration_of(value)
    raise _unfit("duration", value)


def to_json(budget: Budget, value: object) -> str:
    """``toJson(value)``: its JSON, compact, keys in their order.

    >>> toJson({"a": [1, true]})
    """
    return json_text(value, budget)


def parse_json(budget: Budget, text: object) -> object:
    """``parseJson(text)``: the value of strict JSON; integers must fit in 64 bits.

    >>> parseJson('{"a": 1}').a
    """
    text = text_in("parseJson", text)
    budget.write(len(text))
    budget.visit(10 + text.count(",") + text.count("[") + text.count("{"))
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        value: object = json.loads(
            text, parse_int=_json_int, parse_float=_json_real, parse_constant=_no_json
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise Fault(f"parseJson() was given no JSON: {error.msg} at {place}") from None
    if "\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise Fault("parseJson() was given half a surrogate pair, which is no Unicode text")
    return value


def _check_depth(text: str) -> None:
    depth = 0
    for match in _BRACKETS.finditer(text):
        depth += (match[1] is not None) - (match[2] is not None)
        if depth > MAX_DEPTH:
            raise too_deep()


def _json_int(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise Fault("an integer in the JSON does not fit in 64 bits")
    return int64(int(digits))


def _json_real(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise Fault("a number in the JSON is too large for a double")
    return value


def _no_json(name: str) -> NoReturn:
    raise Fault(f"parseJson() was given no JSON: {name} is no number there")


def _unfit(function: str, value: object, hint: str | None = None) -> Fault:
    shown = f"the text {value[:64]!r}" if isinstance(value, str) else phrase(value)
    return Fault(f"{function}() cannot convert {shown}", hint)
