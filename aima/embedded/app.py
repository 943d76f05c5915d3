"""The engine's HTTP interface: the OpenAI-compatible protocol.

Sources of the protocol: the public API references of OpenAI (chat, completions, embeddings,
audio, images, models) and Jina (rerank). ``/v1/detections``, ``/v1/describe`` and
``/v1/models/load`` are our own.
"""

from __future__ import annotations

from typing import TypeVar

import psutil
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aima.embedded.chat import Chat
from aima.embedded.chat_request import ChatBody, CompleteBody
from aima.embedded.describe import DescribeBody, Perception
from aima.embedded.detect import DetectBody, Detection
from aima.embedded.draw import DrawBody, Drawing
from aima.embedded.embed import EmbedBody, Embedding, RerankBody, Reranking
from aima.embedded.engine import Engine
from aima.embedded.failure import WrongField, first_mistake, tell, tell_bug, tell_disk, tell_http
from aima.embedded.guard import BodyLimit, LocalOnly
from aima.embedded.speak import Speaking, SpeechBody
from aima.embedded.speech.voices import ALIASES, DESCRIPTIONS
from aima.embedded.transcribe import TranscribeForm, Transcription
from aima.errors import AimaError

B = TypeVar("B", bound=BaseModel)
JSON = Middleware(BodyLimit, most_bytes=4 << 20)
PICTURES = Middleware(BodyLimit, most_bytes=96 << 20)
TEXTS = Middleware(BodyLimit, most_bytes=32 << 20)
UPLOAD = Middleware(BodyLimit, most_bytes=512 << 20)


class LoadBody(BaseModel):
    """A model to bring into memory."""

    model: str


def create_app(engine: Engine, *, local_only: bool) -> Starlette:
    """Make the web application of an engine; ``local_only`` refuses web pages."""
    doors = _Doors(engine)
    post = ["POST"]
    speech, transcriptions = "/v1/audio/speech", "/v1/audio/transcriptions"
    translations = "/v1/audio/translations"
    return Starlette(
        routes=[
            Route("/health", doors.health),
            Route("/v1/models", doors.models),
            Route("/v1/models/load", doors.load, methods=post, middleware=[JSON]),
            Route("/v1/audio/voices", doors.voices),
            Route("/v1/chat/completions", doors.chat, methods=post, middleware=[PICTURES]),
            Route("/v1/completions", doors.complete, methods=post, middleware=[JSON]),
            Route("/v1/embeddings", doors.embeddings, methods=post, middleware=[TEXTS]),
            Route("/v1/rerank", doors.rerank, methods=post, middleware=[TEXTS]),
            Route("/v1/detections", doors.detections, methods=post, middleware=[PICTURES]),
            Route("/v1/describe", doors.describe, methods=post, middleware=[PICTURES]),
            Route("/v1/images/generations", doors.images, methods=post, middleware=[JSON]),
            Route(speech, doors.speech, methods=post, middleware=[JSON]),
            Route(transcriptions, doors.transcriptions, methods=post, middleware=[UPLOAD]),
            Route(translations, doors.translations, methods=post, middleware=[UPLOAD]),
        ],
        exception_handlers={
            AimaError: tell,
            HTTPException: tell_http,
            OSError: tell_disk,
            Exception: tell_bug,
        },
        middleware=[Middleware(LocalOnly)] if local_only else [],
    )


class _Doors:
    """One method for each address."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def health(self, _: Request) -> Response:
        loaded = [name for name, service in self._engine.services.items() if service.loaded]
        return JSONResponse(
            {
                "status": "ok",
                "loaded": loaded,
                "threads": self._engine.threads,
                "rss_bytes": psutil.Process().memory_info().rss,
            }
        )

    async def models(self, _: Request) -> Response:
        return JSONResponse({"object": "list", "data": [*map(self._card, self._engine.services)]})

    async def load(self, request: Request) -> Response:
        name = (await _json(request, LoadBody)).model
        await self._engine.load(name)
        return JSONResponse(self._card(name))

    def _card(self, name: str) -> dict[str, object]:
        service = self._engine.services[name]
        model = service.model
        return {
            "id": name,
            "object": "model",
            "created": 0,
            "owned_by": "aima",
            "type": model.type,
            "kind": model.kind or None,
            "description": model.description,
            "licence": model.licence,
            "languages": model.languages,
            "bytes": model.bytes,
            "memory_bytes": model.memory_bytes,
            "present": self._engine.store.present(name),
            "loaded": service.loaded,
        }

    async def voices(self, _: Request) -> Response:
        model = self._engine.named("default", Speaking).model
        voices = [
            {
                "id": name,
                "name": name,
                "model": model.name,
                "language": model.languages[0],
                "description": description,
                "aliases": [alias for alias, voice in ALIASES.items() if voice == name],
            }
            for name, description in DESCRIPTIONS.items()
        ]
        return JSONResponse({"voices": voices})

    async def chat(self, request: Request) -> Response:
        body = await _json(request, ChatBody)
        if body.pictures or isinstance(self._engine.services.get(body.model), Perception):
            return await self._engine.named(body.model, Perception).converse(request, body)
        return await self._engine.named(body.model, Chat).answer(request, body)

    async def complete(self, request: Request) -> Response:
        body = await _json(request, CompleteBody)
        return await self._engine.named(body.model, Chat).answer(request, body)

    async def embeddings(self, request: Request) -> Response:
        body = await _json(request, EmbedBody)
        return await self._engine.named(body.model, Embedding).answer(request, body)

    async def rerank(self, request: Request) -> Response:
        body = await _json(request, RerankBody)
        return await self._engine.named(body.model, Reranking).answer(request, body)

    async def detections(self, request: Request) -> Response:
        body = await _json(request, DetectBody)
        return await self._engine.named(body.model, Detection).answer(request, body)

    async def describe(self, request: Request) -> Response:
        body = await _json(request, DescribeBody)
        return await self._engine.named(body.model, Perception).answer(request, body)

    async def images(self, request: Request) -> Response:
        body = await _json(request, DrawBody)
        return await self._engine.named(body.model, Drawing).answer(request, body)

    async def speech(self, request: Request) -> Response:
        body = await _json(request, SpeechBody)
        return await self._engine.named(body.model, Speaking).answer(request, body)

    async def transcriptions(self, request: Request) -> Response:
        return await self._written(request, "transcribe")

    async def translations(self, request: Request) -> Response:
        """Write English down, which is all that the model hears."""
        return await self._written(request, "translate")

    async def _written(self, request: Request, task: str) -> Response:
        async with request.form(max_files=1, max_fields=20) as fields:
            upload = fields.get("file")
            if not isinstance(upload, UploadFile):
                raise WrongField("file", "send the recording as this field of a multipart form")
            texts: dict[str, object] = {
                n: text for n, text in fields.items() if isinstance(text, str)
            }
            texts["task"] = task
            texts["words"] = "word" in fields.getlist("timestamp_granularities[]")
            try:
                form = TranscribeForm.model_validate(texts)
            except ValidationError as error:
                raise first_mistake(error) from error
            service = self._engine.named(form.model, Transcription)
            return await service.answer(request, form, upload.file)


async def _json(request: Request, shape: type[B]) -> B:
    """Read and check a JSON body."""
    if "json" not in request.headers.get("content-type", ""):
        raise WrongField("content-type", "send the body as `application/json`")
    try:
        return shape.model_validate_json(await request.body())
    except ValidationError as error:
        raise first_mistake(error) from error
