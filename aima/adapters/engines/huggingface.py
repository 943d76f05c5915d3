"""Hugging Face's servers: text-embeddings-inference, text-generation-inference.

Source: the documentation of text-embeddings-inference 1.9 and text-generation-inference 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, RootModel

from aima.adapters.engines.describing import ChatDescribes
from aima.adapters.engines.openai import OpenAIChats, OpenAICompletes
from aima.adapters.engines.openai_relay import OpenAIRelays
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.prometheus import TEI, TGI
from aima.adapters.engines.reranking import ranked, texts_of
from aima.adapters.engines.running.startable import Installable
from aima.adapters.engines.server import given
from aima.errors import ExecutionFailed
from aima.ports.engine_lifecycle import EngineMetrics, Product
from aima.ports.engine_running import Container, Program, Recipe
from aima.ports.inference import (
    EmbedReply,
    EmbedRequest,
    ModelCard,
    ModelType,
    RerankReply,
    RerankRequest,
    Usage,
)

_MOST_TEXTS = 32
"""What a server takes at once unless it was started with another ``--max-client-batch-size``."""


class _Info(BaseModel):
    model_id: str
    model_type: dict[str, object]
    version: str = ""
    max_client_batch_size: int = _MOST_TEXTS
    max_concurrent_requests: int | None = None


class _Version(BaseModel):
    version: str
    max_concurrent_requests: int | None = None


class _Vectors(RootModel[list[list[float]]]):
    """An answer of ``/embed``."""


class _Place(BaseModel):
    index: int
    score: float


class _Places(RootModel[list[_Place]]):
    """An answer of ``/rerank``."""


def _recipe(image: str, program: str) -> Recipe:
    serve = ("--model-id", "{model}", "--hostname", "{host}", "--port", "{port}")
    return Recipe(
        container=Container(
            image=f"huggingface/{image}",
            registry="GitHub's registry",
            port=8080,
            command=serve,
            cache="data",
            shared_memory_bytes=1 << 30,
        ),
        program=Program((program, *serve)),
        key_variable="API_KEY",
    )


@dataclass(frozen=True)
class TeiEngine(OpenAIRelays, Installable):
    """A text-embeddings-inference server; it serves one model."""

    PRODUCT: ClassVar[Product] = Product(
        kind="tei",
        title="text-embeddings-inference",
        start="text-embeddings-router --model-id MODEL --port 8080",
        port=8080,
        types=("embedding", "rerank"),
        formats=("safetensors", "onnx"),
        many=False,
        recipe=_recipe("text-embeddings-inference", "text-embeddings-router"),
    )

    def takes(self, path: str) -> bool:
        """Tell whether it takes such requests as they are."""
        return path == "embeddings"

    async def version(self) -> str:
        """Give its version."""
        return (await self._info()).version

    async def models(self) -> list[ModelCard]:
        """Give the one model, of the type that the server tells."""
        info = await self._info()
        kind: ModelType = "rerank" if "reranker" in info.model_type else "embedding"
        return [ModelCard(name=info.model_id, engine=self.name, type=kind, loaded=True)]

    async def embed(self, request: EmbedRequest) -> EmbedReply:
        """Turn texts into vectors, as many at once as the server takes."""
        most = (await self._info()).max_client_batch_size
        vectors: list[list[float]] = []
        for start in range(0, len(request.texts), most):
            body = given(inputs=request.texts[start : start + most], dimensions=request.dimensions)
            vectors += self._read(_Vectors, await self._post("/embed", body)).root
        if len(vectors) != len(request.texts):
            raise ExecutionFailed(
                f"engine {self.name!r} gave {len(vectors)} vectors for {len(request.texts)} texts"
            )
        return EmbedReply(
            embeddings=vectors,
            embedding=vectors[0] if vectors else [],
            usage=Usage(),
            model=request.model,
        )

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Give the documents, those that answer the query best first."""
        most = (await self._info()).max_client_batch_size
        texts = texts_of(request)
        places: list[tuple[int, float]] = []
        for start in range(0, len(texts), most):
            body = {"query": request.query, "texts": texts[start : start + most]}
            told = self._read(_Places, await self._post("/rerank", body)).root
            places += [(start + place.index, place.score) for place in told]
        return RerankReply(results=ranked(request, places, self.name), model=request.model)

    async def capacity(self) -> int | None:
        """Give what it was started with."""
        return (await self._info()).max_concurrent_requests

    async def metrics(self) -> EngineMetrics:
        """Give what it counts."""
        return await self._counted(TEI)

    async def _info(self) -> _Info:
        return self._read(_Info, await self._get("/info"))


@dataclass(frozen=True)
class TgiEngine(OpenAIServer, OpenAIChats, OpenAICompletes, ChatDescribes, Installable):
    """A text-generation-inference server; it serves one model."""

    PRODUCT: ClassVar[Product] = Product(
        kind="tgi",
        title="text-generation-inference",
        start="text-generation-launcher --model-id MODEL --port 8080",
        port=8080,
        types=("llm", "vlm"),
        formats=("safetensors",),
        many=False,
        recipe=_recipe("text-generation-inference", "text-generation-launcher"),
    )

    type: ModelType | None = "llm"

    async def version(self) -> str:
        """Give its version."""
        return self._read(_Version, await self._get("/info")).version

    async def capacity(self) -> int | None:
        """Give what it was started with."""
        return self._read(_Version, await self._get("/info")).max_concurrent_requests

    async def metrics(self) -> EngineMetrics:
        """Give what it counts."""
        return await self._counted(TGI)
