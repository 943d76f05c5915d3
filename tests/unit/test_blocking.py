import asyncio
import threading

import pytest

from aima.blocking import in_thread


async def test_work_gives_its_result_and_its_error() -> None:
    """A thread is a detail."""
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_cancel_waits_for_the_thread(cancels: int) -> None:
    """Who closes a file that a thread still writes may close somebody else's next."""
    begun, go_on, events = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        go_on.wait()
        events.append("work ended")
        raise OSError

    async def caller() -> None:
        try:
            await in_thread(work)
        finally:
            events.append("caller went on")

    task = asyncio.create_task(caller())
    await asyncio.to_thread(begun.wait)
    for _ in range(cancels):
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=0.02)
        assert not done
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert events == ["work ended", "caller went on"]


async def test_work_is_done_even_if_the_cancel_came_first() -> None:
    """A record that was about to be written is written."""
    done = threading.Event()

    async def caller() -> None:
        me = asyncio.current_task()
        assert me is not None
        me.cancel()
        await in_thread(done.set)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(caller())
    assert done.is_set()
