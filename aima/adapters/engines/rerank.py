"""A server that reranks: Xinference, LocalAI, llama.cpp with ``--reranking``, Jina, Cohere.

Their shapes, and those of SGLang and TEI, are in :mod:`.reranking` and :mod:`.huggingface`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aima.adapters.engines.llamacpp import recipe
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.reranking import JinaReranks
from aima.adapters.engines.running.startable import Installable
from aima.ports.engine_lifecycle import Product
from aima.ports.inference import ModelType


@dataclass(frozen=True)
class RerankEngine(OpenAIServer, JinaReranks, Installable):
    """A server that only reranks."""

    PRODUCT: ClassVar[Product] = Product(
        kind="rerank",
        title="a server that reranks",
        start="llama-server -m MODEL.gguf --reranking --port 8080",
        port=8080,
        types=("rerank",),
        formats=(),
        many=True,
        recipe=recipe("--reranking"),
    )

    type: ModelType | None = "rerank"
