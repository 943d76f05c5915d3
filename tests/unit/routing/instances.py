"""Engines for the tests of the router: they answer, fail or wait as a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aima.errors import AimaError
from aima.ports.inference import (
    ChatReply,
    ChatRequest,
    Message,
    ModelCard,
    ModelType,
    Pieces,
    Progress,
)
from aima.routing.router import Router
from aima.settings import Models
from aima.testing import chat_reply


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@dataclass
class Talker:
    """An engine that serves the model `m`.

    Attributes:
        fails: what it fails with, call by call; None answers. The last one stays.
        after: how many pieces it gives before it fails.
        gate: what each call waits for.
    """

    name: str
    fails: list[AimaError | None] = field(default_factory=lambda: [None])
    after: int = 0
    gate: asyncio.Event | None = None
    loaded: bool | None = None
    type: ModelType | None = "llm"
    calls: int = 0
    at_once: int = 0
    most_at_once: int = 0

    async def models(self) -> list[ModelCard]:
        """List the one model."""
        return [ModelCard(name="m", engine=self.name, type=self.type, loaded=self.loaded)]

    async def chat(self, request: ChatRequest, *, pieces: Pieces) -> ChatReply:
        """Answer with its own name, or fail."""
        del request
        self.calls += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (self.gate.wait() if self.gate else asyncio.sleep(0.001))
            error = self.fails.pop(0) if len(self.fails) > 1 else self.fails[0]
            for _ in range(self.after):
                pieces("piece")
            if error is not None:
                raise error
            pieces(self.name)
            return chat_reply(self.name, model="m")
        finally:
            self.at_once -= 1


@dataclass
class Loader(Talker):
    """An engine that loads its model when asked to."""

    loaded: bool | None = False
    loads: int = 0
    loading: asyncio.Event = field(default_factory=asyncio.Event)
    load_error: AimaError | None = None

    async def load(self, model: str, *, progress: Progress) -> None:
        """Take as long as the test wants."""
        self.loads += 1
        progress(f"loading {model}")
        await self.loading.wait()
        if self.load_error is not None:
            raise self.load_error

    async def unload(self, model: str) -> None:
        """Forget it."""
        del model
        self.loaded = False


def router(
    *engines: Talker,
    clock: Callable[[], float] | None = None,
    most_waiting: int = 1000,
    **most: int,
) -> Router:
    """Route among these engines."""
    return Router(
        tuple(engines), Models(), most=most, most_waiting=most_waiting, clock=clock or Clock()
    )


async def ask(
    of: Router, session: str | None = None, shown: list[str | bytes] | None = None
) -> str:
    """Ask; tell who answered."""
    said = [Message(role="user", content="?")]
    request = ChatRequest(model="m", messages=said, session=session)
    reply = await of.chat(request, pieces=(shown if shown is not None else []).append)
    return reply.content
