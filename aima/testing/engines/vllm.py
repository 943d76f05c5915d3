"""vLLM's dialect: OpenAI's, and rerank, score, sleep, version, health and metrics."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import openai, refusal
from aima.testing.engines.vectors import score


def vllm(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = _Doors(faults)
    return [
        *openai(faults),
        Route("/version", doors.version),
        Route("/health", doors.health),
        Route("/metrics", doors.metrics),
        Route("/sleep", doors.sleep, methods=["POST"]),
        Route("/wake_up", doors.wake, methods=["POST"]),
        Route("/is_sleeping", doors.sleeping),
        Route("/v1/rerank", doors.rerank, methods=["POST"]),
    ]


class _Doors:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.asleep = False

    async def version(self, _: Request) -> Response:
        return JSONResponse({"version": "0.16.0"})

    async def health(self, _: Request) -> Response:
        return Response(status_code=200)

    async def metrics(self, _: Request) -> Response:
        return PlainTextResponse(
            "# TYPE vllm:num_requests_running gauge\n"
            'vllm:num_requests_running{engine="0",model_name="fake"} 2.0\n'
            'vllm:num_requests_waiting{engine="0",model_name="fake"} 1.0\n'
            'vllm:kv_cache_usage_perc{engine="0",model_name="fake"} 0.25\n'
            'vllm:generation_tokens_total{engine="0",model_name="fake"} 120.0\n'
            'vllm:generation_tokens_total{engine="1",model_name="fake"} 30.0\n'
        )

    async def sleep(self, _: Request) -> Response:
        self.asleep = True
        return Response(status_code=200)

    async def wake(self, _: Request) -> Response:
        self.asleep = False
        return Response(status_code=200)

    async def sleeping(self, _: Request) -> Response:
        return JSONResponse({"is_sleeping": self.asleep})

    async def rerank(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, refusal)) is not None:
            return instead
        body = await request.json()
        places = enumerate((text, score(body["query"], text)) for text in body["documents"])
        results = [
            {"index": index, "relevance_score": worth, "document": {"text": text}}
            for index, (text, worth) in sorted(places, key=lambda place: -place[1][1])
        ]
        used = {"total_tokens": len(results)}
        model = body["model"]
        return JSONResponse({"id": "r", "model": model, "results": results, "usage": used})
