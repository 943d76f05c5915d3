"""A worker's way to the hub, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from aima.errors import StreamLost
from aima.streams.hub import Hub, Said
from aima.streams.publisher import HubClient, Nowhere
from tests.unit.streams.hub_server import listen, serving


async def until(hub: Hub, wanted: bytes, *, ended: bool = False) -> list[Said]:
    """Read until so much was said."""
    told: list[Said] = []
    async with asyncio.timeout(20):
        reader = hub.read("run one/[2]")
        async for said in reader:
            told = [*(t for t in told if t.attempt == said.attempt), said]
            if b"".join(t.data for t in told) == wanted and said.ended == ended:
                await reader.aclose()
                return told
    raise AssertionError(told)


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client."""
    async with httpx2.AsyncClient() as client:
        yield client


async def test_words_reach_the_hub_as_they_come(http: httpx2.AsyncClient) -> None:
    """Before the answer is whole; when it is, the stream has ended."""
    hub, listener = Hub(), listen()
    streams = HubClient(f"http://127.0.0.1:{listener.getsockname()[1]}", "t", http)
    async with serving(hub, listener):
        async with streams.open("run one/[2]", "a[1].chat", 7) as writer:
            writer.write("Grüße ")
            [first] = await until(hub, "Grüße ".encode())
            writer.write("und mehr")
        told = await until(hub, "Grüße und mehr".encode(), ended=True)
    assert (first.step, first.attempt, first.media_type) == (
        "a[1].chat",
        7,
        "text/plain; charset=utf-8",
    )
    assert told[-1].ended


async def test_an_attempt_that_fails_leaves_its_stream_open(http: httpx2.AsyncClient) -> None:
    """The next one begins it again."""
    hub, listener = Hub(), listen()
    streams = HubClient(f"http://127.0.0.1:{listener.getsockname()[1]}", "t", http)

    async def fails() -> None:
        async with streams.open("run one/[2]", "chat", 1) as writer:
            writer.write("half an")
            await until(hub, b"half an")
            raise RuntimeError("the engine fell over")

    async with serving(hub, listener):
        with pytest.raises(RuntimeError):
            await fails()
        async with streams.open("run one/[2]", "chat", 2) as writer:
            writer.write("all of it")
        [told] = await until(hub, b"all of it", ended=True)
    assert told.attempt == 2


async def test_a_hub_that_was_started_anew_gets_it_all_again(http: httpx2.AsyncClient) -> None:
    """The stack may be restarted under a worker; watchers miss nothing."""
    listener = listen()
    port = listener.getsockname()[1]
    streams = HubClient(f"http://127.0.0.1:{port}", "t", http)
    first, second = Hub(), Hub()
    async with streams.open("run one/[2]", "chat", 1) as writer:
        async with serving(first, listener):
            writer.write("one ")
            await until(first, b"one ")
        writer.write("two ")
        async with serving(second, listen(port)):
            await until(second, b"one two ")


async def test_without_a_hub_nothing_is_shown_and_nothing_fails(http: httpx2.AsyncClient) -> None:
    """Nor is the step held up for longer than a moment."""
    async with Nowhere().open("run", "chat", 1) as writer:
        writer.write("unheard")
    closed = listen()
    streams = HubClient(f"http://127.0.0.1:{closed.getsockname()[1]}", "t", http)
    closed.close()
    async with asyncio.timeout(10), streams.open("run", "chat", 1) as writer:
        writer.write("unheard")


async def test_a_listener_may_take_longer_than_a_stream_may_be_silent() -> None:
    """A sentence that takes long to say is no silence, and must not be cut off."""
    said = [{"offset": 0, "text": "one ", "ended": False}, {"offset": 4, "text": "", "ended": True}]
    lines = "".join(f"{json.dumps(line)}\n" for line in said)
    answers = httpx2.MockTransport(lambda _: httpx2.Response(200, text=lines))
    async with httpx2.AsyncClient(transport=answers) as http:
        heard = []
        async for words in HubClient("http://hub", "t", http, silence=0.01).listen("run", "chat"):
            await asyncio.sleep(0.05)  # the work that is done with it
            heard.append(words)
    assert heard == ["one "]


async def test_a_stream_that_stays_silent_is_lost(http: httpx2.AsyncClient) -> None:
    """Who follows then waits for the whole."""
    listener = listen()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with serving(Hub(), listener):
        with pytest.raises(StreamLost, match="ReadTimeout"):
            await anext(HubClient(url, "t", http, silence=0.05).listen("run", "chat"))
