"""Any engine that speaks the OpenAI-compatible HTTP API: the embedded one, Ollama, vLLM.

Source of the protocol: the public OpenAI API reference (chat completions, audio, models).
"""

from __future__ import annotations

import json
import mimetypes
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pydantic import ValidationError

from aima.errors import AimaError, EngineNotRunning, ExecutionFailed, TimedOut, error_class
from aima.ports.engine import (
    ChatReply,
    ChatRequest,
    ModelCard,
    Progress,
    Response,
    Speech,
    SynthesizeRequest,
    Timings,
    TranscribeRequest,
    Transcript,
    Usage,
    Voice,
)

_ERROR_OF_STATUS = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "MODEL_NOT_FOUND",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    503: "ENGINE_NOT_RUNNING",
}


@dataclass(frozen=True)
class OpenAIEngine:
    """An engine behind an OpenAI-compatible address.

    Attributes:
        url: where the API starts, such as ``http://127.0.0.1:8000/v1``.
        http: the client to use; it carries the timeouts.
    """

    name: str
    url: str
    http: httpx2.AsyncClient
    api_key: str = field(default="", repr=False)

    async def models(self) -> list[ModelCard]:
        """List what it serves."""
        data = await self._get("models")
        return [
            ModelCard(
                name=item["id"],
                engine=self.name,
                type=item.get("type"),
                licence=item.get("licence"),
                present=item.get("present", True),
            )
            for item in data["data"]
        ]

    async def voices(self) -> list[Voice]:
        """List the voices it speaks with; none where the server has no such list."""
        try:
            data = await self._get("audio/voices")
        except AimaError as error:
            if error.status == 404:  # noqa: PLR2004 - the one status that means "no such list"
                return []
            raise
        return [Voice.model_validate(voice, extra="ignore") for voice in data["voices"]]

    async def chat(self, request: ChatRequest, *, progress: Progress) -> ChatReply:
        """Answer a conversation, read as a stream so that a cancel is felt at once."""
        answer = _Answer(model=request.model)
        body = _chat_body(request)
        async with self._stream("chat/completions", json=body) as response:
            async for event in _server_sent(response):
                answer.add(event)
                if answer.pieces:
                    progress(f"{len(answer.pieces)} tokens")
        return answer.reply(parse=request.json_schema is not None, engine=self.name)

    async def transcribe(self, request: TranscribeRequest, *, recording: Path) -> Transcript:
        """Write down a recording."""
        form = {"model": request.model, "response_format": "verbose_json"}
        if request.language:
            form["language"] = request.language
        media_type = request.audio.media_type
        name = "audio" + (mimetypes.guess_extension(media_type) or "")
        with recording.open("rb") as file:
            async with self._stream(
                "audio/transcriptions", data=form, files={"file": (name, file, media_type)}
            ) as response:
                data = _json(await response.aread(), self.name)
        return Transcript.model_validate(
            {"segments": [], "language": request.language or "", "model": request.model} | data
        )

    @asynccontextmanager
    async def synthesize(self, request: SynthesizeRequest) -> AsyncIterator[Speech]:
        """Say a text."""
        body = {
            "model": request.model,
            "input": request.text,
            "voice": request.voice or "default",
            "response_format": "wav",
            "speed": request.speed,
        }
        async with self._stream("audio/speech", json=body) as response:
            told = response.headers
            seconds = told.get("x-aima-audio-seconds")
            total = told.get("x-aima-total-ms")
            yield Speech(
                chunks=_guarded(response, self.name),
                media_type=told.get("content-type", "audio/wav").partition(";")[0],
                seconds=float(seconds) if seconds else None,
                timings=Timings(total_ms=float(total), load_ms=float(told.get("x-aima-load-ms", 0)))
                if total
                else None,
            )

    async def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON, checked by each reader
        async with self._stream(path, method="GET") as response:
            return _json(await response.aread(), self.name)

    @asynccontextmanager
    async def _stream(
        self,
        path: str,
        *,
        method: str = "POST",
        **content: Any,  # noqa: ANN401 - httpx2's own
    ) -> AsyncIterator[httpx2.Response]:
        headers = {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        with _told(self.name):
            async with self.http.stream(
                method, f"{self.url}/{path}", headers=headers, **content
            ) as response:
                if response.is_error:
                    raise _refusal(response.status_code, await response.aread(), self.name)
                yield response


@contextmanager
def _told(engine: str) -> Iterator[None]:
    """Turn the transport's exceptions into AIMA's."""
    try:
        yield
    except httpx2.TimeoutException as error:
        raise TimedOut(f"engine {engine!r} did not answer in time") from error
    except httpx2.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise EngineNotRunning(
            f"engine {engine!r} does not answer ({reason}); `aima doctor` tells why"
        ) from error


async def _guarded(response: httpx2.Response, engine: str) -> AsyncIterator[bytes]:
    with _told(engine):
        async for chunk in response.aiter_bytes():
            yield chunk


def _refusal(status: int, body: bytes, engine: str) -> AimaError:
    """Read an OpenAI-shaped error; AIMA's own codes pass through."""
    try:
        told = json.loads(body)["error"]
        message, code = str(told["message"]), str(told.get("code"))
    except (ValueError, KeyError, TypeError):
        message, code = body[:200].decode(errors="replace") or f"HTTP {status}", ""
    cls = error_class(code)
    if cls.code != code:
        cls = error_class(_ERROR_OF_STATUS.get(status, "EXECUTION_FAILED"))
    return cls(f"engine {engine!r}: {message}")


def _json(body: bytes, engine: str) -> Any:  # noqa: ANN401 - JSON, checked by each reader
    try:
        return json.loads(body)
    except ValueError as error:
        raise ExecutionFailed(f"engine {engine!r} answered something that is no JSON") from error


def _chat_body(request: ChatRequest) -> dict[str, object]:
    body = request.model_dump(exclude_none=True, exclude={"json_schema", "stream"})
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.json_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": request.json_schema, "strict": True},
        }
    return body


