"""Ending the door, or a stream of it, so that nobody is left in the middle of a sentence.

Requests under way are answered, for a while. What would never end by itself is ended at once:
a stream of events with a last event, from which its reader knows that it may come again; a
stream of lines by breaking off, from which its reader knows that there was more. An answer of a
model has the time of a request, and then ends with an error, never like a short answer.
A request whose time is over before it was answered gets 503: it may be asked again.
In the same way a stream ends when it has more to say, and the key it was asked with has ended.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aima.errors import AimaError, EngineNotRunning, Unauthorized
from aima.gateway.access.permission import Caller
from aima.gateway.problem import OPENAI, openai_error, tell
from aima.gateway.relaying import EVENTS
from aima.gateway.route import CALLER

LINES = "application/jsonl"
_LEFT = EngineNotRunning("this AIMA is ending; try again")
_OVER = Unauthorized("the key that this was asked with has ended, or was revoked")


@dataclass(eq=False)
class _Live:
    """A stream that is being sent."""

    send: Send
    task: asyncio.Task[object]
    has_events: bool
    is_answer: bool
    closed: bool = False

    async def close(self, why: AimaError) -> None:
        """Send its end, and stop what makes it."""
        if self.closed:
            return
        self.closed = True
        if self.has_events:
            last = _last(why, is_answer=self.is_answer)
            await self.send({"type": "http.response.body", "body": last, "more_body": False})
        self.task.cancel()


@dataclass
class Drain:
    """Knows the streams of a door; once it is told to, ends them.

    Attributes:
        seconds: how long requests and answers may still take.
    """

    seconds: float = 5.0
    _live: set[_Live] = field(default_factory=set)
    _ending: bool = False

    async def begin(self) -> None:
        """End the streams that have no end of their own."""
        self._ending = True
        await self._close([live for live in self._live if not live.is_answer])

    async def cut(self) -> None:
        """End all others."""
        await self._close(list(self._live))

    async def _close(self, streams: list[_Live]) -> None:
        await asyncio.gather(*(live.close(_LEFT) for live in streams), return_exceptions=True)

    def opened(self, scope: Scope, send: Send, message: Message) -> _Live | None:
        """Look at the beginning of an answer; give it where it is a stream."""
        media_type = next((v for k, v in message["headers"] if k.lower() == b"content-type"), b"")
        events = media_type.startswith(EVENTS.encode())
        task = asyncio.current_task()
        if task is None or not (events or media_type.startswith(LINES.encode())):
            return None
        is_answer = events and scope["path"].startswith(OPENAI)
        live = _Live(send, task, events, is_answer)
        self._live.add(live)
        return live

    def ended(self, live: _Live) -> None:
        """Forget a stream."""
        self._live.discard(live)

    @property
    def is_ending(self) -> bool:
        """Tell whether the door is ending."""
        return self._ending


class Drained:
    """Has the streams of an application ended when the door ends, or the key of who reads."""

    def __init__(self, app: ASGIApp, drain: Drain, *, ended: Callable[[Caller], bool]) -> None:
        """Tell ``drain`` of the streams of ``app``; ``ended`` tells whether a key has."""
        self._app = app
        self._drain = drain
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        live: _Live | None = None
        began = False

        async def watched(message: Message) -> None:
            nonlocal live, began
            began = True
            if live is not None and not live.closed and self._is_over(scope):
                await live.close(_OVER)
            if live is not None and live.closed:
                await asyncio.sleep(0)  # here the cancel arrives, if nowhere else
                return
            await send(message)
            if message["type"] == "http.response.start":
                live = self._drain.opened(scope, send, message)
                if live is not None and self._drain.is_ending and not live.is_answer:
                    await live.close(_LEFT)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if self._drain.is_ending and not began:
                await tell(Request(scope), _LEFT)(scope, receive, send)
            elif live is None or not (live.closed and live.has_events):
                raise  # of a stream of lines the server breaks the connection off
        finally:
            if live is not None:
                self._drain.ended(live)

    def _is_over(self, scope: Scope) -> bool:
        caller = scope.get(CALLER)
        return isinstance(caller, Caller) and self._ended(caller)


def _last(why: AimaError, *, is_answer: bool) -> bytes:
    if is_answer:
        return b"data: " + json.dumps(openai_error(why)).encode() + b"\n\n"
    told = {
        "code": why.code,
        "status": why.status,
        "detail": why.message,
        "retryable": why.retryable,
    }
    return b"event: error\ndata: " + json.dumps(told).encode() + b"\n\nevent: end\ndata: {}\n\n"
