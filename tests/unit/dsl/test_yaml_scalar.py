from __future__ import annotations

import pytest

from aima.dsl.diagnostic import Severity
from aima.dsl.load import DEFAULT_LIMITS, Limits, load
from aima.dsl.node import Json, to_json


def value_of(text: str) -> Json:
    """Load a text that must be clean."""
    _, root, diagnostics = load(text, "w.yaml")
    assert diagnostics == []
    assert root is not None
    return to_json(root)


def told(data: bytes | str, limits: Limits = DEFAULT_LIMITS) -> list[tuple[str, int, int]]:
    """Load a text and give the code and place of all that is wrong with it."""
    _, _, diagnostics = load(data, "w.yaml", limits)
    assert all(d.file == "w.yaml" and d.severity is Severity.error for d in diagnostics)
    return [(d.code, d.line, d.column) for d in diagnostics]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("0000000000000000000001", 1),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("6.02E+23", 6.02e23),
    ],
)
def test_words_and_numbers_of_the_core_schema_resolve(text: str, value: Json) -> None:
    """A number that arrives as text, or the other way round, fails far from its cause."""
    found = value_of(f"a: {text}\n")
    assert isinstance(found, dict)
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "no", "on", "off", "Yes", "NO", "True", "FALSE", "Null", "~", "y", "n"),
        *("12:30:45", "2024-02-30", "2024-01-01T00:00:00Z", "1_000", "0b11", "-0x1F", "0o8"),
        *("1e", "1.2.3", "0xG", "+e5", ".e5", "1,5", "infinity", ".", "+", "=", "1 2"),
        "\uff11\uff12",
    ],
)
def test_everything_else_is_text(text: str) -> None:
    """`country: no` must not become False, nor a time of day 45045."""
    assert value_of(f"a: {text}\n") == {"a": text}


def test_quoted_and_block_scalars_are_text_whatever_they_hold() -> None:
    """Quotes are the author's way to say text."""
    assert value_of("a: '1'\nb: \"true\"\nc: |-\n  null\nd: >-\n  1.5\n") == {
        "a": "1",
        "b": "true",
        "c": "null",
        "d": "1.5",
    }


@pytest.mark.parametrize(
    "text",
    [
        *("9223372036854775808", "-9223372036854775809", "0x8000000000000000", "9" * 9999),
        *(".inf", "-.inf", "+.INF", ".nan", ".NaN", "1e999", "-1e999"),
    ],
)
def test_numbers_json_and_int64_cannot_hold_are_errors(text: str) -> None:
    """A double that silently lost digits, or an Infinity in JSON, breaks what reads it."""
    assert told(f"a: {text}\n") == [("yaml/bad-number", 1, 4)]


def test_core_tags_say_how_a_scalar_is_read() -> None:
    """`!!str 12` is legal YAML that generators write."""
    text = (
        "a: !!str 12\nb: !!int '12'\nc: !!float 1\nd: !!null ''\ne: ! 7\nf: !!seq [1]\ng: !!map {}"
    )
    assert value_of(text) == {"a": "12", "b": 12, "c": 1.0, "d": None, "e": "7", "f": [1], "g": {}}


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [id]",
        "a: !!python/name:os.system x",
        "a: !mine 1",
        "a: !!binary aGk=",
        "a: !!timestamp 2024-01-01",
        "a: !!set {x}",
        "a: !!map [1]",
        "a: !!seq {x: 1}",
        "a: !!str [1]",
        "a: !!int x",
        "a: !!bool 1",
    ],
)
def test_other_tags_are_refused_at_their_place(text: str) -> None:
    """Tags are how YAML loaders were made to run code."""
    assert told(text) == [("yaml/bad-tag", 1, 4)]
