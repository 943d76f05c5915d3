"""A run's input and config, checked against what the workflow declares before anything starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, cast

from aima.dsl.json import Json
from aima.dsl.nearest import nearest
from aima.dsl.plan import Plan
from aima.errors import ValidationFailed

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


def accept_input(plan: Plan, given: Json) -> Json:
    """Check an input and fill in the defaults of its schema.

    Raises:
        ValidationFailed: it does not fit; the message lists everything that is wrong.
    """
    schema = plan.data["inputs"]
    if not isinstance(schema, dict):
        return given
    from jsonschema import Draft202012Validator

    value = deepcopy(given)
    _fill(schema, value)
    validator = Draft202012Validator(_rewritten(schema))
    problems = [_said(error) for error in validator.iter_errors(cast("Any", value))]
    problems += _unknown(schema, value)
    if problems:
        raise ValidationFailed(
            f"the input does not fit workflow {plan.name!r}: " + "; ".join(problems)
        )
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


def _fill(schema: Mapping[str, Any], value: Json) -> None:
    if isinstance(value, dict):
        for key, inner in schema.get("properties", {}).items():
            if key not in value and "default" in inner:
                value[key] = deepcopy(inner["default"])
            if key in value:
                _fill(inner, value[key])


def _rewritten(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Say what a value of format ``artifact`` is: a reference, whatever type is written."""
    if isinstance(schema, dict):
        if schema.get("format") == "artifact":
            return _REFERENCE
        return {key: _rewritten(value) for key, value in schema.items()}
    return [_rewritten(item) for item in schema] if isinstance(schema, list) else schema


def _unknown(schema: Mapping[str, Any], value: Json) -> Iterator[str]:
    """With ``properties``, an input is closed unless it says otherwise."""
    known = schema.get("properties")
    if not isinstance(value, dict) or known is None or "additionalProperties" in schema:
        return
    for key in value:
        if key not in known:
            near = nearest(key, known)
            yield f"there is no input {key!r}" + (f", did you mean {near!r}?" if near else "")


def _said(error: Any) -> str:  # noqa: ANN401 - jsonschema's error
    where = ".".join(str(part) for part in error.absolute_path)
    if _REFERENCE in (error.schema, error.parent.schema if error.parent else None):
        return f"{where!r} must be a file: give it as {where}=@FILE"
    message = str(error.message)
    return f"{where!r}: {message}" if where else message
