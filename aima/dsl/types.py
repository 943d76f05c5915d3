"""Reading JSON Schemas as types: what is inside a value, and whether it fits somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aima import json_schema
from aima.dsl.signature import JsonSchema

if TYPE_CHECKING:  # it costs 0.1 s
    from jsonschema.protocols import Validator

ANY: JsonSchema = {}
TEXT: JsonSchema = {"type": "string"}
ARTIFACT = "artifact"
LITERAL = "x-aima-literal"
"""Marks a text that is a program of its own, such as a template: no ``${…}`` may make it."""

_ALL = frozenset({"null", "boolean", "integer", "number", "string", "array", "object", ARTIFACT})
_STREAM = "x-stream"  # such an input also takes a reference to a stream, which nobody writes
_DEEPEST_FIT = 8  # lists and maps inside each other; types may contain themselves
_DEEPEST = 32  # references to references; deeper ones refer to themselves
_PLAIN = frozenset({"type", "title", "description", "default", "examples"})
_OF_THE_WHOLE = ("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties")
_COMBINED = frozenset(
    {"$ref", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas", "patternProperties"}
)


@dataclass(frozen=True)
class Type:
    """A JSON Schema together with the document its ``$ref`` are looked up in.

    What was asked once is remembered: a file asks the same of a unit in hundreds of steps.
    """

    schema: JsonSchema
    root: JsonSchema
    _children: dict[str, Type | None] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, schema: JsonSchema) -> Type:
        """Take a schema that is its own root."""
        return cls(schema, schema)

    def inside(self, schema: object) -> Type:
        """Take a schema that stands somewhere in this one; ``true`` and ``false`` are schemas.

        A type may stand for a schema: what a block leaves behind comes from several documents.
        """
        return schema if isinstance(schema, Type) else Type(_mapping(schema), self.root)

    def resolved(self) -> Type:
        """Follow ``$ref``, an only alternative, and drop ``null`` of an optional."""
        return self._resolved

    @cached_property
    def _resolved(self) -> Type:
        schema = self.schema
        for _ in range(_DEEPEST):
            if isinstance(reference := schema.get("$ref"), str):
                schema = {**_look_up(self.root, reference), **_without(schema, "$ref")}
            elif len(options := _options(schema)) == 1:
                schema = {**options[0], **_without(schema, "anyOf", "oneOf", "default")}
            elif isinstance(all_of := schema.get("allOf"), list) and len(all_of) == 1:
                schema = {**_mapping(all_of[0]), **_without(schema, "allOf")}
            else:
                break
        return self if schema is self.schema else Type(schema, self.root)

    def kinds(self) -> frozenset[str]:
        """Name the JSON types a value may have; all of them where nothing is said."""
        return self._kinds

    @cached_property
    def _kinds(self) -> frozenset[str]:
        return frozenset(_kinds(self, set()))

    def narrowed(self, kind: str, said: Mapping[str, object]) -> Type:
        """Give the only alternative that a value of some kind can be meant as, or all of them.

        ``said`` are fields of the value that are known: a ``const`` or ``enum`` tells by them.
        """
        options = self._alternatives
        fitting = [option for option in options if option.may_be(kind, said)]
        return fitting[0].narrowed(kind, said) if len(fitting) == 1 < len(options) else self

    @cached_property
    def _alternatives(self) -> tuple[Type, ...]:
        return tuple(map(self.inside, _options(self.resolved().schema)))

    def may_be(self, kind: str, said: Mapping[str, object]) -> bool:
        """Tell whether a value of some kind with some known fields can be one."""
        kinds = self.kinds()
        refers = kind == "object" and "artifact" in said and ARTIFACT in kinds  # as a map
        if kind not in kinds and not refers:
            return False
        children = ((self.child(key), value) for key, value in said.items())
        told = ((child.resolved().schema, value) for child, value in children if child)
        return all(value in schema.get("enum", [schema.get("const", value)])
                   for schema, value in told)  # fmt: skip

    @cached_property
    def is_plain(self) -> bool:
        """Whether the kind of a value is all that decides whether it is one."""
        return self.resolved().schema.keys() <= _PLAIN

    def child(self, key: str) -> Type | None:
        """Give the type of a field; None where it certainly has no such field."""
        if key not in self._children:
            self._children[key] = self._child(key)
        return self._children[key]

    def _child(self, key: str) -> Type | None:
        here = self.resolved()
        kinds = here.kinds()
        if ARTIFACT in kinds and kinds == {ARTIFACT}:
            return Type.of(ANY) if key in ("artifact", "media_type", "bytes") else None
        properties = here.schema.get("properties")
        if isinstance(properties, Mapping) and key in properties:
            return self.inside(properties[key])
        if "object" not in kinds:
            return None
        extra = here.schema.get("additionalProperties", not _is_closed(here.schema))
        if extra is False:
            return Type.of(ANY) if "patternProperties" in here.schema else None
        return self.inside(extra)

    def may_lack(self, key: str) -> bool:
        """Tell a declared field that is neither required nor filled in by a default."""
        schema = self.resolved().schema
        inner = schema.get("properties", {}).get(key)
        return (
            inner is not None
            and key not in schema.get("required", ())
            and "default" not in _mapping(inner)
        )

    @cached_property
    def validator(self) -> Validator:
        """What checks values against it; no reference is ever fetched from anywhere."""
        return json_schema.validator({**self.schema, "$defs": self.root.get("$defs", {})})

    @cached_property
    def as_a_whole(self) -> Type | None:
        """What it says of a list or a map as a whole; None where it says nothing."""
        schema = self.resolved().schema
        rules = {rule: schema[rule] for rule in _OF_THE_WHOLE if rule in schema}
        return self.inside(rules) if rules else None

    def item(self) -> Type:
        """Give the type of a list's items."""
        return self._item

    @cached_property
    def _item(self) -> Type:
        return self.inside(self.resolved().schema.get("items", True))

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


