"""JSON Schemas read as types."""

import pytest
from pydantic import BaseModel

from aima.dsl.types import Type, closed, dangling_reference, fits, said
from aima.ports.artifacts import Artifact


class Inner(BaseModel):
    """A model inside another."""

    text: str


class Outer(BaseModel):
    """A model with what pydantic writes into schemas."""

    inner: Inner
    maybe: Inner | None = None
    many: list[Inner] = []
    either: int | str = 0
    file: Artifact | None = None


OUTER = Type.of(Outer.model_json_schema())


@pytest.mark.parametrize(
    ("schema", "kinds"),
    [
        ({"type": "string"}, {"string"}),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"string"}),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {"string", "integer"}),
        (
            {"oneOf": [{"const": True}, {"enum": [1, 1.5, None]}]},
            {"boolean", "integer", "number", "null"},
        ),
        ({"allOf": [{"type": "array"}]}, {"array"}),
        ({"const": [1]}, {"array"}),
        ({"type": "string", "format": "artifact"}, {"artifact"}),
    ],
)
def test_a_schema_names_its_kinds(schema: dict[str, object], kinds: set[str]) -> None:
    """What a value may be, null of an optional left out."""
    assert Type.of(schema).kinds() == kinds


def test_a_schema_that_says_nothing_is_anything() -> None:
    """`true` is such a schema too, and `false` accepts nothing."""
    anything = Type.of({})
    assert said(anything) == "anything"
    assert anything.inside(True).kinds() == anything.kinds()
    assert anything.inside(False).kinds() == frozenset()


def test_fields_are_found_through_references_and_optionals() -> None:
    """As pydantic writes them: `$ref`, `anyOf` with null, lists of references."""
    for field in ("inner", "maybe"):
        child = OUTER.child(field)
        assert child is not None
        text = child.child("text")
        assert text is not None
        assert text.kinds() == {"string"}
        assert child.child("other") is None
    many = OUTER.child("many")
    assert many is not None
    assert many.item().fields() == ("text",)


def test_an_artifact_has_the_fields_of_a_reference_and_no_other() -> None:
    """Its bytes are not in the run; what is known of them is."""
    file = OUTER.child("file")
    assert file is not None
    assert file.kinds() == {"artifact"}
    assert file.fields() == ("artifact", "media_type", "bytes")
    assert file.child("media_type") is not None
    assert file.child("content") is None


@pytest.mark.parametrize(
    ("schema", "key", "there"),
    [
        ({"type": "object"}, "x", True),
        ({"properties": {"a": {}}}, "x", False),
        ({"properties": {"a": {}}, "additionalProperties": True}, "x", True),
        ({"additionalProperties": {"type": "string"}}, "x", True),
        ({"properties": {"a": True}}, "a", True),
        ({"type": "string"}, "x", False),
        ({"anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, "b", True),
        ({"properties": {"a": {}}, "allOf": [{"properties": {"x": {}}}, {}]}, "x", True),
        ({"patternProperties": {"^x": {}}, "additionalProperties": False}, "x", True),
    ],
)
def test_a_field_is_missing_only_where_it_certainly_is(
    schema: dict[str, object], key: str, *, there: bool
) -> None:
    """A false alarm is worse than none: it teaches people to ignore them."""
    assert (Type.of(schema).child(key) is not None) is there


@pytest.mark.parametrize(
    ("given", "wanted", "fit"),
    [
        ({"type": "integer"}, {"type": "number"}, True),
        ({"type": "number"}, {"type": "integer"}, True),
        ({"type": "string"}, {"type": "number"}, False),
        ({"type": "string"}, {"type": "string", "format": "artifact"}, False),
        ({"anyOf": [{"type": "string"}, {"type": "array"}]}, {"type": "array"}, True),
        ({}, {"type": "boolean"}, True),
        ({"type": "object"}, {"type": "array"}, False),
    ],
)
def test_a_type_fits_where_some_value_of_it_does(
    given: dict[str, object], wanted: dict[str, object], *, fit: bool
) -> None:
    """The check refuses what can never work, and leaves the rest to the run."""
    assert fits(Type.of(given), Type.of(wanted)) is fit


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"x": {"$ref": "#/properties/x"}}},
        {"properties": {"x": {"anyOf": [{"$ref": "#/properties/x"}, {"type": "string"}]}}},
        {"properties": {"x": {"$ref": "#"}}},
        {
            "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/b"}, {}]}},
            "properties": {"x": {"$ref": "#/$defs/a"}},
        },
    ],
    ids=["itself", "an alternative", "the whole", "nowhere"],
)
def test_a_schema_that_refers_to_itself_is_read_to_an_end(schema: dict[str, object]) -> None:
    """An author's `inputs` may be recursive; reading them must not be, for ever."""
    child = Type.of(schema).child("x")
    assert child is not None
    assert child.kinds()
    assert child.child("y") is None or child.fields() is not None


