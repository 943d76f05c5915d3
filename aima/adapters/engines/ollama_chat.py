"""A chat as Ollama wants it, and its answer in the words of OpenAI's stream."""

from __future__ import annotations

import base64
import json

from pydantic import BaseModel

from aima.adapters.engines.openai_answer import Event
from aima.errors import UnsupportedMedia, ValidationFailed
from aima.ports.artifacts import Artifacts
from aima.ports.inference import AudioPart, ChatRequest, ImagePart, Message, Usage

_NANOSECONDS_OF_MS = 1_000_000


class _Function(BaseModel):
    name: str
    arguments: dict[str, object] = {}


class _Call(BaseModel):
    """A tool call: here it comes whole."""

    id: str | None = None
    function: _Function


class _Said(BaseModel):
    content: str = ""
    thinking: str | None = None
    tool_calls: list[_Call] = []


class Line(BaseModel):
    """One line of a chat, or of a pull."""

    message: _Said | None = None
    model: str | None = None
    done: bool = False
    done_reason: str | None = None
    prompt_eval_count: int = 0
    eval_count: int = 0
    total_duration: int | None = None
    load_duration: int | None = None
    status: str = ""
    total: int | None = None
    completed: int | None = None
    error: str | None = None


async def chat_body(
    request: ChatRequest, artifacts: Artifacts, context_tokens: int
) -> dict[str, object]:
    """Write the body of ``POST /api/chat``; pictures travel inside it.

    Raises:
        ValidationFailed: a tool must be used, which nobody can make this engine do.
        UnsupportedMedia: there is sound in it.
    """
    options: dict[str, object] = {
        "num_ctx": context_tokens or None,
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": request.stop,
    }
    body: dict[str, object] = {
        "model": request.model,
        "messages": [await _message(message, request, artifacts) for message in request.messages],
        "options": {key: value for key, value in options.items() if value is not None},
        "stream": True,
    }
    if request.json_schema is not None:
        body["format"] = request.json_schema
    if request.tool_choice not in (None, "auto", "none"):
        raise ValidationFailed(
            f"`tool_choice`: Ollama cannot be made to use {request.tool_choice!r}; leave it out"
        )
    if request.tools and request.tool_choice != "none":
        body["tools"] = [
            {"type": "function", "function": tool.model_dump()} for tool in request.tools
        ]
    return body


async def _message(
    message: Message, request: ChatRequest, artifacts: Artifacts
) -> dict[str, object]:
    written: dict[str, object] = {"role": message.role, "content": message.text}
    parts = [] if isinstance(message.content, str) else message.content
    if any(isinstance(part, AudioPart) for part in parts):
        raise UnsupportedMedia("`messages`: this engine hears nothing; transcribe the sound first")
    images = [
        base64.b64encode(await artifacts.get(part.image)).decode("ascii")
        for part in parts
        if isinstance(part, ImagePart)
    ]
    if images:
        written["images"] = images
    if message.tool_calls:
        written["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        written["tool_name"] = _name_of(message.tool_call_id, request)
    return written


def _name_of(call_id: str, request: ChatRequest) -> str:
    """Find the tool of a call: here answers go by the tool's name."""
    calls = (call for message in request.messages for call in message.tool_calls or ())
    return next((call.name for call in calls if call.id == call_id), call_id)


def event_of(line: Line, called: int) -> Event:
    """Tell a line in the words of OpenAI's stream, ``called`` tool calls after its beginning."""
    said = line.message or _Said()
    calls = [
        {
            "index": number,
            "id": call.id or f"call_{number}",
            "function": {
                "name": call.function.name,
                "arguments": json.dumps(call.function.arguments),
            },
        }
        for number, call in enumerate(said.tool_calls, called)
    ]
    delta = {"content": said.content, "reasoning": said.thinking, "tool_calls": calls}
    reason = "tool_calls" if line.done and (called or calls) else line.done_reason
    told: dict[str, object] = {
        "model": line.model,
        "choices": [{"delta": delta, "finish_reason": reason}],
    }
    if line.done:
        told["usage"] = Usage(
            prompt_tokens=line.prompt_eval_count,
            completion_tokens=line.eval_count,
            total_tokens=line.prompt_eval_count + line.eval_count,
        )
        if line.total_duration is not None:
            told["timings"] = {
                "total_ms": line.total_duration / _NANOSECONDS_OF_MS,
                "load_ms": (line.load_duration or 0) / _NANOSECONDS_OF_MS,
            }
    return Event.model_validate(told)
