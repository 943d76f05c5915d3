"""The dialects of Hugging Face's inference API, with a door for each model, and of an endpoint."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.testing.engines.faults import Faults
from aima.testing.engines.openai import OpenAIDoors
from aima.testing.engines.pixel import PIXEL
from aima.testing.engines.sounds import SECONDS, silence, written
from aima.testing.engines.vectors import score, vector

_LOADING = {"error": "Model fake is currently loading", "estimated_time": 20.0}
_BOX = {"xmin": 0, "ymin": 0, "xmax": 1, "ymax": 1}
_FOUND = (
    {"label": "cup", "score": 0.5, "box": _BOX},
    {"label": "cat", "score": 0.9, "box": _BOX},
)


def hf_inference(faults: Faults) -> Sequence[Route]:
    """Give the doors of the inference API."""
    doors, talk, post = _Doors(faults), OpenAIDoors(faults), ["POST"]
    model = "/models/{model:path}"
    return [
        Route(f"{model}/v1/chat/completions", talk.chat, methods=post),
        Route(f"{model}/pipeline/feature-extraction", doors.embed, methods=post),
        Route(f"{model}/pipeline/sentence-similarity", doors.compare, methods=post),
        Route(model, doors.work, methods=post),
    ]


def hf_endpoint(faults: Faults) -> Sequence[Route]:
    """Give the doors of an endpoint; it has whatever task it is asked for."""
    doors, talk, post = _Doors(faults), OpenAIDoors(faults), ["POST"]
    return [
        Route("/health", doors.health),
        Route("/v1/chat/completions", talk.chat, methods=post),
        Route("/v1/completions", talk.complete, methods=post),
        Route("/", doors.work, methods=post),
    ]


def _refusal(message: str) -> object:
    return {"error": message}


class _Doors:
    """With `memory_short` set, every model is still being brought in."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    async def health(self, _: Request) -> Response:
        return Response(status_code=200)

    async def embed(self, request: Request) -> Response:
        return await self._before(request) or _vectors((await request.json())["inputs"])

    async def compare(self, request: Request) -> Response:
        return await self._before(request) or _scores((await request.json())["inputs"])

    async def work(self, request: Request) -> Response:
        """Do what the shape of the request asks for: nothing else tells the task."""
        if (instead := await self._before(request)) is not None:
            return instead
        if "json" in request.headers.get("content-type", ""):
            return _worked(await request.json(), request.headers["accept"])
        file = await request.body()
        return _heard(file, {}) if file.startswith(b"RIFF") else JSONResponse(list(_FOUND))

    async def _before(self, request: Request) -> Response | None:
        if (instead := await self.faults.before(request, _refusal)) is not None:
            return instead
        return JSONResponse(_LOADING, status_code=503) if self.faults.memory_short else None


def _worked(body: dict[str, Any], accept: str) -> Response:
    inputs, parameters = body["inputs"], body.get("parameters") or {}
    if isinstance(inputs, dict):
        return _scores(inputs)
    if isinstance(inputs, list):
        return _vectors(inputs)
    if accept.startswith("image/"):
        return Response(base64.b64decode(PIXEL), media_type="image/png")
    if "return_timestamps" in parameters:
        return _heard(base64.b64decode(inputs), parameters)
    if (least := parameters.get("threshold")) is not None:
        return JSONResponse([thing for thing in _FOUND if float(str(thing["score"])) >= least])
    return Response(silence(), media_type="audio/wav")


def _vectors(inputs: str | list[str]) -> Response:
    texts = [inputs] if isinstance(inputs, str) else inputs
    return JSONResponse([vector(text) for text in texts])


def _scores(inputs: dict[str, Any]) -> Response:
    scores = [score(inputs["source_sentence"], text) for text in inputs["sentences"]]
    return JSONResponse(scores)


def _heard(recording: bytes, parameters: dict[str, Any]) -> Response:
    """Write a recording down; the last piece of it does not say where it ends."""
    text = str(written(recording, words=False)["text"])
    if not (how := parameters.get("return_timestamps")):
        return JSONResponse({"text": text})
    *parts, last = text.split() if how == "word" else [text]
    chunks = [{"text": part, "timestamp": [0.0, SECONDS]} for part in parts]
    chunks.append({"text": last, "timestamp": [0.0, None]})
    return JSONResponse({"text": text, "chunks": chunks})
