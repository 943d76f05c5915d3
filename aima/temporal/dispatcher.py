"""Passing events on: to the workflows that they trigger, and to the runs that wait for them.

Every worker runs a dispatcher beside its activities. All read the same outbox after the same
cursor, which moves on only when an event was dealt with: whatever dies in between, the event is
passed on once more. That harms nobody. A run started by an event has an id made of the event's,
so there is no second one; and a waiting run knows each event by its id.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from temporalio.service import RPCError

from aima.blocking import in_thread
from aima.errors import AimaError, Conflict, NotFound
from aima.store.applied import Applied, AppliedWorkflow
from aima.store.events import CloudEvent, Entry, Outbox, Wait
from aima.temporal.events import Events, source_of
from aima.temporal.origin import HOPS, Origin
from aima.temporal.refusals import told
from aima.temporal.runs import RunRequest, Runs
from aima.temporal.triggers import EventTrigger, event_triggers
from aima.trace import TRACEPARENT

log = logging.getLogger(__name__)

READER = "dispatcher"
"""The cursor that all dispatchers share."""

POLL_SECONDS = 0.5
"""How often is looked for events of other processes; those of this one ring a bell."""

MOST_HOPS = 16
"""Runs, each started by what happened to the one before; more are taken for endless."""

_LONGEST_PAUSE_SECONDS = 30.0
_AT_ONCE = 100
_UNREADABLE = (AttributeError, LookupError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True)
class Dispatcher:
    """Passes each event on to everybody it concerns, at least once."""

    runs: Runs
    events: Events
    applied: Applied

    @property
    def outbox(self) -> Outbox:
        """Where the events are."""
        return self.events.outbox

    async def serve(self) -> None:
        """Pass events on until cancelled; wait out whatever is unreachable."""
        pause = POLL_SECONDS
        while True:
            self.events.published.clear()
            try:
                handled = await self.dispatch()
            except (AimaError, RPCError) as error:
                log.warning("events wait, tried again in %g s: %s", pause, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            pause = POLL_SECONDS
            if not handled:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self.events.published.wait(), POLL_SECONDS)

    async def dispatch(self) -> int:
        """Pass the next events on and tell how many.

        Raises:
            AimaError, RPCError: something is unreachable; the cursor is where that began.
        """
        entries = await in_thread(self._next)
        if not entries:
            return 0
        workflows = await in_thread(self.applied.all)
        for entry in entries:
            for workflow in workflows:
                await self._start(workflow, entry.event)
            for wait in await in_thread(self.outbox.waits_for, entry):
                await self._tell(wait, entry.event)
            await in_thread(self.outbox.advance, READER, entry.seq)
        return len(entries)

    def _next(self) -> list[Entry]:
        return self.outbox.after(self.outbox.cursor(READER), limit=_AT_ONCE)

    async def _start(self, workflow: AppliedWorkflow, event: CloudEvent) -> None:
        """Start one run, by the first of the workflow's triggers that wants the event."""
        try:
            triggers = event_triggers(workflow.plan)
        except (AimaError, *_UNREADABLE) as error:
            log.error("the triggers of %r cannot be read: %r; apply it again", workflow.name, error)  # noqa: TRY400 - the reason is in the plan, not in this code
            return
        for trigger in triggers:
            try:
                if trigger.wants(event):
                    await self._run(trigger, event, workflow.source)
                    return
            except (AimaError, *_UNREADABLE) as error:
                if isinstance(error, AimaError) and error.retryable:
                    raise
                log.warning("%r does not start on event %s: %s", workflow.name, event.id, error)

    async def _run(self, trigger: EventTrigger, event: CloudEvent, source: str) -> None:
        hops = int(event.extensions.get(HOPS, "0")) + 1
        if hops > MOST_HOPS or _is_own(trigger, event):
            log.warning(
                "%r does not start on event %s: it would start itself, on and on",
                trigger.plan.name,
                event.id,
            )
            return
        request = RunRequest(
            trigger.input_for(event),
            id=trigger.run_id(event),
            source=source,
            memo=Origin(str(event.extensions.get(TRACEPARENT, "")), event.id, hops).memo(),
        )
        with suppress(Conflict):  # the event was told before
            await self.runs.start(trigger.plan, request)

    async def _tell(self, wait: Wait, event: CloudEvent) -> None:
        handle = self.runs.client.get_workflow_handle(wait.run)
        try:
            with told(f"run {wait.run!r}"):
                await handle.signal("aima.event", args=[wait.step, event.to_json()])
        except NotFound:  # it has ended
            await in_thread(self.outbox.forget, wait.run, wait.step)
        except AimaError as error:
            if error.retryable:
                raise
            log.warning("run %r cannot be told event %s: %s", wait.run, event.id, error)


def _is_own(trigger: EventTrigger, event: CloudEvent) -> bool:
    """Tell whether an event is of a run of the very workflow that it would start."""
    return event.type.startswith("pipeline.") and event.source.startswith(
        source_of(trigger.plan.name, "")
    )
