"""What brought a run about, carried to all that it does: its trace, and the event that started it.

A run's memo has both, and its children's memos as well. The steps cannot see that, so each is
scheduled with it in a header of Temporal's, which belongs to no input and changes no replay. A
run that nobody asked for, such as one of a schedule, has a trace of its own, made of its id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from aima.trace import TRACEPARENT, read, trace_of, traced

HEADER = "aima.origin"
CAUSE, HOPS = "cause", "hops"


@dataclass(frozen=True)
class Origin:
    """Where something comes from.

    Attributes:
        traceparent: the trace that it belongs to.
        cause: the event that started its run; empty where none did.
        hops: how many runs led to it, each started by what the one before told.
    """

    traceparent: str = ""
    cause: str = ""
    hops: int = 0

    @classmethod
    def of(cls, memo: Mapping[str, Any], first_run: str) -> Origin:
        """Read it off a run's memo.

        Args:
            memo: of the run.
            first_run: Temporal's id of its first history.
        """
        hops = str(memo.get(HOPS, ""))
        return cls(
            read(memo.get(TRACEPARENT)) or trace_of(first_run),
            str(memo.get(CAUSE, "")),
            int(hops) if hops.isdecimal() else 0,
        )

    def memo(self) -> dict[str, str]:
        """Say it as the memo of a run."""
        told = {TRACEPARENT: self.traceparent, CAUSE: self.cause}
        told |= {HOPS: str(self.hops)} if self.hops else {}
        return {name: text for name, text in told.items() if text}

    def extensions(self) -> dict[str, str]:
        """Say it as attributes of an event."""
        told = {TRACEPARENT: self.traceparent, "causationid": self.cause}
        told |= {HOPS: str(self.hops)} if self.hops else {}
        return {name: text for name, text in told.items() if text}


_here: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - it is frozen


def origin_here() -> Origin:
    """Give the origin of the step that is done now."""
    return _here.get()


class CarriesOrigin(Interceptor):
    """Hands the origin of a run on to its steps and children."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Give what stands before each step."""
        return _Step(next)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        """Give what stands before each run."""
        del input
        return _Run


class _Step(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> object:  # noqa: A002 - the SDK's name
        """Do a step with its origin at hand."""
        header = input.headers.get(HEADER)
        if header is None:
            return await self.next.execute_activity(input)
        origin = Origin(**json.loads(header.data))
        token = _here.set(origin)
        try:
            with traced(origin.traceparent):
                return await self.next.execute_activity(input)
        finally:
            _here.reset(token)


class _Run(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Stand between a run and what it starts."""
        super().init(_Started(outbound))


class _Started(WorkflowOutboundInterceptor):
    _origin: Origin | None = None
    _payload: Payload | None = None

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002 - the SDK's name
        """Schedule a step."""
        input.headers = {**input.headers, HEADER: self._header()}
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:  # noqa: A002 - the SDK's name
        """Do a step beside its run."""
        input.headers = {**input.headers, HEADER: self._header()}
        return super().start_local_activity(input)

    async def start_child_workflow(
        self,
        input: StartChildWorkflowInput,  # noqa: A002 - the SDK's name
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        """Start a child, which has the origin of its parent."""
        input.memo = {**(input.memo or {}), **self._known().memo()}
        return await super().start_child_workflow(input)

    def _known(self) -> Origin:
        if self._origin is None:
            info = workflow.info()
            self._origin = Origin.of(_texts(info.raw_memo), info.first_execution_run_id)
        return self._origin

    def _header(self) -> Payload:
        if self._payload is None:
            origin = self._known()
            told: dict[str, object] = {TRACEPARENT: origin.traceparent}
            told |= {CAUSE: origin.cause, HOPS: origin.hops} if origin.cause else {}
            data = json.dumps(told).encode()
            self._payload = Payload(metadata={"encoding": b"json/plain"}, data=data)
        return self._payload


def _texts(memo: Mapping[str, Payload]) -> dict[str, str]:
    """Read what is text in a memo; it may be of somebody else, and hold anything."""
    found: dict[str, str] = {}
    for name in (TRACEPARENT, CAUSE, HOPS):
        with suppress(ValueError):  # it is no JSON
            told = json.loads(memo[name].data) if name in memo else None
            found |= {name: told} if isinstance(told, str) else {}
    return found
