"""The dialect of speaches: OpenAI's speech in both directions, models that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import OpenAIDoors, openai

EARS, MOUTH = "fake/ears", "fake/mouth"


def speaches(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = _Doors(faults)
    return [
        Route("/health", doors.health),
        Route("/api/ps", doors.running),
        Route("/api/ps/{model:path}", doors.load, methods=["POST"]),
        Route("/api/ps/{model:path}", doors.unload, methods=["DELETE"]),
        Route("/v1/models/{model:path}", doors.pull, methods=["POST"]),
        *openai(faults, doors=doors),
    ]


class _Doors(OpenAIDoors):
    def __init__(self, faults: Faults) -> None:
        super().__init__(faults)
        self.there = {EARS: "automatic-speech-recognition", MOUTH: "text-to-speech"}
        self.loaded: set[str] = set()

    async def health(self, _: Request) -> Response:
        """Tell that it is well."""
        return JSONResponse({"message": "OK"})

    async def models(self, _: Request) -> Response:
        """List what is there."""
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": "fake", "task": task}
            for name, task in self.there.items()
        ]
        return JSONResponse({"object": "list", "data": data})

    async def running(self, _: Request) -> Response:
        """List what is in memory."""
        return JSONResponse({"models": sorted(self.loaded)})

    async def load(self, request: Request) -> Response:
        """Bring a model in; once is enough."""
        name = request.path_params["model"]
        if name not in self.there:
            return JSONResponse({"detail": f"Model '{name}' is not installed"}, status_code=404)
        if name in self.loaded:
            return JSONResponse({"detail": "Model already loaded"}, status_code=409)
        await asyncio.sleep(self.faults.load_delay)
        self.loaded.add(name)
        return Response(status_code=201)

    async def unload(self, request: Request) -> Response:
        """Take a model out, if it is in."""
        name = request.path_params["model"]
        if name not in self.loaded:
            return JSONResponse({"detail": "Model not found"}, status_code=404)
        self.loaded.remove(name)
        return Response(status_code=200)

    async def pull(self, request: Request) -> Response:
        """Fetch a model."""
        self.there[request.path_params["model"]] = "automatic-speech-recognition"
        return Response(status_code=201)
