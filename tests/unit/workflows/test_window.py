"""Places in flight: handed on in order, and never lost, whoever is cancelled.

That a workflow task carries a bounded number of bytes shows only on a real server; see
tests/integration/test_interpreter_limits.py.
"""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aima.workflows.window import Window


def window_of(places: int) -> Window:
    """Make a window whose run never gets too long."""
    return Window(lambda: False, places=places)


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_finds_a_place_takes_it_and_the_rest_wait_in_line() -> None:
    """First come, first served: a replay must see the same order."""
    window, entered = window_of(2), list[int]()

    async def enter(number: int) -> None:
        await window.enter()
        entered.append(number)

    tasks = [asyncio.create_task(enter(n)) for n in range(5)]
    await settle()
    assert entered == [0, 1]
    window.leave()
    await settle()
    assert entered == [0, 1, 2]
    window.leave()
    window.leave()
    await settle()
    assert entered == [0, 1, 2, 3, 4]
    await asyncio.gather(*tasks)


async def test_who_is_cancelled_in_line_takes_no_place() -> None:
    """Nor does the next one lose its turn."""
    window = window_of(1)
    await window.enter()
    waiting = [asyncio.create_task(window.enter()) for _ in range(3)]
    await settle()
    waiting[0].cancel()
    await settle()
    window.leave()
    await settle()
    assert [task.done() for task in waiting] == [True, True, False]
    window.leave()
    await waiting[2]


async def test_a_place_given_to_one_who_is_cancelled_goes_to_the_next() -> None:
    """The cancel may come in the same moment as the place."""
    window = window_of(1)
    await window.enter()
    first, second = (asyncio.create_task(window.enter()) for _ in range(2))
    await settle()
    window.leave()
    first.cancel()
    await settle()
    assert second.done()
    with pytest.raises(asyncio.CancelledError):
        await first


@settings(deadline=None)
@given(st.lists(st.sampled_from(["enter", "leave", "cancel"]), max_size=40), st.integers(1, 3))
def test_places_are_neither_lost_nor_doubled(acts: list[str], most: int) -> None:
    """After any history, exactly the places that nobody holds are free."""

    async def play() -> None:
        window, tasks, holding = window_of(most), list[asyncio.Task[None]](), 0
        for act in acts:
            waiting = [task for task in tasks if not task.done()]
            if act == "enter":
                tasks.append(asyncio.create_task(window.enter()))
            elif act == "leave" and holding:
                window.leave()
                holding -= 1
            elif act == "cancel" and waiting:
                waiting[0].cancel()
            await settle()
            done = [task for task in tasks if task.done()]
            holding += sum(not task.cancelled() for task in done)
            tasks = [task for task in tasks if not task.done()]
            assert holding == window._taken
            assert not tasks or window._taken == most
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(play())


async def test_a_long_history_lets_nothing_more_through_and_tells_when_it_is_empty() -> None:
    """Then the run can go on with a new one, and nothing in flight is lost."""
    full = False
    window = Window(lambda: full, places=2)
    await window.enter()
    full = True
    waiting = asyncio.create_task(window.enter())
    await settle()
    assert not waiting.done()
    assert not window._queue[0].done()
    drained = [window.drained]
    window.leave()
    await settle()
    assert [*drained, window.drained] == [False, True]
    assert not waiting.done()
    waiting.cancel()
