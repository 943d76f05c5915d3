"""A unit's JSON Schema and reference page, derived from its declaration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aima.dsl.signature import JsonSchema
from aima.dsl.types import Type, said
from aima.unit import Unit


def schema(unit: Unit) -> dict[str, Any]:
    """Give what programs need to know of a unit."""
    return {
        "name": unit.name,
        "kind": unit.kind.value,
        "summary": unit.summary,
        "idempotent": unit.idempotent,
        "destructive": unit.destructive,
        "repeatable": unit.repeatable,
        "timeout_seconds": unit.timeout.total_seconds(),
        "retry": {
            "max_attempts": unit.retry.attempts,
            "delay_seconds": unit.retry.delay.total_seconds(),
            "backoff": unit.retry.backoff,
            "max_delay_seconds": unit.retry.max_delay.total_seconds(),
        },
        "errors": [error.code for error in unit.errors],
        "events": [event.TYPE for event in unit.emits],
        "input": unit.input.model_json_schema(),
        "output": unit.sent_schema(),
        "examples": [
            {"title": e.title, "input": dict(e.input), "output": dict(e.output)}
            for e in unit.examples
        ],
    }


def page(unit: Unit) -> str:
    """Give what people need to know of a unit, as Markdown."""
    return "\n".join(_lines(unit))


def _lines(unit: Unit) -> Iterator[str]:
    yield f"# {unit.name}\n\n{unit.description}\n"
    again = "safe to repeat" if unit.idempotent else "its effect is recorded and happens once"
    again += "; viewers may ask it" if unit.view else ""
    yield f"A {unit.kind}; {again}. One attempt takes at most {unit.timeout.total_seconds():g} s;"
    apart = unit.retry.delay.total_seconds()
    yield f"{unit.retry.attempts} attempts, {apart:g} s apart at first.\n"
    yield from _fields("Input", unit.input.model_json_schema())
    yield from _fields("Output", unit.sent_schema())
    if unit.errors:
        yield "## Errors\n\n| code | when | retried |\n|--|--|--|"
        for error in unit.errors:
            meaning = (error.__doc__ or "").partition("\n")[0]
            yield f"| `{error.code}` | {meaning} | {'yes' if error.retryable else 'no'} |"
        yield ""
    if unit.emits:
        yield "## Events\n\n| type | when |\n|--|--|"
        for event in unit.emits:
            yield f"| `{event.TYPE}` | {(event.__doc__ or '').partition(chr(10))[0]} |"
        yield ""
    for example in unit.examples:
        yield f"## Example: {example.title}\n\n```yaml\n- id: example\n  type: {unit.name}"
        yield f"  input: {_json(example.input)}\n```\n"
        yield f"gives\n\n```json\n{_json(example.output)}\n```\n"


def _fields(title: str, model: JsonSchema) -> Iterator[str]:
    properties = model.get("properties", {})
    if not properties:
        return
    required = model.get("required", ())
    yield f"## {title}\n\n| field | type | meaning |\n|--|--|--|"
    for name, field in properties.items():
        star = "" if name in required or title == "Output" else "?"
        default = field.get("default")
        meaning = field.get("description", "")
        if default is not None:
            meaning += f" Default: `{json.dumps(default)}`."
        yield f"| `{name}`{star} | {said(Type(field, model))} | {meaning.strip()} |"
    yield ""


def _json(value: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(dict(value), ensure_ascii=False)
