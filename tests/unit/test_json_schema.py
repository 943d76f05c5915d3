"""JSON Schema as AIMA keeps to it."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import SchemaError
from referencing.exceptions import Unresolvable

from aima.json_schema import check_schema, validator

DOUBLING = "^(a+)+$"
"""For Python's own patterns each `a` doubles the time that a text with a `b` at the end takes."""


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": DOUBLING}, "a" * 5_000 + "b"),
        ({"patternProperties": {DOUBLING: False}}, {"a" * 5_000 + "b": 1}),
    ],
)
def test_no_pattern_takes_the_time_of_all_others(
    schema: dict[str, object],
    value: Any,  # noqa: ANN401 - any JSON
) -> None:
    """A workflow's `inputs` meet texts of strangers, and a caller brings a schema of its own."""
    began = time.process_time()
    list(validator(schema).iter_errors(value))
    assert time.process_time() - began < 5


@pytest.mark.parametrize("pattern", ["(?=a)b", "(a)\\1", "(", "a" * 2_000])
def test_a_pattern_that_is_none_makes_no_schema(pattern: str) -> None:
    """Whoever writes it hears of it, not whoever brings the value."""
    with pytest.raises(SchemaError, match="is not a 'regex'"):
        check_schema({"type": "string", "pattern": pattern})


def test_fields_are_told_by_pattern() -> None:
    """What matches is checked by its own rule, and what does not is too many."""
    schema = {
        "properties": {"name": {"type": "string"}},
        "patternProperties": {"^x-": {"type": "integer"}},
        "additionalProperties": False,
    }
    rules = validator(schema)
    assert rules.is_valid({"name": "a", "x-b": 1})
    [wrong] = rules.iter_errors({"name": "a", "x-b": "1"})
    assert list(wrong.path) == ["x-b"]
    [wrong] = rules.iter_errors({"name": "a", "y": 1})
    assert "'y' was unexpected" in wrong.message


def test_half_a_surrogate_pair_matches_nothing() -> None:
    """It is no text; JSON can write it down all the same."""
    assert not validator({"pattern": ""}).is_valid("\ud800")


@pytest.mark.parametrize("place", ["http://127.0.0.1:{port}/x", "{file}", "//127.0.0.1:{port}/x"])
def test_a_reference_to_elsewhere_is_not_followed(place: str, tmp_path: Path) -> None:
    """A schema of a caller would have this machine call or read for him."""
    file = tmp_path / "schema.json"
    file.write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.setblocking(False)
        port = canary.getsockname()[1]
        reference = place.format(port=port, file=file.as_uri())
        with pytest.raises(Unresolvable):
            validator({"$ref": reference}).is_valid(1)
        with pytest.raises(BlockingIOError):
            canary.accept()
