"""Waiting for a child workflow, which may go on in several histories."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from temporalio import workflow
from temporalio.exceptions import TemporalError
from temporalio.workflow import ChildWorkflowHandle


async def result_of(handle: ChildWorkflowHandle[Any, Any]) -> Any:  # noqa: ANN401 - as it was sent
    """Wait for a child; a cancel of this is one of the child, and its end is awaited.

    The SDK cancels the history that the child began with. Once the child has gone on in another,
    the server takes that for done and nobody hears of it; so the child is asked by its id alone.

    Raises:
        ChildWorkflowError: it failed, or was cancelled.
    """
    asked = False
    while not handle.done():
        try:
            await asyncio.wait((handle,))
        except asyncio.CancelledError:
            if not asked:
                asked = True
                await _ask_to_end(handle)
    return handle.result()


async def _ask_to_end(handle: ChildWorkflowHandle[Any, Any]) -> None:
    with suppress(TemporalError):  # it has ended meanwhile
        await workflow.get_external_workflow_handle(handle.id).cancel()
