"""Running a list of steps: each as soon as what it waits for is done, in document order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NoReturn

from aima.dsl.json import Json
from aima.workflows.ending import END, end_of, note_end
from aima.workflows.failure import Returned, StepFailed
from aima.workflows.frame import Frame, Node, Steps, begun, close, leave
from aima.workflows.progress import State

SKIPPED: Json = {"aima": "skipped"}
"""What a step gives that did not run; known by identity, so no output is taken for it."""


class Schedule:
    """One pass over the steps of a list.

    A step that finishes starts those that waited for it, so the cost is one task for each step
    and nothing is searched: waiting on sets of tasks was measured to be quadratic.
    """

    def __init__(self, steps: Steps, frame: Frame) -> None:
        """Prepare to run ``steps``, without those that the frame's place calls done."""
        self._steps = steps
        self._frame = frame if not steps.leads else replace(frame, ended=self._ended)
        self._waits = dict(steps.waits)
        self._done: dict[str, bool] = frame.place.setdefault("done", {})
        self._running: dict[str, asyncio.Task[None]] = {}
        self._left = len(steps.nodes)
        self._early: set[str] = set()
        self._ends: dict[str, asyncio.Future[None]] = {}
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> dict[str, Json]:
        """Run all steps; give the outputs of those that were not skipped, by id.

        Raises:
            StepFailed: the first step that failed for good; the others have ended by then.
        """
        if self._frame.closing or END in self._frame.place:
            await self._close()
        for name in list(self._done):
            self._free(name)
        for node in self._steps.nodes:
            if not self._waits[node.id] and node.id not in self._done:
                self._start(node)
        if self._left:
            try:
                await self._end
            except (Exception, asyncio.CancelledError) as error:  # not the end of the coroutine
                note_end(self._frame.place, error)
                await stop(self._running.values())
                raise
        return {n.id: self._frame.outputs[n.id] for n in self._steps.nodes if self._done[n.id]}

    async def _close(self) -> NoReturn:
        """Let what was begun clean up, and end as it was decided before."""
        left = [n for n in self._steps.nodes if n.id in begun(self._frame.place)]
        frame = replace(self._frame, closing=True)
        await ended([asyncio.create_task(self._step(node, frame)) for node in left])
        raise end_of(self._frame.place, self._frame)

    def _start(self, node: Node) -> None:
        if node.id not in self._running:
            self._running[node.id] = asyncio.create_task(self._step(node, self._frame))
            for follower in self._steps.leads.get(node.id, ()):
                self._early.add(follower.id)
                self._start_if_free(follower)

    async def _step(self, node: Node, frame: Frame) -> None:
        progress = self._frame.run.progress
        progress.set(node, State.running)
        try:
            output = await node.call(frame)
        except StepFailed as failure:
            self._ended_badly(node, State.failed)
            self._fail(failure)
        except Returned as returned:
            self._ended_badly(node, State.done)
            self._fail(returned)
        except asyncio.CancelledError:
            self._ended_badly(node, State.cancelled)
            raise
        except Exception as error:  # noqa: BLE001 - a fault of AIMA's own must fail the workflow task
            self._fail(error)
        else:
            progress.set(node, State.skipped if output is SKIPPED else State.done)
            self._finish(node, output)

    def _ended_badly(self, node: Node, state: State) -> None:
        self._frame.run.progress.set(node, state)
        close(self._frame.place, node.id)

    def _finish(self, node: Node, output: Json) -> None:
        if output is not SKIPPED:
            self._frame.outputs[node.id] = output
        self._done[node.id] = output is not SKIPPED
        leave(self._frame.place, node.id)
        self._running.pop(node.id, None)
        if (end := self._ends.get(node.id)) is not None:
            end.set_result(None)
        for follower in self._free(node.id):
            if not self._end.done():
                self._start(follower)

    def _free(self, name: str) -> list[Node]:
        """Count a step as done; give the steps that wait for nothing any more."""
        self._left -= 1
        if not self._left and not self._end.done():
            self._end.set_result(None)
        freed = []
        for follower in self._steps.frees[name]:
            if follower.id in self._early and follower.follows == name:
                continue
            self._waits[follower.id] -= 1
            if not self._waits[follower.id] and follower.id not in self._done:
                freed.append(follower)
        return freed

    def _start_if_free(self, node: Node) -> None:
        """Start a step together with the one that it follows, unless it waits for others too."""
        self._waits[node.id] -= 1
        if not self._waits[node.id] and node.id not in self._done:
            self._start(node)

    async def _ended(self, name: str) -> None:
        """Wait until a step of this list has ended well; if it does not, nobody waits any more."""
        if name not in self._done:
            await self._ends.setdefault(name, asyncio.get_running_loop().create_future())

    def _fail(self, failure: BaseException) -> None:
        if not self._end.done():
            self._end.set_exception(failure)


def check_cancelled() -> None:
    """Go no further where somebody has cancelled this, though a unit ended well all the same.

    Raises:
        CancelledError: somebody has.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def stop(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel what runs and wait until it has ended.

    Raises:
        CancelledError: somebody has cancelled this meanwhile, and what was stopped has ended.
    """
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    await ended(running)


async def ended(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Wait until tasks have ended, as they like.

    Raises:
        CancelledError: somebody has cancelled this meanwhile, and they have ended.
    """
    before = _times_cancelled()
    for task in tasks:
        while not task.done():
            try:
                await task
            except (Exception, asyncio.CancelledError):  # noqa: BLE001, S112 - it may end as it likes
                continue
    if _times_cancelled() > before:
        raise asyncio.CancelledError


def _times_cancelled() -> int:
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0