def test_many_alternatives_of_alternatives_cost_what_they_are() -> None:
    """Two references at each level are 2^40 ways, and 40 schemas."""
    defs = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}
    schema = {"$defs": {**defs, "d40": {"type": "string"}}, "$ref": "#/$defs/d0"}
    assert Type.of(schema).kinds() == {"string"}


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("#/$defs/text", ()),
        ("#", ()),
        ("#/properties/a~1b", ()),
        ("#/properties/a%20c", ()),
        ("#/anyOf/0", ()),
        ("#/anyOf/1", ("properties", "it", "$ref")),
        ("#/$defs/other", ("properties", "it", "$ref")),
        ("https://example.com/schema.json", ("properties", "it", "$ref")),
        ("other.json#/$defs/text", ("properties", "it", "$ref")),
    ],
)
def test_a_reference_that_leads_nowhere_is_found(reference: str, path: tuple[object, ...]) -> None:
    """Nothing is fetched: a schema that names an address would be a request from the server."""
    schema = {
        "$defs": {"text": {"type": "string"}},
        "anyOf": [{"type": "object"}],
        "properties": {"it": {"$ref": reference}, "a/b": {}, "a c": {}},
    }
    assert dangling_reference(schema, schema) == path


def test_closing_says_outright_what_is_taken_for_granted() -> None:
    """With `properties`, an object has no other fields, nor have those inside it."""
    schema = {
        "properties": {
            "open": {"properties": {"a": {}}, "additionalProperties": {}},
            "list": {"items": {"properties": {"a": {}}}},
            "combined": {"properties": {"a": {}}, "allOf": [{}]},
        }
    }
    validator = Type.of(closed(schema)).validator
    assert validator.is_valid({"open": {"b": 1}, "list": [{"a": 1}], "combined": {"b": 1}})
    assert not validator.is_valid({"other": 1})
    assert not validator.is_valid({"list": [{"b": 1}]})


@pytest.mark.parametrize(
    ("schema", "key", "may"),
    [
        ({"properties": {"a": {}}}, "a", True),
        ({"properties": {"a": {}}, "required": ["a"]}, "a", False),
        ({"properties": {"a": {"default": 1}}}, "a", False),
        ({"properties": {"a": {}}}, "b", False),
    ],
)
def test_a_field_may_be_lacking_unless_required_or_filled_in(
    schema: dict[str, object], key: str, *, may: bool
) -> None:
    """Only of declared fields anything can be said."""
    assert Type.of(schema).may_lack(key) is may


def test_types_are_named_for_people() -> None:
    """`text`, not `string`; alternatives in one fixed order."""
    assert said(Type.of({"type": ["string", "array"]})) == "a list or text"
    assert said(Type.of({"type": "integer"})) == "a whole number"


def test_a_map_may_be_a_reference_among_other_maps() -> None:
    """A list of pictures may hold frames of a film too; a reference is no frame with mistakes."""

    class Frame(BaseModel):
        image: Artifact

    class Pictures(BaseModel):
        one: Artifact | Frame

    either = Type.of(Pictures.model_json_schema()).child("one")
    assert either is not None
    assert either.narrowed("object", {"artifact": "sha256:0"}) == either
    assert either.narrowed("object", {"image": "x"}).fields() == ("image",)
