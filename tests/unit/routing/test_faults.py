"""One engine of three is ill, over real HTTP: what is answered, and what that costs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx2
import pytest
import pytest_asyncio
from pydantic import PrivateAttr
from starlette.requests import Request
from starlette.responses import Response

from aima.adapters.engines.openai import OpenAIEngine
from aima.errors import AimaError, EngineNotRunning
from aima.ports.inference import ChatRequest, Message
from aima.routing.router import Router
from aima.settings import Models
from aima.testing import MemoryArtifacts
from aima.testing.engines import FakeEngine, Faults, fake
from tests.unit.routing.instances import Clock

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHATS = 30
ANSWER = "w0 w1 w2 w3 w4"
STEP_SECONDS = 2.0
"""What the clock of the router says has passed when a step gives up."""


class Watched(Faults):
    """Faults of an engine that tells when it is asked."""

    _reached: asyncio.Event = PrivateAttr(default_factory=asyncio.Event)

    async def before(self, request: Request, refusal: Callable[[str], object]) -> Response | None:
        """Tell, and go on."""
        self._reached.set()
        return await super().before(request, refusal)

    async def reached(self) -> None:
        """Wait until it is asked."""
        self._reached.clear()
        await self._reached.wait()


@dataclass
class Three:
    """Three engines, the first of which falls ill."""

    engines: list[FakeEngine]
    http: httpx2.AsyncClient

    def router(self, clock: Clock) -> Router:
        """Make a router that knows nothing yet."""
        return Router(
            tuple(client(engine, n, self.http) for n, engine in enumerate(self.engines)),
            Models(),
            clock=clock,
        )

    @property
    def asked(self) -> list[int]:
        """How often each was asked."""
        return [engine.faults.asked for engine in self.engines]


def client(engine: FakeEngine, number: int, http: httpx2.AsyncClient) -> OpenAIEngine:
    """Make AIMA's client of an engine."""
    return OpenAIEngine(f"engine{number}", f"{engine.url}/v1", http, MemoryArtifacts())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Three]:
    """Run the engines."""
    async with AsyncExitStack() as open_:
        engines = [await open_.enter_async_context(fake("openai", Watched())) for _ in range(3)]
        http = await open_.enter_async_context(httpx2.AsyncClient(timeout=30))
        yield Three(engines, http)
        for engine in engines:
            engine.stop()


@pytest.fixture
def three(running: Three) -> Three:
    """Give them with nothing wrong yet."""
    for engine in running.engines:
        engine.heal()
    return running


async def talk(router: Router) -> str:
    """Ask for a chat; give the answer, or the code of the error."""
    said = ChatRequest(model="fake", messages=[Message(role="user", content="?")])
    shown: list[str | bytes] = []
    try:
        reply = await router.chat(said, pieces=shown.append)
    except AimaError as error:
        return error.code
    assert "".join(map(str, shown)) == reply.content
    return reply.content


@pytest.mark.parametrize(
    ("fault", "told", "asked"),
    [
        ({}, {}, 10),
        ({"fail_every": 1}, {}, 5),
        ({"fail_every": 1, "status": 503}, {}, 5),
        ({"fail_every": 1, "status": 429, "retry_after": 7}, {}, 1),
        ({"fail_every": 1, "status": 400}, {"VALIDATION_ERROR": 10}, 10),
        ({"garbage": True}, {}, 5),
        ({"malformed": True}, {}, 5),
        ({"empty": True}, {}, 5),
        ({"error_after": 0}, {}, 5),
        ({"error_after": 2}, {"EXECUTION_FAILED": 5}, 5),
        ({"die_after": 2}, {"ENGINE_NOT_RUNNING": 5}, 5),
    ],
    ids=str,
)
async def test_what_one_ill_engine_costs(
    three: Three, fault: dict[str, object], told: dict[str, int], asked: int
) -> None:
    """Of 30 chats all are answered whole, but those that broke off after their first words."""
    for name, value in fault.items():
        setattr(three.engines[0].faults, name, value)
    router = three.router(Clock())
    seen = Counter([await talk(router) for _ in range(CHATS)])
    assert seen == Counter(told) + Counter({ANSWER: CHATS - sum(told.values())})
    assert three.asked[0] == asked
    assert sum(three.asked) <= CHATS * 1.2


@pytest.mark.parametrize("fault", [{"hang": True}, {"drip": 0.02}], ids=str)
async def test_an_engine_that_never_gets_to_a_word_is_left_out(
    three: Three, fault: dict[str, object]
) -> None:
    """Its headers never come, or its bytes one by one: five steps give up, and no sixth."""
    ill = three.engines[0].faults
    for name, value in fault.items():
        setattr(ill, name, value)
    clock = Clock()
    router = three.router(clock)
    seen: Counter[str] = Counter()
    assert isinstance(ill, Watched)
    for _ in range(CHATS):
        chat, stuck = asyncio.create_task(talk(router)), asyncio.create_task(ill.reached())
        await asyncio.wait((chat, stuck), return_when=asyncio.FIRST_COMPLETED)
        if not chat.done():
            clock.now += STEP_SECONDS
            chat.cancel()
        stuck.cancel()
        [end, _] = await asyncio.gather(chat, stuck, return_exceptions=True)
        seen["given up" if isinstance(end, asyncio.CancelledError) else str(end)] += 1
    assert seen == {ANSWER: CHATS - 5, "given up": 5}
    assert three.asked[0] == 5


async def test_an_engine_that_was_restarted_is_used_again(three: Three) -> None:
    """At the same address: after its rest, with nothing lost and nothing to be told."""
    clock, one = Clock(), Three([], three.http)
    async with fake("openai") as engine:
        port = int(engine.url.rpartition(":")[2])
        one.engines.append(engine)
        router = one.router(clock)
        assert await talk(router) == ANSWER
    assert [await talk(router) for _ in range(6)] == [EngineNotRunning.code] * 6
    async with fake("openai", port=port) as engine:
        assert await talk(router) == EngineNotRunning.code, "it rests"
        clock.now += 1.1
        assert [await talk(router) for _ in range(10)] == [ANSWER] * 10
        assert engine.faults.asked == 10
    assert router.instances["engine0"].breaker.state == "closed"
