"""The queue in front of a model."""

from __future__ import annotations

import asyncio

import pytest

from aima.embedded.turns import LONGEST_ADVICE_SECONDS, Turns
from aima.errors import RateLimited


async def hold(turns: Turns, order: list[str], name: str, release: asyncio.Event) -> None:
    """Take a turn, tell so, and keep it until released."""
    async with turns.turn():
        order.append(name)
        await release.wait()


async def settle() -> None:
    """Let every ready task take its steps."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_turns_are_taken_one_at_a_time_in_order() -> None:
    """First come, first served: nobody starves."""
    turns, order = Turns("tiny"), list[str]()
    releases = {name: asyncio.Event() for name in "abc"}
    tasks = [asyncio.create_task(hold(turns, order, *pair)) for pair in releases.items()]
    for number, release in enumerate(releases.values(), 1):
        await settle()
        assert len(order) == number
        release.set()
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c"]


async def test_one_too_many_is_turned_away_with_advice() -> None:
    """An unbounded queue is memory and hours of waiting."""
    turns, release = Turns("tiny", most_waiting=1), asyncio.Event()
    tasks = [asyncio.create_task(hold(turns, [], name, release)) for name in "ab"]
    await settle()
    with pytest.raises(RateLimited, match="'tiny' has 1 requests waiting") as caught:
        async with turns.turn():
            pass
    assert 1 <= (caught.value.retry_after or 0) <= LONGEST_ADVICE_SECONDS
    release.set()
    await asyncio.gather(*tasks)
    async with turns.turn():
        pass


async def test_who_leaves_the_queue_makes_room() -> None:
    """A cancelled run must not count as waiting."""
    turns, order, release = Turns("tiny", most_waiting=1), list[str](), asyncio.Event()
    first, second = (asyncio.create_task(hold(turns, order, name, release)) for name in ("a", "b"))
    await settle()
    second.cancel()
    await settle()
    third = asyncio.create_task(hold(turns, order, "c", release))
    await settle()
    release.set()
    await asyncio.gather(first, third)
    assert order == ["a", "c"]


async def test_a_failed_turn_ends_like_any_other() -> None:
    """The next one must get the model."""
    turns = Turns("tiny")
    with pytest.raises(ValueError, match="broken"):
        async with turns.turn():
            raise ValueError("broken")
    async with asyncio.timeout(1), turns.turn():
        pass
