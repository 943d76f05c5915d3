"""A chat request as clients send it, and as llama.cpp gets it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from aima.embedded.failure import WrongField

SYSTEM_PROMPT = "You are a helpful AI assistant. Answer briefly."
"""Said where the caller says nothing: without any, the small model runs on for ever."""

DEEPEST_SCHEMA = 32
PASSED_ON = {
    "temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty",
    "response_format", "stream",
}  # fmt: skip


class _Body(BaseModel):
    # The protocol has many fields for other engines; clients send them unasked.
    model_config = ConfigDict(extra="ignore", frozen=True)


class ChatMessage(_Body):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str

    @field_validator("content", mode="before")
    @classmethod
    def _one_text(cls, content: object) -> object:
        """Join the parts of a message; those that are no text cannot be read."""
        if not isinstance(content, list):
            return content
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        texts = [text for text in parts if isinstance(text, str)]
        if len(texts) < len(content):
            raise ValueError("this engine reads text only; leave images and sound out")
        return "\n".join(texts)

    @property
    def is_instruction(self) -> bool:
        """Tell whether it says how to answer rather than what."""
        return self.role in {"system", "developer"}

    def for_llama(self) -> dict[str, JsonValue]:
        """Give the message in the roles and shape the chat template knows."""
        # Role markers of the template, such as <|im_start|>, must not come out of a text.
        text = self.content.replace("<|", "< |")
        return {"role": "system" if self.is_instruction else self.role, "content": text}


class JsonSchema(_Body):
    """A named schema."""

    name: str = "answer"
    schema_: dict[str, JsonValue] = Field(alias="schema")


class ResponseFormat(_Body):
    """The shape of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _has_a_schema_of_sane_depth(self) -> ResponseFormat:
        if self.type != "json_schema":
            return self
        if self.json_schema is None:
            raise ValueError("`json_schema` is missing")
        if _depth(self.json_schema.schema_) > DEEPEST_SCHEMA:
            # The grammar's compiler recurses on the native stack.
            raise ValueError(f"the schema nests deeper than {DEEPEST_SCHEMA} levels")
        return self


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
    seed: int | None = Field(default=None, ge=0, lt=2**32)
    stop: str | list[str] | None = None
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    response_format: ResponseFormat | None = None
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    n: int | None = None
    tools: list[JsonValue] | None = None

    def for_llama(self, *, max_tokens: int, context_tokens: int) -> dict[str, JsonValue]:
        """Give the body that llama.cpp gets, with every bound set.

        Raises:
            WrongField: it asks for something this engine does not do.
        """
        if self.tools:
            raise WrongField(
                "tools", "the embedded models call no tools; use a larger model on another engine"
            )
        if self.n not in {None, 1}:
            raise WrongField("n", "this engine gives one answer at a time; leave it out")
        asked = self.max_completion_tokens or self.max_tokens or max_tokens
        body = self.model_dump(include=PASSED_ON, exclude_none=True, by_alias=True)
        return body | {
            "messages": self._conversation(),
            "max_tokens": min(asked, context_tokens),
            "stream_options": {"include_usage": self.stream},
        }

    def _conversation(self) -> list[JsonValue]:
        said: list[JsonValue] = [message.for_llama() for message in self.messages]
        if not any(message.is_instruction for message in self.messages):
            said.insert(0, {"role": "system", "content": SYSTEM_PROMPT})
        return said


def _depth(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
