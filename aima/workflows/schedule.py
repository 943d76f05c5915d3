"""Running a list of steps: each as soon as what it waits for is done, in document order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aima.dsl.json import Json
from aima.workflows.constructs import running_bodies
from aima.workflows.failure import StepFailed
from aima.workflows.frame import Frame, Node
from aima.workflows.progress import Progress, State


class Schedule:
    """One pass over the steps of a list.

    A step that finishes starts those that waited for it, so the cost is one task for each step
    and nothing is searched: waiting on sets of tasks was measured to be quadratic.
    """

    def __init__(self, nodes: Sequence[Node], frame: Frame, progress: Progress) -> None:
        """Prepare to run ``nodes``; nothing starts yet."""
        self._nodes = nodes
        self._frame = frame
        self._progress = progress
        self._waiting = {node.id: len(node.after) for node in nodes}
        self._after: dict[str, list[Node]] = {node.id: [] for node in nodes}
        for node in nodes:
            for name in node.after:
                self._after[name].append(node)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._left = len(nodes)
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Run all steps.

        Raises:
            StepFailed: the first step that failed for good; the others have ended by then.
        """
        if not self._nodes:
            return
        for node in self._nodes:
            if not self._waiting[node.id]:
                self._start(node)
        try:
            await self._done
        except (Exception, asyncio.CancelledError):  # not the end of the coroutine itself
            await self._stop()
            raise

    def _start(self, node: Node) -> None:
        self._running[node.id] = asyncio.create_task(self._step(node))

    async def _step(self, node: Node) -> None:
        self._progress.set(node.id, State.running)
        try:
            output = await running_bodies()[node.body].run(node, self._frame)
        except StepFailed as failure:
            self._progress.set(node.id, State.failed)
            if node.data.get("on_failure") != "continue":
                self._fail(failure)
                return
            output = {"error": failure.error.data()}
        except asyncio.CancelledError:
            self._progress.set(node.id, State.cancelled)
            raise
        except Exception as error:  # noqa: BLE001 - a fault of AIMA's own must fail the workflow task
            self._fail(error)
            return
        else:
            self._progress.set(node.id, State.done)
        self._finish(node, output)

    def _finish(self, node: Node, output: Json) -> None:
        self._frame.outputs[node.id] = output
        del self._running[node.id]
        self._left -= 1
        if not self._left and not self._done.done():
            self._done.set_result(None)
        for follower in self._after[node.id]:
            self._waiting[follower.id] -= 1
            if not self._waiting[follower.id] and not self._done.done():
                self._start(follower)

    def _fail(self, failure: BaseException) -> None:
        if not self._done.done():
            self._done.set_exception(failure)

    async def _stop(self) -> None:
        """Cancel what runs and wait until it has ended."""
        tasks = [task for task in self._running.values() if not task.done()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            try:
                await task
            except asyncio.CancelledError:
                continue
