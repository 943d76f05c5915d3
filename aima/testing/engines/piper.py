"""Piper's dialect: text in, WAV out, voices by their files."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.sounds import silence

VOICE = "en_US-fake-low"


def piper(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = _Doors(faults)
    return [
        Route("/voices", doors.voices),
        Route("/synthesize", doors.synthesize, methods=["POST"]),
    ]


def _refusal(message: str) -> object:
    return {"error": message}


class _Doors:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.asked: dict[str, object] = {}

    async def voices(self, _: Request) -> Response:
        language = {"code": "en_US", "family": "en"}
        return JSONResponse({VOICE: {"language": language, "audio": {"sample_rate": 16_000}}})

    async def synthesize(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        body = await request.json()
        if body.get("voice", VOICE) != VOICE:
            return JSONResponse(_refusal(f"no voice {body['voice']!r}"), status_code=404)
        return Response(silence(), media_type="audio/wav")
