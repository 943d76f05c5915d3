"""The dialect of Hugging Face's text-embeddings-inference: a bare list, `texts`, `score`."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.vectors import score, vector


def tei(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = _Doors(faults)
    return [
        Route("/info", doors.info),
        Route("/health", doors.health),
        Route("/embed", doors.embed, methods=["POST"]),
        Route("/rerank", doors.rerank, methods=["POST"]),
    ]


def _refusal(message: str) -> object:
    return {"error": message, "error_type": "overloaded"}


class _Doors:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    async def info(self, _: Request) -> Response:
        kind = {"reranker": {"id2label": {"0": "LABEL_0"}}}
        told = {"version": "1.9.3", "max_concurrent_requests": 512}
        return JSONResponse({"model_id": "fake", "model_type": kind, **told})

    async def health(self, _: Request) -> Response:
        return Response(status_code=200)

    async def embed(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        inputs = (await request.json())["inputs"]
        texts = [inputs] if isinstance(inputs, str) else inputs
        return JSONResponse([vector(text) for text in texts])

    async def rerank(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        body = await request.json()
        places = enumerate(score(body["query"], text) for text in body["texts"])
        told = sorted(places, key=lambda place: -place[1])
        return JSONResponse([{"index": index, "score": worth} for index, worth in told])
