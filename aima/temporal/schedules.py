"""The schedules of applied workflows, kept as Temporal schedules.

The schedule of a workflow's n-th trigger is ``aima-NAME-n``. Each of its starts is a run of the
plan as it was applied, with the id ``NAME-n-TIME``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from aima.dsl.inputs import accept_input
from aima.dsl.plan import Plan
from aima.dsl.template import evaluator
from aima.temporal.refusals import told
from aima.temporal.runs import RunRequest, start_of

CATCHUP = timedelta(minutes=5)
"""How late a missed start is still made unless the trigger says: a restart, not a night off."""


@dataclass(frozen=True)
class ScheduleState:
    """What a schedule does next.

    Attributes:
        next: when it starts a run; None where it never will.
        paused: somebody has paused it in Temporal.
    """

    next: datetime | None
    paused: bool


@dataclass(frozen=True)
class Schedules:
    """The schedules of one Temporal namespace."""

    client: Client
    task_queue: str

    def of(self, plan: Plan, source: str) -> dict[int, Schedule]:
        """Make the schedules of a plan, by the number of their trigger; nothing is told Temporal.

        Raises:
            ValidationFailed: the input of one does not fit the workflow.
        """
        triggers = cast("list[dict[str, Any]]", plan.data.get("triggers") or [])
        return {
            number: self._schedule(plan, source, number, trigger)
            for number, trigger in enumerate(triggers)
            if "schedule" in trigger
        }

    async def put(self, name: str, schedules: dict[int, Schedule]) -> None:
        """Create schedules, or update those that are there; one that is paused stays so.

        Raises:
            InvalidRequest: Temporal refuses one.
        """
        for number, schedule in schedules.items():
            with told(f"schedule {_id(name, number)!r}"):
                try:
                    await self.client.create_schedule(_id(name, number), schedule)
                except ScheduleAlreadyRunningError:
                    await self._handle(name, number).update(_Replaced(schedule))

    async def remove(self, name: str, numbers: Iterable[int]) -> None:
        """Delete schedules; those that are not there are no mistake."""
        for number in numbers:
            with told(f"schedule {_id(name, number)!r}"):
                try:
                    await self._handle(name, number).delete()
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise

    async def find(self, name: str, number: int) -> ScheduleState | None:
        """Tell what a schedule does next; None where there is none."""
        with told(f"schedule {_id(name, number)!r}"):
            try:
                found = await self._handle(name, number).describe()
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                return None
        return ScheduleState(
            next=next(iter(found.info.next_action_times), None),
            paused=found.schedule.state.paused,
        )

    def _handle(self, name: str, number: int) -> ScheduleHandle:
        return self.client.get_schedule_handle(_id(name, number))

    def _schedule(self, plan: Plan, source: str, number: int, trigger: dict[str, Any]) -> Schedule:
        said = trigger["schedule"]
        given = accept_input(plan, evaluator(trigger.get("input", {}))({}))
        start = start_of(self.client, plan, RunRequest(given, source=source))
        jitter, catchup = said.get("jitter"), said.get("catchup")
        return Schedule(
            action=ScheduleActionStartWorkflow(
                plan.name,
                args=start.args,
                id=f"{plan.name}-{number}",
                task_queue=self.task_queue,
                memo=start.memo,
                typed_search_attributes=start.attributes,
            ),
            spec=ScheduleSpec(
                cron_expressions=[said["cron"]],
                time_zone_name=said.get("timezone"),
                jitter=None if jitter is None else timedelta(seconds=jitter),
            ),
            policy=SchedulePolicy(
                overlap=ScheduleOverlapPolicy[said.get("overlap", "skip").upper()],
                catchup_window=CATCHUP if catchup is None else timedelta(seconds=catchup),
            ),
        )


@dataclass(frozen=True)
class _Replaced:
    """Puts a schedule in place of another, which may ask several times."""

    schedule: Schedule

    def __call__(self, found: ScheduleUpdateInput) -> ScheduleUpdate:
        """Keep what people have done to it in Temporal: it stays paused."""
        old, new = found.description.schedule, self.schedule
        return ScheduleUpdate(Schedule(new.action, new.spec, new.policy, old.state))


def _id(name: str, number: int) -> str:
    return f"aima-{name}-{number}"
