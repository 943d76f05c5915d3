"""Chats: `POST /v1/chat/completions`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from aima.gateway.openai.translation.chat_asked import ChatAsked
from aima.gateway.openai.translation.written import Stream, as_it_comes, head, told
from aima.mistakes import Mistakes, accept
from aima.ports.artifacts import Artifacts
from aima.ports.engine import Chats as Able
from aima.ports.engine import Engine
from aima.ports.inference import (
    ChatReply,
    ChatRequest,
    Outlet,
    RelayRequest,
    TokenChoice,
    ignored,
)


class _Able(Able, Engine, Protocol):
    pass


@dataclass(frozen=True)
class Chats:
    """Answers conversations."""

    artifacts: Artifacts

    async def ask(self, engine: _Able, asked: RelayRequest, answer: Outlet) -> None:
        """Have a conversation answered, whole or as events."""
        given = accept(ChatAsked.model_validate, asked.body, what="the request")
        try:
            wanted = await given.chat(asked.model, self.artifacts)
        except ValidationError as error:  # such as a choice of a tool that is not there
            raise Mistakes(f"the request: {error.errors()[0]['msg']}") from error
        if given.stream:
            await _streamed(engine, wanted, Stream(answer, engine, asked))
            return
        reply = await engine.chat(wanted, pieces=ignored)
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": reply.content, **_beside(reply)},
            "finish_reason": reply.finish_reason,
            **_weighed(reply),
        }
        value = head("chat.completion", "chatcmpl", reply.model) | {"choices": [choice]}
        await told(answer, engine, asked, value | {"usage": reply.usage.model_dump()})


async def _streamed(engine: _Able, wanted: ChatRequest, stream: Stream) -> None:
    start = head("chat.completion.chunk", "chatcmpl", wanted.model)
    role: dict[str, Any] = {"role": "assistant"}

    async def say(delta: dict[str, Any], reason: str | None = None, **more: object) -> None:
        choice = {"index": 0, "delta": {**role, **delta}, "finish_reason": reason, **more}
        role.clear()  # only the first one names it
        await stream.tell(start | {"choices": [choice]})

    async def show(text: str) -> None:
        await say({"content": text})

    reply = await as_it_comes(lambda pieces: engine.chat(wanted, pieces=pieces), show)
    if beside := _beside(reply, numbered=True):
        await say(beside)
    await say({}, reply.finish_reason, **_weighed(reply))
    await stream.tell(start | {"choices": [], "usage": reply.usage.model_dump()})
    await stream.end()


def _beside(reply: ChatReply, *, numbered: bool = False) -> dict[str, Any]:
    """Give what stands in an answer beside its words."""
    calls = [
        {
            **({"index": number} if numbered else {}),
            "id": call.id,
            "type": "function",
            "function": {
                "name": call.name,
                "arguments": json.dumps(call.arguments, ensure_ascii=False),
            },
        }
        for number, call in enumerate(reply.tool_calls or ())
    ]
    thought = {"reasoning_content": reply.reasoning} if reply.reasoning else {}
    return ({"tool_calls": calls} if calls else {}) | thought


def _weighed(reply: ChatReply) -> dict[str, Any]:
    if reply.logprobs is None:
        return {}
    return {"logprobs": {"content": [_token(choice) for choice in reply.logprobs]}}


def _token(choice: TokenChoice) -> dict[str, Any]:
    others = [{**_weight(token, chance)} for token, chance in choice.others.items()]
    return {**_weight(choice.token, choice.logprob), "top_logprobs": others}


def _weight(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
