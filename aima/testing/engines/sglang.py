"""SGLang's dialect: OpenAI's, a rerank that answers the bare list, and doors to its memory."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import openai, refusal
from aima.testing.engines.vectors import score
from aima.testing.engines.video import VideoDoors


def sglang(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect, those of an older server where two are known."""
    doors = _Doors(faults)
    return [
        *openai(faults),
        *VideoDoors(faults).routes(),
        Route("/health", doors.health),
        Route("/get_model_info", doors.model),
        Route("/server_info", doors.server),
        Route("/metrics", doors.metrics),
        Route("/release_memory_occupation", doors.release, methods=["POST"]),
        Route("/resume_memory_occupation", doors.resume, methods=["POST"]),
        Route("/v1/rerank", doors.rerank, methods=["POST"]),
    ]


class _Doors:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.held = {"kv_cache", "weights"}

    async def health(self, _: Request) -> Response:
        return Response(status_code=200)

    async def model(self, _: Request) -> Response:
        return JSONResponse({"model_path": "fake", "is_generation": True})

    async def server(self, _: Request) -> Response:
        told = {"version": "0.5.12", "max_running_requests": 48}
        return JSONResponse({**told, "held": sorted(self.held)})

    async def metrics(self, _: Request) -> Response:
        return PlainTextResponse(
            'sglang:num_running_reqs{model_name="fake"} 3.0\n'
            'sglang:num_queue_reqs{model_name="fake"} 0.0\n'
            'sglang:token_usage{model_name="fake"} 0.5\n'
            'sglang:generation_tokens_total{model_name="fake"} 7\n'
        )

    async def release(self, request: Request) -> Response:
        self.held -= set((await request.json()).get("tags") or self.held)
        return Response(status_code=200)

    async def resume(self, _: Request) -> Response:
        self.held = {"kv_cache", "weights"}
        return Response(status_code=200)

    async def rerank(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, refusal)) is not None:
            return instead
        body = await request.json()
        return JSONResponse(
            [
                {"score": score(body["query"], text), "document": text, "index": index}
                for index, text in enumerate(body["documents"])
            ]
        )
