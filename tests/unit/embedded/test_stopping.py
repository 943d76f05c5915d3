"""Work that ends when nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from starlette.requests import Request
from starlette.types import Message

from aima.embedded.stopping import Stop, Stopped, in_thread, while_wanted
from aima.errors import Cancelled


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """A thread to work in."""
    with ThreadPoolExecutor(1) as threads:
        yield threads


def request_of(leaves: asyncio.Event) -> Request:
    """Give a request whose client leaves when the test says so."""

    async def receive() -> Message:
        await leaves.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": []}, receive)


def until_stopped(stop: Stop) -> str:
    """Work in small steps for ever."""
    pause = Event()
    while True:
        stop.check()
        pause.wait(0.005)


async def test_the_result_of_work_comes_through() -> None:
    """The plain case."""

    async def work() -> int:
        return 42

    assert await while_wanted(request_of(asyncio.Event()), work()) == 42


async def test_a_failure_of_work_comes_through() -> None:
    """With its own type, for the answer."""

    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await while_wanted(request_of(asyncio.Event()), work())


async def test_a_client_that_leaves_cancels_the_work() -> None:
    """And the call returns only when the work has ended."""
    leaves, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            ended.set()

    asyncio.get_running_loop().call_soon(leaves.set)
    with pytest.raises(Cancelled):
        await while_wanted(request_of(leaves), work())
    assert ended.is_set()


async def test_cancelling_the_request_cancels_the_work() -> None:
    """The server's own stop takes the same way."""
    ended, begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.sleep(600)
        finally:
            ended.set()

    task = asyncio.create_task(while_wanted(request_of(asyncio.Event()), work()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_a_thread_is_told_to_stop_and_waited_for(executor: ThreadPoolExecutor) -> None:
    """A model's turn may pass on only when its thread computes no more."""
    begun, ended = asyncio.Event(), Event()
    loop = asyncio.get_running_loop()

    def work(stop: Stop) -> None:
        loop.call_soon_threadsafe(begun.set)
        try:
            until_stopped(stop)
        finally:
            ended.set()

    task = asyncio.create_task(in_thread(executor, work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_the_result_of_a_thread_comes_through(executor: ThreadPoolExecutor) -> None:
    """The plain case."""
    assert await in_thread(executor, lambda _: "done") == "done"


def test_saying_stop_interrupts_at_once() -> None:
    """Native code looks at no flag; it has a switch of its own."""
    stop, calls = Stop(), list[str]()
    stop.interrupts(lambda: calls.append("interrupted"))
    stop.check()
    stop.set()
    assert calls == ["interrupted"]
    with pytest.raises(Stopped):
        stop.check()


def test_a_switch_that_comes_after_the_stop_is_thrown() -> None:
    """The stop may win the race against the work's first step."""
    stop, calls = Stop(), list[str]()
    stop.set()
    stop.interrupts(lambda: calls.append("interrupted"))
    assert calls == ["interrupted"]
