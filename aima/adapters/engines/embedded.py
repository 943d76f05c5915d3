"""The engine that comes with AIMA: OpenAI's API, and doors of its own for what that has none."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from aima.adapters.engines.openai import OpenAIAll
from aima.adapters.engines.reranking import JinaReranks
from aima.adapters.engines.server import given
from aima.ports.artifacts import Artifact
from aima.ports.engine_lifecycle import Product
from aima.ports.inference import (
    DescribeReply,
    DescribeRequest,
    DetectReply,
    DetectRequest,
    Pieces,
    Progress,
)


def _unknown() -> bool:
    """Take it for awake: nobody here knows."""
    return True


@dataclass(frozen=True)
class EmbeddedEngine(OpenAIAll, JinaReranks):
    """An embedded engine, here or elsewhere.

    Attributes:
        awake: tells whether its process runs.
    """

    awake: Callable[[], bool] = _unknown

    PRODUCT: ClassVar[Product] = Product(
        kind="embedded",
        title="the engine that comes with AIMA",
        start="aima engine serve embedded",
        port=0,
        types=("llm", "asr", "tts", "embedding", "rerank", "detection", "vlm", "diffusion"),
        formats=("gguf", "onnx"),
        many=True,
    )

    LISTED_IN: ClassVar[float] = 120.0
    """It starts with the first question."""

    def is_awake(self) -> bool:
        """Tell whether it may be asked how it is without being started by that."""
        return self.awake()

    async def load(self, model: str, *, progress: Progress) -> None:
        """Bring a model into memory; all leave it together, when nobody asks for a while."""
        progress(f"loading {model!r}")
        await self._post("models/load", {"model": model})

    def takes(self, path: str) -> bool:
        """Tell whether it takes such requests as they are: it changes no pictures."""
        return path != "images/edits"

    async def detect(self, request: DetectRequest) -> DetectReply:
        """Find things in a picture."""
        body = {
            "model": request.model,
            "threshold": request.threshold,
            "image": await self._data_url(request.image),
        }
        return self._read(
            DetectReply, await self._post("detections", body | given(labels=request.labels))
        )

    async def describe(self, request: DescribeRequest, *, pieces: Pieces) -> DescribeReply:
        """Put a picture into words; it is one piece."""
        body = {"model": request.model, "image": await self._data_url(request.image)}
        more = given(prompt=request.prompt, max_tokens=request.max_tokens)
        reply = self._read(DescribeReply, await self._post("describe", body | more))
        pieces(reply.description)
        return reply

    async def _data_url(self, image: Artifact) -> str:
        data = base64.b64encode(await self.artifacts.get(image)).decode("ascii")
        return f"data:{image.media_type};base64,{data}"
