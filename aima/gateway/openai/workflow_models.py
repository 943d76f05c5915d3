"""Workflows that answer chats, as models: `workflow/NAME`.

A workflow is one when what it needs is a text `question`, or the conversation as `messages`, and
it gives an `answer` or `content`. A chat with it is a run like any other: durable, seen in the
Temporal UI, and under the id that the answer has. Who streams it hears the answer while a step
says it, where it is that step's text (:mod:`.spoken`), and else when the run ends.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, suppress
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
from aima.gateway.accounts import SPENT, Spent
from aima.gateway.openai.heard import Heard
from aima.gateway.openai.spoken import spoken_by
from aima.gateway.problem import openai_error
from aima.gateway.relaying import while_heard
from aima.gateway.route import admit
from aima.gateway.runs.starting import Starter
from aima.gateway.sse import EVENTS, HEADERS
from aima.gateway.workflows.known import KnownWorkflows
from aima.mistakes import accept
from aima.streams.hub import Hub, Said
from aima.temporal.runs import RunRequest

PREFIX = "workflow/"
HEARTBEAT_SECONDS = 10.0
_QUESTION, _MESSAGES = "question", "messages"
_ANSWERS = ("answer", "content")
_COSTS = ("prompt_tokens", "completion_tokens", "total_tokens")


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


class _Options(BaseModel):
    include_usage: bool = False


class _Chat(BaseModel):
    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[_Message] = Field(min_length=1)
    stream: bool = False
    stream_options: _Options | None = None


@dataclass(frozen=True)
class _Asked:
    """A chat on its way.

    Attributes:
        run: its id, which the answer has too.
        step: says the answer as it is made; empty where no step does.
        key: the output that is the answer.
        tells_usage: the client wants to hear what it cost.
    """

    run: str
    model: str
    step: str
    key: str
    tells_usage: bool
    spent: Spent

    def told(self, kind: str) -> dict[str, Any]:
        """Give what an answer begins with."""
        return {"id": self.run, "object": kind, "created": int(time.time()), "model": self.model}


@dataclass(frozen=True)
class WorkflowModels:
    """Answers chats with runs of workflows.

    Attributes:
        hub: has what steps show.
    """

    known: KnownWorkflows
    starter: Starter
    hub: Hub

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
        answer = _key(plan)
        step = spoken_by(plan, answer, self.known.definitions.signatures)
        spent = request.scope[SPENT] = Spent(model=asked.model)
        tells = asked.stream_options is not None and asked.stream_options.include_usage
        chat = _Asked(run, asked.model, step, answer, tells, spent)
        if asked.stream:
            return StreamingResponse(self._events(chat), media_type=EVENTS, headers=HEADERS)
        output = await while_heard(request, self._ended(run))
        message = {"role": "assistant", "content": _answer(output, answer)}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        told = {"choices": [choice], "usage": await self._usage(chat), "workflow": output}
        return JSONResponse(chat.told("chat.completion") | told)

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

    async def _events(self, chat: _Asked) -> AsyncIterator[bytes]:
        """Tell the answer as events: as a step says it, with signs of life before."""
        head, heard = chat.told("chat.completion.chunk"), Heard()
        ending = asyncio.ensure_future(self._ended(chat.run))
        try:
            yield _event(head | _delta({"role": "assistant", "content": ""}))
            async with aclosing(self._said(chat, ending)) as said:
                async for piece in said:
                    if piece is None:
                        yield b": the run goes on\n\n"
                    elif text := heard.more(piece):
                        yield _event(head | _delta({"content": text}))
            output = ending.result()
            rest = heard.rest(_answer(output, chat.key))
        except AimaError as error:
            yield _event(openai_error(error))
            return
        finally:
            ending.cancel()
        if rest:
            yield _event(head | _delta({"content": rest}))
        yield _event(head | _delta({}, "stop") | {"workflow": output})
        usage = await self._usage(chat)
        if chat.tells_usage:
            yield _event(head | {"choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"

    async def _said(
        self, chat: _Asked, ending: asyncio.Future[Any]
    ) -> AsyncGenerator[Said | None, None]:
        """Give what the step says until the run has ended; None where it is silent for long."""
        with self.hub.reader(chat.run, chat.step) as reader:
            while not ending.done():
                for said in reader.news():
                    yield said
                changed = asyncio.ensure_future(reader.changed())
                both = (ending, changed)
                try:
                    done, _ = await asyncio.wait(
                        both, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED
                    )
                finally:
                    changed.cancel()
                if not done:
                    yield None

    async def _usage(self, chat: _Asked) -> dict[str, int]:
        """Add up what the run's steps cost in tokens, as far as their outputs tell."""
        total: Counter[str] = Counter(dict.fromkeys(_COSTS, 0))
        with suppress(AimaError):  # the answer is there, whatever became of the history
            async for _, output in self.starter.runs.step_outputs(chat.run):
                usage = output.get("usage") if isinstance(output, Mapping) else None
                cost = usage if isinstance(usage, Mapping) else {}
                total.update({k: n for k in _COSTS if isinstance(n := cost.get(k), int)})
        chat.spent.prompt_tokens = total["prompt_tokens"]
        chat.spent.completion_tokens = total["completion_tokens"]
        return dict(total)


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


def _key(plan: Plan) -> str:
    output = plan.data.get("output")
    return next(key for key in _ANSWERS if isinstance(output, Mapping) and key in output)


def _answer(output: Mapping[str, Json], key: str) -> str:
    found = output.get(key, "")
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _delta(delta: Mapping[str, str], reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}


def _event(data: object) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
