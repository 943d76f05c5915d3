"""Blocking work on files and databases, awaited."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_Result = TypeVar("_Result")


async def in_thread(work: Callable[..., _Result], *arguments: object) -> _Result:
    """Do blocking work in a thread; a cancel is felt when the work is done.

    A thread cannot be stopped: were the caller to go on, it would close the file or roll back
    the transaction that the thread is still using.
    """
    import asyncio  # 30 ms that the CLI, which waits for nothing, does not spend

    job = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(job)
    except asyncio.CancelledError:
        while not job.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([job])
        if not job.cancelled():
            job.exception()  # seen: who was cancelled does not want to hear of it
        raise
