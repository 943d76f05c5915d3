"""vLLM: OpenAI's API, and doors of its own for rerank, sleep and metrics.

Source: vLLM's documentation, 0.12 to 0.16. The doors of sleep are there only where it was
started with ``--enable-sleep-mode`` and ``VLLM_SERVER_DEV_MODE=1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel

from aima.adapters.engines.describing import ChatDescribes
from aima.adapters.engines.openai import (
    OpenAIChats,
    OpenAICompletes,
    OpenAIEmbeds,
    OpenAITranscribes,
)
from aima.adapters.engines.openai_relay import OpenAIResponds
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.prometheus import VLLM
from aima.adapters.engines.reranking import JinaReranks
from aima.adapters.engines.running.startable import Installable
from aima.ports.engine_lifecycle import EngineMetrics, Product
from aima.ports.engine_running import Container, Package, Program, Recipe

_SERVE = ("serve", "{model}", "--host", "{host}", "--port", "{port}")


class _Version(BaseModel):
    version: str


class _Sleep(BaseModel):
    is_sleeping: bool


@dataclass(frozen=True)
class VllmEngine(
    OpenAIServer,
    OpenAIResponds,
    OpenAIChats,
    OpenAICompletes,
    OpenAIEmbeds,
    OpenAITranscribes,
    ChatDescribes,
    JinaReranks,
    Installable,
):
    """A vLLM server; it serves one model, which comes and goes with its process."""

    PRODUCT: ClassVar[Product] = Product(
        kind="vllm",
        title="vLLM",
        start="vllm serve MODEL --port 8000",
        port=8000,
        types=("llm", "vlm", "embedding", "rerank", "asr"),
        formats=("safetensors", "pytorch", "gguf"),
        many=False,
        recipe=Recipe(
            container=Container(
                image="vllm/vllm-openai",
                port=8000,
                command=("--model", "{model}", "--host", "{host}", "--port", "{port}"),
                cache="root/.cache/huggingface",
                shared_memory_bytes=8 << 30,
            ),
            package=Package("vllm", ("{bin}/vllm", *_SERVE)),
            program=Program(("vllm", *_SERVE)),
            key_variable="VLLM_API_KEY",
        ),
    )

    async def version(self) -> str:
        """Give its version."""
        return self._read(_Version, await self._get("/version")).version

    async def metrics(self) -> EngineMetrics:
        """Give what it counts."""
        return await self._counted(VLLM)

    async def sleep(self, *, keep_weights: bool = True) -> None:
        """Give the devices' memory back."""
        async with self._stream(f"/sleep?level={1 if keep_weights else 2}"):
            return

    async def wake(self) -> None:
        """Come back."""
        async with self._stream("/wake_up"):
            return

    async def is_sleeping(self) -> bool:
        """Tell whether it sleeps."""
        return self._read(_Sleep, await self._get("/is_sleeping")).is_sleeping
