"""The bound of open runs: who is let in, who is told to wait, and how seldom Temporal is asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from aima.errors import Conflict, TemporalUnreachable, TooManyRuns
from aima.temporal.open_runs import COUNT_SECONDS, RETRY_SECONDS, OpenRuns


@dataclass
class Desk:
    """What Temporal says, and what time it is."""

    most: int
    open: int = 0
    away: bool = False
    asked: int = 0
    now: float = 100.0
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    bound: OpenRuns = field(init=False)

    def __post_init__(self) -> None:
        """Keep the bound of this desk; Temporal answers."""
        self.answers.set()
        self.bound = OpenRuns(self.most, self.count, lambda: self.now)

    async def count(self) -> int:
        """Count as Temporal does."""
        self.asked += 1
        counted = self.open
        await asyncio.sleep(0)  # an answer takes its way
        await self.answers.wait()
        if self.away:
            raise TemporalUnreachable("gone")
        return counted

    async def start(self) -> bool:
        """Start a run; tell whether there was room."""
        try:
            async with self.bound.one_more():
                await asyncio.sleep(0)
                self.open += 1
        except TooManyRuns:
            return False
        return True

    async def later(self) -> None:
        """Let a count grow old."""
        self.now += COUNT_SECONDS
        await asyncio.sleep(0)


async def test_a_burst_gets_what_there_is_room_for() -> None:
    """All at once, with a single question to Temporal."""
    desk = Desk(most=100, open=40)
    begun = await asyncio.gather(*(desk.start() for _ in range(500)))
    assert (begun.count(True), desk.open, desk.asked, desk.bound.refused) == (60, 100, 1, 440)


async def test_who_is_refused_learns_when_to_come_again() -> None:
    """And by which setting more would be let in."""
    with pytest.raises(TooManyRuns, match=r"3 runs are open already.*`door\.open_runs`") as told:
        async with Desk(most=3, open=3).bound.one_more():
            pass
    assert told.value.retry_after == RETRY_SECONDS


async def test_runs_that_end_make_room() -> None:
    """Seen by the next count, which whoever comes to a full house waits for."""
    desk = Desk(most=2, open=2)
    assert not await desk.start()
    desk.open = 1
    assert not await desk.start(), "the last count is good for a while"
    await desk.later()
    assert [await desk.start(), await desk.start()] == [True, False]


async def test_far_from_the_bound_nobody_waits_for_a_count() -> None:
    """It is renewed beside the start."""
    desk = Desk(most=100)
    await desk.start()
    await desk.later()
    desk.answers.clear()  # a server that takes its time
    async with asyncio.timeout(5):
        assert await desk.start()
    desk.answers.set()


async def test_a_start_that_fails_takes_no_room() -> None:
    """An id that is taken, say."""
    desk = Desk(most=1)
    with pytest.raises(Conflict):
        async with desk.bound.one_more():
            raise Conflict("taken")
    assert await desk.start()


async def test_what_was_just_started_counts_though_temporal_does_not_list_it_yet() -> None:
    """Its lists come a moment after its answers."""
    desk = Desk(most=2)
    assert await desk.start()
    desk.now += 0.9 * COUNT_SECONDS
    assert await desk.start()
    desk.open -= 1  # is what the list says
    desk.now += 0.1 * COUNT_SECONDS
    assert not await desk.start()
    assert desk.asked == 2


async def test_a_server_that_cannot_count_refuses_nobody() -> None:
    """Whether it can start a run it says itself; it is asked again later."""
    desk = Desk(most=5, away=True)
    assert await desk.start()
    assert await desk.start()
    assert desk.asked == 1
