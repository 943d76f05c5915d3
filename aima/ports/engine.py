"""What units ask of an inference engine.

The models here are the wire vocabulary of the ``inference.*`` units and of the adapters alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from aima.ports.artifacts import Artifact

ModelType: TypeAlias = Literal[
    "llm", "vlm", "asr", "tts", "embedding", "diffusion", "video_gen", "detection", "rerank"
]
Progress: TypeAlias = Callable[[str], None]


class Request(BaseModel):
    """An input: unknown fields are refused, so that a typing mistake is told."""

    model_config = ConfigDict(extra="forbid")


class Message(Request):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Usage(BaseModel):
    """What an answer cost, in tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class Timings(BaseModel):
    """Where the engine's time went."""

    total_ms: float = Field(description="From the engine's first byte of the request to its last.")
    load_ms: float | None = Field(default=None, description="Of these, bringing the model in.")


class ChatRequest(Request):
    """What to say, and to which model."""

    model: str = Field(default="default", description="Name of a served model, or `default`.")
    messages: list[Message] = Field(min_length=1, description="The conversation so far.")
    temperature: float | None = Field(
        default=None, ge=0, le=2, description="How freely to choose words; 0 always the likeliest."
    )
    max_tokens: int | None = Field(
        default=None, gt=0, description="Most tokens to write. Absent: the engine's own bound."
    )
    json_schema: dict[str, object] | None = Field(
        default=None, description="JSON Schema the answer must fit; `data` then holds its value."
    )
    seed: int | None = Field(default=None, description="Makes a free choice of words repeatable.")
    stop: list[str] | None = Field(default=None, description="Texts that end the answer.")
    stream: bool | None = Field(
        default=None,
        description="The earlier system's switch, without effect: answers are always streamed.",
    )


class Response(BaseModel):
    """The answer where the earlier system had it."""

    content: str


class ChatReply(BaseModel):
    """What a model answered."""

    content: str = Field(description="The answer.")
    finish_reason: str = Field(description="`stop`, or `length` where `max_tokens` cut it.")
    usage: Usage
    response: Response = Field(description="The answer where the earlier system had it.")
    model: str = Field(description="The model that answered.")
    data: object = Field(default=None, description="The answer's value, if a schema was given.")
    timings: Timings | None = None


class TranscribeRequest(Request):
    """Speech to write down."""

    model: str = Field(default="default", description="Name of a served model, or `default`.")
    audio: Artifact = Field(
        description="The recording: any common container and codec.",
        json_schema_extra={"contentMediaType": "audio/*"},
    )
    language: str | None = Field(default=None, description="ISO 639-1 code; absent: detected.")


class Segment(BaseModel):
    """A stretch of speech, in seconds from the start."""

    start: float
    end: float
    text: str


class Transcript(BaseModel):
    """What was said."""

    text: str = Field(description="All of it; empty for silence.")
    segments: list[Segment]
    language: str
    duration: float | None = Field(default=None, description="Length of the recording, seconds.")
    model: str = Field(description="The model that listened.")
    timings: Timings | None = None


class SynthesizeRequest(Request):
    """Text to say."""

    model: str = Field(default="default", description="Name of a served model, or `default`.")
    text: str = Field(min_length=1, description="What to say.")
    voice: str | None = Field(default=None, description="A voice of `inference.voices`.")
    speed: float = Field(default=1.0, ge=0.5, le=2.0, description="1 is the voice's own pace.")
    stream: bool | None = Field(
        default=None,
        description="The earlier system's switch, without effect: speech is always streamed.",
    )


@dataclass(frozen=True)
class Speech:
    """Speech as it is made: bytes, their media type, and its length where the engine tells."""

    chunks: AsyncIterator[bytes]
    media_type: str
    seconds: float | None
    timings: Timings | None


class ModelCard(BaseModel):
    """A model that an engine serves."""

    name: str
    engine: str
    type: ModelType | None = Field(default=None, description="Absent where the engine is silent.")
    licence: str | None = None
    present: bool = Field(default=True, description="False: fetched on first use.")


class Voice(BaseModel):
    """A voice that can speak."""

    name: str
    model: str
    language: str | None = None
    description: str | None = None


class Engine(Protocol):
    """An inference engine; ``model`` in a request is one of its own names."""

    @property
    def name(self) -> str:
        """What the configuration calls it."""
        ...

    async def models(self) -> list[ModelCard]:
        """List what it serves."""
        ...

    async def voices(self) -> list[Voice]:
        """List the voices it speaks with."""
        ...

    async def chat(self, request: ChatRequest, *, progress: Progress) -> ChatReply:
        """Answer a conversation; cancelling the task stops the engine's work."""
        ...

    async def transcribe(self, request: TranscribeRequest, *, recording: Path) -> Transcript:
        """Write down a recording; cancelling the task stops the engine's work."""
        ...

    def synthesize(self, request: SynthesizeRequest) -> AbstractAsyncContextManager[Speech]:
        """Say a text; leaving the context stops the engine's work."""
        ...


class Engines(Protocol):
    """All engines of this installation."""

    async def serving(self, model: str, model_type: ModelType) -> tuple[Engine, str]:
        """Find the engine that serves ``model`` and its name there.

        Raises:
            ModelNotFound: no engine does; the message lists the models of that type.
            EngineNotRunning: an engine that might does not answer.
        """
        ...

    async def models(self, model_type: ModelType | None = None) -> list[ModelCard]:
        """List what all engines serve."""
        ...

    async def voices(self) -> list[Voice]:
        """List the voices of all engines."""
        ...
