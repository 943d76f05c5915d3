"""Running a body once for each item of a list: so many at a time, results in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from aima.dsl.json import Json
from aima.workflows.ending import END, end_of, note_end
from aima.workflows.failure import Returned, StepFailed
from aima.workflows.frame import Call, Frame, Node, Place, begun, close, inside, leave
from aima.workflows.schedule import check_cancelled, ended, stop


@dataclass(frozen=True)
class Loop:
    """How a loop runs, all expressions evaluated.

    Attributes:
        parallel: how many items at a time.
        tolerated: how many may fail; None lets all of them.
        names: what the item and its position are called.
        reads: the steps outside that are read inside.
    """

    parallel: int
    tolerated: int | None
    names: tuple[str, str]
    reads: tuple[str, ...]


class Items:
    """The items of a loop, or of a part of it, at their positions.

    The place of the loop keeps what each item left behind (``items``) and how the others failed
    (``failed``), by position.
    """

    def __init__(self, node: Node, frame: Frame, proceed: Call, loop: Loop) -> None:
        """Prepare to run; nothing starts yet."""
        self._node = node
        self._frame = frame
        self._proceed = proceed
        self._loop = loop
        self._place = frame.place_of(node)
        self.outputs: dict[str, Json] = self._place.setdefault("items", {})
        self.failed: dict[str, Json] = self._place.setdefault("failed", {})

    async def run(self, items: Sequence[Json], first: int = 0) -> None:
        """Run the items, which stand at the positions from ``first`` on.

        Raises:
            StepFailed: more of them failed than may; those in flight have ended by then.
        """
        if self._frame.closing or END in self._place:
            await self._close(items, first)
        left = iter([(i, item) for i, item in enumerate(items, first) if not self._done(i)])
        count = min(self._loop.parallel, len(items))
        runners = [asyncio.create_task(self._runner(left)) for _ in range(count)]
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        running = count

        def has_ended(runner: asyncio.Task[None]) -> None:
            nonlocal running
            running -= 1
            if not runner.cancelled() and (error := runner.exception()) and not end.done():
                end.set_exception(error)
            if not running and not end.done():
                end.set_result(None)

        for runner in runners:
            runner.add_done_callback(has_ended)
        try:
            if runners:
                await end
        except (Exception, asyncio.CancelledError) as error:  # not the end of the coroutine
            note_end(self._place, error)
            await stop(runners)
            raise

    async def _close(self, items: Sequence[Json], first: int) -> NoReturn:
        """Let the items that were begun clean up, and end as it was decided before."""
        left = [int(key) for key in begun(self._place)]
        await ended([asyncio.create_task(self._closed(i, items[i - first])) for i in left])
        raise end_of(self._place, self._frame)

    async def _closed(self, index: int, item: Json) -> None:
        try:
            await self._proceed(replace(self._item_frame(index, item), closing=True))
        finally:
            close(self._place, str(index))

    def _done(self, index: int) -> bool:
        return str(index) in self.outputs or str(index) in self.failed

    async def _runner(self, left: Iterator[tuple[int, Json]]) -> None:
        """Take one item after the other."""
        for index, item in left:
            try:
                output = await self._proceed(self._item_frame(index, item))
            except StepFailed as failure:
                self._note(index, failure)
            except (Returned, asyncio.CancelledError):
                close(self._place, str(index))
                raise
            else:
                self.outputs[str(index)] = output
                self._frame.run.progress.loop(self._node, done=1)
            leave(self._place, str(index))
            check_cancelled()
            await self._frame.run.window.breathe()

    def _note(self, index: int, failure: StepFailed) -> None:
        error = failure.error
        if error.item is None:
            error = replace(error, item=index)
        self.failed[str(index)] = {"index": index, "error": error.data()}
        self._frame.run.progress.loop(self._node, failed=1)
        if self._loop.tolerated is not None and len(self.failed) > self._loop.tolerated:
            raise StepFailed(error) from failure

    def _item_frame(self, index: int, item: Json) -> Frame:
        frame, (name, position) = self._frame, self._loop.names
        place: Place = inside(self._place, str(index))
        outputs: dict[str, Any] = place.setdefault(
            "outputs", {key: frame.outputs[key] for key in self._loop.reads if key in frame.outputs}
        )
        path = f"{frame.path_of(self._node)}[{index}]"
        return replace(
            frame,
            roots={**frame.roots, name: item, position: index, "steps": outputs},
            outputs=outputs,
            place=place,
            path=f"{path}.",
            own=(self._node.id, path),
            items=(*frame.items, index),
        )
