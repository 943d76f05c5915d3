"""The dialect of AUTOMATIC1111's web API: pictures in base64, one checkpoint at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.pixel import PIXEL

_THERE = ("fake", "other")


def a1111(faults: Faults) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors, post = _Doors(faults), ["POST"]
    return [
        Route("/sdapi/v1/sd-models", doors.models),
        Route("/sdapi/v1/options", doors.options),
        Route("/sdapi/v1/options", doors.load, methods=post),
        Route("/sdapi/v1/unload-checkpoint", doors.unload, methods=post),
        Route("/sdapi/v1/txt2img", doors.draw, methods=post),
        Route("/sdapi/v1/img2img", doors.draw, methods=post),
        Route("/sdapi/v1/progress", doors.progress),
        Route("/sdapi/v1/interrupt", doors.interrupt, methods=post),
    ]


def _refusal(message: str) -> object:
    return {"detail": message}


class _Doors:
    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.checkpoint: str | None = None
        self.stop = asyncio.Event()

    async def models(self, _: Request) -> Response:
        cards = [{"model_name": n, "title": f"{n}.safetensors [0]", "hash": "0"} for n in _THERE]
        return JSONResponse(cards)

    async def options(self, _: Request) -> Response:
        title = f"{self.checkpoint}.safetensors [0]" if self.checkpoint else None
        return JSONResponse({"sd_model_checkpoint": title})

    async def load(self, request: Request) -> Response:
        await asyncio.sleep(self.faults.load_delay)
        self.checkpoint = (await request.json())["sd_model_checkpoint"]
        return JSONResponse(None)

    async def unload(self, _: Request) -> Response:
        self.checkpoint = None
        return JSONResponse({})

    async def draw(self, request: Request) -> Response:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        body = await request.json()
        self.checkpoint = body["override_settings"]["sd_model_checkpoint"]
        if self.faults.token_seconds:  # as long as a picture takes, unless it is interrupted
            self.stop.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.stop.wait(), self.faults.token_seconds)
        count = body.get("batch_size", 1)
        return JSONResponse({"images": [PIXEL] * count, "parameters": body, "info": "{}"})

    async def progress(self, _: Request) -> Response:
        return JSONResponse({"progress": 0.5, "state": {"interrupted": self.stop.is_set()}})

    async def interrupt(self, _: Request) -> Response:
        self.stop.set()
        return JSONResponse({})
