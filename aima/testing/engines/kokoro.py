"""The dialect of Kokoro-FastAPI: OpenAI's speech, and voices as objects."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import OpenAIDoors, openai


def kokoro(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    return [Route("/health", _health), *openai(faults, doors=_Doors(faults))]


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "healthy"})


class _Doors(OpenAIDoors):
    MODELS = ("kokoro", "tts-1")
    VOICES = ("af_bella", "af_sky")

    async def voices(self, _: Request) -> Response:
        """List the voices."""
        return JSONResponse({"voices": [{"id": name, "name": name} for name in self.VOICES]})
