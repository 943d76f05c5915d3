"""The door's addresses of the Messages API.

A request is asked as a chat of OpenAI's API, which every engine of chats takes, and the answer is
told back as it comes. Source: the API's public reference, version 2023-06-01.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.errors import ExecutionFailed, ModelNotFound, TimedOut
from aima.gateway.about import JSON, About
from aima.gateway.access.permission import Permission
from aima.gateway.accounts import SPENT, Spent
from aima.gateway.incoming import read
from aima.gateway.messages.answered import Events, message
from aima.gateway.messages.asked import Conversation
from aima.gateway.openai.remote_media import bring_in
from aima.gateway.openai.translation.translated import Translated
from aima.gateway.relaying import while_heard
from aima.gateway.retelling import Retold, whole
from aima.gateway.route import Way
from aima.gateway.sse import EVENTS
from aima.outbound import Outbound
from aima.ports.inference import ModelType, RelayRequest

MOST_BYTES = 96 << 20
_TURN = {"role": "user", "content": "Why is the sky blue?"}
_EXAMPLE = {"model": "default", "max_tokens": 100, "messages": [_TURN]}
_ASKS = About(body=Conversation, example=_EXAMPLE, errors=(ModelNotFound, TimedOut), passes_on=True)
_CREATES = replace(_ASKS, gives=(JSON, EVENTS))


@dataclass(frozen=True)
class MessagesRoutes:
    """Answers conversations of the Messages API.

    Attributes:
        outbound: fetches what requests name by address; no engine does that for them.
    """

    engines: Translated
    outbound: Outbound

    def ways(self) -> list[Way]:
        """Give the addresses."""
        use = Permission.INFERENCE_USE
        return [
            Way("POST", "/v1/messages", self.create, use, MOST_BYTES, about=_CREATES),
            Way("POST", "/v1/messages/count_tokens", self.count, use, MOST_BYTES, about=_ASKS),
        ]

    async def create(self, request: Request) -> Response:
        """Go on with a conversation."""
        asked, body, kind = await self._asked(request)
        wanted = RelayRequest(model=asked.model, path="chat/completions", body=body)
        spent = request.scope[SPENT] = Spent()
        ask = partial(self.engines.relay, wanted, kind)
        if asked.stream:
            return Retold(ask, Events(asked.model), spent)
        told = await while_heard(request, whole(ask, spent))
        return JSONResponse(message(told, asked.model))

    async def count(self, request: Request) -> Response:
        """Count the tokens of a conversation: the engine reads it and writes one."""
        asked, body, kind = await self._asked(request)
        body = {key: value for key, value in body.items() if not key.startswith("stream")}
        wanted = RelayRequest(
            model=asked.model, path="chat/completions", body=body | {"max_tokens": 1}
        )
        spent = request.scope[SPENT] = Spent()
        await while_heard(request, whole(partial(self.engines.relay, wanted, kind), spent))
        if spent.prompt_tokens is None:
            raise ExecutionFailed(f"engine {spent.engine!r} does not tell how much it read")
        return JSONResponse({"input_tokens": spent.prompt_tokens})

    async def _asked(self, request: Request) -> tuple[Conversation, dict[str, Any], ModelType]:
        asked = await read(request, Conversation)
        body = asked.chat()
        await while_heard(request, bring_in(body, self.outbound))
        return asked, body, "vlm" if asked.sees() else "llm"
