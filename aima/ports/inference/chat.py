"""Conversations, and texts to be continued."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from aima.ports.artifacts import Artifact
from aima.ports.inference.request import SHOWN, ModelReply, ModelRequest, Request, Usage


class TextPart(Request):
    """Words of a message."""

    type: Literal["text"] = "text"
    text: str


class ImagePart(Request):
    """A picture in a message; the model must be one that sees."""

    type: Literal["image"] = "image"
    image: Artifact = Field(json_schema_extra={"contentMediaType": "image/*"})


class AudioPart(Request):
    """A recording in a message; the model must be one that hears."""

    type: Literal["audio"] = "audio"
    audio: Artifact = Field(json_schema_extra={"contentMediaType": "audio/*"})


Part = Annotated[TextPart | ImagePart | AudioPart, Field(discriminator="type")]


class ToolCall(Request):
    """A tool that the model wants used."""

    id: str = Field(description="Names the call; the tool's answer repeats it.")
    name: str
    arguments: dict[str, object] = Field(description="As the model wrote them: check before use.")


class Tool(Request):
    """A tool that the model may ask for; nothing runs it by itself."""

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str = ""
    parameters: dict[str, object] = Field(
        default={"type": "object"}, description="JSON Schema of the arguments."
    )


class Message(Request):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | list[Part] = Field(default="", description="Words, or parts with pictures.")
    tool_calls: list[ToolCall] | None = Field(default=None, description="Of an assistant's turn.")
    tool_call_id: str | None = Field(default=None, description="Of a tool's turn: its call.")

    @property
    def text(self) -> str:
        """The words of the message, without pictures and sound."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))


class Writing(ModelRequest):
    """How a model is to write."""

    temperature: float | None = Field(
        default=None, ge=0, le=2, description="How freely to choose words; 0 always the likeliest."
    )
    top_p: float | None = Field(
        default=None, gt=0, le=1, description="Choose among the likeliest words up to this share."
    )
    max_tokens: int | None = Field(
        default=None, gt=0, description="Most tokens to write. Absent: the engine's own bound."
    )
    seed: int | None = Field(default=None, description="Makes a free choice of words repeatable.")
    stop: list[str] | None = Field(default=None, description="Texts that end the answer.")
    logprobs: int | None = Field(
        default=None,
        ge=0,
        le=20,
        description="How many other choices to tell for each token, where the engine can.",
    )
    session: str | None = Field(
        default=None,
        description="Requests of one session go to the same instance while it serves.",
    )
    stream: bool | None = Field(
        default=None,
        description="The earlier system's switch, without effect: answers are always streamed.",
    )


class ChatRequest(Writing):
    """What to say, and to which model."""

    messages: list[Message] = Field(min_length=1, description="The conversation so far.")
    json_schema: dict[str, object] | None = Field(
        default=None, description="JSON Schema the answer must fit; `data` then holds its value."
    )
    tools: list[Tool] | None = Field(default=None, description="Tools the model may ask for.")
    tool_choice: str | None = Field(
        default=None, description="`auto`, `none`, `required`, or the name of one tool."
    )

    @model_validator(mode="after")
    def _chooses_a_tool_that_is_there(self) -> ChatRequest:
        names = [tool.name for tool in self.tools or ()]
        choice = self.tool_choice
        if choice is not None and choice not in ("auto", "none", "required", *names):
            raise ValueError(f"`tool_choice`: there is no tool {choice!r}")
        return self


class TokenChoice(BaseModel):
    """A token that the model chose, with what else it had in mind."""

    token: str
    logprob: float = Field(description="Natural logarithm of its probability.")
    others: dict[str, float] = Field(default={}, description="Other choices by token.")


class Response(BaseModel):
    """The answer where the earlier system had it."""

    content: str


class ChatReply(ModelReply):
    """What a model answered."""

    content: str = Field(description="The answer.", json_schema_extra=SHOWN)
    finish_reason: str = Field(
        description="`stop`, `tool_calls`, or `length` where `max_tokens` cut it."
    )
    usage: Usage
    response: Response = Field(description="The answer where the earlier system had it.")
    data: object = Field(default=None, description="The answer's value, if a schema was given.")
    reasoning: str | None = Field(default=None, description="What the model thought before.")
    tool_calls: list[ToolCall] | None = None
    logprobs: list[TokenChoice] | None = None


class CompleteRequest(Writing):
    """A text to continue."""

    prompt: str = Field(min_length=1, description="How the text begins.")
    suffix: str | None = Field(default=None, description="What follows the gap to be filled.")


class CompleteReply(ModelReply):
    """How the text goes on."""

    text: str = Field(json_schema_extra=SHOWN)
    finish_reason: str = Field(description="`stop`, or `length` where `max_tokens` cut it.")
    usage: Usage
    logprobs: list[TokenChoice] | None = None
