"""A chat request as clients send it, and as llama.cpp gets it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from aima.errors import ValidationFailed

SYSTEM_PROMPT = "You are a helpful AI assistant. Answer briefly."
"""Said where the caller says nothing: without any, the small model runs on for ever."""

PASSED_ON = {
    "temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty",
    "response_format", "stream",
}  # fmt: skip
DEEPEST_SCHEMA = 32


class _Body(BaseModel):
    # The protocol has many fields for other engines; clients send them unasked.
    model_config = ConfigDict(extra="ignore", frozen=True)


class TextPart(_Body):
    """A piece of a message; this engine reads text only."""

    type: Literal["text"]
    text: str


class ChatMessage(_Body):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class JsonSchema(_Body):
    """A named schema."""

    name: str = "answer"
    schema_: dict[str, JsonValue] = Field(alias="schema")


class ResponseFormat(_Body):
    """The shape of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(_Body):
    """What a stream tells beside the text."""

    include_usage: bool = False


class ChatBody(_Body):
    """The body of ``POST /v1/chat/completions``."""

    model: str = "default"
    messages: list[ChatMessage] = Field(min_length=1)
    max_tokens: int | None = Field(default=None, gt=0)
    max_completion_tokens: int | None = Field(default=None, gt=0)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = None
    stop: str | list[str] | None = None
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    response_format: ResponseFormat | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int | None = None
    tools: list[JsonValue] | None = None

    @field_validator("response_format")
    @classmethod
    def _shallow(cls, value: ResponseFormat | None) -> ResponseFormat | None:
        """Keep a schema from exhausting the stack of the grammar's compiler."""
        if value and value.json_schema and _depth(value.json_schema.schema_) > DEEPEST_SCHEMA:
            raise ValueError(f"the schema nests deeper than {DEEPEST_SCHEMA} levels")
        return value

    def for_llama(self, *, max_tokens: int, context_tokens: int) -> dict[str, JsonValue]:
        """Give the body that llama.cpp gets, with every bound set.

        Raises:
            ValidationFailed: it asks for something this engine does not do.
        """
        if self.tools:
            raise ValidationFailed(
                "tools: the embedded models call no tools; leave `tools` out, or use a larger "
                "model on another engine"
            )
        if self.n not in {None, 1}:
            raise ValidationFailed("n: this engine gives one answer at a time; leave `n` out")
        asked = self.max_completion_tokens or self.max_tokens or max_tokens
        body = self.model_dump(include=PASSED_ON, exclude_none=True, by_alias=True)
        return body | {
            "messages": self._conversation(),
            "max_tokens": min(asked, context_tokens),
            "stream_options": {"include_usage": bool(self.stream)},
        }

    def _conversation(self) -> list[JsonValue]:
        said: list[JsonValue] = [
            {
                "role": "system" if message.role == "developer" else message.role,
                "content": message.text,
            }
            for message in self.messages
        ]
        if self.messages[0].role not in {"system", "developer"}:
            said.insert(0, {"role": "system", "content": SYSTEM_PROMPT})
        return said


def _depth(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
