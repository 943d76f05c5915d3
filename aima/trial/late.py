"""The delays of stand-ins, which are timers of the run.

A stand-in answers at once, and the run hears it when the time has come, that of attempts before
included. Were it the stand-in that took its time, the server would have to let time pass while a
task is out: it then jumps over the end of that task's own timeouts, and two such at once confuse
its clock.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    CancelledError,
    FailureError,
    RetryState,
    TimeoutType,
)
from temporalio.exceptions import TimeoutError as TemporalTimeout
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from aima.workflows.schedule import ended

Activity: TypeAlias = tuple[str, str, bool]
"""The id of a run, that of an activity in it, and whether it runs beside the workflow."""


@dataclass(frozen=True)
class Said:
    """What stand-ins have said to a run, and it to them, by activity.

    Attributes:
        delays: how late an answer is, all its attempts together.
        again: those whose last attempt failed, so that another comes.
        unwanted: those that the run has cancelled; no other attempt comes.
    """

    delays: defaultdict[Activity, timedelta] = field(default_factory=lambda: defaultdict(timedelta))
    again: set[Activity] = field(default_factory=set)
    unwanted: set[Activity] = field(default_factory=set)


AIMA = "aima."
"""How activities begin that are AIMA's own and nobody stands in for."""

_Call: TypeAlias = StartActivityInput | StartLocalActivityInput
_AT_ONCE = timedelta()


@dataclass(frozen=True)
class Late(Interceptor):
    """Lets a run hear what stand-ins say when their time has come."""

    said: Said = field(repr=False)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        """Give the class that the SDK makes one of for each run."""
        del input
        said = self.said

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(_Outbound(outbound, said))

        return Inbound


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, following: WorkflowOutboundInterceptor, said: Said) -> None:
        super().__init__(following)
        self._said = said

    def start_activity(self, input: StartActivityInput) -> Any:  # noqa: A002, ANN401 - the SDK's
        return self._heard(input, super().start_activity(input))

    def start_local_activity(self, input: StartLocalActivityInput) -> Any:  # noqa: A002, ANN401
        return self._heard(input, super().start_local_activity(input))

    def _heard(self, call: _Call, running: asyncio.Task[Any]) -> asyncio.Task[Any]:
        if call.activity.startswith(AIMA):
            return running
        return asyncio.create_task(self._late(call, running))

    async def _late(self, call: _Call, running: asyncio.Task[Any]) -> Any:  # noqa: ANN401 - JSON
        begun = workflow.now()
        try:
            output = await self._answer(call, running)
        except FailureError as error:
            if not isinstance(error.cause, CancelledError):
                await self._wait(call, begun)
            raise
        await self._wait(call, begun)
        return output

    async def _answer(self, call: _Call, running: asyncio.Task[Any]) -> Any:  # noqa: ANN401 - JSON
        """Wait for an answer; a cancel waits for it too, for it comes at once.

        The server takes a cancel of an activity that has just ended for a mistake, and waits.
        """
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            activity = _activity(call)
            self._said.unwanted.add(activity)
            if activity in self._said.again:
                running.cancel()
            await ended([running])
            raise

    async def _wait(self, call: _Call, begun: datetime) -> None:
        """Wait until an answer is due, at most until the call's deadline."""
        late = self._said.delays.get(_activity(call), _AT_ONCE)
        left = (call.schedule_to_close_timeout or late) - (workflow.now() - begun)
        if late > _AT_ONCE:
            await workflow.sleep(max(min(late, left), _AT_ONCE))
        if late > left:
            raise _over(call)


def _activity(call: _Call) -> Activity:
    beside = isinstance(call, StartLocalActivityInput)
    return workflow.info().workflow_id, call.activity_id or "", beside


def _over(call: _Call) -> ActivityError:
    """Say that a deadline is over as Temporal says it."""
    over = ActivityError(
        "the answer is too late",
        scheduled_event_id=0,
        started_event_id=0,
        identity="",
        activity_type=call.activity,
        activity_id=call.activity_id or "",
        retry_state=RetryState.TIMEOUT,
    )
    kind = TimeoutType.SCHEDULE_TO_CLOSE
    over.__cause__ = TemporalTimeout("too late", type=kind, last_heartbeat_details=[])
    return over
