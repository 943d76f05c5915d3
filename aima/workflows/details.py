"""Drawing a run's progress for the Temporal UI when somebody looks, not for every step.

A page of the UI asks a run for its metadata; `current details` are a part of the answer. Setting
them at each change would draw a table for each change, in replays as well: of a chain of 100
steps that took half the time of a replay.
"""

from __future__ import annotations

from temporalio import workflow
from temporalio.worker import (
    HandleQueryInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from aima.workflows.interpreter import Interpreter

METADATA = "__temporal_workflow_metadata"
"""The query by which the Temporal UI asks."""


class ShowsProgress(Interceptor):
    """Puts the progress of a run into what the Temporal UI is told of it."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        """Give what stands before each run."""
        del input
        return _Details


class _Details(WorkflowInboundInterceptor):
    async def handle_query(self, input: HandleQueryInput) -> object:  # noqa: A002 - the SDK's name
        """Answer a query; the one for metadata with the progress of the moment."""
        answer = await super().handle_query(input)
        run = workflow.instance()
        if input.query == METADATA and isinstance(run, Interpreter):
            answer.current_details = run.progress()
        return answer
