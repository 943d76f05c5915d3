"""The dialect of llama.cpp's server in router mode: OpenAI's, rerank, models that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import openai, refusal
from aima.testing.engines.rerank import rerank


def llamacpp(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = _Doors(faults)
    return [
        *openai(faults),
        *rerank(faults),
        Route("/props", doors.props),
        Route("/metrics", doors.metrics),
        Route("/models", doors.models),
        Route("/models/load", doors.load, methods=["POST"]),
        Route("/models/unload", doors.unload, methods=["POST"]),
    ]


class _Doors:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.status = {"fake": "unloaded"}

    async def props(self, _: Request) -> Response:
        return JSONResponse({"build_info": "b7000-fake", "total_slots": 1})

    async def metrics(self, _: Request) -> Response:
        return PlainTextResponse(
            "llamacpp:requests_processing 1\n"
            "llamacpp:requests_deferred 2\n"
            "llamacpp:prompt_tokens_total 30\n"
            "llamacpp:tokens_predicted_total 40\n"
        )

    async def models(self, _: Request) -> Response:
        data = [{"id": name, "status": {"value": value}} for name, value in self.status.items()]
        return JSONResponse({"object": "list", "data": data})

    async def load(self, request: Request) -> Response:
        return await self._moved(request, "loaded")

    async def unload(self, request: Request) -> Response:
        return await self._moved(request, "unloaded")

    async def _moved(self, request: Request, status: str) -> Response:
        name = (await request.json())["model"]
        if name not in self.status:
            return JSONResponse(refusal(f"model {name!r} not found"), status_code=404)
        await asyncio.sleep(self.faults.load_delay)
        self.status[name] = status
        return JSONResponse({"success": True})
