"""A request of the Messages API, and the chat of OpenAI's API that asks the same."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aima.mistakes import Mistakes


class _Given(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Text(_Given):
    """Words."""

    type: Literal["text"]
    text: str


class Source(_Given):
    """A picture's bytes, or its address."""

    type: Literal["base64", "url"]
    media_type: str = ""
    data: str = ""
    url: str = ""


class Picture(_Given):
    """A picture."""

    type: Literal["image"]
    source: Source


class ToolUse(_Given):
    """A tool that the model wanted used."""

    type: Literal["tool_use"]
    id: str
    name: str
    input: dict[str, object] = {}


class ToolResult(_Given):
    """What came of a tool."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: str | list[Annotated[Text | Picture, Field(discriminator="type")]] = ""
    is_error: bool = False


class Thought(_Given):
    """What the model thought before; no engine wants it back."""

    type: Literal["thinking", "redacted_thinking"]


Block = Annotated[Text | Picture | ToolUse | ToolResult | Thought, Field(discriminator="type")]


class Turn(_Given):
    """One turn of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class Tool(_Given):
    """A tool that the model may ask for."""

    name: str
    description: str = ""
    input_schema: dict[str, object] = {"type": "object"}


class ToolChoice(_Given):
    """Whether, and which, tool is to be used."""

    type: Literal["auto", "any", "none", "tool"]
    name: str = ""


class Conversation(_Given):
    """A conversation to go on with."""

    model: str = Field(default="default", min_length=1, max_length=500)
    messages: list[Turn] = Field(min_length=1)
    system: str | list[Text] = ""
    max_tokens: int = Field(default=1024, gt=0)
    stream: bool = False
    stop_sequences: list[str] = []
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    tools: list[Tool] = []
    tool_choice: ToolChoice | None = None

    def sees(self) -> bool:
        """Tell whether there are pictures in it."""
        blocks = [
            b for turn in self.messages if isinstance(turn.content, list) for b in turn.content
        ]
        inner = [b for r in blocks if isinstance(r, ToolResult) for b in r.content]
        return any(isinstance(block, Picture) for block in (*blocks, *inner))

    def chat(self) -> dict[str, Any]:
        """Write it as a chat of OpenAI's API.

        Raises:
            ValidationFailed: an assistant's turn has something that only a user's may have.
        """
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [
                *_system(self.system),
                *(m for turn in self.messages for m in _turn(turn)),
            ],
            "max_tokens": self.max_tokens,
        }
        choices = {"temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}
        body |= {key: value for key, value in choices.items() if value is not None}
        if self.stop_sequences:
            body["stop"] = self.stop_sequences
        if self.tools:
            body["tools"] = [_tool(tool) for tool in self.tools]
        if self.tool_choice is not None:
            body["tool_choice"] = _choice(self.tool_choice)
        if self.stream:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return body


def _system(said: str | list[Text]) -> list[dict[str, Any]]:
    text = said if isinstance(said, str) else "\n\n".join(part.text for part in said)
    return [{"role": "system", "content": text}] if text else []


def _turn(turn: Turn) -> list[dict[str, Any]]:
    """Write one turn: what came of tools are messages of their own, before what else is said."""
    if isinstance(turn.content, str):
        return [{"role": turn.role, "content": turn.content}]
    results = [block for block in turn.content if isinstance(block, ToolResult)]
    calls = [block for block in turn.content if isinstance(block, ToolUse)]
    parts = [block for block in turn.content if isinstance(block, Text | Picture)]
    written = [
        {"role": "tool", "tool_call_id": r.tool_use_id, "content": _result(r)} for r in results
    ]
    if turn.role == "system":
        return _system([part for part in parts if isinstance(part, Text)])
    if turn.role == "user":
        if calls:
            raise Mistakes("the request: a `tool_use` is part of an assistant's turn")
        if parts:
            written.append({"role": "user", "content": [_part(part) for part in parts]})
        return written
    if results or any(isinstance(part, Picture) for part in parts):
        raise Mistakes("the request: tool results and pictures are part of a user's turn")
    said: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(p.text for p in parts if isinstance(p, Text)),
    }
    if calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.input)},
            }
            for call in calls
        ]
    return [said]


def _result(result: ToolResult) -> str | list[dict[str, Any]]:
    mark = "error: " if result.is_error else ""
    if isinstance(result.content, str):
        return mark + result.content
    if not any(isinstance(part, Picture) for part in result.content):
        return mark + "\n".join(part.text for part in result.content if isinstance(part, Text))
    return [_part(part) for part in result.content]


def _part(part: Text | Picture) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    source = part.source
    url = source.url if source.type == "url" else f"data:{source.media_type};base64,{source.data}"
    return {"type": "image_url", "image_url": {"url": url}}


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "parameters": tool.input_schema}
    told = {"description": tool.description} if tool.description else {}
    return {"type": "function", "function": function | told}


def _choice(choice: ToolChoice) -> str | dict[str, Any]:
    if choice.type == "tool":
        return {"type": "function", "function": {"name": choice.name}}
    return "required" if choice.type == "any" else choice.type
