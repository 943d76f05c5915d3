"""A run's input and config, checked against what the workflow declares before anything starts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from aima.dsl.expression.literals import INT_MAX, INT_MIN
from aima.dsl.json import Json
from aima.dsl.nearest import nearest
from aima.dsl.plan import Plan
from aima.dsl.signature import JsonSchema
from aima.dsl.types import ANY, Type, closed
from aima.errors import ValidationFailed

if TYPE_CHECKING:  # it costs 0.1 s
    from jsonschema import ValidationError

_REFERENCE: Mapping[str, Any] = {
    "type": "object",
    "required": ["artifact", "media_type", "bytes"],
    "additionalProperties": False,
    "properties": {
        "artifact": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        "media_type": {"type": "string"},
        "bytes": {"type": "integer", "minimum": 0},
    },
}
_MOST_PROBLEMS = 10
_MOST_CHARACTERS = 200


def accept_input(plan: Plan, given: Json) -> Json:
    """Check an input; fill in the defaults of its schema, and make each number what it declares.

    A declared ``number`` becomes a double and a declared ``integer`` an int, since expressions
    never mix the two.

    Raises:
        ValidationFailed: it does not fit; the message lists everything that is wrong.
    """
    problems = list(islice(_numbers_amiss(given, "input"), _MOST_PROBLEMS))
    schema = plan.data["inputs"]
    value = given
    if isinstance(schema, dict) and not problems:
        value = _completed(Type.of(schema), given)
        validator = Type.of(_rewritten(closed(schema))).validator
        errors = validator.iter_errors(cast("Any", value))
        problems = [said for error in islice(errors, _MOST_PROBLEMS) for said in _said(error)]
    if problems:
        listed = "; ".join(problems)
        raise ValidationFailed(f"the input does not fit workflow {plan.name!r}: {listed}")
    return value


def accept_config(plan: Plan, given: Mapping[str, Json]) -> dict[str, Json]:
    """Check values that override the workflow's config.

    Raises:
        ValidationFailed: the workflow has no such config value; the message names the nearest.
    """
    known = cast("dict[str, Json]", plan.data["config"])
    for key in given:
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean {near!r}?" if near else f"it has {', '.join(known) or 'none'}"
            raise ValidationFailed(f"workflow {plan.name!r} has no config value {key!r}; {hint}")
    return dict(given)


def problems_of(value: Json, schema: JsonSchema) -> list[str]:
    """Tell what is wrong with a value; nothing where it fits."""
    errors = Type.of(closed(schema)).validator.iter_errors(cast("Any", value))
    return [said for error in islice(errors, _MOST_PROBLEMS) for said in _said(error)]


def _numbers_amiss(value: Json, path: str) -> Iterator[str]:
    """Find numbers that the language does not have: integers past 64 bits, NaN, infinities."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers_amiss(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _numbers_amiss(inner, f"{path}[{index}]")
    elif isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
        yield f"{path!r} does not fit into 64 bits"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{path!r} is {value}, which is no number"


def _completed(kind: Type, value: Json) -> Json:
    """Give a value with defaults filled in and numbers made what they are declared to be."""
    if isinstance(value, dict):
        full = {key: _completed(kind.child(key) or Type.of(ANY), v) for key, v in value.items()}
        for key in kind.fields():
            inner = kind.child(key)
            if key not in full and inner is not None and "default" in inner.schema:
                full[key] = _completed(inner, deepcopy(inner.schema["default"]))
        return full
    if isinstance(value, list):
        item = kind.item()
        return [_completed(item, v) for v in value] if item.schema else value
    kinds = kind.kinds() if isinstance(value, int | float) else frozenset()
    if type(value) is int and "number" in kinds and "integer" not in kinds:
        return float(value)
    if isinstance(value, float) and value.is_integer() and "number" not in kinds:
        return int(value) if "integer" in kinds else value
    return value


def _rewritten(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Say what a value of format ``artifact`` is: a reference, whatever type is written."""
    if isinstance(schema, Mapping):
        if schema.get("format") == "artifact":
            return _REFERENCE
        return {key: _rewritten(value) for key, value in schema.items()}
    return [_rewritten(item) for item in schema] if isinstance(schema, list) else schema


def _said(error: ValidationError) -> Iterator[str]:
    where = ".".join(str(part) for part in error.absolute_path)
    if _REFERENCE in (error.schema, error.parent.schema if error.parent else None):
        yield f"{where!r} must be a file: give it as {where}=@FILE"
    elif error.validator == "additionalProperties" and isinstance(error.schema, Mapping):
        known = error.schema.get("properties", {})
        given = cast("Mapping[str, Json]", error.instance)
        for key in islice((key for key in given if key not in known), _MOST_PROBLEMS):
            near = nearest(key, known)
            hint = f", did you mean {near!r}?" if near else ""
            yield f"there is no input {f'{where}.{key}' if where else key!r}{hint}"
    else:
        message = error.message
        if len(message) > _MOST_CHARACTERS:
            message = message[:_MOST_CHARACTERS] + "…"
        yield f"{where!r}: {message}" if where else message