@dataclass(frozen=True)
class Misfit:
    """Where a value of one type can never be taken as another.

    Attributes:
        path: the way to the place inside the value, such as ``[].label``; empty: the value itself.
        given: what stands there; None: nothing does.
    """

    path: str
    given: Type | None
    wanted: Type


def misfit(given: Type, wanted: Type, path: str = "", depth: int = 0) -> Misfit | None:
    """Find the first place where a type does not fit another, also inside lists and maps."""
    if not fits(given, wanted):
        return Misfit(path, given, wanted)
    kinds = given.kinds() - {"null"}
    if len(kinds) == 1:
        wanted = wanted.narrowed(next(iter(kinds)), {})
    if depth == _DEEPEST_FIT or is_combined(given) or is_combined(wanted):
        return None
    if kinds == {"array"}:
        return misfit(given.item(), wanted.item(), f"{path}[]", depth + 1)
    for key in wanted.resolved().schema.get("required", ()) if kinds == {"object"} else ():
        mine, theirs = given.child(key), wanted.child(key) or Type.of(ANY)
        inner = f"{path}.{key}" if path else key
        if mine is None:
            return Misfit(inner, None, theirs)
        if (found := misfit(mine, theirs, inner, depth + 1)) is not None:
            return found
    return None


def is_combined(kind: Type) -> bool:
    """Tell a type that is several schemas at once, which only a validator can take apart."""
    return bool(_COMBINED & kind.resolved().schema.keys())


def said(kind: Type) -> str:
    """Name a type for people."""
    kinds = kind.kinds()
    names = {"string": "text", "array": "a list", "object": "a map", "artifact": "an artifact"}
    names |= {"integer": "a whole number", "number": "a number", "boolean": "true or false"}
    return "anything" if kinds == _ALL else " or ".join(names.get(k, k) for k in sorted(kinds))


def closed(schema: JsonSchema) -> JsonSchema:
    """Say outright what :meth:`Type.child` takes for granted: no field that is not declared.

    A schema that says ``additionalProperties`` keeps it, and one made of several is left open,
    since each part would refuse the fields of the others. The same holds for the schemas of its
    properties and items.
    """
    inner: dict[str, Any] = {"additionalProperties": False} if _is_closed(schema) else {}
    if isinstance(properties := schema.get("properties"), Mapping):
        inner["properties"] = {key: closed(_mapping(value)) for key, value in properties.items()}
    if isinstance(items := schema.get("items"), Mapping):
        inner["items"] = closed(items)
    return {**schema, **inner}


def dangling_reference(schema: object, root: JsonSchema) -> tuple[object, ...]:
    """Find the path to the first ``$ref`` that leads nowhere inside ``root``; empty: none does.

    Nothing is ever fetched from anywhere.
    """
    inner: Iterable[tuple[object, object]] = ()
    if isinstance(schema, Mapping):
        for kind in ("$ref", "$dynamicRef"):
            reference = schema.get(kind)
            if isinstance(reference, str) and _find(root, reference) is None:
                return (kind,)
        inner = schema.items()
    elif isinstance(schema, list):
        inner = enumerate(schema)
    for key, value in inner:
        if path := dangling_reference(value, root):
            return (key, *path)
    return ()


def _kinds(kind: Type, seen: set[int]) -> Iterator[str]:
    """Name the kinds of a type; an alternative that leads back to one in ``seen`` adds none."""
    schema = kind.resolved().schema
    if schema.get("format") == ARTIFACT:
        yield ARTIFACT
    elif options := _options(schema):
        for option in options:
            if id(option) not in seen:
                seen.add(id(option))
                yield from _kinds(kind.inside(option), seen)
    elif "const" in schema:
        yield kind_of_literal(schema["const"])
    elif "enum" in schema:
        yield from map(kind_of_literal, schema["enum"])
    else:
        said = schema.get("type", _ALL)
        yield from [said] if isinstance(said, str) else said


def _is_closed(schema: JsonSchema) -> bool:
    return "properties" in schema and not (_COMBINED | {"additionalProperties"}) & schema.keys()


def _mapping(schema: object) -> JsonSchema:
    """Give a schema as a map: ``true`` accepts anything, ``false`` nothing."""
    if isinstance(schema, Mapping):
        return schema
    if isinstance(schema, Type):
        return schema.schema
    return {"enum": []} if schema is False else ANY


def _options(schema: JsonSchema) -> list[JsonSchema]:
    options = schema.get("anyOf") or schema.get("oneOf") or []
    found = [o for o in map(_mapping, options) if o.get("type") != "null"]
    return [o for o in found if "$ref" not in o] if schema.get(_STREAM) else found


def _look_up(root: JsonSchema, reference: str) -> JsonSchema:
    found = _find(root, reference)
    return ANY if found is None else _mapping(found)


def _find(root: JsonSchema, reference: str) -> object:
    """Follow a JSON Pointer (RFC 6901) into ``root``; None where it leads nowhere."""
    start, *parts = reference.split("/")
    here: object = root if start == "#" else None
    for part in parts:
        key = unquote(part).replace("~1", "/").replace("~0", "~")
        if isinstance(here, Mapping):
            here = here.get(key)
        elif isinstance(here, list) and key.isdecimal() and int(key) < len(here):
            here = here[int(key)]
        else:
            return None
    return here


def _without(schema: JsonSchema, *keys: str) -> JsonSchema:
    return {k: v for k, v in schema.items() if k not in keys}


def kind_of_literal(value: object) -> str:
    """Name the JSON type of a value."""
    if value is None:
        return "null"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return name
    return "array" if isinstance(value, list) else "object"
