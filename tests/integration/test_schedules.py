"""Applied workflows on a real server: what their schedules start, and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleDescription,
    ScheduleOverlapPolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError

from aima.dsl.plan import Plan
from aima.errors import InvalidRequest, NotFound, ValidationFailed
from aima.gateway.workflows.applied import AppliedWorkflows
from aima.store import open_store
from aima.store.applied import AppliedWorkflow
from aima.temporal.schedules import CATCHUP, Schedules
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEVER = "0 0 1 1 *"  # but once a year


def daily(name: str, *triggers: dict[str, Any], **more: Any) -> str:  # noqa: ANN401 - any YAML
    """Write a workflow with triggers; JSON is YAML."""
    steps = [{"id": "a", "type": "lab.echo", "input": {"name": "${input.name}"}}]
    inputs = {"type": "object", "properties": {"name": {"type": "string", "default": "nobody"}}}
    return json.dumps(
        {"name": name, "triggers": triggers, "inputs": inputs, "steps": steps, **more}
    )


def at(cron: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any YAML
    """Write a schedule."""
    return {"schedule": {"cron": cron, **more}}


class Desk:
    """Where workflows are applied, each test under a name of its own."""

    def __init__(self, lab: Lab) -> None:
        """Use a lab's server and a store of its own."""
        self.lab = lab
        self.name = f"daily-{uuid4().hex[:8]}"
        queue = lab.settings.temporal.task_queue
        self.file = lab.settings.data / "desk.db"
        schedules = Schedules(lab.client, queue)
        self.applied = AppliedWorkflows(schedules, partial(open_store, self.file))

    async def apply(self, *triggers: dict[str, Any], **more: Any) -> Plan:  # noqa: ANN401 - any YAML
        """Apply a workflow with these triggers."""
        return await self.apply_plan(self.lab.plan(daily(self.name, *triggers, **more)))

    async def apply_plan(self, plan: Plan) -> Plan:
        """Apply a plan."""
        row = AppliedWorkflow(plan.name, plan.text, plan.hash, source="daily.yaml", text="")
        await self.applied.apply(plan, row)
        return plan

    async def schedule(self, number: int = 0) -> ScheduleDescription | None:
        """Look at a schedule in Temporal."""
        handle = self.lab.client.get_schedule_handle(f"aima-{self.name}-{number}")
        try:
            return await handle.describe()
        except RPCError:
            return None

    async def there(self) -> list[int]:
        """Number the schedules that are there."""
        return [number for number in range(5) if await self.schedule(number)]

    async def crons(self) -> list[str]:
        """Give the hours at which the schedules start."""
        found = [await self.schedule(number) for number in await self.there()]
        return [str(d.schedule.spec.calendars[0].hour[0].start) for d in found if d]

    @property
    def row(self) -> AppliedWorkflow | None:
        """What the store says."""
        with open_store(self.file) as store:
            return store.applied.get(self.name)


@pytest_asyncio.fixture(loop_scope="session")
async def desk(lab: Lab) -> AsyncIterator[Desk]:
    """Give a desk; nothing stays applied."""
    made = Desk(lab)
    yield made
    if made.row:
        await made.applied.unapply(made.name)


# --- what a schedule starts ---------------------------------------------------------------------


async def test_a_scheduled_run_is_a_run_as_any_other(desk: Desk) -> None:
    """Same name, labels, plan and memo: `aima runs` shows no difference."""
    plan = await desk.apply({**at(NEVER), "input": {"name": "x"}}, labels={"team": "home"})
    run_id = await started(desk)
    assert run_id.startswith(f"{desk.name}-0-")
    outcome = await desk.lab.outcome(run_id)
    assert outcome.output == {"a": {"name": "x"}}
    run = await desk.lab.runs.find(run_id)
    assert (run.workflow, run.labels) == (desk.name, ("team=home",))
    description = await desk.lab.handle(run_id).describe()
    assert await description.memo() == {"plan": plan.hash, "source": "daily.yaml", "version": ""}


async def test_the_plan_is_pinned_until_it_is_applied_again(desk: Desk) -> None:
    """Editing a file changes nothing that runs unattended."""
    text = daily(desk.name, {**at(NEVER), "input": {"name": "old"}})
    await desk.apply_plan(desk.lab.plan(text))
    changed = desk.lab.plan(text.replace("old", "new"))
    first = await started(desk)
    assert (await desk.lab.outcome(first)).output == {"a": {"name": "old"}}
    await desk.apply_plan(changed)
    second = await started(desk, after=first)
    assert (await desk.lab.outcome(second)).output == {"a": {"name": "new"}}


