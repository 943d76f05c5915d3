"""The form for a run: what fields a schema makes, and what is read out of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from aima.artifacts import FolderArtifacts
from aima.gateway.runs.form_parts import parts_of
from aima.gateway.runs.inputs import RunInput
from aima.gateway.web.form import WHOLE, Field, Filled, Reader, config_of, fields_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["question", "count"],
    "properties": {
        "question": {"type": "string", "minLength": 3, "description": "What to ask."},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "ratio": {"type": "number", "default": 0.5},
        "sure": {"type": "boolean", "default": True},
        "tone": {"enum": ["calm", "loud"]},
        "name": {"type": "string", "maxLength": 20},
        "more": {"type": "object"},
        "sound": {"type": "string", "format": "artifact", "contentMediaType": "audio/*"},
        "pictures": {"type": "array", "items": {"type": "string", "format": "artifact"}},
    },
    "examples": [{"question": "Why?", "count": 2, "sound": "@why.wav"}],
}
PLAN = {"inputs": SCHEMA, "config": {"model": "default", "top": 3, "rules": {"a": [1]}}}
BOUNDARY = "----x"


def nothing(_: str) -> Path | None:
    """Find no file of an example."""
    return None


async def no_bytes(_: Field) -> AsyncIterator[bytes]:
    """Give nothing."""
    chunks: tuple[bytes, ...] = ()
    for chunk in chunks:
        yield chunk


async def read(tmp_path: Path, texts: Mapping[str, str], files: Mapping[str, str] = {}) -> Filled:
    """Send a form and read it."""
    parts = [(f'name="{name}"', text) for name, text in texts.items()]
    parts += [(f'name="{name}"; filename="f.txt"', text) for name, text in files.items()]
    body = "".join(
        f"--{BOUNDARY}\r\ncontent-disposition: form-data; {head}\r\n\r\n{text}\r\n"
        for head, text in parts
    )

    async def receive() -> Message:
        return {"type": "http.request", "body": f"{body}--{BOUNDARY}--\r\n".encode()}

    kind = f"multipart/form-data; boundary={BOUNDARY}".encode()
    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind)]}
    store = RunInput(FolderArtifacts(tmp_path / "artifacts", max_bytes=1 << 20))
    reader = Reader(fields_of(PLAN, nothing), config_of(PLAN), store, no_bytes)
    return await reader.read(parts_of(Request(scope, receive)))


def test_each_input_has_the_field_that_its_schema_wants() -> None:
    """A person chooses, checks and counts; only what has no field of its own is JSON."""
    fields = {field.key: field for field in fields_of(PLAN, lambda name: Path("in") / name)}
    assert {key: field.kind for key, field in fields.items()} == {
        "question": "text",
        "count": "integer",
        "ratio": "number",
        "sure": "boolean",
        "tone": "choice",
        "name": "line",
        "more": "json",
        "sound": "file",
        "pictures": "file",
    }
    assert [key for key, field in fields.items() if field.required] == ["question", "count"]
    assert fields["question"].value == "Why?"
    assert fields["ratio"].value == "0.5"
    assert fields["count"].bounds == {"min": "1", "max": "9"}
    assert fields["tone"].choices == ("calm", "loud")
    assert fields["sound"].records
    assert fields["sound"].example == "why.wav"
    assert fields["pictures"].several
    assert not fields["pictures"].records


def test_config_is_shown_with_its_values() -> None:
    """What may be overridden is seen without a look into the file."""
    shown = {field.key: (field.kind, field.value) for field in config_of(PLAN)}
    assert shown["model"] == ("line", "default")
    assert shown["top"] == ("json", "3")


async def test_values_are_what_their_fields_say(tmp_path: Path) -> None:
    """Text stays text, numbers are numbers; what is empty, or as it was, is left out."""
    filled = await read(
        tmp_path,
        {
            "input.question": "Why\r\nnot?",
            "input.count": "4",
            "input.ratio": "",
            "input.tone": "loud",
            "input.name": " ",
            "input.more": '{"a": 1}',
            "config.model": "default",
            "config.top": "5",
        },
        {"input.sound": "hello"},
    )
    assert not filled.errors
    assert filled.input.pop("sound")["bytes"] == 5
    assert filled.input == {
        "question": "Why\nnot?",
        "count": 4,
        "sure": False,
        "tone": "loud",
        "more": {"a": 1},
    }
    assert filled.config == {"top": 5}


@pytest.mark.parametrize(
    ("field", "text", "wrong"),
    [
        ("input.question", "", "needed"),
        ("input.question", "ab", "too short"),
        ("input.count", "four", "whole number"),
        ("input.count", "4.5", "whole number"),
        ("input.count", "12", "maximum of 9"),
        ("input.ratio", "half", "a number"),
        ("input.more", "{", "no JSON"),
        ("input.more", "[]", "not of type 'object'"),
        ("input.tone", "other", "one of the choices"),
        ("config.top", "{", "no JSON"),
    ],
)
async def test_what_is_wrong_is_told_beside_its_field(
    tmp_path: Path, field: str, text: str, wrong: str
) -> None:
    """Whoever filled it in sees where, and in words."""
    good = {"input.question": "Why?", "input.count": "4"}
    filled = await read(tmp_path, {**good, field: text})
    assert filled.errors.keys() == {field}
    assert wrong in filled.errors[field]
    assert filled.texts[field] == text


async def test_what_the_form_does_not_have_is_passed_over(tmp_path: Path) -> None:
    """A field that somebody added, or a file where text belongs, gives no input."""
    good = {"input.question": "Why?", "input.count": "4"}
    filled = await read(tmp_path, {**good, "input.other": "x", "x": "y", "example.sound": "on"})
    assert filled.input.keys() == {"question", "count", "sure"}


def test_a_workflow_that_does_not_say_what_it_takes_has_one_field() -> None:
    """All of it is written as JSON."""
    [field] = fields_of({"inputs": None}, nothing)
    assert (field.name, field.kind) == (WHOLE, "json")
