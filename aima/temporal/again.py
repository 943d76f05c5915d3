"""Runs from runs: one that reuses what another finished, one that repeats another."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from aima.dsl.inputs import accept_config
from aima.dsl.json import Json
from aima.dsl.plan import Plan
from aima.errors import Conflict, NotFound, TemporalUnreachable
from aima.temporal.refusals import told
from aima.temporal.runs import ANSWER_SECONDS, RunRequest, Runs
from aima.workflows.interpreter import STATE
from aima.workflows.outline import shape
from aima.workflows.resume import UnknownStep, resumed, step_in

_SEGMENT = re.compile(r"\[\d+\.\.\d+\]$")


@dataclass(frozen=True)
class Again:
    """Starts runs from other ones.

    Attributes:
        begin: starts a run and gives its id; None: as any run is started.
    """

    runs: Runs
    begin: Callable[[Plan, RunRequest], Awaitable[str]] | None = None

    async def rerun(self, run_id: str) -> str:
        """Start a run with the recorded input and plan of another; give its id.

        Raises:
            NotFound: there is no such run.
        """
        request, plan = await self.runs.started_with(run_id)
        given = RunRequest(request["input"], request["config"], memo={"rerun_of": run_id})
        return await (self.begin or self.runs.start)(Plan(plan), given)

    async def retry(self, run_id: str, *, start: str, config: dict[str, Json]) -> str:
        """Start a run that reuses what another one finished; give its id.

        Args:
            run_id: the run that ended.
            start: the step to begin with again; empty: with what did not finish.
            config: values that differ this time.

        Raises:
            NotFound: there is no such run, or no such step in it.
            Conflict: it has not ended, or ended well.
            ValidationFailed: it has no such config value.
        """
        run = await self.runs.find(run_id)
        if run.state == "running":
            raise Conflict(
                f"run {run_id!r} is still running: wait for its end, or `aima cancel {run_id}`"
            )
        if run.state == "completed" and not start:
            raise Conflict(
                f"run {run_id!r} is completed, so nothing is left to retry; `--from STEP` tells "
                f"where to begin again, and `aima rerun {run_id}` repeats all of it"
            )
        state = await self._state(run_id)
        if state is None:
            raise TemporalUnreachable(
                f"no worker could tell what run {run_id!r} had finished; start one with `aima up`, "
                "or start all over with `aima rerun`"
            )
        request, plan = await self.runs.started_with(run_id)
        try:
            taken = resumed(state, plan, start, beginning=f"retry-{uuid.uuid4()}")
        except UnknownStep as error:
            raise NotFound(f"run {run_id!r}: {error}") from error
        children = await self._children(run_id, plan, taken.again)
        given = RunRequest(
            request["input"],
            {**request["config"], **accept_config(Plan(plan), config)},
            state={**taken.state, **({"children": children} if children else {})},
            effects=str(state.get("effects") or ""),
            memo={"retry_of": run_id},
        )
        return await (self.begin or self.runs.start)(Plan(plan), given)

    async def _children(
        self, run_id: str, plan: dict[str, Any], again: frozenset[str]
    ) -> dict[str, Json]:
        """Give what the children had finished that did not end well, by their path."""
        plans = {line.id: line.step["plan"] for line in shape(plan) if "plan" in line.step}
        found: dict[str, Json] = {}
        async for child in self._failed_children(run_id):
            path = child.removeprefix(f"{run_id}/")
            step = step_in(path)
            if _SEGMENT.search(path) or step in again or step not in plans:
                continue
            state = await self._state(child)
            if state is not None:
                taken = resumed(state, plans[step], beginning=f"retry-{uuid.uuid4()}")
                inner = await self._children(child, plans[step], taken.again)
                more = {"children": inner} if inner else {}
                found[path] = {"state": {**taken.state, **more}, "effects": state.get("effects")}
        return found

    async def _failed_children(self, run_id: str) -> AsyncIterator[str]:
        with told(f"run {run_id!r}"):
            async for event in self.runs.handle(run_id).fetch_history_events():
                for kind in ("failed", "canceled", "terminated", "timed_out"):
                    field = f"child_workflow_execution_{kind}_event_attributes"
                    if event.HasField(field):  # type: ignore[arg-type] # one of its fields
                        yield getattr(event, field).workflow_execution.workflow_id

    async def _state(self, run_id: str) -> dict[str, Any] | None:
        """Ask a run that has ended for all it knows; None where nobody answers."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                state = await self.runs.handle(run_id).query(STATE, reject_condition=None)
        except (TimeoutError, RPCError, WorkflowQueryFailedError):
            return None
        return state if isinstance(state, dict) else None