async def test_defaults_fill_the_input_of_a_schedule(desk: Desk) -> None:
    """Nobody is there to give one."""
    await desk.apply(at(NEVER))
    assert (await desk.lab.outcome(await started(desk))).output == {"a": {"name": "nobody"}}


async def test_an_input_that_does_not_fit_changes_nothing(desk: Desk) -> None:
    """A schedule that can only fail is refused while somebody is there to read why."""
    before = await desk.apply(at("0 7 * * *"))
    data = json.loads(before.text)
    data["triggers"] = [{**at("0 9 * * *"), "input": {"name": 1}}]
    with pytest.raises(ValidationFailed, match=f"does not fit workflow '{desk.name}': 'name'"):
        await desk.apply_plan(Plan(data))
    assert desk.row is not None
    assert desk.row.hash == before.hash
    assert await desk.crons() == ["7"]


async def started(desk: Desk, after: str = "") -> str:
    """Let a schedule start a run at once, another one than ``after``; give its id."""
    handle = desk.lab.client.get_schedule_handle(f"aima-{desk.name}-0")
    async with asyncio.timeout(30):
        while True:
            await handle.trigger()  # the ids of two starts in one second are the same
            for action in (await handle.describe()).info.recent_actions:
                execution = cast("ScheduleActionExecutionStartWorkflow", action.action)
                if execution.workflow_id > after:
                    return execution.workflow_id
            await asyncio.sleep(0.1)


# --- applying and unapplying --------------------------------------------------------------------


async def test_policies_reach_temporal_as_they_are_written(desk: Desk) -> None:
    """Overlap, catch-up and jitter are the server's to keep; it must know them."""
    more = {"overlap": "buffer_one", "catchup": "2h", "jitter": "90s", "timezone": "Asia/Shanghai"}
    await desk.apply(at("0 7 * * *", **more), at("0 8 * * *"))
    first, second = await desk.schedule(0), await desk.schedule(1)
    assert first is not None
    assert second is not None
    assert first.schedule.policy.overlap is ScheduleOverlapPolicy.BUFFER_ONE
    assert first.schedule.policy.catchup_window == timedelta(hours=2)
    assert first.schedule.spec.jitter == timedelta(seconds=90)
    assert first.schedule.spec.time_zone_name == "Asia/Shanghai"
    assert second.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert second.schedule.policy.catchup_window == CATCHUP
    assert second.info.next_action_times[0].hour == 8


async def test_what_a_new_version_no_longer_has_is_deleted(desk: Desk) -> None:
    """A trigger that is gone from the file must not go on starting runs."""
    event = {"event": {"type": "alert.triggered"}}
    await desk.apply(at("0 1 * * *"), at("0 2 * * *"), event, at("0 3 * * *"))
    assert await desk.there() == [0, 1, 3]
    await desk.apply(event, at("0 5 * * *"))
    assert await desk.there() == [1]
    assert await desk.crons() == ["5"]


async def test_applying_again_keeps_what_people_have_paused(desk: Desk) -> None:
    """Whoever paused it in Temporal had a reason."""
    await desk.apply(at("0 7 * * *"))
    await desk.lab.client.get_schedule_handle(f"aima-{desk.name}-0").pause(note="holidays")
    await desk.apply(at("0 8 * * *"))
    description = await desk.schedule()
    assert description is not None
    assert description.schedule.state.paused
    assert await desk.crons() == ["8"]


async def test_unapplying_leaves_nothing_behind(desk: Desk) -> None:
    """And says so when there was nothing."""
    await desk.apply(at("0 1 * * *"), at("0 2 * * *"))
    await desk.applied.unapply(desk.name)
    assert await desk.there() == []
    assert desk.row is None
    with pytest.raises(NotFound, match=f"no workflow '{desk.name}' is applied"):
        await desk.applied.unapply(desk.name)


async def test_a_schedule_deleted_by_hand_comes_back_when_applied_again(desk: Desk) -> None:
    """The same command repairs whatever state it finds."""
    await desk.apply(at("0 1 * * *"), at("0 2 * * *"))
    await desk.lab.client.get_schedule_handle(f"aima-{desk.name}-0").delete()
    await desk.apply(at("0 1 * * *"), at("0 2 * * *"))
    assert await desk.there() == [0, 1]
    await desk.lab.client.get_schedule_handle(f"aima-{desk.name}-1").delete()
    await desk.applied.unapply(desk.name)
    assert await desk.there() == []


