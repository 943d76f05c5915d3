"""SGLang: OpenAI's API, and doors of its own for its memory, rerank and metrics.

Source: SGLang's documentation, 0.5. The doors of sleep are there only where it was started with
``--enable-memory-saver``, metrics only with ``--enable-metrics``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel

from aima.adapters.engines.describing import ChatDescribes
from aima.adapters.engines.openai import (
    OpenAIChats,
    OpenAICompletes,
    OpenAIDraws,
    OpenAIEmbeds,
    OpenAITranscribes,
)
from aima.adapters.engines.openai_relay import OpenAIResponds
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.prometheus import SGLANG
from aima.adapters.engines.reranking import JinaReranks
from aima.adapters.engines.running.startable import Installable
from aima.adapters.engines.video import VideoJobs
from aima.errors import AimaError
from aima.ports.engine_lifecycle import EngineMetrics, Product
from aima.ports.engine_running import Container, Package, Recipe
from aima.ports.inference import ModelCard

_NO_SUCH_DOOR = 404
_SERVE = (
    *("-m", "sglang.launch_server", "--model-path", "{model}"),
    *("--host", "{host}", "--port", "{port}", "--enable-metrics"),
)


class _Info(BaseModel):
    is_generation: bool | None = None


class _Server(BaseModel):
    version: str
    max_running_requests: int | None = None


@dataclass(frozen=True)
class SglangEngine(
    OpenAIServer,
    OpenAIResponds,
    OpenAIChats,
    OpenAICompletes,
    OpenAIEmbeds,
    OpenAITranscribes,
    OpenAIDraws,
    ChatDescribes,
    VideoJobs,
    JinaReranks,
    Installable,
):
    """An SGLang server; it serves one model, which comes and goes with its process."""

    FORM: ClassVar[bool] = False

    PRODUCT: ClassVar[Product] = Product(
        kind="sglang",
        title="SGLang",
        start="python3 -m sglang.launch_server --model-path MODEL --port 30000",
        port=30000,
        types=("llm", "vlm", "embedding", "rerank", "asr", "diffusion", "video_gen"),
        formats=("safetensors", "pytorch", "gguf"),
        many=False,
        recipe=Recipe(
            container=Container(
                image="lmsysorg/sglang",
                port=30000,
                command=("python3", *_SERVE),
                cache="root/.cache/huggingface",
                shared_memory_bytes=32 << 30,
            ),
            package=Package("sglang", ("{python}", *_SERVE)),
        ),
    )

    async def version(self) -> str:
        """Give its version."""
        return self._read(_Server, await self._older("server_info")).version

    async def models(self) -> list[ModelCard]:
        """List what it serves; one that does not write makes vectors, unless its user says more."""
        cards = await super().models()
        if self.type is not None:
            return cards
        info = self._read(_Info, await self._older("model_info"))
        usual = "embedding" if info.is_generation is False else "llm"
        return [card.model_copy(update={"type": card.type or usual}) for card in cards]

    async def capacity(self) -> int | None:
        """Give what it was started with, or has found room for."""
        return self._read(_Server, await self._older("server_info")).max_running_requests

    async def metrics(self) -> EngineMetrics:
        """Give what it counts."""
        return await self._counted(SGLANG)

    async def sleep(self, *, keep_weights: bool = True) -> None:
        """Give the memory of its caches back, and that of its weights unless they are kept.

        The weights come back only where it was started with ``--enable-weights-cpu-backup``.
        """
        parts = ["kv_cache"] if keep_weights else ["kv_cache", "weights"]
        await self._post("/release_memory_occupation", {"tags": parts})

    async def wake(self) -> None:
        """Come back."""
        await self._post("/resume_memory_occupation", {})

    async def is_sleeping(self) -> bool | None:
        """It does not say."""
        return None

    async def _older(self, door: str) -> bytes:
        """Ask at a door, or where it was in older versions."""
        try:
            return await self._get(f"/{door}")
        except AimaError as error:
            if error.status != _NO_SUCH_DOOR:
                raise
        return await self._get(f"/get_{door}")
