"""The engine that comes with AIMA: OpenAI's API, and doors of its own for what that has none."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from aima.adapters.engines.openai import OpenAIEngine
from aima.adapters.engines.openai_wire import Scores
from aima.errors import ExecutionFailed, ValidationFailed
from aima.ports.artifacts import Artifact
from aima.ports.inference import (
    DescribeReply,
    DescribeRequest,
    DetectReply,
    DetectRequest,
    Pieces,
    Ranked,
    RerankReply,
    RerankRequest,
)


@dataclass(frozen=True)
class EmbeddedEngine(OpenAIEngine):
    """An embedded engine, here or elsewhere."""

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Give the documents, those that answer the query best first."""
        try:
            texts = request.texts
        except ValueError as error:
            raise ValidationFailed(str(error)) from error
        body = {
            "model": request.model,
            "query": request.query,
            "documents": texts,
            "return_documents": False,
        }
        async with self._stream("rerank", json=body | _given(top_n=request.top_n)) as response:
            told = self._read(Scores, await response.aread())
        if any(not 0 <= scored.index < len(texts) for scored in told.results):
            raise ExecutionFailed(f"engine {self.name!r} ranked documents that nobody sent")
        return RerankReply(
            results=[
                Ranked(
                    index=scored.index,
                    score=scored.relevance_score,
                    document=request.documents[scored.index],
                )
                for scored in told.results
            ],
            usage=told.usage,
            model=told.model or request.model,
            timings=told.timings,
        )

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
