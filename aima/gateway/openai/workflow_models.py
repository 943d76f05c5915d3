"""Workflows that answer chats, as models: `workflow/NAME`.

A workflow is one when what it needs is a text `question`, or the conversation as `messages`, and
it gives an `answer` or `content`. A chat with it is a run like any other: durable, seen in the
Temporal UI, and under the id that the answer has. The answer comes when the run ends.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aima.dsl.inputs import accept_config, accept_input
from aima.dsl.json import Json
from aima.dsl.plan import Plan
from aima.errors import AimaError, ExecutionFailed, ValidationFailed, error_class
from aima.gateway.access.permission import Permission
from aima.gateway.incoming import accept
from aima.gateway.problem import openai_error
from aima.gateway.relaying import while_heard
from aima.gateway.route import admit
from aima.gateway.runs.starting import Starter
from aima.gateway.sse import EVENTS, HEADERS
from aima.gateway.workflows.known import KnownWorkflows
from aima.temporal.runs import RunRequest

PREFIX = "workflow/"
HEARTBEAT_SECONDS = 10.0
_QUESTION, _MESSAGES = "question", "messages"
_ANSWERS = ("answer", "content")


class _Part(BaseModel):
    type: str
    text: str = ""


class _Message(BaseModel):
    role: str
    content: str | list[_Part] = ""

    @property
    def text(self) -> str:
        """Its words."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if part.type == "text")


class _Chat(BaseModel):
    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[_Message] = Field(min_length=1)
    stream: bool = False


@dataclass(frozen=True)
class WorkflowModels:
    """Answers chats with runs of workflows."""

    known: KnownWorkflows
    starter: Starter

    async def names(self) -> list[str]:
        """Name those that there are."""
        found = [one for one in await self.known.all() if one.plan and asked_by(one.plan)]
        return [f"{PREFIX}{one.name}" for one in found]

    async def chat(self, request: Request, body: Mapping[str, Any]) -> Response:
        """Answer a chat.

        Raises:
            NotFound: there is no such workflow.
            ValidationFailed: it answers no chats.
        """
        admit(request.scope, Permission.RUN_START)
        asked = accept(_Chat.model_validate, body, what="the request")
        name = asked.model.removeprefix(PREFIX)
        plan, source = await self.known.runnable(name)
        key = asked_by(plan)
        if not key:
            raise ValidationFailed(
                f"workflow {name!r} answers no chats: it must need nothing but `question` or "
                "`messages`, and give `answer` or `content`"
            )
        wanted = RunRequest(
            input=accept_input(plan, {key: _given(key, asked.messages)}),
            config=accept_config(plan, {}),
            source=source,
        )
        run = await self.starter.start(request, plan, wanted, what=f"workflow {name}")
        head = {"id": run, "created": int(time.time()), "model": asked.model}
        if asked.stream:
            return StreamingResponse(self._events(run, head), media_type=EVENTS, headers=HEADERS)
        output = await while_heard(request, self._ended(run))
        message = {"role": "assistant", "content": _answer(output)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        told = head | {"object": "chat.completion", "choices": [choice], "workflow": output}
        return JSONResponse(told)

    async def _ended(self, run: str) -> Mapping[str, Json]:
        """Wait for a run's end and give its output; who stops waiting stops the run.

        Raises:
            AimaError: what the run failed with.
        """
        try:
            outcome = await self.starter.runs.outcome(run)
        except asyncio.CancelledError:
            with suppress(AimaError):
                await asyncio.shield(self.starter.runs.cancel(run))
            raise
        error = outcome.error
        if error is not None:
            raise error_class(str(error["code"]))(f"run {run}: {error['message']}")
        if not isinstance(outcome.output, Mapping):
            raise ExecutionFailed(f"run {run} was {outcome.state}")
        return outcome.output

    async def _events(self, run: str, head: dict[str, Any]) -> AsyncIterator[bytes]:
        """Tell the answer as events, with signs of life before it."""
        head = head | {"object": "chat.completion.chunk"}
        ending = asyncio.ensure_future(self._ended(run))
        try:
            yield _event(head | _delta({"role": "assistant", "content": ""}))
            while not (await asyncio.wait([ending], timeout=HEARTBEAT_SECONDS))[0]:
                yield b": the run goes on\n\n"
            output = ending.result()
        except AimaError as error:
            yield _event(openai_error(error))
            return
        finally:
            ending.cancel()
        yield _event(head | _delta({"content": _answer(output)}))
        yield _event(head | _delta({}, "stop") | {"workflow": output})
        yield b"data: [DONE]\n\n"


def asked_by(plan: Plan) -> str:
    """Name the input that takes what is said in a chat; empty where the workflow answers none."""
    inputs, output = plan.data["inputs"], plan.data.get("output")
    if not isinstance(output, Mapping) or not any(key in output for key in _ANSWERS):
        return ""
    inputs = inputs if isinstance(inputs, Mapping) else {}
    known, needed = inputs.get("properties"), inputs.get("required") or []
    if isinstance(known, Mapping) and isinstance(needed, list):
        for key in (_MESSAGES, _QUESTION):
            if key in known and all(one == key for one in needed):
                return key
    return ""


def _given(key: str, messages: Sequence[_Message]) -> Json:
    if key == _MESSAGES:
        return [{"role": message.role, "content": message.text} for message in messages]
    return next((m.text for m in reversed(messages) if m.role == "user"), messages[-1].text)


def _answer(output: Mapping[str, Json]) -> str:
    found = next((output[key] for key in _ANSWERS if key in output), "")
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _delta(delta: Mapping[str, str], reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _event(data: object) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
