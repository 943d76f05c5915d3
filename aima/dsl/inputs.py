"""A run's input and config, checked against what the workflow declares before anything starts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
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

_FIELDS = ("artifact", "media_type", "bytes")
_REFERENCE: Mapping[str, Any] = {
    "type": "object",
    "required": [*_FIELDS],
    "additionalProperties": False,
    "properties": {
        "artifact": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        "media_type": {"type": "string"},
        "bytes": {"type": "integer", "minimum": 0},
    },
}
_MOST_PROBLEMS = 10
_MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Misfit:
    """One thing that is wrong with a value.

    Attributes:
        pointer: where, as a JSON pointer (RFC 6901); empty: the whole.
        detail: what, in a sentence that names where.
        code: which rule it breaks, in the words of JSON Schema.
    """

    pointer: str
    detail: str
    code: str


class UnfitInput(ValidationFailed):
    """The input of a run is not what the workflow declares.

    Attributes:
        misfits: what is wrong, one by one.
    """

    def __init__(self, workflow: str, misfits: Sequence[Misfit]) -> None:
        """Tell all of it."""
        listed = "; ".join(misfit.detail for misfit in misfits)
        super().__init__(f"the input does not fit workflow {workflow!r}: {listed}")
        self.misfits = tuple(misfits)


def accept_input(plan: Plan, given: Json) -> Json:
    """Check an input; fill in the defaults of its schema, and make each number what it declares.

    A declared ``number`` becomes a double and a declared ``integer`` an int, since expressions
    never mix the two.

    Raises:
        UnfitInput: it does not fit; the message lists everything that is wrong.
    """
    problems = list(islice(_numbers_amiss(given, "input", ""), _MOST_PROBLEMS))
    schema = plan.data["inputs"]
    value = given
    if isinstance(schema, dict) and not problems:
        value = _completed(Type.of(schema), given)
        validator = Type.of(_rewritten(closed(schema))).validator
        problems = _misfits(validator.iter_errors(cast("Any", value)))
    if problems:
        raise UnfitInput(plan.name, problems)
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
    return [misfit.detail for misfit in _misfits(errors)]


def _misfits(errors: Iterator[ValidationError]) -> list[Misfit]:
    """Tell each once: of what is no file, each field that a reference has is wrong."""
    found = (misfit for error in islice(errors, _MOST_PROBLEMS) for misfit in _said(error))
    return list(dict.fromkeys(found))


def _numbers_amiss(value: Json, path: str, pointer: str) -> Iterator[Misfit]:
    """Find numbers that the language does not have: integers past 64 bits, NaN, infinities."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _numbers_amiss(inner, f"{path}.{key}", f"{pointer}/{_escaped(key)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _numbers_amiss(inner, f"{path}[{index}]", f"{pointer}/{index}")
    elif isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
        yield Misfit(pointer, f"{path!r} does not fit into 64 bits", "integer")
    elif isinstance(value, float) and not math.isfinite(value):
        yield Misfit(pointer, f"{path!r} is {value}, which is no number", "number")


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


def _said(error: ValidationError) -> Iterator[Misfit]:
    where = ".".join(str(part) for part in error.absolute_path)
    pointer = "".join(f"/{_escaped(part)}" for part in error.absolute_path)
    if _REFERENCE in (error.schema, error.parent.schema if error.parent else None):
        yield Misfit(pointer, _no_file(where, error.instance), "artifact")
    elif error.validator == "additionalProperties" and isinstance(error.schema, Mapping):
        known = error.schema.get("properties", {})
        given = cast("Mapping[str, Json]", error.instance)
        for key in islice((key for key in given if key not in known), _MOST_PROBLEMS):
            near = nearest(key, known)
            hint = f", did you mean {near!r}?" if near else ""
            said = f"there is no input {f'{where}.{key}' if where else key!r}{hint}"
            yield Misfit(f"{pointer}/{_escaped(key)}", said, "additionalProperties")
    else:
        if error.validator == "required":
            needed = cast("Sequence[str]", error.validator_value)  # it names one of them
            missing = next(key for key in needed if error.message.startswith(repr(key)))
            pointer += f"/{_escaped(missing)}"
        message = error.message
        if len(message) > _MOST_CHARACTERS:
            message = message[:_MOST_CHARACTERS] + "…"
        said = f"{where!r}: {message}" if where else message
        yield Misfit(pointer, said, str(error.validator))


def _no_file(where: str, value: object) -> str:
    if isinstance(value, Mapping) and _FIELDS[0] in value:
        return f"{where!r} is no whole reference to a file: that has {', '.join(_FIELDS)}"
    return f"{where!r} must be a file: give it as {where}=@FILE"


def _escaped(part: int | str) -> str:
    """Write one step of a JSON pointer."""
    return str(part).replace("~", "~0").replace("/", "~1")
