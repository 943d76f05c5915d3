"""What happened to a run's steps, read from Temporal: the history is the truth, no copy is kept."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent, MarkerRecordedEventAttributes
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.converter import DataConverter

from aima.workflows.failure import timeout_message
from aima.workflows.outline import NOTHING, shape
from aima.workflows.resume import step_in

_ENDED = ("done", "failed", "cancelled")


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
    """The steps of one run, as its history tells them.

    Attributes:
        ended: whether the run has ended.
        goes_on: Temporal's id of the history that goes on from this one; empty where none does.
    """

    converter: DataConverter
    states: dict[str, StepState] = field(default_factory=dict)
    ended: bool = False
    goes_on: str = ""
    last_event: int = 0
    _scheduled: dict[int, tuple[str, float]] = field(default_factory=dict)
    _timers: dict[int, tuple[Payload, float]] = field(default_factory=dict)

    def take(self, event: HistoryEvent) -> Iterator[StepState]:
        """Note one event; give the steps that it changed. An event taken before changes none."""
        if event.event_id <= self.last_event:
            return
        self.last_event = event.event_id
        now = event.event_time.ToMicroseconds() / 1_000_000
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            begun = event.activity_task_scheduled_event_attributes
            self._scheduled[event.event_id] = (begun.activity_id, now)
            yield self._set(StepState(begun.activity_id, begun.activity_type.name))
        elif event.event_type == EventType.EVENT_TYPE_MARKER_RECORDED:
            if event.marker_recorded_event_attributes.marker_name == _BESIDE:
                yield self._set(_beside(event.marker_recorded_event_attributes))
        elif event.event_type in _CLOSING:
            self.ended = True
            for state in [s for s in self.states.values() if s.state not in _ENDED]:
                yield self._set(replace(state, state="cancelled"))
        elif event.event_type in _ENDINGS:
            yield self._set(self._end(event, now))
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            told = event.workflow_execution_continued_as_new_event_attributes
            self.goes_on = told.new_execution_run_id
        else:
            self._note_timer(event, now)

    def continue_as_new(self) -> None:
        """Go on with a new history; what was in flight had ended before it began."""
        self.states.clear()
        self._scheduled.clear()
        self._timers.clear()
        self.goes_on, self.last_event = "", 0

    @property
    def seconds(self) -> dict[str, float]:
        """Tell how long those steps took that have ended, by path."""
        return {path: s.seconds for path, s in self.states.items() if s.seconds is not None}

    async def told(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """Tell how far the run is, as far as its history knows."""
        counts: dict[str, dict[str, int]] = {}
        undone: Counter[str] = Counter()
        for path, state in self.states.items():
            if path.startswith("undo:"):
                undone[step_in(path)] += state.state == "done"
            elif not state.unit.startswith("aima.") or state.unit == "aima.emit":
                kind = state.state if state.state in _ENDED else "running"
                here = counts.setdefault(step_in(path), {})
                here[kind] = here.get(kind, 0) + 1
        waits = [wait async for wait in self._waits(plan)]
        return {**NOTHING, "counts": counts, "undone": undone, "waits": waits}

    def _note_timer(self, event: HistoryEvent, now: float) -> None:
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            length = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
            self._timers[event.event_id] = (
                event.user_metadata.summary,
                now + length.total_seconds(),
            )
        elif event.event_type == EventType.EVENT_TYPE_TIMER_FIRED:
            self._timers.pop(event.timer_fired_event_attributes.started_event_id, None)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED:
            self._timers.pop(event.timer_canceled_event_attributes.started_event_id, None)

    async def _waits(self, plan: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """Read the waits off the timers, which carry the paths of their steps."""
        steps = {line.id: line.step for line in shape(plan)}
        for summary, until in list(self._timers.values()):
            if not summary.data:
                continue
            [path] = await self.converter.decode([summary])
            step = steps.get(step_in(str(path)))
            if step is not None and step["body"] in ("wait", "wait_for"):
                items = "".join(re.findall(r"\[\d+\]", str(path)))
                until_text = datetime.fromtimestamp(until, UTC).isoformat()
                yield {"step": f"{step['id']}{items}", "until": until_text, **_what(step)}

    async def take_pending(self, pending: PendingActivityInfo) -> StepState | None:
        """Note what the server says of a step in flight; give it if that is news."""
        told = await self.pending(pending)
        known = self.states.get(pending.activity_id)  # looked up last: an event may have come
        if known is None or known.state in _ENDED:
            return None
        fresh = replace(known, state=told.state, attempt=told.attempt, message=told.message)
        return self._set(fresh) if fresh != known else None

    async def pending(self, pending: PendingActivityInfo) -> StepState:
        """Read what the server says of a step in flight."""
        running = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        failed = pending.attempt > 1 and not running
        return StepState(
            step=pending.activity_id,
            unit=pending.activity_type.name,
            state="retrying" if failed else "running" if running else "waiting",
            attempt=max(pending.attempt, 1),
            message=_reason(pending.last_failure) if failed else await self._progress(pending),
        )

    def _end(self, event: HistoryEvent, now: float) -> StepState:
        state, attributes = _ENDINGS[event.event_type]
        told = getattr(event, attributes)
        step, since = self._scheduled[told.scheduled_event_id]
        message = _reason(told.failure) if state == "failed" else ""
        return replace(
            self.states[step], state=state, seconds=round(now - since, 3), message=message
        )

    async def _progress(self, pending: PendingActivityInfo) -> str:
        """Read the unit's last words; those of an attempt before this one do not count."""
        if not pending.heartbeat_details.payloads:
            return ""
        details: list[Any] = await self.converter.decode(pending.heartbeat_details.payloads)
        match details:
            case [{"attempt": pending.attempt, "message": str(message)}]:
                return message
        return ""

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

_CLOSING = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
    }
)


def _what(step: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a step waits for, where its file says so literally."""
    if step["body"] == "wait":
        return {"for": "time"}
    kind = next(k for k in ("signal", "event", "approval") if k in step["wait_for"])
    said = step["wait_for"][kind]
    if isinstance(said, dict):
        said = said.get({"event": "type", "approval": "message"}.get(kind, ""))
    return {"for": kind, "what": said if isinstance(said, str) else None}


_BESIDE = "core_local_activity"
"""How the SDK's core calls the one event of a unit that ran beside the workflow."""


def _beside(marker: MarkerRecordedEventAttributes) -> StepState:
    """Read a step that is over; while it ran, the history had nothing of it."""
    told = json.loads(marker.details["data"].payloads[0].data)
    failed = marker.HasField("failure")
    cancelled = failed and marker.failure.HasField("canceled_failure_info")
    return StepState(
        told["activity_id"],
        told["activity_type"],
        "cancelled" if cancelled else "failed" if failed else "done",
        seconds=_between(told["original_schedule_time"], told["complete_time"]),
        message=_reason(marker.failure) if failed and not cancelled else "",
    )


def _between(scheduled: dict[str, float], completed: dict[str, float] | None) -> float | None:
    """Give the seconds that it took; None if it was cancelled before it began."""
    if completed is None:
        return None
    seconds = completed["seconds"] - scheduled["seconds"]
    return round(max(seconds + (completed["nanos"] - scheduled["nanos"]) / 1e9, 0.0), 3)


def _reason(failure: Failure) -> str:
    if failure.HasField("timeout_failure_info"):
        return timeout_message(failure.timeout_failure_info.timeout_type)
    return failure.message
