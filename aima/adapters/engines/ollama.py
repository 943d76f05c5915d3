"""Ollama by its own API, which sets the length of the context and moves models; OpenAI's cannot.

Source: Ollama's API documentation (chat, embed, tags, ps, show, pull).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, ValidationError

from aima.adapters.engines.describing import ChatDescribes
from aima.adapters.engines.ollama_chat import Line, chat_body, event_of
from aima.adapters.engines.openai import OpenAICompletes
from aima.adapters.engines.openai_answer import Answer, failure_of, lines
from aima.adapters.engines.openai_relay import OpenAIRelays
from aima.adapters.engines.running.startable import Installable
from aima.adapters.engines.server import given
from aima.errors import EngineNotRunning, ExecutionFailed, InsufficientResources, ModelNotFound
from aima.ports.engine_lifecycle import Product
from aima.ports.engine_running import Container, Program, Recipe
from aima.ports.inference import (
    ChatReply,
    ChatRequest,
    EmbedReply,
    EmbedRequest,
    ModelCard,
    ModelType,
    Pieces,
    Progress,
    Usage,
)

_BYTES_OF_A_NUMBER = 2
"""In the cache of keys and values, unless OLLAMA_KV_CACHE_TYPE says otherwise."""


class _Listed(BaseModel):
    name: str
    size: int | None = None
    digest: str = ""


class _Models(BaseModel):
    models: list[_Listed]


class _Shown(BaseModel):
    capabilities: list[str] = []
    model_info: dict[str, object] = {}

    def number(self, name: str) -> int:
        """Find a number of the model's file, whatever its architecture; 0 where there is none."""
        found = (v for key, v in self.model_info.items() if key.endswith(f".{name}"))
        return next((value for value in found if isinstance(value, int)), 0)


class _Version(BaseModel):
    version: str


class _Vectors(BaseModel):
    embeddings: list[list[float]]
    model: str | None = None
    prompt_eval_count: int = 0


@dataclass(frozen=True)
class OllamaEngine(OpenAICompletes, ChatDescribes, OpenAIRelays, Installable):
    """An Ollama server.

    Attributes:
        context_tokens: how long a chat may be; 0 leaves it to the server.
    """

    PRODUCT: ClassVar[Product] = Product(
        kind="ollama",
        title="Ollama",
        start="ollama serve",
        port=11434,
        types=("llm", "vlm", "embedding"),
        formats=("gguf",),
        many=True,
        recipe=Recipe(
            container=Container(image="ollama/ollama", port=11434, cache="root/.ollama"),
            program=Program(("ollama", "serve")),
            environment={"OLLAMA_HOST": "{host}:{port}", "OLLAMA_NO_CLOUD": "1"},
        ),
    )

    context_tokens: int = 0
    _shown: dict[str, _Shown] = field(default_factory=dict, repr=False, compare=False)

    def takes(self, path: str) -> bool:
        """Tell whether it takes such requests as they are.

        OpenAI's API cannot tell it how long a context is; it would bring the model in anew with
        its own length, and cut off what is longer.
        """
        return path != "chat/completions" or not self.context_tokens

    async def version(self) -> str:
        """Give its version."""
        return self._read(_Version, await self._get("/api/version")).version

    async def models(self) -> list[ModelCard]:
        """List what is there, and what of it is in memory."""
        tags, running = await asyncio.gather(self._get("/api/tags"), self._get("/api/ps"))
        there = self._read(_Models, tags).models
        loaded = {model.name: model.size for model in self._read(_Models, running).models}
        shown = await asyncio.gather(*map(self._show, there))
        return [
            ModelCard(
                name=model.name.removesuffix(":latest"),
                engine=self.name,
                type=_type(can.capabilities),
                bytes=model.size,
                memory_bytes=loaded.get(model.name),
                loaded=model.name in loaded,
            )
            for model, can in zip(there, shown, strict=True)
        ]

    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Answer a conversation, read as a stream so that a cancel is felt at once."""
        answer = Answer(engine=self.name, model=request.model)
        body = await chat_body(request, self.artifacts, self.context_tokens)
        async with self._stream("/api/chat", json=body) as response:
            async for line in self._lines(response.aiter_bytes()):
                if words := answer.add(event_of(line, len(answer.calls))):
                    pieces(words)
                if line.done:
                    return answer.reply(request.json_schema)
        raise ExecutionFailed(f"engine {self.name!r} broke off before the end of its answer")

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Turn texts into vectors; a text that is too long is cut."""
        body = given(model=request.model, input=request.texts, dimensions=request.dimensions)
        told = self._read(_Vectors, await self._post("/api/embed", body))
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
        """Bring a model into memory, for chats as long as those that will come."""
        progress(f"loading {model!r}")
        length = {"num_ctx": self.context_tokens} if self.context_tokens else None
        try:
            await self._move(model, given(options=length))
        except ExecutionFailed as error:
            if "memory" in error.message:
                raise InsufficientResources(error.message) from error
            raise

    async def unload(self, model: str) -> None:
        """Take a model out of memory."""
        await self._move(model, {"keep_alive": 0})

    async def estimate_memory(self, model: str) -> int | None:
        """Add the keys and values of a whole context to the size of the weights."""
        tags = self._read(_Models, await self._get("/api/tags")).models
        listed = next((one for one in tags if one.name == _full(model)), None)
        if listed is None:
            raise ModelNotFound(f"engine {self.name!r} has no model {model!r}; pull it first")
        if listed.size is None:
            return None
        shown = await self._show(listed)
        heads, length = shown.number("attention.head_count"), shown.number("embedding_length")
        of_a_key = shown.number("attention.key_length") or (length // heads if heads else 0)
        rows = shown.number("block_count") * (shown.number("attention.head_count_kv") or heads)
        tokens = self.context_tokens or shown.number("context_length")
        return listed.size + 2 * rows * of_a_key * tokens * _BYTES_OF_A_NUMBER

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

    async def _show(self, model: _Listed) -> _Shown:
        """Ask once for each model, by its digest, what it is."""
        key = f"{model.name}@{model.digest}"
        if key not in self._shown:
            told = await self._post("/api/show", {"model": model.name})
            self._shown[key] = self._read(_Shown, told)
        return self._shown[key]

    async def _move(self, model: str, how: dict[str, object]) -> None:
        shown = await self._show(_Listed(name=_full(model)))
        if "embedding" in shown.capabilities:
            await self._post("/api/embed", {"model": model, "input": "", **how})
        else:
            await self._post("/api/generate", {"model": model, **how})

    async def _lines(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Line]:
        async for text in lines(chunks, self.name):
            if not text.strip():
                continue
            try:
                line = Line.model_validate_json(text)
            except ValidationError as error:
                raise ExecutionFailed(
                    f"engine {self.name!r} sent a line that makes no sense: {error}"
                ) from error
            if line.error is not None:  # with status 200: its headers had gone out already
                raise failure_of(json.dumps({"error": line.error}).encode(), self.name)
            yield line


def _full(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def _type(can: list[str]) -> ModelType:
    if "embedding" in can:
        return "embedding"
    return "vlm" if "vision" in can else "llm"


def _told(line: Line) -> str:
    if line.total and line.completed is not None:
        return f"{line.status}: {line.completed / 1e6:.0f} of {line.total / 1e6:.0f} MB"
    return line.status
