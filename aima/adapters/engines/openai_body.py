"""A chat as the OpenAI-compatible API wants it: messages, their parts, and its options."""

from __future__ import annotations

import base64
import json

from aima.errors import ValidationFailed
from aima.ports.artifacts import Artifact, Artifacts
from aima.ports.inference import (
    ChatRequest,
    CompleteRequest,
    ImagePart,
    ImageRequest,
    Message,
    Part,
    TextPart,
    ToolCall,
)

_OWN = {"json_schema", "logprobs", "messages", "session", "stream", "tool_choice", "tools"}


async def chat_body(request: ChatRequest, artifacts: Artifacts) -> dict[str, object]:
    """Write the body of ``POST /chat/completions``; pictures and sound travel inside it."""
    body: dict[str, object] = request.model_dump(exclude_none=True, exclude=_OWN)
    body["messages"] = [await _message(message, artifacts) for message in request.messages]
    body |= {"stream": True, "stream_options": {"include_usage": True}}
    if request.json_schema is not None:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": request.json_schema, "strict": True},
        }
    if request.tools:
        body["tools"] = [
            {"type": "function", "function": tool.model_dump()} for tool in request.tools
        ]
        if request.tool_choice is not None:
            body["tool_choice"] = _choice(request.tool_choice)
    if request.logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": request.logprobs}
    return body


def complete_body(request: CompleteRequest) -> dict[str, object]:
    """Write the body of ``POST /completions``."""
    body: dict[str, object] = request.model_dump(exclude_none=True, exclude={"session", "stream"})
    return body | {"stream": True, "stream_options": {"include_usage": True}}


def image_body(request: ImageRequest) -> dict[str, object]:
    """Write the body of ``POST /images/generations``.

    Raises:
        ValidationFailed: it starts from a picture, for which the protocol has another door.
    """
    if request.image is not None:
        raise ValidationFailed(
            "`image`: this engine changes no pictures; name a model of another one, or leave it out"
        )
    names = {
        "format": "output_format",
        "steps": "num_inference_steps",
        "guidance": "guidance_scale",
    }
    told = request.model_dump(exclude_none=True, exclude={"image"})
    body: dict[str, object] = {names.get(key, key): value for key, value in told.items()}
    return body | {"response_format": "b64_json"}


async def _message(message: Message, artifacts: Artifacts) -> dict[str, object]:
    content = message.content
    written: dict[str, object] = {"role": message.role, "content": content}
    if not isinstance(content, str):
        written["content"] = [await _part(part, artifacts) for part in content]
    if message.tool_calls:
        written["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        written["tool_call_id"] = message.tool_call_id
    return written


async def _part(part: Part, artifacts: Artifacts) -> dict[str, object]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if isinstance(part, ImagePart):
        url = f"data:{part.image.media_type};base64,{await _base64(part.image, artifacts)}"
        return {"type": "image_url", "image_url": {"url": url}}
    form = "mp3" if part.audio.media_type == "audio/mpeg" else part.audio.media_type.split("/")[1]
    sound = {"data": await _base64(part.audio, artifacts), "format": form.removeprefix("x-")}
    return {"type": "input_audio", "input_audio": sound}


async def _base64(artifact: Artifact, artifacts: Artifacts) -> str:
    return base64.b64encode(await artifacts.get(artifact)).decode("ascii")


def _call(call: ToolCall) -> dict[str, object]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _choice(choice: str) -> object:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}
