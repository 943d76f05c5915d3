"""The hub: what steps have shown, read along by anybody."""

import asyncio
from dataclasses import replace

from aima.streams.hub import KEPT_SECONDS, MOST_STREAM_BYTES, Hub, Said

TEXT = "text/plain; charset=utf-8"


def said(data: bytes, offset: int, *, attempt: int = 1, of: str = "run:chat") -> Said:
    """Write a piece of a run's step."""
    run, _, step = of.partition(":")
    return Said(run, step, attempt, offset, data, TEXT)


def last(data: bytes, offset: int) -> Said:
    """Write the last piece."""
    return replace(said(data, offset), ended=True)


async def heard(hub: Hub, count: int, *, step: str | None = None) -> list[tuple[int, bytes, bool]]:
    """Read so many messages: attempt, words, end."""
    told = []
    async with asyncio.timeout(5):
        reader = hub.read("run", step)
        async for piece in reader:
            told.append((piece.attempt, piece.data, piece.ended))
            if len(told) == count:
                await reader.aclose()
                break
    return told


async def test_a_reader_hears_each_piece_once() -> None:
    """As it comes, from the beginning to the end."""
    hub = Hub()
    hearing = asyncio.create_task(heard(hub, 3))
    await asyncio.sleep(0)
    for number, data in enumerate((b"a", b"b", b"c")):
        assert hub.say((last if data == b"c" else said)(data, number)) == number + 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert await hearing == [(1, b"a", False), (1, b"b", False), (1, b"c", True)]


async def test_who_comes_late_hears_all_of_it() -> None:
    """At once, and goes on from there."""
    hub = Hub()
    hub.say(said(b"The capital ", 0))
    hub.say(said(b"of France", 12))
    hearing = asyncio.create_task(heard(hub, 2))
    await asyncio.sleep(0)
    hub.say(last(b".", 21))
    assert await hearing == [(1, b"The capital of France", False), (1, b".", True)]


async def test_another_attempt_begins_again() -> None:
    """A reader sees the number change; words of the one before, come late, are dropped."""
    hub = Hub()
    hub.say(said(b"wrong", 0))
    hearing = asyncio.create_task(heard(hub, 2))
    await asyncio.sleep(0)
    hub.say(said(b"right", 0, attempt=2))
    hub.say(said(b" words", 5, attempt=1))
    assert await hearing == [(1, b"wrong", False), (2, b"right", False)]
    assert await heard(hub, 1) == [(2, b"right", False)]


async def test_what_came_twice_or_with_a_gap_is_not_taken() -> None:
    """The writer is told how much is here, and sends the rest again."""
    hub = Hub()
    assert hub.say(said(b"late", 10)) == 0
    assert hub.say(said(b"one", 0)) == 3
    assert hub.say(said(b"one", 0)) == 3
    assert hub.say(said(b"two", 3)) == 6
    assert await heard(hub, 1) == [(1, b"onetwo", False)]


async def test_steps_are_heard_together_or_one_alone() -> None:
    """A run shows several at once."""
    hub = Hub()
    hub.say(said(b"a", 0, of="run:one"))
    hub.say(said(b"b", 0, of="run:two"))
    hub.say(said(b"c", 0, of="other:chat"))
    assert [data for _, data, _ in await heard(hub, 2)] == [b"a", b"b"]
    assert await heard(hub, 1, step="two") == [(1, b"b", False)]


async def test_a_slow_reader_holds_nobody_up_and_nothing_of_its_own() -> None:
    """It gets in one message all that came meanwhile."""
    hub = Hub()
    reader = hub.read("run")
    hub.say(said(b"0", 0))
    assert (await anext(reader)).data == b"0"
    for number in range(1, 1000):
        hub.say(said(b"x", number))
    assert len((await anext(reader)).data) == 999
    await reader.aclose()


async def test_old_streams_are_forgotten_and_memory_is_bounded() -> None:
    """The oldest first; a single endless one stops growing."""
    now = 0.0
    hub = Hub(clock=lambda: now, most_bytes=1000)
    for number in range(20):
        now += 1
        hub.say(said(b"x" * 100, 0, of=f"run-{number}:chat"))
    assert hub.size <= 1100
    now += KEPT_SECONDS + 1
    hub.say(said(b"x", 0, of="new:chat"))
    assert hub.size == 1
    big = Hub()
    assert big.say(said(b"x" * MOST_STREAM_BYTES, 0)) == MOST_STREAM_BYTES
    assert big.say(said(b"x", MOST_STREAM_BYTES)) == MOST_STREAM_BYTES


async def test_a_run_is_read_with_those_inside_of_it() -> None:
    """Who watches a run wants to see what its children say; a neighbour is none of them."""
    hub = Hub()
    for number, run in enumerate(("run", "run/ask", "run/ask/deep", "runner")):
        hub.say(said(b"x", 0, of=f"{run}:chat", attempt=number + 1))
    with hub.reader("run") as reader:
        assert [piece.run for piece in reader.news()] == ["run", "run/ask", "run/ask/deep"]
        assert reader.news() == []
    with hub.reader("run/ask") as reader:
        assert [piece.run for piece in reader.news()] == ["run/ask", "run/ask/deep"]


async def test_an_attempt_that_has_said_nothing_yet_is_told() -> None:
    """Whoever looks on must not take the words of the one before for its own."""
    hub = Hub()
    hub.say(said(b"wrong", 0))
    with hub.reader("run") as reader:
        reader.news()
        hub.say(said(b"", 0, attempt=2))
        await reader.changed()
        assert [(piece.attempt, piece.data) for piece in reader.news()] == [(2, b"")]
