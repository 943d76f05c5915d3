"""A run as a tree: what its worker tells of it in a few words, or else its history alone.

The history tells what was scheduled and what ended, and no worker is needed to read it. It does
not tell how many items a loop has, which branch was taken, what was skipped, nor what a run that
continued as new did before; it is as long as the run. So the run itself is asked
(:data:`aima.workflows.progress.PROGRESS`): its answer is as short as its plan. Where no worker
answers, the history is what there is.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError

from aima.dsl.json import Json
from aima.temporal.history import Steps
from aima.workflows.outline import NOTHING, merged, rows, shape
from aima.workflows.progress import PROGRESS
from aima.workflows.resume import step_in

ANSWER_SECONDS = 2.0
"""How long a worker may take to tell how far a run is."""

SILENT_SECONDS = 3.0
"""How long nobody is asked again after nobody answered: a worker may be just starting."""

MOST_CHILDREN = 20
"""So many children of a run are looked at, theirs included."""

MOST_BUSY = 5
"""So many of a step's attempts are told one by one."""

_SEGMENT = re.compile(r"\[\d+\.\.\d+\]$")


@dataclass
class Overview:
    """The tree of one run, looked up again and again.

    Attributes:
        steps: what its history has told.
        plan: what it runs.
    """

    client: Client
    run_id: str
    plan: Mapping[str, Any]
    steps: Steps
    _silent: dict[str, float] = field(default_factory=dict)
    _left: int = MOST_CHILDREN

    async def look(self, description: DescribeWorkflowExecutionResponse) -> dict[str, Json]:
        """Give ``{rows, waits, more_waits, undo, status, told}`` as of now."""
        self._left = MOST_CHILDREN
        known = await self.steps.told(self.plan)
        return await self._tree(self.run_id, self.plan, description, known)

    def ask_nobody(self) -> None:
        """Do without the run's own answer: it has ended, and is too long to be replayed."""
        self._silent[self.run_id] = float("inf")

    async def _tree(
        self,
        run_id: str,
        plan: Mapping[str, Any],
        description: DescribeWorkflowExecutionResponse,
        known: Mapping[str, Any],
    ) -> dict[str, Json]:
        told, busy, children = await self._gather(run_id, plan, description, known)
        found = rows(shape(plan), told)
        waits: list[Json] = [{"run": run_id, **wait} for wait in told["waits"]]
        seconds = self.steps.seconds if run_id == self.run_id else {}
        for row in found:
            row["run"] = run_id
            mine = [one for one in busy if one["id"] == row["step"]]
            if mine:
                row["busy"] = [*mine[:MOST_BUSY]]
            if row["step"] in seconds and row["state"] != "running":
                row["seconds"] = seconds[str(row["step"])]
        for step, tree in children:
            at = next(i for i, row in enumerate(found) if row["step"] == step)
            depth = int(str(found[at]["depth"])) + 1
            inner: list[dict[str, Any]] = tree["rows"]
            found[at + 1 : at + 1] = [
                {**row, "depth": row["depth"] + depth, "under": row["under"] or step}
                for row in inner
            ]
            waits += tree["waits"]
        more = {key: told.get(key) for key in ("more_waits", "undo", "status", "silent")}
        return {"rows": [*found], "waits": waits, **more}

    async def _gather(
        self,
        run_id: str,
        plan: Mapping[str, Any],
        description: DescribeWorkflowExecutionResponse,
        known: Mapping[str, Any],
    ) -> tuple[Mapping[str, Any], list[dict[str, Json]], list[tuple[str, Any]]]:
        """Give what a run tells, what it does right now, and the trees of its children."""
        told = await self._ask(run_id, known)
        busy = [_busy(pending) for pending in description.pending_activities]
        children: list[tuple[str, Any]] = []
        for child in description.pending_children:
            if self._left <= 0:
                break
            self._left -= 1
            path = child.workflow_id.removeprefix(f"{run_id}/")
            its = await self._describe(child.workflow_id)
            if its is None:
                continue
            if _SEGMENT.search(path):
                more, at_work, inner = await self._gather(child.workflow_id, plan, its, NOTHING)
                told = merged(told, more)
                busy += at_work
                children += inner
            else:
                step = step_in(path)
                inside = next(line.step["plan"] for line in shape(plan) if line.id == step)
                children.append((step, await self._tree(child.workflow_id, inside, its, NOTHING)))
        return told, busy, children

    async def _describe(self, run_id: str) -> DescribeWorkflowExecutionResponse | None:
        try:
            return (await self.client.get_workflow_handle(run_id).describe()).raw_description
        except RPCError:  # it has just ended
            return None

    async def _ask(self, run_id: str, known: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask a run how far it is; where nobody answers, give what is known anyway."""
        now = time.monotonic()
        if now < self._silent.get(run_id, 0):
            return {**known, "silent": True}
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                handle = self.client.get_workflow_handle(run_id)
                told = await handle.query(PROGRESS, reject_condition=None)
        except (TimeoutError, RPCError, WorkflowQueryFailedError):
            self._silent[run_id] = now + SILENT_SECONDS
            return {**known, "silent": True}
        return {**NOTHING, **told} if isinstance(told, dict) else known


def _busy(pending: PendingActivityInfo) -> dict[str, Json]:
    """Tell of one activity in flight."""
    running = pending.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
    since = pending.last_started_time if running else pending.scheduled_time
    told: dict[str, Json] = {
        "step": pending.activity_id,
        "id": step_in(pending.activity_id),
        "running": running,
        "attempt": max(pending.attempt, 1),
        "most": pending.maximum_attempts,
        "seconds": _seconds_since(since.ToMicroseconds()),
    }
    if pending.HasField("next_attempt_schedule_time"):
        told["next"] = -_seconds_since(pending.next_attempt_schedule_time.ToMicroseconds())
    if pending.attempt > 1:
        told["failure"] = pending.last_failure.message
    return told


def _seconds_since(microseconds: int) -> float:
    return round(datetime.now(UTC).timestamp() - microseconds / 1_000_000, 1)
