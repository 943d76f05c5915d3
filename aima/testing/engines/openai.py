"""The OpenAI-compatible dialect: models, chats, completions, embeddings."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from aima.testing.engines.faults import Faults, StreamError
from aima.testing.engines.pixel import PIXEL
from aima.testing.engines.sounds import form_of, silence, written
from aima.testing.engines.vectors import vector


def openai(
    faults: Faults, prefix: str = "/v1", *, doors: OpenAIDoors | None = None
) -> Sequence[Route]:
    """Give the doors of the dialect."""
    doors = doors or OpenAIDoors(faults)
    post = ["POST"]
    return [
        Route(f"{prefix}/models", doors.models),
        Route(f"{prefix}/chat/completions", doors.chat, methods=post),
        Route(f"{prefix}/completions", doors.complete, methods=post),
        Route(f"{prefix}/embeddings", doors.embed, methods=post),
        Route(f"{prefix}/audio/transcriptions", doors.transcribe, methods=post),
        Route(f"{prefix}/audio/translations", doors.transcribe, methods=post),
        Route(f"{prefix}/audio/speech", doors.speak, methods=post),
        Route(f"{prefix}/audio/voices", doors.voices),
        Route(f"{prefix}/images/generations", doors.draw, methods=post),
    ]


def refusal(message: str) -> object:
    """Write an error of this dialect."""
    return {"error": {"message": message, "type": "server_error", "param": None, "code": None}}


class OpenAIDoors:
    """One method for each address."""

    MODELS: ClassVar[tuple[str, ...]] = ("fake",)
    END: ClassVar[bytes] = b"data: [DONE]\n\n"

    def __init__(self, faults: Faults) -> None:
        """Answer as ``faults`` say."""
        self.faults = faults

    async def models(self, _: Request) -> Response:
        """List the models, by their names alone."""
        card = {"object": "model", "created": 0, "owned_by": "fake"}
        data = [{"id": name, **card} for name in self.faults.models or self.MODELS]
        return JSONResponse({"object": "list", "data": data})

    async def chat(self, request: Request) -> Response:
        """Answer a chat, streamed or whole."""
        return await self._write(request, "chat.completion")

    async def complete(self, request: Request) -> Response:
        """Continue a text, streamed or whole."""
        return await self._write(request, "text_completion")

    async def embed(self, request: Request) -> Response:
        """Make vectors; equal texts have equal ones."""
        if (instead := await self.faults.before(request, refusal)) is not None:
            return instead
        body = await request.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        base64 = body.get("encoding_format") == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": vector(text, base64=base64)}
            for index, text in enumerate(texts)
        ]
        used = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
        return JSONResponse({"object": "list", "data": data, "model": body["model"], "usage": used})

    async def transcribe(self, request: Request) -> Response:
        """Write a recording down, in the form that is asked for."""
        if (instead := await self.faults.before(request, refusal)) is not None:
            return instead
        fields, recording = await form_of(request)
        told = written(recording, words=fields.get("timestamp_granularities[]") == "word")
        form = fields.get("response_format", "json")
        if form == "text":
            return PlainTextResponse(str(told["text"]))
        return JSONResponse(told if form == "verbose_json" else {"text": told["text"]})

    async def speak(self, request: Request) -> Response:
        """Say nothing, for a tenth of a second."""
        if (instead := await self.faults.before(request, refusal)) is not None:
            return instead
        return Response(silence(), media_type="audio/wav")

    async def voices(self, _: Request) -> Response:
        """Have no such list, as OpenAI."""
        return JSONResponse(refusal("unknown address"), status_code=404)

    async def draw(self, request: Request) -> Response:
        """Draw one pixel, as often as asked."""
        if (instead := await self.faults.before(request, refusal)) is not None:
            return instead
        count = (await request.json()).get("n", 1)
        return JSONResponse({"created": 0, "data": [{"b64_json": PIXEL}] * count})

    async def _write(self, request: Request, kind: str) -> Response:
        if (instead := await self.faults.before(request, refusal)) is not None:
            return instead
        body = await request.json()
        words = self.faults.words(request, body.get("max_tokens"))
        if body.get("stream"):
            stream = self._events(words, body, kind)
            return StreamingResponse(stream, media_type="text/event-stream")
        written = [word async for word in words]
        text, calls = "".join(written), _calls(body)
        message = {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}
        said = {"message": message} if "chat" in kind else {"text": text}
        return JSONResponse(
            {
                **_head(body, kind),
                "choices": [{"index": 0, "finish_reason": _reason(body), **said}],
                "usage": _usage(len(written)),
            }
        )

    async def _events(
        self, words: AsyncIterator[str], body: dict[str, Any], kind: str
    ) -> AsyncIterator[bytes]:
        head = _head(body, f"{kind}.chunk" if "chat" in kind else kind)
        count = 0
        try:
            async for word in words:
                count += 1
                said = {"delta": {"content": word}} if "chat" in kind else {"text": word}
                yield self._event(head | {"choices": [{"index": 0, "finish_reason": None, **said}]})
        except StreamError as error:
            yield self._event(refusal(str(error)))
            return
        end: dict[str, object] = {"delta": {"tool_calls": _calls(body)}}
        end = end if "chat" in kind else {"text": ""}
        yield self._event(head | {"choices": [{"index": 0, "finish_reason": _reason(body), **end}]})
        if (body.get("stream_options") or {}).get("include_usage"):
            yield self._event(head | {"choices": [], "usage": _usage(count)})
        yield self.END

    def _event(self, data: object) -> bytes:
        return self.faults.encoded(f"data: {json.dumps(data)}\n\n")


def _calls(body: dict[str, Any]) -> list[dict[str, object]]:
    """Call the first tool, if there are any."""
    names = [tool["function"]["name"] for tool in body.get("tools") or ()]
    return [
        {
            "index": 0,
            "id": "call_0",
            "type": "function",
            "function": {"name": name, "arguments": '{"n": 1}'},
        }
        for name in names[:1]
    ]


def _reason(body: dict[str, Any]) -> str:
    return "tool_calls" if body.get("tools") else "stop"


def _head(body: dict[str, Any], kind: str) -> dict[str, object]:
    return {"id": "fake-1", "object": kind, "created": 0, "model": body["model"]}


def _usage(written: int) -> dict[str, int]:
    return {"prompt_tokens": 1, "completion_tokens": written, "total_tokens": written + 1}
