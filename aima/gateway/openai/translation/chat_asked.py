"""A chat as OpenAI's API asks it, and the same in AIMA's words."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator

from aima.gateway.openai.translation.files import from_base64, from_data_uri
from aima.ports.artifacts import Artifacts
from aima.ports.inference import (
    AudioPart,
    ChatRequest,
    ImagePart,
    Message,
    Part,
    TextPart,
    Tool,
    ToolCall,
)


class _Words(BaseModel):
    type: Literal["text"]
    text: str


class _Refusal(BaseModel):
    type: Literal["refusal"]
    refusal: str


class _Address(BaseModel):
    url: str


class _Picture(BaseModel):
    type: Literal["image_url"]
    image_url: _Address


class _Sound(BaseModel):
    data: str


class _Recording(BaseModel):
    type: Literal["input_audio"]
    input_audio: _Sound


_Said = Annotated[_Words | _Refusal | _Picture | _Recording, Field(discriminator="type")]


class _Called(BaseModel):
    name: str
    arguments: dict[str, object] = {}

    @field_validator("arguments", mode="before")
    @classmethod
    def _written(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value or "{}")
        except ValueError:
            raise ValueError("write the arguments of a call as a JSON object") from None


class _Call(BaseModel):
    id: str
    function: _Called


class _Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[_Said] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


class _Function(BaseModel):
    name: str
    description: str = ""
    parameters: dict[str, object] = {"type": "object"}


class _Tool(BaseModel):
    type: Literal["function"] = "function"
    function: _Function


class _Named(BaseModel):
    name: str


class _Chosen(BaseModel):
    function: _Named


class _Schema(BaseModel):
    json_schema: dict[str, object] = Field(alias="schema")


class _Shape(BaseModel):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None

    @property
    def schema_(self) -> dict[str, object] | None:
        """What the answer must fit."""
        if self.type == "json_object":
            return {"type": "object"}
        return self.json_schema.json_schema if self.json_schema else None


class Writing(BaseModel):
    """How a model is to write; what an engine has no words for is left out."""

    n: Literal[1] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(
        default=None, gt=0, validation_alias=AliasChoices("max_completion_tokens", "max_tokens")
    )
    seed: int | None = None
    stop: list[str] | None = None
    stream: bool | None = None

    @field_validator("stop", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    def how(self) -> dict[str, Any]:
        """Give it in AIMA's words."""
        named = {"temperature", "top_p", "max_tokens", "seed", "stop"}
        return self.model_dump(include=named, exclude_none=True)


class ChatAsked(Writing):
    """A conversation to go on with."""

    messages: list[_Message] = Field(min_length=1)
    tools: list[_Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | _Chosen | None = None
    response_format: _Shape | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)

    async def chat(self, model: str, artifacts: Artifacts) -> ChatRequest:
        """Write it in AIMA's words; pictures and sound become artifacts."""
        choice = self.tool_choice
        return ChatRequest.model_validate(
            {
                "model": model,
                "messages": [await _message(one, artifacts) for one in self.messages],
                "tools": [Tool(**tool.function.model_dump()) for tool in self.tools or ()] or None,
                "tool_choice": choice.function.name if isinstance(choice, _Chosen) else choice,
                "json_schema": self.response_format and self.response_format.schema_,
                "logprobs": (self.top_logprobs or 0) if self.logprobs else None,
                **self.how(),
            }
        )


async def _message(said: _Message, artifacts: Artifacts) -> Message:
    content = said.content or ""
    parts = content if isinstance(content, str) else [await _part(p, artifacts) for p in content]
    calls = [
        ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
        for call in said.tool_calls or ()
    ]
    return Message(
        role="system" if said.role == "developer" else said.role,
        content=parts,
        tool_calls=calls or None,
        tool_call_id=said.tool_call_id,
    )


async def _part(part: _Said, artifacts: Artifacts) -> Part:
    match part:
        case _Words():
            return TextPart(text=part.text)
        case _Refusal():
            return TextPart(text=part.refusal)
        case _Picture():
            return ImagePart(image=await from_data_uri(part.image_url.url, artifacts))
        case _Recording():
            return AudioPart(audio=await from_base64(part.input_audio.data, artifacts))
