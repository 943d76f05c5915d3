"""What a server tells a workflow, as the SDK takes it."""

from __future__ import annotations

from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import RetryState
from temporalio.api.failure.v1 import (
    ApplicationFailureInfo,
    CanceledFailureInfo,
    ChildWorkflowExecutionFailureInfo,
    Failure,
    TerminatedFailureInfo,
)
from temporalio.bridge.proto.activity_result import ActivityResolution
from temporalio.bridge.proto.child_workflow import (
    Cancellation,
    ChildWorkflowResult,
    StartChildWorkflowExecutionFailedCause,
    Success,
)
from temporalio.bridge.proto.child_workflow import Failure as ChildFailed
from temporalio.bridge.proto.workflow_activation import (
    CancelWorkflow,
    DoUpdate,
    FireTimer,
    QueryWorkflow,
    ResolveActivity,
    ResolveChildWorkflowExecution,
    ResolveChildWorkflowExecutionStart,
    ResolveChildWorkflowExecutionStartCancelled,
    ResolveChildWorkflowExecutionStartFailure,
    ResolveChildWorkflowExecutionStartSuccess,
    ResolveRequestCancelExternalWorkflow,
    ResolveSignalExternalWorkflow,
    SignalWorkflow,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import WorkflowCommand

from tests.simulation.instance import CONVERTER

_EXISTS = StartChildWorkflowExecutionFailedCause.START_CHILD_WORKFLOW_EXECUTION_FAILED_CAUSE_WORKFLOW_ALREADY_EXISTS  # noqa: E501 - Temporal's name


def cancel() -> WorkflowActivationJob:
    """Ask it to stop."""
    return WorkflowActivationJob(cancel_workflow=CancelWorkflow(reason="simulated"))


def timer(seq: int) -> WorkflowActivationJob:
    """Tell that a timer is over."""
    return WorkflowActivationJob(fire_timer=FireTimer(seq=seq))


def signal(name: str, values: list[Any]) -> WorkflowActivationJob:
    """Hand over a signal."""
    payloads = CONVERTER.to_payloads(values)
    return WorkflowActivationJob(signal_workflow=SignalWorkflow(signal_name=name, input=payloads))


def update(number: str, name: str, value: Any) -> WorkflowActivationJob:  # noqa: ANN401 - JSON
    """Hand over an update, whose sender waits for the answer."""
    payloads = CONVERTER.to_payloads([value])
    said = DoUpdate(
        id=number, protocol_instance_id=number, name=name, input=payloads, run_validator=True
    )
    return WorkflowActivationJob(do_update=said)


def query(name: str) -> WorkflowActivationJob:
    """Ask something."""
    return WorkflowActivationJob(query_workflow=QueryWorkflow(query_id="q", query_type=name))


def activity_ended(
    seq: int, resolution: ActivityResolution, *, local: bool = False
) -> WorkflowActivationJob:
    """Tell how an activity went."""
    said = ResolveActivity(seq=seq, result=resolution, is_local=local)
    return WorkflowActivationJob(resolve_activity=said)


def signalled(seq: int, *, known: bool) -> WorkflowActivationJob:
    """Tell whether a signal reached its workflow."""
    info = ApplicationFailureInfo(type="NotFound", non_retryable=True)
    lost = Failure(message="no such workflow", application_failure_info=info)
    said = ResolveSignalExternalWorkflow(seq=seq, failure=None if known else lost)
    return WorkflowActivationJob(resolve_signal_external_workflow=said)


def other_cancelled(seq: int, *, known: bool) -> WorkflowActivationJob:
    """Tell whether a cancel reached its workflow."""
    info = ApplicationFailureInfo(type="NotFound", non_retryable=True)
    lost = Failure(message="no such workflow", application_failure_info=info)
    said = ResolveRequestCancelExternalWorkflow(seq=seq, failure=None if known else lost)
    return WorkflowActivationJob(resolve_request_cancel_external_workflow=said)


def child_started(seq: int, run_id: str) -> WorkflowActivationJob:
    """Tell that a child has begun."""
    said = ResolveChildWorkflowExecutionStart(
        seq=seq, succeeded=ResolveChildWorkflowExecutionStartSuccess(run_id=run_id)
    )
    return WorkflowActivationJob(resolve_child_workflow_execution_start=said)


def child_refused(seq: int, workflow: str) -> WorkflowActivationJob:
    """Tell that a child's id is taken."""
    failure = ResolveChildWorkflowExecutionStartFailure(
        workflow_id=workflow, workflow_type="simulated", cause=_EXISTS
    )
    said = ResolveChildWorkflowExecutionStart(seq=seq, failed=failure)
    return WorkflowActivationJob(resolve_child_workflow_execution_start=said)


def child_never_sent(seq: int, workflow: str) -> WorkflowActivationJob:
    """Tell that a child was cancelled in the task that would have started it."""
    cause = Failure(message="cancelled", canceled_failure_info=CanceledFailureInfo())
    failure = Failure(
        message="child cancelled",
        child_workflow_execution_failure_info=_child(workflow),
        cause=cause,
    )
    said = ResolveChildWorkflowExecutionStart(
        seq=seq, cancelled=ResolveChildWorkflowExecutionStartCancelled(failure=failure)
    )
    return WorkflowActivationJob(resolve_child_workflow_execution_start=said)


def child_ended(seq: int, workflow: str, last: WorkflowCommand | None) -> WorkflowActivationJob:
    """Tell how a child ended: by its last command, or terminated where there is none."""
    if last is not None and last.HasField("complete_workflow_execution"):
        result = last.complete_workflow_execution.result
        outcome = ChildWorkflowResult(completed=Success(result=result))
    elif last is not None and last.HasField("cancel_workflow_execution"):
        cause = Failure(message="cancelled", canceled_failure_info=CanceledFailureInfo())
        outcome = ChildWorkflowResult(cancelled=Cancellation(failure=_failed(workflow, cause)))
    else:
        cause = Failure(message="terminated", terminated_failure_info=TerminatedFailureInfo())
        if last is not None:
            cause = last.fail_workflow_execution.failure
        outcome = ChildWorkflowResult(failed=ChildFailed(failure=_failed(workflow, cause)))
    said = ResolveChildWorkflowExecution(seq=seq, result=outcome)
    return WorkflowActivationJob(resolve_child_workflow_execution=said)


def _failed(workflow: str, cause: Failure) -> Failure:
    info = _child(workflow)
    return Failure(message="child failed", child_workflow_execution_failure_info=info, cause=cause)


def _child(workflow: str) -> ChildWorkflowExecutionFailureInfo:
    return ChildWorkflowExecutionFailureInfo(
        namespace="default",
        workflow_execution=WorkflowExecution(workflow_id=workflow),
        retry_state=RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE,
    )
