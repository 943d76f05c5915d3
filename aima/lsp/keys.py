"""Following the schema of workflow files to what can stand at a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_DEEPEST = 8  # schemas in schemas; the language refers to itself by its steps


def reach(root: Schema, path: tuple[str, ...], unit: str) -> list[Schema]:
    """Give the schemas of what a path of keys leads to; ``unit`` is that of the step."""
    here = list(_opened(root, root))
    for key in path:
        found: list[Schema] = []
        for schema in here:
            if key == "input" and "depends_on" in schema.get("properties", {}):
                found += _opened(root["$defs"].get(unit, {}), root)
            elif (inner := schema.get("properties", {}).get(key)) is not None:
                found += _opened(inner, root)
            elif isinstance(more := schema.get("additionalProperties"), Mapping):
                found += _opened(more, root)
        here = found
    return here


def keys_of(schemas: list[Schema]) -> dict[str, Schema]:
    """Give the keys that can stand there, each with its schema."""
    found: dict[str, Schema] = {}
    for schema in schemas:
        for key, inner in schema.get("properties", {}).items():
            found.setdefault(key, inner)
    return found


def words_of(schemas: list[Schema]) -> list[str]:
    """Give the values that can stand there, where they can be counted."""
    found: dict[str, None] = {}
    for schema in schemas:
        words = [schema["const"]] if "const" in schema else schema.get("enum", ())
        if "boolean" in (schema.get("type"), *_as_list(schema.get("type"))):
            words = ("true", "false")
        found |= dict.fromkeys(map(str, words))
    return list(found)


def _as_list(said: object) -> list[object]:
    return said if isinstance(said, list) else []


def _opened(schema: Schema, root: Schema, depth: int = 0) -> Iterator[Schema]:
    """Give a schema, its alternatives and, of a list, those of its items."""
    if depth > _DEEPEST:
        return
    if isinstance(reference := schema.get("$ref"), str):
        target: Any = root
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        yield from _opened(target, root, depth + 1)
        return
    yield schema
    either = (schema[key] for key in ("then", "else") if key in schema)
    for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *either):
        yield from _opened(option, root, depth + 1)
    if isinstance(items := schema.get("items"), Mapping):
        yield from _opened(items, root, depth + 1)
