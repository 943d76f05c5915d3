"""Ollama by its own API, which sets the length of the context and moves models; OpenAI's cannot.

Source: Ollama's API documentation (chat, embed, tags, ps, show, pull).
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from aima.adapters.engines.openai import OpenAICompletes
from aima.adapters.engines.openai_answer import Answer, Event, failure_of, lines
from aima.errors import EngineNotRunning, ExecutionFailed, ModelNotFound, UnsupportedMedia
from aima.ports.artifacts import Artifacts
from aima.ports.inference import (
    AudioPart,
    ChatReply,
    ChatRequest,
    EmbedReply,
    EmbedRequest,
    ImagePart,
    Message,
    ModelCard,
    ModelType,
    Pieces,
    Progress,
    Usage,
)

_NANOSECONDS_OF_MS = 1_000_000


class _Listed(BaseModel):
    name: str
    size: int | None = None
    digest: str = ""


class _Models(BaseModel):
    models: list[_Listed]


class _Shown(BaseModel):
    capabilities: list[str] = []


class _Version(BaseModel):
    version: str


class _Vectors(BaseModel):
    embeddings: list[list[float]]
    model: str | None = None
    prompt_eval_count: int = 0


class _Said(BaseModel):
    content: str = ""
    thinking: str | None = None


class _Line(BaseModel):
    """One line of a chat, or of a pull."""

    message: _Said | None = None
    model: str | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int = 0
    eval_count: int = 0
    total_duration: int | None = None
    load_duration: int | None = None
    status: str = ""
    total: int | None = None
    completed: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class OllamaEngine(OpenAICompletes):
    """An Ollama server.

    Attributes:
        context_tokens: how long a chat may be; 0 leaves it to the server.
    """

    context_tokens: int = 0
    _types: dict[str, ModelType] = field(default_factory=dict, repr=False, compare=False)

    async def version(self) -> str:
        """Give its version."""
        return self._read(_Version, await self._get("/api/version")).version

    async def models(self) -> list[ModelCard]:
        """List what is there, and what of it is in memory."""
        tags, running = await asyncio.gather(self._get("/api/tags"), self._get("/api/ps"))
        there = self._read(_Models, tags).models
        loaded = {model.name: model.size for model in self._read(_Models, running).models}
        types = await asyncio.gather(*map(self._type, there))
        return [
            ModelCard(
                name=model.name.removesuffix(":latest"),
                engine=self.name,
                type=kind,
                bytes=model.size,
                memory_bytes=loaded.get(model.name),
                loaded=model.name in loaded,
            )
            for model, kind in zip(there, types, strict=True)
        ]

    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Answer a conversation, read as a stream so that a cancel is felt at once."""
        answer = Answer(engine=self.name, model=request.model)
        body = await _chat_body(request, self.artifacts, self.context_tokens)
        async with self._stream("/api/chat", json=body) as response:
            async for line in self._lines(response.aiter_bytes()):
                if words := answer.add(_event(line)):
                    pieces(words)
                if line.done:
                    return answer.reply(request.json_schema)
        raise ExecutionFailed(f"engine {self.name!r} broke off before the end of its answer")

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Turn texts into vectors; a text that is too long is cut."""
        body: dict[str, object] = {"model": request.model, "input": request.texts}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        async with self._stream("/api/embed", json=body) as response:
            told = self._read(_Vectors, await response.aread())
        if len(told.embeddings) != len(request.texts):
            raise ExecutionFailed(
                f"engine {self.name!r} gave {len(told.embeddings)} vectors for "
                f"{len(request.texts)} texts"
            )
        tokens = told.prompt_eval_count
        return EmbedReply(
            embeddings=told.embeddings,
            embedding=told.embeddings[0] if told.embeddings else [],
            usage=Usage(prompt_tokens=tokens, total_tokens=tokens),
            model=told.model or request.model,
        )

    async def load(self, model: str, *, progress: Progress) -> None:
        """Bring a model into memory."""
        progress(f"loading {model!r}")
        await self._move(model, {})

    async def unload(self, model: str) -> None:
        """Take a model out of memory."""
        await self._move(model, {"keep_alive": 0})

    async def pull(self, model: str, *, progress: Progress) -> None:
        """Fetch a model from the registry that the server knows."""
        async with self._stream("/api/pull", json={"model": model, "stream": True}) as response:
            try:
                async for line in self._lines(response.aiter_bytes()):
                    if line.status == "success":
                        return
                    progress(_told(line))
            except ExecutionFailed as error:
                if "file does not exist" in error.message:
                    raise ModelNotFound(
                        f"engine {self.name!r} finds no model {model!r} to pull; look up its name"
                    ) from error
                raise
        raise EngineNotRunning(f"engine {self.name!r} broke off while it pulled {model!r}")

    async def _type(self, model: _Listed) -> ModelType:
        """Ask once for each model, by its digest, what it can do."""
        key = f"{model.name}@{model.digest}"
        if key not in self._types:
            async with self._stream("/api/show", json={"model": model.name}) as response:
                can = self._read(_Shown, await response.aread()).capabilities
            kind: ModelType = "vlm" if "vision" in can else "llm"
            self._types[key] = "embedding" if "embedding" in can else kind
        return self._types[key]

    async def _move(self, model: str, how: dict[str, object]) -> None:
        kind = next((card.type for card in await self.models() if card.name == model), None)
        door = "/api/embed" if kind == "embedding" else "/api/generate"
        more = {"input": ""} if kind == "embedding" else {}
        async with self._stream(door, json={"model": model, **more, **how}) as response:
            await response.aread()

    async def _lines(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[_Line]:
        async for text in lines(chunks, self.name):
            if not text.strip():
                continue
            try:
                line = _Line.model_validate_json(text)
            except ValidationError as error:
                raise ExecutionFailed(
                    f"engine {self.name!r} sent a line that makes no sense: {error}"
                ) from error
            if line.error is not None:  # with status 200: its headers had gone out already
                raise failure_of(json.dumps({"error": {"message": line.error}}).encode(), self.name)
            yield line


async def _chat_body(
    request: ChatRequest, artifacts: Artifacts, context_tokens: int
) -> dict[str, object]:
    options: dict[str, object] = {
        "num_ctx": context_tokens or None,
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": request.stop,
    }
    body: dict[str, object] = {
        "model": request.model,
        "messages": [await _message(message, artifacts) for message in request.messages],
        "options": {key: value for key, value in options.items() if value is not None},
        "stream": True,
    }
    if request.json_schema is not None:
        body["format"] = request.json_schema
    if request.tools:
        body["tools"] = [
            {"type": "function", "function": tool.model_dump()} for tool in request.tools
        ]
    return body


async def _message(message: Message, artifacts: Artifacts) -> dict[str, object]:
    written: dict[str, object] = {"role": message.role, "content": message.text}
    parts = [] if isinstance(message.content, str) else message.content
    if any(isinstance(part, AudioPart) for part in parts):
        raise UnsupportedMedia("`messages`: this engine hears nothing; transcribe the sound first")
    images = [
        base64.b64encode(await artifacts.get(part.image)).decode("ascii")
        for part in parts
        if isinstance(part, ImagePart)
    ]
    if images:
        written["images"] = images
    if message.tool_calls:
        written["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return written


def _event(line: _Line) -> Event:
    """Tell a line in the words of OpenAI's stream."""
    said = line.message.content if line.message else ""
    told: dict[str, object] = {
        "model": line.model,
        "choices": [{"delta": {"content": said}, "finish_reason": line.done_reason}],
    }
    if line.done:
        told["usage"] = Usage(
            prompt_tokens=line.prompt_eval_count,
            completion_tokens=line.eval_count,
            total_tokens=line.prompt_eval_count + line.eval_count,
        )
        if line.total_duration is not None:
            told["timings"] = {
                "total_ms": line.total_duration / _NANOSECONDS_OF_MS,
                "load_ms": (line.load_duration or 0) / _NANOSECONDS_OF_MS,
            }
    return Event.model_validate(told)


def _told(line: _Line) -> str:
    if line.total and line.completed is not None:
        return f"{line.status}: {line.completed / 1e6:.0f} of {line.total / 1e6:.0f} MB"
    return line.status
