"""Large loops: parts of them run as children, so that no history grows past Temporal's limit.

A child gets the plan of the whole run and some of the items. It ends well whatever happens to
them and tells its parent everything: outputs, failures, what is to be undone, and the letters
that nobody took. So the parent alone decides how the run ends.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import (
    ChildWorkflowError,
    TemporalError,
    WorkflowAlreadyStartedError,
)
from temporalio.workflow import ChildWorkflowHandle, ParentClosePolicy

from aima.dsl.json import Json
from aima.workflows.children import result_of
from aima.workflows.failure import Returned, RunCancelled, StepError, StepFailed, from_child
from aima.workflows.frame import Frame, Node, inside
from aima.workflows.items import Items, Loop
from aima.workflows.run import Run
from aima.workflows.schedule import stop

SEGMENT_STEPS = 1_000
"""Steps in one segment: each leaves three to six events, and a history takes 51 200."""

_ITEM = re.compile(r"(approval:[a-z][a-z0-9_-]*)((?:\[\d+\])+)")


def needs_segments(node: Node, count: int) -> bool:
    """Tell whether a loop over so many items is split."""
    return count * int(node.data["for_each"]["weight"]) > SEGMENT_STEPS


async def in_segments(node: Node, frame: Frame, loop: Loop, items: Sequence[Json]) -> None:
    """Run a loop's items in one child after the other, or a few where many may run at once.

    Raises:
        StepFailed: more items failed than may.
        CancelledError: the loop has ended already; what its segments did was cleaned up in them.
    """
    if frame.closing:
        raise asyncio.CancelledError
    size = max(1, SEGMENT_STEPS // int(node.data["for_each"]["weight"]))
    place = frame.place_of(node)
    done: dict[str, bool] = place.setdefault("segments", {})
    starts = iter([i for i in range(0, len(items), size) if str(i) not in done])

    async def runner() -> None:
        for first in starts:
            part = Segment(node, frame, loop, first, list(items[first : first + size]))
            await part.run()
            done[str(first)] = True

    runners = [asyncio.create_task(runner()) for _ in range(-(-loop.parallel // size))]
    try:
        await asyncio.gather(*runners)
    except (Exception, asyncio.CancelledError):  # not the end of the coroutine itself
        await stop(runners)
        raise


@dataclass(frozen=True)
class Segment:
    """Some neighbouring items of a loop."""

    node: Node
    frame: Frame
    loop: Loop
    first: int
    items: list[Json]

    async def run(self) -> None:
        """Run them in a child, and take over what it tells."""
        run = self.frame.run
        async with run.window.place():
            try:
                handle = await workflow.start_child_workflow(
                    run.program.name,
                    args=[self._request(), RawValue(run.plan)],
                    id=f"{workflow.info().workflow_id}/{self._path}",
                    parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
                    static_summary=self._path,
                )
                route = self._route(handle)
                run.routes.append(route)
                try:
                    told = cast("dict[str, Any]", await result_of(handle))
                finally:
                    run.routes.remove(route)
            except (ChildWorkflowError, WorkflowAlreadyStartedError) as error:
                raise StepFailed(from_child(error, self.node)) from error
        self._take_over(told)

    @property
    def _path(self) -> str:
        last = self.first + len(self.items) - 1
        return f"{self.frame.path_of(self.node)}[{self.first}..{last}]"

    def _request(self) -> dict[str, Json]:
        run, frame = self.frame.run, self.frame
        failed: dict[str, Json] = frame.place_of(self.node).get("failed", {})
        roots = {key: value for key, value in frame.roots.items() if key not in run.roots}
        outputs = {key: frame.outputs[key] for key in self.loop.reads if key in frame.outputs}
        segment = {
            **asdict(self.loop),
            "step": self.node.id,
            "first": self.first,
            "items": self.items,
            "failed": len(failed),
            "path": frame.path,
            "own": list(frame.own),
            "at": list(frame.items),
            "roots": roots,
            "outputs": outputs,
        }
        given = {key: run.request[key] for key in ("input", "config")}
        return {
            **given,
            "run": run.status["id"],
            "effects": run.effects,
            "segment": cast("Json", segment),
            "state": {
                **self._begun(),
                "mail": run.mail.claim(self._is_mine),
                "started_at": run.status["started_at"],
            },
        }

    def _begun(self) -> dict[str, Json]:
        """Give what a retry knows of these items: those that are done, and renewed effects."""
        run, place = self.frame.run, self.frame.place_of(self.node)
        mine = map(str, range(self.first, self.first + len(self.items)))
        items = {key: place["items"][key] for key in mine if key in place.get("items", ())}
        begun: dict[str, Json] = {}
        if items:
            inner: dict[str, Json] = {"items": items}
            own = self.frame.own[0] == self.node.id
            begun["place"] = inner if own else {"in": {self.node.id: inner}}
        if run.state.get("renewed"):
            begun["renewed"] = run.state["renewed"]
        return begun

    def _take_over(self, told: dict[str, Any]) -> None:
        run, place = self.frame.run, self.frame.place_of(self.node)
        place["items"].update(told["items"])
        place["failed"].update(told["failed"])
        for key in ("undos", "undone", "cleanup"):
            run.state.setdefault(key, []).extend(told.get(key, ()))
        for kind, letters in told["mail"].items():
            for letter in letters:
                run.mail.put(kind, letter)
        run.progress.add(told)
        ended = told["ended"]
        tolerated = self.loop.tolerated
        if not ended and tolerated is not None and len(place["failed"]) > tolerated:
            latest = max(told["failed"], key=int)  # of two parts that were each within bounds
            ended = {"error": told["failed"][latest]["error"]}
        if "error" in ended:
            raise StepFailed(StepError.of(ended["error"]))
        if "returned" in ended:
            raise Returned(ended["returned"])
        if "cancelled" in ended:
            raise asyncio.CancelledError

    def _is_mine(self, kind: str) -> bool:
        """Tell a letter that a step of these items may wait for."""
        inside = [self.node, *(n for s in self.node.lists() for n in s.all_nodes())]
        waits = [n.data["wait_for"] for n in inside if n.body == "wait_for"]
        if kind.startswith("signal:"):
            return any(said.get("signal") == kind.removeprefix("signal:") for said in waits)
        found = _ITEM.fullmatch(kind)
        if found is None or found[1].removeprefix("approval:") not in {n.id for n in inside}:
            return False
        at = [int(index) for index in re.findall(r"\d+", found[2])]
        depth = len(self.frame.items)
        mine = range(self.first, self.first + len(self.items))
        return len(at) > depth and at[depth] in mine

    def _route(self, handle: ChildWorkflowHandle[Any, Any]) -> Callable[[str, Json], bool]:
        def hand_on(kind: str, letter: Json) -> bool:
            if not self._is_mine(kind):
                return False
            asyncio.ensure_future(self._send(handle, kind, letter))  # noqa: RUF006 - the loop of a workflow keeps its tasks
            return True

        return hand_on

    async def _send(self, handle: ChildWorkflowHandle[Any, Any], kind: str, letter: Json) -> None:
        with self.frame.run.window.busy():
            try:
                await handle.signal("aima.letter", args=[kind, letter])
            except TemporalError:  # it has ended meanwhile
                self.frame.run.mail.put(kind, letter)


async def live_segment(run: Run) -> Json:
    """Run a segment, inside the child; tell how it ended instead of failing."""
    from aima.workflows.constructs import call_inside

    told: dict[str, Any] = run.request["segment"]
    node = run.program.nodes[told["step"]]
    run.roots |= told["roots"]
    run.state["outputs"].update(told["outputs"])
    names = (str(told["names"][0]), str(told["names"][1]))
    tolerated = None if told["tolerated"] is None else told["tolerated"] - told["failed"]
    loop = Loop(told["parallel"], tolerated, names, tuple(told["reads"]))

    async def work() -> Json:
        frame = replace(
            run.frame(run.state["place"], closing=run.closing),
            path=told["path"],
            own=(str(told["own"][0]), str(told["own"][1])),
            items=tuple(told["at"]),
        )
        await Items(node, frame, call_inside(node, "for_each"), loop).run(
            told["items"], told["first"]
        )
        return None

    ended: dict[str, Json] = {}
    try:
        await run.interruptible(work())
    except StepFailed as failure:
        ended = {"error": failure.error.data()}
    except Returned as returned:
        ended = {"returned": returned.output}
    except RunCancelled:
        ended = {"cancelled": True}
    kept = ("undos", "undone", "cleanup", "mail", "counts", "loops", "notes")
    state = {key: run.state[key] for key in kept if key in run.state}
    place = run.state["place"] if node.id == told["own"][0] else inside(run.state["place"], node.id)
    done = {key: place.get(key, {}) for key in ("items", "failed")}
    return {**done, "ended": ended, **state}
