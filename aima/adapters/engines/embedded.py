"""The engine that comes with AIMA: OpenAI's API, and doors of its own for what that has none."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from aima.adapters.engines.openai import OpenAIEngine
from aima.adapters.engines.reranking import JinaReranks
from aima.ports.artifacts import Artifact
from aima.ports.inference import (
    DescribeReply,
    DescribeRequest,
    DetectReply,
    DetectRequest,
    Pieces,
)


@dataclass(frozen=True)
class EmbeddedEngine(OpenAIEngine, JinaReranks):
    """An embedded engine, here or elsewhere."""

    async def detect(self, request: DetectRequest) -> DetectReply:
        """Find things in a picture."""
        body = {
            "model": request.model,
            "threshold": request.threshold,
            "image": await self._data_url(request.image),
        }
        async with self._stream("detections", json=body | _given(labels=request.labels)) as answer:
            return self._read(DetectReply, await answer.aread())

    async def describe(self, request: DescribeRequest, *, pieces: Pieces) -> DescribeReply:
        """Put a picture into words; it is one piece."""
        body = {"model": request.model, "image": await self._data_url(request.image)}
        more = _given(prompt=request.prompt, max_tokens=request.max_tokens)
        async with self._stream("describe", json=body | more) as response:
            reply = self._read(DescribeReply, await response.aread())
        pieces(reply.description)
        return reply

    async def _data_url(self, image: Artifact) -> str:
        data = base64.b64encode(await self.artifacts.get(image)).decode("ascii")
        return f"data:{image.media_type};base64,{data}"


def _given(**fields: object) -> dict[str, object]:
    """Leave out what was not asked for."""
    return {key: value for key, value in fields.items() if value is not None}
