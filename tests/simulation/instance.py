"""One workflow in a worker's memory: the SDK's own instance, fed by hand instead of by a server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio import workflow
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.bridge.proto.workflow_activation import (
    InitializeWorkflow,
    RemoveFromCache,
    WorkflowActivation,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.common import Priority, TypedSearchAttributes
from temporalio.converter import DefaultFailureConverter
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance
from temporalio.worker._workflow_instance import WorkflowInstanceDetails
from temporalio.workflow import Info, ParentInfo

from aima.temporal.converter import VALUE_BYTES, _values_up_to

Values = _values_up_to(VALUE_BYTES)
CONVERTER = Values()
QUEUE = "simulated"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_ANSWERS = ("update_response", "respond_to_query")
"""Commands that go to a client and leave nothing that a replay must repeat."""


class TaskFailed(Exception):
    """A workflow task failed; Temporal would try it again for ever, and the run would hang."""


class OtherCommands(Exception):
    """A replay commands something else than the run did: Temporal would refuse the task."""


@dataclass(frozen=True)
class Identity:
    """What tells one history from the others."""

    id: str
    run_id: str
    first_run_id: str
    parent: str | None = None


@dataclass(frozen=True)
class Turn:
    """One activation, what the workflow commanded in it, and by which of the SDK's newer rules."""

    activation: WorkflowActivation
    commands: tuple[WorkflowCommand, ...]
    rules: tuple[int, ...] = ()


class Instance:
    """A workflow that takes activations, until it is evicted."""

    def __init__(self, definition: type, identity: Identity, started: float) -> None:
        """Make it as a worker does when a run's first task reaches it."""
        self._identity = identity
        info = Info(
            attempt=1,
            continued_run_id=None,
            cron_schedule=None,
            execution_timeout=None,
            first_execution_run_id=identity.first_run_id,
            headers={},
            namespace="default",
            original_execution_run_id=identity.run_id,
            parent=ParentInfo("default", "run", identity.parent) if identity.parent else None,
            root=None,
            priority=Priority.default,
            raw_memo={},
            retry_policy=None,
            run_id=identity.run_id,
            run_timeout=None,
            search_attributes={},
            start_time=moment(started),
            task_queue=QUEUE,
            task_timeout=timedelta(seconds=10),
            typed_search_attributes=TypedSearchAttributes.empty,
            workflow_id=identity.id,
            workflow_start_time=moment(started),
            workflow_type="simulated",
        )
        details = WorkflowInstanceDetails(
            payload_converter_factory=Values,
            failure_converter_class=DefaultFailureConverter,
            interceptor_classes=[],
            defn=workflow._Definition.must_from_class(definition),
            info=info,
            randomness_seed=1,
            extern_functions={"__temporal_assert_local_activity_valid": lambda _: None},
            disable_eager_activity_execution=False,
            worker_level_failure_exception_types=[],
            patch_activation_callback=None,
            last_completion_result=Payloads(),
            last_failure=None,
        )
        self._instance = _created(details)

    def activate(self, activation: WorkflowActivation) -> Turn:
        """Let the workflow think.

        Raises:
            TaskFailed: it raised what fails the task instead of the run.
        """
        completion = self._instance.activate(activation)
        if completion.HasField("failed"):
            failure = completion.failed.failure
            raise TaskFailed(f"{failure.message}\n{failure.stack_trace}")
        done = completion.successful
        return Turn(activation, tuple(done.commands), tuple(done.used_internal_flags))

    def replay(self, turns: Iterable[Turn]) -> None:
        """Go again through what another instance has gone through.

        Raises:
            OtherCommands: this one decided otherwise.
            TaskFailed: it raised what fails the task.
        """
        for turn in turns:
            again = WorkflowActivation()
            again.CopyFrom(turn.activation)
            again.is_replaying = True
            again.available_internal_flags.extend(turn.rules)
            for job in again.jobs:
                if job.HasField("do_update"):
                    job.do_update.run_validator = False
            said, before = _lasting(self.activate(again).commands), _lasting(turn.commands)
            if [_bytes(c) for c in said] != [_bytes(c) for c in before]:
                raise OtherCommands(f"first:\n{_listed(before)}\nreplayed:\n{_listed(said)}")

    def evict(self) -> None:
        """Forget the workflow; its coroutines end without a trace."""
        job = WorkflowActivationJob(remove_from_cache=RemoveFromCache(message="simulated"))
        self._instance.activate(WorkflowActivation(run_id=self._identity.run_id, jobs=[job]))


def begin(identity: Identity, arguments: Iterable[Payload]) -> WorkflowActivationJob:
    """Make the job that begins a history."""
    return WorkflowActivationJob(
        initialize_workflow=InitializeWorkflow(
            workflow_id=identity.id, workflow_type="simulated", arguments=arguments
        )
    )


def moment(seconds: float) -> datetime:
    """Give a moment of simulated time."""
    return EPOCH + timedelta(seconds=seconds)


def _created(details: WorkflowInstanceDetails) -> WorkflowInstance:
    asyncio._set_running_loop(_Nowhere())  # type: ignore[abstract] # the SDK asks for it alone
    try:
        return UnsandboxedWorkflowRunner().create_instance(details)
    finally:
        asyncio._set_running_loop(None)


class _Nowhere(asyncio.AbstractEventLoop):
    """The loop that an instance is made on, and that nothing ever runs on."""


def _lasting(commands: Iterable[WorkflowCommand]) -> list[WorkflowCommand]:
    return [c for c in commands if c.WhichOneof("variant") not in _ANSWERS]


def _bytes(command: WorkflowCommand) -> bytes:
    return command.SerializeToString(deterministic=True)


def _listed(commands: Iterable[WorkflowCommand]) -> str:
    return "\n".join(str(command).replace("\n", " ") for command in commands)
