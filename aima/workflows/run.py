"""A run: what all its steps share, and all that it must know to go on with a new history.

Temporal bounds a history, so a long run goes on in a new one (*continue as new*). Everything
that is known by then is ``Run.state``, plain JSON, kept up to date as the run goes: a run that
starts with a state goes on where that state was taken. ``aima retry`` starts runs the same way.

========== ===================================================================================
key        meaning
========== ===================================================================================
outputs    what the steps outside of item loops left behind, by id
place      how far the main steps are; each construct keeps its own place in it
sections   how far ``on_failure``, ``finally`` and their like are
undos      what is to be undone if the run fails, in order of completion
undone     what was undone, and what could not be
mail       signals, approvals and events that no step has taken yet, by kind
waiting    the paths of the steps that wait for each kind of letter, the longest first
counts     how often each step came to each state
loops      how many items of each loop there are, are done and failed
notes      what else is told of a step: its rounds, its pass, the branch that won
ended      how the main steps ended, once they have: ``{output}``, ``{error}``, ``{cancelled}``
effects    what the effect keys of the run begin with
renewed    what they begin with for steps that a retry repeats
children   what children had finished that are tried again, by path
started_at when the first history began, in ISO 8601
========== ===================================================================================
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload

from aima.dsl.json import Json
from aima.dsl.plan import READABLE
from aima.dsl.template import Evaluator, evaluator
from aima.workflows.failure import RunCancelled, StepFailed
from aima.workflows.frame import Frame, Node, Place, Roots, Steps
from aima.workflows.mail import Mail
from aima.workflows.outline import shape
from aima.workflows.progress import Progress
from aima.workflows.schedule import stop
from aima.workflows.window import Window


class Program:
    """A plan made ready to run; runs of the same plan share it."""

    def __init__(self, plan: dict[str, Any]) -> None:
        """Read a plan.

        Raises:
            ExpressionError, LookupError, TypeError, ValueError: it is none that this worker runs;
                the expressions of its steps are read only as they are needed.
        """
        if plan["format"] not in READABLE:
            raise ValueError(f"format {plan['format']!r}; this worker reads {sorted(READABLE)}")
        self.plan = plan
        self.name = str(plan["name"])
        self.config = dict(plan["config"])
        self.places = list(plan["places"])
        self.output: Evaluator | None = None
        if plan["output"] is not None:
            self.output = evaluator(plan["output"])
        self.steps = Steps(plan["steps"])
        self.lines = shape(plan)
        self.lists = {key: Steps(plan[key]) for key in ("on_failure", "finally") if plan.get(key)}
        self.nodes: dict[str, Node] = {}
        for steps in (self.steps, *self.lists.values()):
            self.nodes |= {node.id: node for node in steps.all_nodes()}


@lru_cache(maxsize=256)
def program_of(payload: bytes) -> Program:
    """Read a plan off its bytes, once in a worker: the same bytes are the same program."""
    import json

    return Program(json.loads(payload))


class Run:
    """One run of a program."""

    def __init__(self, plan: Payload, request: Mapping[str, Any], mail: Mail) -> None:
        """Take the plan and the request that a run was started with.

        Raises:
            ExpressionError, LookupError, TypeError, ValueError: they are none.
        """
        info = workflow.info()
        program = program_of(plan.data)
        self.program = program
        self.plan = plan
        self.request = request
        self.window = Window(info.is_continue_as_new_suggested)
        self.mail = mail
        self.state: dict[str, Any] = {
            "outputs": {},
            "place": {},
            "sections": {},
            "undos": [],
            "undone": [],
            "mail": {},
            "waiting": {},
            "counts": {},
            "started_at": workflow.now().isoformat(),
            **(request.get("state") or {}),
        }
        mail.join(self.state)
        self.effects = str(
            request.get("effects") or f"{info.workflow_id}/{info.first_execution_run_id}"
        )
        self.state["effects"] = self.effects
        self.progress = Progress(program.lines, self.state, info.workflow_id)
        self.status: dict[str, Json] = {
            "id": request.get("run") or info.workflow_id,
            "name": program.name,
            "status": "running",
            "attempt": info.attempt,
            "started_at": self.state["started_at"],
        }
        self.roots: Roots = {
            "input": request["input"],
            "config": {**program.config, **request["config"]},
            "steps": self.state["outputs"],
            "run": self.status,
            "secrets": {key: f"[secret {key}]" for key in program.plan.get("secrets", ())},
        }
        self.cached: set[str] = set()
        self.routes: list[Callable[[str, Json], bool]] = []
        self.closing = self.cancelled
        self._work: asyncio.Future[Json] | None = None
        self._begun = False
        self._failure: StepFailed | None = None

    def frame(self, place: Place, *, closing: bool = False) -> Frame:
        """Make the frame of steps at the top."""
        outputs = self.state["outputs"]
        return Frame(run=self, roots=self.roots, outputs=outputs, place=place, closing=closing)

    def until(self, place: Place, key: str, bound: timedelta) -> timedelta:
        """Give what is left of a bound in time that began when it was first asked for."""
        now = workflow.now()
        end = datetime.fromisoformat(place.setdefault(key, (now + bound).isoformat()))
        return max(end - now, timedelta(0))

    def hand_on(self, kind: str, letter: Json) -> bool:
        """Hand a letter to the part of the run that waits for it elsewhere; tell whether."""
        return any(route(kind, letter) for route in self.routes)

    async def interruptible(self, work: Awaitable[Json]) -> Json:
        """Do what a cancel of the run ends.

        Raises:
            RunCancelled: the run was cancelled, and the work has ended.
        """

        async def begin() -> Json:
            self._begun = True  # else a cancel would keep it from cleaning up what is begun
            return await work

        self._begun = False
        self._work = asyncio.ensure_future(begin())
        try:
            return await self._work
        except asyncio.CancelledError as error:
            raise self._failure or RunCancelled from error

    async def shielded(self, work: Awaitable[object], because: BaseException | None = None) -> None:
        """Do what cleans up, to its end, also while the run is cancelled.

        An error of it is noted and does not take the place of what it is done ``because`` of.

        Raises:
            CancelledError: somebody has cancelled this meanwhile, and the work has ended.
        """
        doing = asyncio.ensure_future(work)
        cancelled: asyncio.CancelledError | None = None
        while not doing.done():
            try:
                await asyncio.wait((doing,))
            except asyncio.CancelledError as error:
                cancelled = error
        try:
            doing.result()
        except StepFailed as failure:
            if because is None:
                raise
            noted: list[Json] = self.state.setdefault("cleanup", [])
            if failure.error.data() not in noted:  # a history before may have noted it
                noted.append(failure.error.data())
        if cancelled is not None:
            raise cancelled

    def cancel(self) -> None:
        """End what can be ended; what cleans up goes on."""
        self.cancelled = self.closing = True
        if self._work is not None and self._begun:
            self._work.cancel()

    def fail(self, failure: StepFailed) -> None:
        """End what can be ended, with a failure that no single step has."""
        self.closing, self._failure = True, failure
        if self._work is not None and self._begun:
            self._work.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether somebody cancelled the run, in this history or one before."""
        return bool(self.state.get("cancelled"))

    @cancelled.setter
    def cancelled(self, value: bool) -> None:
        self.state["cancelled"] = value


async def bounded(work: Awaitable[Json], bound: timedelta, *, summary: str) -> Json:
    """Do what must end within a time.

    Raises:
        TimeoutError: it did not; by now it has ended.
    """
    doing = asyncio.ensure_future(work)
    timer = asyncio.create_task(workflow.sleep(bound, summary=summary))
    try:
        await workflow.wait((doing, timer), return_when=asyncio.FIRST_COMPLETED)
    except (Exception, asyncio.CancelledError):  # not the end of the coroutine itself
        timer.cancel()
        await stop((doing,))
        raise
    timer.cancel()
    if not doing.done():
        await stop((doing,))
        raise TimeoutError
    return doing.result()
