"""``transformers serve``: OpenAI's API, and a door that tells how far the loading of a model is.

Source: the documentation of Transformers 5, serving. Whoever asks names any model of the hub, and
it is loaded; start it with one model to keep it to that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ValidationError

from aima.adapters.engines.describing import ChatDescribes
from aima.adapters.engines.openai import OpenAIChats, OpenAICompletes, OpenAITranscribes
from aima.adapters.engines.openai_answer import lines
from aima.adapters.engines.openai_server import OpenAIServer
from aima.adapters.engines.running.startable import Installable
from aima.errors import EngineNotRunning, ExecutionFailed
from aima.ports.engine_lifecycle import Product
from aima.ports.engine_running import Package, Program, Recipe
from aima.ports.inference import Progress

_SERVE = ("serve", "{model}", "--host", "{host}", "--port", "{port}")


class _Share(BaseModel):
    current: float | None = None
    total: float | None = None


class _Loading(BaseModel):
    status: str
    stage: str = ""
    message: str | None = None
    progress: _Share | None = None


@dataclass(frozen=True)
class TransformersEngine(
    OpenAIServer,
    OpenAIChats,
    OpenAICompletes,
    OpenAITranscribes,
    ChatDescribes,
    Installable,
):
    """A ``transformers serve``."""

    PRODUCT: ClassVar[Product] = Product(
        kind="transformers",
        title="Transformers",
        start="transformers serve MODEL --port 8000",
        port=8000,
        types=("llm", "vlm", "asr"),
        formats=("safetensors", "pytorch"),
        many=True,
        recipe=Recipe(
            package=Package("transformers[serving]", ("{bin}/transformers", *_SERVE)),
            program=Program(("transformers", *_SERVE)),
        ),
    )

    async def load(self, model: str, *, progress: Progress) -> None:
        """Bring a model in, from the hub if need be."""
        async with self._stream("/load_model", json={"model": model}) as response:
            async for line in lines(response.aiter_bytes(), self.name):
                if not line.startswith(b"data:"):
                    continue
                loading = self._loading(line.removeprefix(b"data:").strip())
                if loading.status == "ready":
                    return
                if loading.status == "error":
                    raise ExecutionFailed(
                        f"engine {self.name!r} cannot load {model!r}: {loading.message}"
                    )
                progress(_told(loading))
        raise EngineNotRunning(f"engine {self.name!r} broke off while it loaded {model!r}")

    def _loading(self, data: bytes) -> _Loading:
        try:
            return _Loading.model_validate_json(data)
        except ValidationError as error:
            raise ExecutionFailed(
                f"engine {self.name!r} sent an event that makes no sense: {error}"
            ) from error


def _told(loading: _Loading) -> str:
    share = loading.progress
    if share is None or not share.total or share.current is None:
        return f"loading: {loading.stage}"
    return f"loading: {loading.stage}, {100 * share.current / share.total:.0f} %"