async def _server_sent(response: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
    """Read server-sent events until ``[DONE]``; an error event raises."""
    async for line in response.aiter_lines():
        if not line.startswith("data:"):
            continue
        text = line.removeprefix("data:").strip()
        if text == "[DONE]":
            return
        event = _json(text.encode(), "stream")
        if "error" in event:
            raise ExecutionFailed(f"the engine stopped in the middle: {event['error']}")
        yield event
    raise ExecutionFailed("the engine's answer broke off before its end")


@dataclass
class _Answer:
    """A chat answer as its pieces come in."""

    model: str
    pieces: list[str] = field(default_factory=list)
    finish_reason: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, Any] = field(default_factory=dict)

    def add(self, event: dict[str, Any]) -> None:
        self.model = event.get("model") or self.model
        self.usage = event.get("usage") or self.usage
        self.timings = event.get("timings") or self.timings
        for choice in event.get("choices", [])[:1]:
            piece = choice.get("delta", {}).get("content")
            if piece:
                self.pieces.append(piece)
            self.finish_reason = choice.get("finish_reason") or self.finish_reason

    def reply(self, *, parse: bool, engine: str) -> ChatReply:
        content = "".join(self.pieces).strip()
        data = None
        if parse:
            try:
                data = json.loads(content)
            except ValueError as error:
                raise ExecutionFailed(
                    f"engine {engine!r} was asked for JSON and answered {content[:80]!r}; "
                    "a larger max_tokens may let it finish"
                ) from error
        try:
            timings = Timings.model_validate(self.timings) if "total_ms" in self.timings else None
            return ChatReply(
                content=content,
                finish_reason=self.finish_reason or "stop",
                usage=Usage.model_validate(self.usage),
                response=Response(content=content),
                model=self.model,
                data=data,
                timings=timings,
            )
        except ValidationError as error:
            raise ExecutionFailed(f"engine {engine!r} told no sensible usage: {error}") from error
