"""whisper.cpp's dialect: one door, words inside segments, and failures with status 200."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.sounds import form_of, written


def whispercpp(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = _Doors(faults)
    return [
        Route("/health", doors.health),
        Route("/inference", doors.inference, methods=["POST"]),
    ]


def _refusal(message: str) -> object:
    return {"error": message}


class _Doors:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    async def health(self, _: Request) -> Response:
        if self.faults.load_delay:
            return JSONResponse({"status": "loading model"}, status_code=503)
        return JSONResponse({"status": "ok"})

    async def inference(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        _, recording = await form_of(request)
        if recording[:4] != b"RIFF":
            return JSONResponse(_refusal("failed to read audio data"))
        told = written(recording, words=True)
        heard = {"id": 0, "start": 0.0, "end": 0.1, "text": told["text"], "words": told["words"]}
        told["segments"] = [heard]
        del told["words"]
        return JSONResponse(told)
