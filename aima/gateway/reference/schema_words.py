"""A JSON Schema in words: the type of a key, and the keys inside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aima.dsl.types import Type, said

_STEPS = "#/$defs/step"
_STEP_KEY = "#/$defs/step/properties/"


@dataclass(frozen=True)
class Key:
    """One key of a construct, or of a map inside it."""

    path: str
    type: str
    default: str
    meaning: str
    required: bool


def keys_in(path: str, schema: Mapping[str, Any], *, required: bool = False) -> Iterator[Key]:
    """Give a key, then those inside it; of a list, those of its items."""
    yield Key(path, type_said(schema), _default(schema), schema.get("description", ""), required)
    for option in _options(schema):
        inside = option.get("items", option) if option.get("type") == "array" else option
        way = f"{path}[]" if inside is not option else path
        for part in _options(inside):
            must = part.get("required", ())
            for name, inner in part.get("properties", {}).items():
                yield from keys_in(f"{way}.{name}", inner, required=name in must)


def type_said(schema: Mapping[str, Any]) -> str:
    """Name the type that a key takes."""
    match schema:
        case {"$ref": reference}:
            return _referred(reference)
        case {"title": name}:
            return str(name)
        case {"enum": words}:
            return " or ".join(f"`{word}`" for word in words)
        case {"then": then}:
            return type_said(then)
        case {"anyOf": [*options]}:
            return " or ".join(dict.fromkeys(map(type_said, options)))
    return _plain(schema)


def _plain(schema: Mapping[str, Any]) -> str:
    name = said(Type.of(schema)).removeprefix("a ")
    match schema:
        case {"type": "array", "items": items}:
            return f"list of {_plural(type_said(items))}"
        case {"type": "integer" | "number"}:
            return f"{name}{_bounds(schema)}"
        case {"type": "object"}:
            values = schema.get("additionalProperties")
            return f"map of {_plural(type_said(values))}" if values else "map"
    return name


def _referred(reference: str) -> str:
    if reference == _STEPS:
        return "step"
    key = reference.removeprefix(_STEP_KEY)
    return f"as [`{key}`](../modifiers/{key}.md) of a step"


def _options(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "properties" in schema:
        return [schema]
    if "then" in schema:
        return [schema["else"], schema["then"]]
    return schema.get("anyOf") or schema.get("oneOf") or [schema]


def _bounds(schema: Mapping[str, Any]) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f" from {least} to {most}"
    return f", at least {least}" if least is not None else ""


def _plural(word: str) -> str:
    return {"text": "texts", "map": "maps", "step": "steps", "condition": "conditions"}.get(
        word, word
    )


def _default(schema: Mapping[str, Any]) -> str:
    return f"`{json.dumps(schema['default']).strip(chr(34))}`" if "default" in schema else ""
