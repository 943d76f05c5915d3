"""What all requests to a model, and all its replies, have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

ModelType: TypeAlias = Literal[
    "llm", "vlm", "asr", "tts", "embedding", "diffusion", "video_gen", "detection", "rerank"
]

Progress: TypeAlias = Callable[[str], None]
"""Takes a sentence on how far the work is."""

Pieces: TypeAlias = Callable[[str | bytes], None]
"""Takes an answer piece by piece, as it is made: text, or encoded sound."""


def ignored(_: str | bytes) -> None:
    """Take a piece or a sentence that nobody waits for."""


class Request(BaseModel):
    """An input: unknown fields are refused, so that a typing mistake is told."""

    model_config = ConfigDict(extra="forbid")


class ModelRequest(Request):
    """An input for a model."""

    model: str = Field(default="default", description="Name of a served model, or `default`.")


SHOWN: JsonDict = {"x-stream": True}
"""Marks what may be shown, or read, while it is being made."""


class Incoming(Request):
    """A text that another step is still writing; :meth:`aima.unit.Context.incoming` reads it."""

    run: str
    step: str


class Usage(BaseModel):
    """What an answer cost, in tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Timings(BaseModel):
    """Where the engine's time went."""

    total_ms: float = Field(description="From the engine's first byte of the request to its last.")
    load_ms: float | None = Field(default=None, description="Of these, bringing the model in.")


class ModelReply(BaseModel):
    """An answer of a model."""

    model: str = Field(description="The model that answered.")
    timings: Timings | None = None