async def test_a_change_that_broke_off_is_completed_by_the_next(desk: Desk) -> None:
    """The second schedule is refused: what is listed covers what is there, and can be mended."""
    await desk.apply(at("0 1 * * *"), at("0 2 * * *"), at("0 3 * * *"))
    plan = desk.lab.plan(daily(desk.name, at("0 4 * * *"), at("0 5 * * *")))
    broken = json.loads(plan.text)
    broken["triggers"][1]["schedule"]["cron"] = "no cron line at all"
    with pytest.raises(InvalidRequest, match=f"refuses schedule 'aima-{desk.name}-1'"):
        await desk.apply_plan(Plan(broken))
    assert desk.row is not None
    assert desk.row.hash == Plan(broken).hash
    assert await desk.crons() == ["4", "2"]
    await desk.apply_plan(plan)
    assert await desk.crons() == ["4", "5"]


async def test_two_who_apply_at_once_do_not_mix(desk: Desk) -> None:
    """The row and the schedules are those of the same one, whoever came last."""
    await asyncio.gather(
        desk.apply(*(at(f"0 {hour} * * *") for hour in (1, 2, 3))), desk.apply(at("0 9 * * *"))
    )
    assert desk.row is not None
    row = [t["schedule"]["cron"].split()[1] for t in json.loads(desk.row.plan)["triggers"]]
    assert await desk.crons() == row


# --- when a cron line starts runs (F33) ---------------------------------------------------------


async def starts(
    client: Client, cron: str, *, since: datetime, count: int, zone: str = "UTC"
) -> list[datetime]:
    """Ask Temporal when a cron line would start runs from a moment on, ten at most."""
    schedule = Schedule(
        ScheduleActionStartWorkflow("nothing", id="nothing", task_queue="nowhere"),
        ScheduleSpec(cron_expressions=[cron], time_zone_name=zone, start_at=since),
    )
    handle = await client.create_schedule(f"cron-{uuid4()}", schedule)
    try:
        found = (await handle.describe()).info.next_action_times
    finally:
        await handle.delete()
    return [moment.astimezone(ZoneInfo(zone)) for moment in found[:count]]


@pytest.mark.parametrize(
    ("cron", "since", "expected"),
    [
        pytest.param(
            "30 2 * * *",
            datetime(2027, 3, 27, 12, tzinfo=UTC),
            ["2027-03-29 02:30", "2027-03-30 02:30"],
            id="an hour that a day does not have is left out",
        ),
        pytest.param(
            "30 2 * * *",
            datetime(2027, 10, 30, 12, tzinfo=UTC),
            ["2027-10-31 02:30", "2027-11-01 02:30"],
            id="an hour that a day has twice counts once",
        ),
        pytest.param(
            "0 * * * *",
            datetime(2027, 10, 30, 23, 30, tzinfo=UTC),
            ["2027-10-31 02:00", "2027-10-31 03:00", "2027-10-31 04:00"],
            id="also for a schedule of every hour",
        ),
        pytest.param(
            "0 7 29 2 *",
            datetime(2027, 1, 1, tzinfo=UTC),
            ["2028-02-29 07:00", "2032-02-29 07:00"],
            id="29 February is every four years",
        ),
        pytest.param(
            "0 0 31 * *",
            datetime(2027, 1, 15, tzinfo=UTC),
            ["2027-01-31 00:00", "2027-03-31 00:00", "2027-05-31 00:00"],
            id="a month without a 31st is left out",
        ),
        pytest.param(
            "0 0 13 * fri",
            datetime(2027, 1, 1, tzinfo=UTC),
            ["2027-08-13 00:00"],
            id="both the day of the month and of the week must fit",
        ),
    ],
)
async def test_a_cron_line_means_what_is_documented(
    local: Client, cron: str, since: datetime, expected: list[str]
) -> None:
    """Clocks that change, days that are missing: each has one answer, and this is it."""
    found = await starts(local, cron, since=since, count=len(expected), zone="Europe/Berlin")
    assert [moment.strftime("%Y-%m-%d %H:%M") for moment in found] == expected
