"""Rerank by `POST /rerank` of Jina's shape, as vLLM, SGLang, llama.cpp and others have it.

Source: the public Jina and Cohere API references; SGLang answers the bare list.
"""

from __future__ import annotations

from collections.abc import Iterable

from aima.adapters.engines.openai_wire import Scores
from aima.adapters.engines.server import EngineServer
from aima.errors import ExecutionFailed, ValidationFailed
from aima.ports.inference import Ranked, RerankReply, RerankRequest


class JinaReranks(EngineServer):
    """Reranks by the shape that most servers share."""

    async def rerank(self, request: RerankRequest) -> RerankReply:
        """Give the documents, those that answer the query best first."""
        body: dict[str, object] = {
            "model": request.model,
            "query": request.query,
            "documents": texts_of(request),
            "return_documents": False,
        }
        if request.top_n is not None:
            body["top_n"] = request.top_n
        told = self._read(Scores, await self._post("rerank", body))
        places = ((scored.index, scored.relevance_score) for scored in told.results)
        return RerankReply(
            results=ranked(request, places, self.name),
            usage=told.usage,
            model=told.model or request.model,
            timings=told.timings,
        )


def texts_of(request: RerankRequest) -> list[str]:
    """Give the texts of the documents.

    Raises:
        ValidationFailed: one has none.
    """
    try:
        return request.texts
    except ValueError as error:
        raise ValidationFailed(str(error)) from error


def ranked(
    request: RerankRequest, places: Iterable[tuple[int, float]], engine: str
) -> list[Ranked]:
    """Put the documents into their order, whatever order the engine told them in.

    Raises:
        ExecutionFailed: the engine ranked something else.
    """
    best = sorted(places, key=lambda place: -place[1])[: request.top_n]
    if any(not 0 <= index < len(request.documents) for index, _ in best):
        raise ExecutionFailed(f"engine {engine!r} ranked documents that nobody sent")
    return [
        Ranked(index=index, score=score, document=request.documents[index]) for index, score in best
    ]
