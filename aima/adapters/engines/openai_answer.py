"""Answers of the OpenAI-compatible API: a chat as its pieces come in, and what is refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from aima.errors import (
    AimaError,
    ExecutionFailed,
    RateLimited,
    ValidationFailed,
    WrongAnswer,
    error_class,
)
from aima.json_schema import check_schema, validator
from aima.ports.inference import (
    ChatReply,
    CompleteReply,
    Response,
    Timings,
    TokenChoice,
    ToolCall,
    Usage,
)

_ERROR_OF_STATUS = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "MODEL_NOT_FOUND",
    408: "TIMEOUT",
    409: "CONFLICT",
    410: "RESOURCE_NOT_FOUND",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    503: "ENGINE_NOT_RUNNING",
    504: "TIMEOUT",
}
_LONGEST_LINE = 4 * 1024**2
_LONGEST_ANSWER = 16 * 1024**2
"""Characters of words, thoughts and tool calls together; a token that was weighed counts more."""

_WEIGHED = 256
_MOST_SPACE = 65_536
"""Characters of white space at a stretch: in it ends a model that must write JSON and cannot."""
_MOST_CHARACTERS = 200


class _Function(BaseModel):
    name: str | None = None
    arguments: str | None = None


class _CallPart(BaseModel):
    """A part of a tool call; the parts of one have the same index."""

    index: int = 0
    id: str | None = None
    function: _Function = _Function()


class _Delta(BaseModel):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_CallPart] | None = None


class _Token(BaseModel):
    token: str
    logprob: float


class _Chosen(_Token):
    top_logprobs: list[_Token] = []


class _Logprobs(BaseModel):
    content: list[_Chosen] | None = None


class _Choice(BaseModel):
    delta: _Delta | None = None
    text: str | None = Field(default=None, description="Of a continued text; a chat has `delta`.")
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


class _Timings(BaseModel):
    """AIMA's own; llama.cpp tells others under the same name."""

    total_ms: float | None = None
    load_ms: float | None = None


class Event(BaseModel):
    """One event of a streamed chat; engines leave out, or null, what they do not tell."""

    model: str | None = None
    choices: list[_Choice] | None = None
    usage: Usage | None = None
    timings: _Timings | None = None
    error: object = None


@dataclass
class _Called:
    """A tool call as its parts come in."""

    id: str = ""
    name: str = ""
    arguments: str = ""

    def add(self, part: _CallPart) -> None:
        """Take a part in; the id and the name come once, the arguments in pieces."""
        self.id = part.id or self.id
        self.name = part.function.name or self.name
        self.arguments += part.function.arguments or ""


@dataclass
class Answer:
    """A chat answer as its pieces come in."""

    engine: str
    model: str
    pieces: list[str] = field(default_factory=list)
    finish_reason: str = ""
    usage: Usage = field(default_factory=Usage)
    timings: Timings | None = None
    chosen: list[TokenChoice] = field(default_factory=list)
    trimmed: bool = True
    thoughts: list[str] = field(default_factory=list)
    calls: dict[int, _Called] = field(default_factory=dict)
    _space: str = ""
    _length: int = 0

    def add(self, event: Event) -> str:
        """Take an event in; give the words it brought.

        Where it is ``trimmed``, there is no space at either end of it all.

        Raises:
            ExecutionFailed: it has no end.
        """
        self.model = event.model or self.model
        self.usage = event.usage or self.usage
        if event.timings is not None and event.timings.total_ms is not None:
            self.timings = Timings(total_ms=event.timings.total_ms, load_ms=event.timings.load_ms)
        text = self._space
        for choice in (event.choices or [])[:1]:
            delta = choice.delta or _Delta()
            text += choice.text or delta.content or ""
            self._take_beside(delta, choice.logprobs)
            self.finish_reason = choice.finish_reason or self.finish_reason
        self._grow(len(text) - len(self._space))
        words = text.rstrip() if self.trimmed else text
        self._space = text[len(words) :]
        if len(self._space) > _MOST_SPACE:
            raise ExecutionFailed(f"engine {self.engine!r} writes nothing but space; try again")
        if words:
            self.pieces.append(words if self.pieces or not self.trimmed else words.lstrip())
            return self.pieces[-1]
        return ""

    def _take_beside(self, delta: _Delta, logprobs: _Logprobs | None) -> None:
        """Take in what an answer has beside its words."""
        if thought := delta.reasoning_content or delta.reasoning:
            self.thoughts.append(thought)
            self._grow(len(thought))
        for part in delta.tool_calls or ():
            self.calls.setdefault(part.index, _Called()).add(part)
            self._grow(_WEIGHED + len(part.function.arguments or ""))
        weighed = (logprobs and logprobs.content) or []
        self.chosen += map(_choice_of, weighed)
        self._grow(_WEIGHED * len(weighed))

    def _grow(self, characters: int) -> None:
        self._length += characters
        if self._length > _LONGEST_ANSWER:
            raise ExecutionFailed(f"engine {self.engine!r} writes without an end; set `max_tokens`")

    def reply(self, schema: dict[str, object] | None) -> ChatReply:
        """Give the whole, with its value where a schema was asked for.

        Raises:
            WrongAnswer: it is not what the schema wants, or a tool call makes no sense.
            ValidationFailed: the schema is none.
        """
        content = "".join(self.pieces)
        return ChatReply(
            content=content,
            finish_reason=self.finish_reason or "stop",
            usage=self.usage,
            response=Response(content=content),
            model=self.model,
            data=None if schema is None else self._value(content, schema),
            reasoning="".join(self.thoughts) or None,
            tool_calls=[self._call(called) for called in self.calls.values()] or None,
            logprobs=self.chosen or None,
            timings=self.timings,
        )

    def _call(self, called: _Called) -> ToolCall:
        """Read a tool call, whose arguments the model has written as JSON, or not quite."""
        try:
            return ToolCall(
                id=called.id, name=called.name, arguments=parsed(called.arguments or "{}")
            )
        except ValueError as error:
            raise WrongAnswer(
                f"engine {self.engine!r} called the tool {called.name!r} with arguments that are "
                f"no JSON object: {called.arguments[:80]!r}"
            ) from error

    def completion(self) -> CompleteReply:
        """Give the whole of a continued text, its spaces as they came."""
        return CompleteReply(
            text="".join(self.pieces),
            finish_reason=self.finish_reason or "stop",
            usage=self.usage,
            model=self.model,
            logprobs=self.chosen or None,
            timings=self.timings,
        )

    def _value(self, content: str, schema: dict[str, object]) -> object:
        from jsonschema import SchemaError
        from referencing.exceptions import Unresolvable

        try:
            value: Any = parsed(content)
            json.dumps(value, allow_nan=False)  # `1e999` is infinite, too
        except ValueError as error:
            raise WrongAnswer(
                f"engine {self.engine!r} was asked for JSON and answered {content[:80]!r}; "
                "a larger max_tokens may let it finish"
            ) from error
        try:
            check_schema(schema)
            wrong = next(validator(schema).iter_errors(value), None)
        except (SchemaError, Unresolvable) as error:
            raise ValidationFailed(f"`json_schema` is no JSON Schema: {error}") from error
        if wrong is not None:
            message = wrong.message[:_MOST_CHARACTERS]
            raise WrongAnswer(
                f"engine {self.engine!r} answered JSON that the schema does not allow: {message}; "
                "an engine that keeps to schemas would not"
            )
        return value


