"""What happened to a run's steps, read from Temporal: the history is the truth, no copy is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.converter import DataConverter


@dataclass(frozen=True)
class StepState:
    """Where one step is.

    Attributes:
        step: its path in the run, which is its activity's id.
        state: waiting, running, retrying, done, failed or cancelled.
        seconds: time from its scheduling to its end; None before.
        attempt: which attempt this is, from 1.
        message: the unit's progress, or what went wrong.
    """

    step: str
    unit: str
    state: str = "waiting"
    seconds: float | None = None
    attempt: int = 1
    message: str = ""


@dataclass
class Steps:
    """The steps of one run, as its history tells them."""

    converter: DataConverter
    states: dict[str, StepState] = field(default_factory=dict)
    _scheduled: dict[int, tuple[str, float]] = field(default_factory=dict)

    async def read(self, events: AsyncIterator[HistoryEvent]) -> AsyncIterator[StepState]:
        """Give each change that the events tell."""
        async for event in events:
            for state in self.take(event):
                yield state

    def take(self, event: HistoryEvent) -> Iterator[StepState]:
        """Note one event; give the step that it changed, if it did."""
        kind = event.event_type
        now = event.event_time.ToMicroseconds() / 1_000_000
        if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            begun = event.activity_task_scheduled_event_attributes
            self._scheduled[event.event_id] = (begun.activity_id, now)
            yield self._set(StepState(begun.activity_id, begun.activity_type.name))
            return
        ended = _ENDINGS.get(kind)
        if ended is None:
            return
        state, attributes = ended
        told = getattr(event, attributes)
        step, since = self._scheduled[told.scheduled_event_id]
        message = told.failure.cause.message or told.failure.message if state == "failed" else ""
        yield self._set(
            replace(self.states[step], state=state, seconds=round(now - since, 3), message=message)
        )

    async def take_pending(self, pending: PendingActivityInfo) -> StepState | None:
        """Note what the server says of a step in flight; give it if that is news."""
        known = self.states.get(pending.activity_id)
        if known is None or known.state in ("done", "failed", "cancelled"):
            return None
        running = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        failed = pending.attempt > 1 and not running
        fresh = replace(
            known,
            state="retrying" if failed else "running" if running else "waiting",
            attempt=max(pending.attempt, 1),
            message=_reason(pending.last_failure) if failed else await self._progress(pending),
        )
        return self._set(fresh) if fresh != known else None

    async def _progress(self, pending: PendingActivityInfo) -> str:
        if not pending.heartbeat_details.payloads:
            return ""
        details: list[Any] = await self.converter.decode(pending.heartbeat_details.payloads)
        return str(details[0])

    def _set(self, state: StepState) -> StepState:
        self.states[state.step] = state
        return state


_ENDINGS = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED: (
        "done",
        "activity_task_completed_event_attributes",
    ),
    EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED: (
        "failed",
        "activity_task_failed_event_attributes",
    ),
    EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT: (
        "failed",
        "activity_task_timed_out_event_attributes",
    ),
    EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED: (
        "cancelled",
        "activity_task_canceled_event_attributes",
    ),
}


def _reason(failure: Failure) -> str:
    return failure.cause.message or failure.message
