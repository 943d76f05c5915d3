"""JSON Schema 2020-12 as AIMA keeps to it: nothing is fetched, and patterns are those of RE2.

Python's own patterns can take a time that doubles with each character of the text, and a schema
comes from a workflow or a caller. https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from aima.regex import compiled

if TYPE_CHECKING:  # it costs 0.1 s
    from jsonschema import FormatChecker, ValidationError
    from jsonschema.protocols import Validator


def validator(schema: Mapping[str, Any]) -> Validator:
    """Give what checks values against a schema."""
    from referencing import Registry

    return _dialect()(schema, registry=Registry())


def check_schema(schema: Mapping[str, Any]) -> None:
    """See that a schema is one.

    Raises:
        SchemaError: it is none, or one of its patterns is none of RE2's.
    """
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(schema, format_checker=_patterns())


@cache
def _dialect() -> type[Validator]:
    from jsonschema import Draft202012Validator, validators

    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    }
    dialect: type[Validator] = validators.extend(Draft202012Validator, own)  # type: ignore[no-untyped-call] # it has no types
    return dialect


@cache
def _patterns() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())

    @checker.checks("regex", raises=ValueError)
    def is_pattern(value: object) -> bool:
        reason = compiled(value) if isinstance(value, str) else None
        if isinstance(reason, str):
            raise ValueError(reason)  # noqa: TRY004 - a pattern that is none is no wrong type
        return True

    return checker


def _matches(pattern: str, text: str) -> bool:
    """Tell whether a text has a match; a pattern that is none has been refused before."""
    expression = compiled(pattern)
    try:
        return not isinstance(expression, str) and expression.search(text) is not None
    except UnicodeEncodeError:  # half a surrogate pair is no text
        return False


def _pattern(
    validator: Validator,
    pattern: str,
    value: Any,  # noqa: ANN401 - any JSON
    schema: object,
) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    del schema
    if validator.is_type(value, "string") and not _matches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Validator,
    patterns: Mapping[str, Any],
    value: Any,  # noqa: ANN401 - any JSON
    schema: object,
) -> Iterator[ValidationError]:
    del schema
    if validator.is_type(value, "object"):
        for pattern, wanted in patterns.items():
            for key in value:
                if _matches(pattern, key):
                    for error in validator.evolve(schema=wanted).iter_errors(value[key]):
                        error.path.appendleft(key)
                        error.schema_path.appendleft(pattern)
                        yield error


def _additional_properties(
    validator: Validator,
    wanted: object,
    value: Any,  # noqa: ANN401 - any JSON
    schema: Mapping[str, Any],
) -> Iterator[ValidationError]:
    """Leave to the library what has no patterns: it tells the fields that are too many."""
    from jsonschema import Draft202012Validator

    patterns = schema.get("patternProperties", {})
    if isinstance(value, Mapping):
        matched = {key for key in value if any(_matches(pattern, key) for pattern in patterns)}
        value = {key: part for key, part in value.items() if key not in matched}
        schema = {key: part for key, part in schema.items() if key != "patternProperties"}
    library = Draft202012Validator.VALIDATORS["additionalProperties"]
    yield from library(validator, wanted, value, schema)
