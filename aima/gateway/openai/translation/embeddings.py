"""Vectors: `POST /v1/embeddings`."""

from __future__ import annotations

import base64
import struct
from typing import Literal, Protocol

from pydantic import BaseModel, Field

from aima.gateway.openai.translation.written import told
from aima.mistakes import accept
from aima.ports.engine import Embeds, Engine
from aima.ports.inference import EmbedRequest, Outlet, RelayRequest


class _Able(Embeds, Engine, Protocol):
    pass


class _Asked(BaseModel):
    """Of texts; an engine that does not speak OpenAI's API knows no other one's tokens."""

    input: str | list[str]
    dimensions: int | None = Field(default=None, gt=0)
    encoding_format: Literal["float", "base64"] = "float"


async def ask(engine: _Able, asked: RelayRequest, answer: Outlet) -> None:
    """Ask for vectors."""
    given = accept(_Asked.model_validate, asked.body, what="the request")
    reply = await engine.embed(
        EmbedRequest(model=asked.model, input=given.input, dimensions=given.dimensions)
    )
    packed = given.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(v) if packed else v}
        for index, v in enumerate(reply.embeddings)
    ]
    cost = reply.usage
    usage = {"prompt_tokens": cost.prompt_tokens, "total_tokens": cost.total_tokens}
    value = {"object": "list", "data": data, "model": reply.model, "usage": usage}
    await told(answer, engine, asked, value)


def _packed(vector: list[float]) -> str:
    """Write a vector as 32-bit numbers, the lowest byte first."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
