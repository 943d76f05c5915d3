"""A chat request as clients send it, and as llama.cpp gets it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator, model_validator

from aima.embedded.failure import WrongField

SYSTEM_PROMPT = "You are a helpful AI assistant. Answer briefly."
"""Said where the caller says nothing: without any, the small model runs on for ever."""

DEEPEST_SCHEMA = 32
PASSED_ON = {
    "temperature", "top_p", "seed", "stop", "presence_penalty", "frequency_penalty",
    "response_format", "stream", "logprobs", "top_logprobs",
}  # fmt: skip


Role: TypeAlias = Literal["system", "developer", "user", "assistant"]


class _Body(BaseModel):
    # The protocol has many fields for other engines; clients send them unasked.
    model_config = ConfigDict(extra="ignore", frozen=True)


class ChatMessage(_Body):
    """One turn of a conversation."""

    role: Role
    content: str
    pictures: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _pictures_apart(cls, message: object) -> object:
        """Take the pictures out of the parts of a message."""
        if not isinstance(message, dict) or not isinstance(message.get("content"), list):
            return message
        parts = message["content"]
        left = [part for part in parts if _url(part) is None]
        return message | {"content": left, "pictures": list(filter(None, map(_url, parts)))}

    @field_validator("content", mode="before")
    @classmethod
    def _one_text(cls, content: object) -> object:
        """Join the texts of a message."""
        if not isinstance(content, list):
            return content
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        texts = [text for text in parts if isinstance(text, str)]
        if len(texts) < len(content):
            raise ValueError("this engine takes texts and pictures; leave sound out")
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


def _url(part: object) -> str | None:
    """Give the address of a part that is a picture."""
    told = part.get("image_url") if isinstance(part, dict) else None
    url = told.get("url") if isinstance(told, dict) else told
    return url if isinstance(url, str) else None


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
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    n: int | None = None
    tools: list[JsonValue] | None = None

    @property
    def pictures(self) -> list[str]:
        """All pictures of the conversation, in their order."""
        return [url for message in self.messages for url in message.pictures]

    def with_pictures_told(self, sentences: list[str]) -> ChatBody:
        """Give the same conversation with a sentence in the place of each picture."""
        left = iter(sentences)
        messages = [
            message.model_copy(
                update={
                    "content": "\n".join([*_facts(message, left), message.content]),
                    "pictures": (),
                }
            )
            for message in self.messages
        ]
        return self.model_copy(update={"messages": messages})

    def for_llama(self, *, max_tokens: int, context_tokens: int) -> dict[str, JsonValue]:
        """Give the body that llama.cpp gets, with every bound set.

        Raises:
            WrongField: it asks for something this engine does not do.
        """
        if self.tools:
            raise WrongField(
                "tools", "the embedded models call no tools; use a larger model on another engine"
            )
        if self.pictures:
            raise WrongField(
                "messages", "this model reads text only; the model `perception` looks at pictures"
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


def _facts(message: ChatMessage, sentences: Iterator[str]) -> list[str]:
    """Take one sentence for each picture of a message."""
    return [f"A picture is attached. {next(sentences)}" for _ in message.pictures]


class CompleteBody(_Body):
    """The body of ``POST /v1/completions``."""

    model: str = "default"
    prompt: str = Field(min_length=1)
    suffix: str | None = None
    max_tokens: int | None = Field(default=None, gt=0)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0, lt=2**32)
    stop: str | list[str] | None = None
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    logprobs: int | None = Field(default=None, ge=0, le=20)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    n: int | None = None

    def for_llama(self, *, max_tokens: int, context_tokens: int) -> dict[str, JsonValue]:
        """Give the body that llama.cpp gets, with every bound set.

        Raises:
            WrongField: it asks for something this engine does not do.
        """
        if self.suffix:
            raise WrongField("suffix", "the embedded models fill no gaps; leave it out")
        if self.n not in {None, 1}:
            raise WrongField("n", "this engine gives one answer at a time; leave it out")
        body = self.model_dump(include=PASSED_ON, exclude_none=True)
        return body | {
            # Role markers of the template must not come out of a text.
            "prompt": self.prompt.replace("<|", "< |"),
            "max_tokens": min(self.max_tokens or max_tokens, context_tokens),
            "stream_options": {"include_usage": self.stream},
        }


def _depth(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