def _choice_of(chosen: _Chosen) -> TokenChoice:
    others = {other.token: other.logprob for other in chosen.top_logprobs}
    others.pop(chosen.token, None)
    return TokenChoice(token=chosen.token, logprob=chosen.logprob, others=others)


async def server_sent(chunks: AsyncIterator[bytes], engine: str) -> AsyncIterator[Event]:
    """Read server-sent events until ``[DONE]``, or the end after a reason for it.

    Raises:
        AimaError: the engine told an error, or what it sent makes no sense or has no end.
    """
    finished = False
    async for line in lines(chunks, engine):
        if not line.startswith(b"data:"):
            continue
        data = line.removeprefix(b"data:").strip()
        if data == b"[DONE]":
            return
        try:
            event = Event.model_validate_json(data)
        except ValidationError as error:
            raise ExecutionFailed(
                f"engine {engine!r} sent an event that makes no sense: {error}"
            ) from error
        if event.error is not None:
            raise failure_of(data, engine)
        finished = finished or any(choice.finish_reason for choice in event.choices or ())
        yield event
    if not finished:  # `transformers serve` ends its streams without a mark
        raise ExecutionFailed(f"engine {engine!r} broke off before the end of its answer")


def failure_of(
    body: bytes, engine: str, status: int = 500, *, retry_after: float | None = None
) -> AimaError:
    """Read an error in any shape that servers tell one; AIMA's own codes pass through."""
    message, code = _told(body)
    message = message or body[:_MOST_CHARACTERS].decode(errors="replace") or f"HTTP {status}"
    cls = error_class(code)
    if cls.code != code:
        cls = error_class(_ERROR_OF_STATUS.get(status, "EXECUTION_FAILED"))
    if (seconds := _loaded_in(body)) is not None:
        cls, retry_after = RateLimited, seconds
    if issubclass(cls, RateLimited):
        return cls(f"engine {engine!r}: {message}", retry_after=retry_after)
    return cls(f"engine {engine!r}: {message}")


def _told(body: bytes) -> tuple[str, str]:
    """Give the message and the code of an error.

    OpenAI tells an object `error`, Ollama and TEI a text; older vLLM tells the message at the top,
    and FastAPI a `detail`, of a wrong field a list.
    """
    try:
        told = parsed(body)
    except ValueError:
        return "", ""
    error = told.get("error", told) if isinstance(told, dict) else None
    if isinstance(error, str):
        return error, ""
    if not isinstance(error, dict):
        return "", ""
    detail = error.get("detail")
    if isinstance(detail, list):
        fields = [field for field in detail if isinstance(field, dict)]
        return "; ".join(f"{field.get('loc')}: {field.get('msg')}" for field in fields), ""
    return str(error.get("message") or detail or ""), str(error.get("code"))


def _loaded_in(body: bytes) -> float | None:
    """Give the seconds until a model is there, where Hugging Face tells them."""
    try:
        told = parsed(body)
    except ValueError:
        return None
    seconds = told.get("estimated_time") if isinstance(told, dict) else None
    return float(seconds) if isinstance(seconds, int | float) else None


def parsed(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON that an engine or a model wrote.

    Raises:
        ValueError: it is none, or is nested deeper than anybody means it, or holds half a
            surrogate pair, which nobody after us could write down again.
    """
    return from_json(text, allow_inf_nan=False)


async def lines(chunks: AsyncIterator[bytes], engine: str) -> AsyncIterator[bytes]:
    """Split bytes into lines; the client's own splitting would also cut at U+2028 and others.

    Those are legal inside the JSON of an event, and a model does write them.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            yield line
        if len(rest) > _LONGEST_LINE:
            raise ExecutionFailed(f"engine {engine!r} sends a line without an end")
    if rest:
        yield rest
