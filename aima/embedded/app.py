"""The engine's HTTP interface: the OpenAI-compatible protocol.

Source of the protocol: the public OpenAI API reference (chat completions, audio, models).
"""

from __future__ import annotations

from typing import TypeVar

import psutil
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.embedded.body_limit import BodyLimit
from aima.embedded.chat import Chat
from aima.embedded.chat_request import ChatBody
from aima.embedded.engine import Engine
from aima.embedded.failure import tell, tell_bug, tell_http
from aima.embedded.speak import Speaking, SpeechBody
from aima.embedded.speech.voices import voices
from aima.embedded.transcribe import TranscribeForm, Transcription
from aima.errors import AimaError, ValidationFailed

B = TypeVar("B", bound=BaseModel)
LOOPBACK = ["127.0.0.1", "localhost"]
MOST_JSON_BYTES = 4 << 20
MOST_UPLOAD_BYTES = 512 << 20


def create_app(engine: Engine) -> Starlette:
    """Make the web application of an engine."""
    doors = _Doors(engine)
    return Starlette(
        routes=[
            Route("/health", doors.health),
            Route("/v1/models", doors.models),
            Route("/v1/audio/voices", doors.voices),
            Route("/v1/chat/completions", doors.chat, methods=["POST"]),
            Route("/v1/audio/transcriptions", doors.transcriptions, methods=["POST"]),
            Route("/v1/audio/speech", doors.speech, methods=["POST"]),
        ],
        exception_handlers={AimaError: tell, HTTPException: tell_http, Exception: tell_bug},
        middleware=[
            # A web page must not reach the engine through a name that resolves to loopback.
            Middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK),
            Middleware(BodyLimit, most_bytes=MOST_UPLOAD_BYTES),
        ],
    )


class _Doors:
    """One method for each address."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def health(self, _: Request) -> Response:
        return JSONResponse(
            {
                "status": "ok",
                "loaded": [
                    name
                    for name, service in self._engine.services.items()
                    if service.resident.loaded
                ],
                "threads": self._engine.threads,
                "rss_bytes": psutil.Process().memory_info().rss,
            }
        )

    async def models(self, _: Request) -> Response:
        present = {stored.model.name: stored.present for stored in self._engine.store.list()}
        return JSONResponse(
            {
                "object": "list",
                "data": [
                    {
                        "id": name,
                        "object": "model",
                        "created": 0,
                        "owned_by": "aima",
                        "type": service.resident.model.type,
                        "description": service.resident.model.description,
                        "licence": service.resident.model.licence,
                        "languages": service.resident.model.languages,
                        "bytes": service.resident.model.bytes,
                        "present": present[name],
                        "loaded": service.resident.loaded,
                    }
                    for name, service in self._engine.services.items()
                ],
            }
        )

    async def voices(self, _: Request) -> Response:
        speaking = self._engine.named("default", Speaking)
        return JSONResponse(
            {
                "voices": [
                    {
                        "id": voice.name,
                        "name": voice.name,
                        "model": speaking.resident.model.name,
                        "language": "en",
                        "description": voice.description,
                        "aliases": voice.aliases,
                    }
                    for voice in voices()
                ]
            }
        )

    async def chat(self, request: Request) -> Response:
        body = await _json(request, ChatBody)
        return await self._engine.named(body.model, Chat).answer(request, body)

    async def speech(self, request: Request) -> Response:
        body = await _json(request, SpeechBody)
        return await self._engine.named(body.model, Speaking).answer(request, body)

    async def transcriptions(self, request: Request) -> Response:
        async with request.form(max_files=1, max_fields=20) as fields:
            file = fields.get("file")
            if not isinstance(file, UploadFile):
                raise ValidationFailed("file: send the recording as the form's field `file`")
            form = _valid(
                TranscribeForm,
                {name: value for name, value in fields.items() if isinstance(value, str)},
            )
            service = self._engine.named(form.model, Transcription)
            return await service.answer(request, form, file.file)


async def _json(request: Request, shape: type[B]) -> B:
    """Read and check a JSON body."""
    if "json" not in request.headers.get("content-type", ""):
        raise ValidationFailed("send the body as `content-type: application/json`")
    try:
        return shape.model_validate_json(await request.body())
    except ValidationError as error:
        raise _first_mistake(error) from error


def _valid(shape: type[B], values: dict[str, str]) -> B:
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise _first_mistake(error) from error


def _first_mistake(error: ValidationError) -> ValidationFailed:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return ValidationFailed(f"{field}: {first['msg']}" if field else first["msg"])
