"""Reading JSON Schemas as types: what is inside a value, and whether it fits somewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aima.dsl.signature import JsonSchema

ANY: JsonSchema = {}
TEXT: JsonSchema = {"type": "string"}
ARTIFACT = "artifact"

_ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object", ARTIFACT})


@dataclass(frozen=True)
class Type:
    """A JSON Schema together with the document its ``$ref`` are looked up in."""

    schema: JsonSchema
    root: JsonSchema

    @classmethod
    def of(cls, schema: JsonSchema) -> Type:
        """Take a schema that is its own root."""
        return cls(schema, schema)

    def resolved(self) -> Type:
        """Follow ``$ref``, an only alternative, and drop ``null`` of an optional."""
        schema = self.schema
        for _ in range(32):  # a schema of ours never nests references deeper
            if isinstance(reference := schema.get("$ref"), str):
                schema = {**_look_up(self.root, reference), **_without(schema, "$ref")}
            elif len(options := _options(schema)) == 1:
                schema = {**options[0], **_without(schema, "anyOf", "oneOf", "default")}
            elif isinstance(all_of := schema.get("allOf"), list) and len(all_of) == 1:
                schema = {**all_of[0], **_without(schema, "allOf")}
            else:
                break
        return Type(schema, self.root)

    def kinds(self) -> frozenset[str]:
        """Name the JSON types a value may have; all of them where nothing is said."""
        schema = self.resolved().schema
        if schema.get("format") == ARTIFACT:
            return frozenset({ARTIFACT})
        if options := _options(schema):
            return frozenset().union(*(Type(o, self.root).kinds() for o in options))
        if "const" in schema:
            return frozenset({_kind(schema["const"])})
        if "enum" in schema:
            return frozenset(_kind(value) for value in schema["enum"])
        said = schema.get("type")
        if said is None:
            return _ALL
        return frozenset([said] if isinstance(said, str) else said)

    def child(self, key: str) -> Type | None:
        """Give the type of a field; None where it certainly has no such field."""
        here = self.resolved()
        kinds = here.kinds()
        if ARTIFACT in kinds and kinds == {ARTIFACT}:
            return Type.of(ANY) if key in ("artifact", "media_type", "bytes") else None
        properties = here.schema.get("properties")
        if isinstance(properties, Mapping) and key in properties:
            return Type(properties[key], self.root)
        if "object" not in kinds:
            return None
        extra = here.schema.get("additionalProperties", properties is None)
        if extra is False:
            return None
        return Type(extra, self.root) if isinstance(extra, Mapping) else Type.of(ANY)

    def item(self) -> Type:
        """Give the type of a list's items."""
        items = self.resolved().schema.get("items")
        return Type(items, self.root) if isinstance(items, Mapping) else Type.of(ANY)

    def fields(self) -> tuple[str, ...]:
        """Name the declared fields."""
        here = self.resolved()
        if here.schema.get("format") == ARTIFACT:
            return ("artifact", "media_type", "bytes")
        return tuple(here.schema.get("properties", {}))


def fits(given: Type, wanted: Type) -> bool:
    """Tell whether a value of ``given`` can ever be accepted as ``wanted``."""
    have, want = given.kinds(), wanted.kinds()
    if "number" in want:
        want |= {"integer"}
    if "number" in have:
        have |= {"integer"}
    return bool(have & want)


def said(kind: Type) -> str:
    """Name a type for people."""
    kinds = kind.kinds()
    names = {"string": "text", "array": "a list", "object": "a map", "artifact": "an artifact"}
    names |= {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    return "anything" if kinds == _ALL else " or ".join(names.get(k, k) for k in sorted(kinds))


def walk_references(schema: object) -> Iterator[str]:
    """Find every ``$ref`` in a schema."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for value in schema.values():
            yield from walk_references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from walk_references(value)


def _options(schema: JsonSchema) -> list[JsonSchema]:
    options = schema.get("anyOf") or schema.get("oneOf") or []
    return [o for o in options if o.get("type") != "null"]


def _look_up(root: JsonSchema, reference: str) -> JsonSchema:
    here: Any = root
    for part in reference.removeprefix("#/").split("/"):
        here = here.get(part, {}) if isinstance(here, Mapping) else {}
    return here if isinstance(here, Mapping) else {}


def _without(schema: JsonSchema, *keys: str) -> JsonSchema:
    return {k: v for k, v in schema.items() if k not in keys}


def _kind(value: object) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return name
    return "array" if isinstance(value, list) else "object"
