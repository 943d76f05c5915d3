"""llama.cpp's server: OpenAI's API, rerank, and in router mode models that come and go.

Source: the documentation of llama.cpp's server. Metrics are there only with ``--metrics``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from aima.adapters.engines.describing import ChatDescribes
from aima.adapters.engines.gguf import memory_of
from aima.adapters.engines.openai import OpenAIChats, OpenAICompletes, OpenAIEmbeds
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.prometheus import LLAMA_CPP
from aima.adapters.engines.reranking import JinaReranks
from aima.adapters.engines.running.startable import Installable
from aima.blocking import in_thread
from aima.ports.engine_lifecycle import EngineMetrics, Product
from aima.ports.engine_running import Container, Package, Program, Recipe
from aima.ports.inference import Progress


class _Usual(BaseModel):
    n_ctx: int | None = None


class _Props(BaseModel):
    build_info: str
    total_slots: int | None = None
    default_generation_settings: _Usual = _Usual()


def recipe(*more: str) -> Recipe:
    """Tell how it can be had; ``more`` is what it is started with besides."""
    where = ("--host", "{host}", "--port", "{port}", "--metrics", *more)
    return Recipe(
        container=Container(
            image="ggml-org/llama.cpp",
            registry="GitHub's registry",
            port=8080,
            command=("-m", "{model}", *where),
        ),
        package=Package(
            name="xllamacpp",
            command=("{python}", "{script}", "-m", "{model}", *where),
            script="serve_xllamacpp.py",
        ),
        program=Program(("llama-server", "-m", "{model}", *where)),
        key_variable="LLAMA_API_KEY",
    )


@dataclass(frozen=True)
class LlamaCppEngine(
    OpenAIServer,
    OpenAIChats,
    OpenAICompletes,
    OpenAIEmbeds,
    ChatDescribes,
    JinaReranks,
    Installable,
):
    """A llama.cpp server, of one model or a router among many."""

    PRODUCT: ClassVar[Product] = Product(
        kind="llamacpp",
        title="llama.cpp's server",
        start="llama-server -m MODEL.gguf --port 8080 --metrics",
        port=8080,
        types=("llm", "vlm", "embedding", "rerank"),
        formats=("gguf",),
        many=True,
        recipe=recipe(),
    )

    async def version(self) -> str:
        """Give its build."""
        return self._read(_Props, await self._get("/props")).build_info

    async def capacity(self) -> int | None:
        """Give its slots."""
        return self._read(_Props, await self._get("/props")).total_slots

    async def estimate_memory(self, model: str) -> int | None:
        """Read it off the model's file, where AIMA has started it with one of this machine."""
        del model  # it has one
        instance = await self.instance()
        if instance is None or not instance.model:
            return None
        props = self._read(_Props, await self._get("/props"))
        of_a_slot = props.default_generation_settings.n_ctx
        tokens = of_a_slot * (props.total_slots or 1) if of_a_slot else None
        return await in_thread(memory_of, Path(instance.model), tokens)

    async def metrics(self) -> EngineMetrics:
        """Give what it counts."""
        return await self._counted(LLAMA_CPP)

    async def load(self, model: str, *, progress: Progress) -> None:
        """Bring a model in; only a router can."""
        progress(f"loading {model!r}")
        await self._post("/models/load", {"model": model})

    async def unload(self, model: str) -> None:
        """Take a model out; only a router can."""
        await self._post("/models/unload", {"model": model})
