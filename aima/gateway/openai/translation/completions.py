"""Texts to go on with: `POST /v1/completions`."""

from __future__ import annotations

from typing import Protocol

from pydantic import Field, field_validator

from aima.gateway.openai.translation.chat_asked import Writing
from aima.gateway.openai.translation.written import Stream, as_it_comes, head, told
from aima.mistakes import accept
from aima.ports.engine import Completes, Engine
from aima.ports.inference import CompleteRequest, Outlet, RelayRequest, ignored


class _Able(Completes, Engine, Protocol):
    pass


class _Asked(Writing):
    prompt: str = Field(min_length=1)
    suffix: str | None = None

    @field_validator("prompt", mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        return value[0] if isinstance(value, list) and len(value) == 1 else value


async def ask(engine: _Able, asked: RelayRequest, answer: Outlet) -> None:
    """Have a text continued, whole or as events."""
    given = accept(_Asked.model_validate, asked.body, what="the request")
    wanted = CompleteRequest(
        model=asked.model, prompt=given.prompt, suffix=given.suffix, **given.how()
    )
    start = head("text_completion", "cmpl", asked.model)
    if given.stream:
        await _streamed(engine, wanted, Stream(answer, engine, asked), start)
        return
    reply = await engine.complete(wanted, pieces=ignored)
    choice = _choice(reply.text, reply.finish_reason)
    usage = reply.usage.model_dump()
    await told(answer, engine, asked, start | {"choices": [choice], "usage": usage})


async def _streamed(
    engine: _Able, wanted: CompleteRequest, stream: Stream, start: dict[str, object]
) -> None:
    async def show(text: str) -> None:
        await stream.tell(start | {"choices": [_choice(text)]})

    reply = await as_it_comes(lambda pieces: engine.complete(wanted, pieces=pieces), show)
    await stream.tell(start | {"choices": [_choice("", reply.finish_reason)]})
    await stream.tell(start | {"choices": [], "usage": reply.usage.model_dump()})
    await stream.end()


def _choice(text: str, reason: str | None = None) -> dict[str, object]:
    return {"index": 0, "text": text, "finish_reason": reason, "logprobs": None}
