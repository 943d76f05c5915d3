"""Units with the names that MCP's conformance suite calls."""

from __future__ import annotations

import asyncio
import io
import wave
from typing import Any

from PIL import Image
from pydantic import BaseModel

from aima.errors import ExecutionFailed
from aima.ports.artifacts import Artifact
from aima.unit import Context, Domain, Example

test, json = Domain("test"), Domain("json")
slow, failing = Domain("slow"), Domain("failing")

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
TEXT = "This is a simple text response for testing."


class Nothing(BaseModel):
    """Nothing is given."""


class Contact(BaseModel):
    """A schema with everything in it, which no class of Python can say."""

    @classmethod
    def model_json_schema(cls, *_: object, **__: object) -> dict[str, Any]:
        """Give the schema as the suite wants it."""
        return SCHEMA


class Text(BaseModel):
    """A text."""

    text: str


class Work(BaseModel):
    """So much work."""

    seconds: float = 0
    label: str = ""


class File(BaseModel):
    """A file."""

    file: Artifact


@test.query(errors=(ExecutionFailed,), examples=(Example("A text", {}, {"text": TEXT}),))
async def simple_text(request: Nothing, ctx: Context) -> Text:
    """Give a text."""
    del request, ctx
    return Text(text=TEXT)


@test.query(errors=(ExecutionFailed,))
async def error_handling(request: Nothing, ctx: Context) -> Text:
    """Fail."""
    del request, ctx
    raise ExecutionFailed("this tool intentionally fails")


@test.command(idempotent=True, errors=(ExecutionFailed,))
async def tool_with_progress(request: Nothing, ctx: Context) -> Text:
    """Tell how it goes."""
    del request
    for done in (0, 50, 100):
        ctx.progress(f"{done}/100")
        await asyncio.sleep(0.05)
    return Text(text=TEXT)


@test.query(errors=(ExecutionFailed,))
async def image_content(request: Nothing, ctx: Context) -> File:
    """Give a picture."""
    del request
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1), "red").save(buffer, "png")
    return File(file=await ctx.artifacts.put(buffer.getvalue(), media_type="image/png"))


@test.query(errors=(ExecutionFailed,))
async def audio_content(request: Nothing, ctx: Context) -> File:
    """Give a sound."""
    del request
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(800))
    return File(file=await ctx.artifacts.put(buffer.getvalue(), media_type="audio/wav"))


@json.query(errors=(ExecutionFailed,))
async def schema_2020_12_tool(request: Contact, ctx: Context) -> Text:
    """Take what the whole of JSON Schema can say."""
    del request, ctx
    return Text(text=TEXT)


@slow.command(idempotent=True, errors=(ExecutionFailed,))
async def compute(request: Work, ctx: Context) -> Text:
    """Take a while."""
    ctx.progress("computing")
    await asyncio.sleep(request.seconds)
    return Text(text=TEXT)


@failing.command(idempotent=False, errors=(ExecutionFailed,))
async def job(request: Nothing, ctx: Context) -> Text:
    """Fail after a second."""
    del request, ctx
    await asyncio.sleep(1)
    raise ExecutionFailed("this tool intentionally fails")
