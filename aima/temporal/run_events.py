"""What happens to runs, told as events: that one began, a step is done, it has ended.

Temporal is the truth about runs, and its history and the outbox cannot be written as one. So the
events are derived: the list of runs is read again and again, from a moment before the last look,
and each event's id is made of the run's. Whatever dies in between, it is looked at once more, and
what was told before is in the outbox already. A run that goes on is followed step by step; of one
that was over too soon for that the steps are read off its history.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError

from aima.blocking import in_thread
from aima.errors import AimaError
from aima.store.events import CloudEvent
from aima.temporal.attributes import PLAN
from aima.temporal.events import Events, belonging, event_id, source_of
from aima.temporal.history import Steps, StepState
from aima.temporal.origin import Origin
from aima.temporal.refusals import told
from aima.temporal.runs import Runs

log = logging.getLogger(__name__)

STARTED, STEP_COMPLETED = "pipeline.started", "pipeline.step_completed"
COMPLETED, FAILED = "pipeline.completed", "pipeline.failed"
TYPES = (STARTED, STEP_COMPLETED, COMPLETED, FAILED)
"""The events of runs."""
READER = "time:runs"
"""The cursor: up to which moment, in milliseconds, all that happened to runs was told."""
POLL_SECONDS = 1.0
MOST_FOLLOWED = 16
"""Runs that are followed at once; the steps of others are told when those end."""
MOST_REMEMBERED = 20_000
_LATE = timedelta(seconds=10)
"""How long after it a server lists what happened."""
_LATE_AFTER_TROUBLE = timedelta(seconds=60)
"""The same, for one that was away, and for a worker that begins: both may have died together."""
_LONGEST_PAUSE_SECONDS = 30.0
_ENDS = {
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "cancelled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.TIMED_OUT: "timed_out",
}


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class RunEvents:
    """Tells what happens to the runs of a queue, at least once."""

    runs: Runs
    events: Events
    clock: Callable[[], datetime] = _now
    _remembered: dict[str, None] = field(default_factory=dict)
    _followed: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _trouble_at: datetime | None = None

    async def serve(self) -> None:
        """Tell what happens until cancelled; wait out whatever is unreachable."""
        pause = POLL_SECONDS
        try:
            while True:
                try:
                    await self.look()
                    pause = POLL_SECONDS
                except (AimaError, RPCError) as error:
                    log.warning("what happens to runs is told later, in %g s: %s", pause, error)
                    self._trouble_at = self.clock()
                    pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                await asyncio.sleep(pause)
        finally:
            for task in self._followed.values():
                task.cancel()
            await asyncio.gather(*self._followed.values(), return_exceptions=True)

    async def look(self) -> None:
        """Tell what has happened since the last look.

        Raises:
            AimaError, RPCError: something is unreachable; the next look begins where this did.
        """
        begun = self.clock()
        first, self._trouble_at = self._trouble_at is None, self._trouble_at or begun
        cursor = await in_thread(self.events.outbox.cursor, READER)
        if not cursor:  # what happened before events were told stays untold
            await in_thread(self.events.outbox.advance, READER, _milliseconds(begun))
            return
        going: list[WorkflowExecution] = []
        async for run in self._since(datetime.fromtimestamp(cursor / 1000, UTC), going=first):
            await self._tell(run)
            if run.status is WorkflowExecutionStatus.RUNNING:
                going.append(run)
        self._follow(going)
        soon = begun - self._trouble_at < _LATE_AFTER_TROUBLE
        seen = begun - (_LATE_AFTER_TROUBLE if soon else _LATE)
        await in_thread(self.events.outbox.advance, READER, _milliseconds(seen))

    async def _since(self, moment: datetime, *, going: bool) -> AsyncIterator[WorkflowExecution]:
        """List the runs that began or ended since a moment and, if wanted, all that go on."""
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        wanted = (
            f"{PLAN} IS NOT NULL AND TaskQueue = '{self.runs.task_queue}' AND "
            f"(StartTime >= '{text}' OR CloseTime >= '{text}'"
            + (" OR ExecutionStatus = 'Running')" if going else ")")
        )
        with told("what happened to runs"):
            async for run in self.runs.client.list_workflows(wanted):
                yield run

    async def _tell(self, run: WorkflowExecution) -> None:
        state = _ENDS.get(run.status or WorkflowExecutionStatus.RUNNING)
        begun = self._is_new(f"{run.id} started")
        ended = state is not None and self._is_new(f"{run.id} ended")
        if not begun and not ended:
            return  # each is listed for a minute, again and again
        about = await self._about(run)
        if begun:
            await self.events.publish(about.event(STARTED, run.start_time))
            self._remember(f"{run.id} started")
        if not ended:
            return
        steps = await self._steps_of(run, about)
        end = run.close_time or self.clock()
        kind = COMPLETED if state == "completed" else FAILED
        outcome = None if state == "completed" else await self.runs.outcome(run.id)
        more: dict[str, Any] = {"state": state, "seconds": (end - run.start_time).total_seconds()}
        more |= {"error": dict(outcome.error)} if outcome and outcome.error else {}
        await self.events.publish(*steps, about.event(kind, end, **more))
        self._remember(f"{run.id} ended")

    async def _about(self, run: WorkflowExecution) -> _About:
        first = run.raw_info.first_run_id or run.run_id
        origin = Origin.of(await run.memo(), first)
        return _About(run.workflow_type, run.id, run.parent_id or "", origin)

    def _is_new(self, what: str) -> bool:
        return what not in self._remembered

    def _remember(self, what: str) -> None:
        self._remembered[what] = None
        while len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def _follow(self, going: list[WorkflowExecution]) -> None:
        """Follow runs that go on, as many as may be at once."""
        self._followed = {id_: task for id_, task in self._followed.items() if not task.done()}
        for run in going:
            if len(self._followed) < MOST_FOLLOWED and run.id not in self._followed:
                self._followed[run.id] = asyncio.create_task(self._follow_one(run))

    async def _follow_one(self, run: WorkflowExecution) -> None:
        about = await self._about(run)
        try:
            async for event in self._steps(run, about, waits=True):
                await self.events.publish(event)
        except (AimaError, RPCError) as error:  # it is told when the run ends
            log.info("run %r is not followed: %s", run.id, error)

    async def _steps_of(self, run: WorkflowExecution, about: _About) -> list[CloudEvent]:
        """Read the steps of a run that has ended."""
        with told(f"run {run.id!r}"):
            return [event async for event in self._steps(run, about, waits=False)]

    async def _steps(
        self, run: WorkflowExecution, about: _About, *, waits: bool
    ) -> AsyncIterator[CloudEvent]:
        """Tell each step that is done, those of loops aside."""
        steps = Steps(self.runs.client.data_converter)
        handle = self.runs.client.get_workflow_handle(run.id, run_id=run.run_id)
        async for happened in handle.fetch_history_events(wait_new_event=waits):
            for step in _completed(steps.take(happened)):
                yield about.step(step, happened.event_time.ToDatetime(UTC))


def _completed(changes: Iterator[StepState]) -> Iterator[StepState]:
    for change in changes:
        internal = change.unit.startswith("aima.") and change.unit != "aima.emit"
        if change.state == "done" and not internal and not {"[", ":"} & set(change.step):
            yield change


@dataclass(frozen=True)
class _About:
    """A run, as events tell of it."""

    workflow: str
    run: str
    parent: str
    origin: Origin

    def event(self, kind: str, time: datetime, **more: object) -> CloudEvent:
        """Tell something of the run; told again it is the same event."""
        return self._event(f"{self.run} {kind.removeprefix('pipeline.')}", kind, time, more)

    def step(self, step: StepState, time: datetime) -> CloudEvent:
        """Tell that a step is done."""
        more: dict[str, object] = {"step": step.step, "unit": step.unit, "seconds": step.seconds}
        return self._event(f"{self.run} {step.step} done", STEP_COMPLETED, time, more)

    def _event(self, name: str, kind: str, time: datetime, more: dict[str, object]) -> CloudEvent:
        data: dict[str, object] = {"run_id": self.run, "workflow": self.workflow, **more}
        data |= {"parent": self.parent} if self.parent else {}
        return CloudEvent(
            id=event_id(name),
            type=kind,
            source=source_of(self.workflow, self.run),
            data=data,
            time=time,
            subject=f"pipeline/{self.run}",
            extensions=belonging(self.run, self.origin),
        )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
