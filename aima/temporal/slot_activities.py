"""What a run and the slots need Temporal's client for: to ask for one, to see who has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from temporalio import activity
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from aima.errors import TemporalUnreachable, ValidationFailed
from aima.temporal.converter import as_failure
from aima.temporal.line import Answer, Claim, OnConflict
from aima.temporal.slots import ENDED, Slots, slots_id

ACQUIRE = "aima.acquire"

_ANSWER_TIMEOUT = timedelta(seconds=30)
_MOST_LOOKS = 20  # at once


class Wanted(BaseModel):
    """Which slot a run asks for."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=1, max_length=200)]
    limit: Annotated[int, Field(ge=1)] = 1
    on_conflict: OnConflict = "queue"


def slot_activities(client: Client, task_queue: str) -> list[Callable[..., Awaitable[Any]]]:
    """Make the activities of one worker; ``task_queue`` is where slots are served."""
    slots = _SlotActivities(client, task_queue)
    return [slots.acquire, slots.ended]


@dataclass(frozen=True)
class _SlotActivities:
    client: Client
    task_queue: str

    @activity.defn(name=ACQUIRE)
    async def acquire(self, given: dict[str, Any]) -> Answer:
        """Ask for a slot in the name of the run; another attempt gets the same answer.

        Raises:
            ApplicationError: VALIDATION_ERROR for a key or a limit that makes no sense;
                TEMPORAL_UNREACHABLE, to be tried again, where no answer came.
        """
        try:
            wanted = Wanted.model_validate(given)
        except ValidationError as error:
            raise as_failure(_told(error)) from error
        info = activity.info()
        run = info.workflow_id or ""
        start = WithStartWorkflowOperation(
            Slots.run,
            args=[wanted.key],
            id=slots_id(wanted.key),
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        try:
            return await self.client.execute_update_with_start_workflow(
                Slots.acquire,
                Claim(run, wanted.limit, wanted.on_conflict),
                start_workflow_operation=start,
                id=f"{info.workflow_run_id}/{info.activity_id}",
                rpc_timeout=_ANSWER_TIMEOUT,
            )
        except (
            RPCError,
            WorkflowUpdateFailedError,  # such as: the slots ended in this moment
            WorkflowUpdateRPCTimeoutOrCancelledError,
        ) as error:
            told = TemporalUnreachable(f"no slot of {wanted.key!r} was lent: {error}; try again")
            raise as_failure(told) from error

    @activity.defn(name=ENDED)
    async def ended(self, runs: list[str]) -> list[str]:
        """Tell which of these runs have ended, or are forgotten already."""
        looks = asyncio.Semaphore(_MOST_LOOKS)

        async def has_ended(run: str) -> bool:
            async with looks:
                return await self._has_ended(run)

        found = await asyncio.gather(*map(has_ended, runs))
        return [run for run, over in zip(runs, found, strict=True) if over]

    async def _has_ended(self, run: str) -> bool:
        request = DescribeWorkflowExecutionRequest(
            namespace=self.client.namespace, execution=WorkflowExecution(workflow_id=run)
        )
        try:
            # Not the SDK's own call: it breaks on states that it does not know, such as paused.
            answer = await self.client.workflow_service.describe_workflow_execution(request)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return True
            raise
        return answer.workflow_execution_info.HasField("close_time")


def _told(error: ValidationError) -> ValidationFailed:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return ValidationFailed(f"`concurrency.{where}`: {first['msg']}")
