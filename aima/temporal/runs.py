"""Runs: start, watch, look up, cancel. Temporal is the only truth about them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from time import time_ns
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution as WorkflowId
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.common import (
    RawValue,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    TerminatedError,
    WorkflowAlreadyStartedError,
)
from temporalio.exceptions import TimeoutError as TemporalTimeout

from aima.dsl.json import Json
from aima.dsl.plan import Plan
from aima.errors import (
    Conflict,
    NotFound,
    TemporalUnreachable,
    TooLarge,
    TooManyRuns,
    ValidationFailed,
    is_retryable,
)
from aima.temporal.attributes import LABELS, PLAN
from aima.temporal.history import Steps, StepState
from aima.temporal.open_runs import OpenRuns
from aima.temporal.overview import Overview
from aima.temporal.refusals import told
from aima.temporal.watch import MOST_REPLAYED, Tree, Watch
from aima.trace import TRACEPARENT, current
from aima.workflows.failure import CLEANED_UP
from aima.workflows.messages import APPROVE

ANSWER_SECONDS = 10.0
"""How long a worker may take to answer for a run."""

_BEFORE_THE_FIRST_STEP = 3
"""Events of a run that no worker has answered for yet: started, and its first task."""

_TAKEN = "there is a run {!r} already; give another id"
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_STATES = {
    WorkflowExecutionStatus.RUNNING: "running",
    WorkflowExecutionStatus.COMPLETED: "completed",
    WorkflowExecutionStatus.FAILED: "failed",
    WorkflowExecutionStatus.CANCELED: "canceled",
    WorkflowExecutionStatus.TERMINATED: "terminated",
    WorkflowExecutionStatus.CONTINUED_AS_NEW: "running",
    WorkflowExecutionStatus.TIMED_OUT: "timed_out",
}


@dataclass(frozen=True)
class Run:
    """One run, as a list shows it."""

    id: str
    workflow: str
    state: str
    started: datetime
    seconds: float | None
    labels: tuple[str, ...]

    @property
    def ended(self) -> datetime | None:
        """When it ended; None: it goes on."""
        return None if self.seconds is None else self.started + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Glance:
    """A run as it is now.

    Attributes:
        begun: whether a worker has ever answered for it.
        steps: what it has in flight.
    """

    run: Run
    begun: bool
    steps: list[StepState]


STATUSES = {
    "running": "Running",
    "completed": "Completed",
    "failed": "Failed",
    "canceled": "Canceled",
    "terminated": "Terminated",
    "timed_out": "TimedOut",
}
"""What Temporal's list filter language calls the states of runs."""


@dataclass(frozen=True)
class Page:
    """A part of the list of runs.

    Attributes:
        following: where the next part begins; None: this was the last.
    """

    runs: list[Run]
    following: bytes | None


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        output: what it returned; only a completed run has one.
        error: ``{code, message, step?, unit?, item?, attempt?, line?}`` of one that did not, with
            what was ``undone``, each with its ``error`` if it could not be, and the errors of
            what else cleaned up (``cleanup``).
    """

    state: str
    output: Json = None
    error: Mapping[str, Json] | None = None


@dataclass(frozen=True)
class RunRequest:
    """What one run is started with.

    Attributes:
        config: values that override the workflow's own.
        id: empty lets one be made up.
        source: the file the workflow came from, for people.
        state: what another run had finished, which this one goes on from.
        effects: what its effect keys begin with; empty: with itself.
        memo: what else people shall know of it.
    """

    input: Json
    config: dict[str, Json] = field(default_factory=dict)
    id: str = ""
    source: str = ""
    state: dict[str, Any] | None = None
    effects: str = ""
    memo: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Start:
    """What a run is started with, as Temporal takes it."""

    args: list[object]
    memo: Mapping[str, str]
    attributes: TypedSearchAttributes


def start_of(client: Client, plan: Plan, request: RunRequest) -> Start:
    """Say what a run is started with, by whomever: a person, an event or a schedule."""
    # The plan's own text, so that equal plans are equal bytes and a worker reads them once.
    as_is = RawValue(client.data_converter.payload_converter.to_payload(plan.data))
    as_is.payload.data = plan.text.encode()
    given: dict[str, Any] = {"input": request.input, "config": request.config}
    if request.state is not None:
        given["state"] = request.state
    if request.effects:
        given["effects"] = request.effects
    labels = [str(label) for label in _labels(plan)]
    attributes: list[SearchAttributePair[Any]] = [
        SearchAttributePair(SearchAttributeKey.for_keyword(PLAN), plan.hash),
        SearchAttributePair(SearchAttributeKey.for_keyword_list(LABELS), labels),
    ]
    return Start(
        args=[given, as_is],
        memo={
            "plan": plan.hash,
            "source": request.source,
            "version": plan.version,
            **request.memo,
        },
        attributes=TypedSearchAttributes(attributes),
    )


def new_run_id(name: str) -> str:
    """Make an id that sorts by time: the name, 48 bits of milliseconds, 40 random bits."""
    number = (time_ns() // 1_000_000 << 40) | secrets.randbits(40)
    digits = [_DIGITS[(number >> shift) & 31] for shift in range(85, -1, -5)]
    return f"{name}-{''.join(digits)}"


@dataclass(frozen=True)
class Runs:
    """The runs of one Temporal namespace.

    Attributes:
        bound: says when there are too many for one more to be started here; None: never.
    """

    client: Client
    task_queue: str
    bound: OpenRuns | None = None

    def bounded(self, most: int) -> Runs:
        """Give the same for those who may start no more than ``most`` at once; 0: no bound."""
        if not most:
            return self
        here = f"TaskQueue = '{self.task_queue}' AND ExecutionStatus = '{STATUSES['running']}'"
        return replace(self, bound=OpenRuns(most, partial(self.count, here)))

    async def start(self, plan: Plan, request: RunRequest) -> str:
        """Start a run of a plan and give its id; from then on it is never lost.

        Raises:
            Conflict: the id is taken.
            InvalidRequest: the input is no JSON.
            TooLarge: the input is more than may pass between steps.
            TooManyRuns: as many are open as may be.
        """
        run_id = request.id or new_run_id(plan.name)
        if self.bound is None:
            return await self._start(plan, request, run_id)
        try:
            async with self.bound.one_more():
                return await self._start(plan, request, run_id)
        except TooManyRuns:
            if request.id and await self._exists(run_id):  # which somebody may only ask again
                raise Conflict(_TAKEN.format(run_id)) from None
            raise

    async def _start(self, plan: Plan, request: RunRequest, run_id: str) -> str:
        start = start_of(self.client, plan, request)
        asked = {TRACEPARENT: current()} if current() else {}
        try:
            with told(f"run {run_id!r}"):
                await self.client.start_workflow(
                    plan.name,
                    args=start.args,
                    id=run_id,
                    task_queue=self.task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    memo={**asked, **start.memo},
                    search_attributes=start.attributes,
                )
        except TooLarge as error:
            raise TooLarge(f"the run's input: {error.message}") from error
        except WorkflowAlreadyStartedError as error:
            raise Conflict(_TAKEN.format(run_id)) from error
        return run_id

    async def _exists(self, run_id: str) -> bool:
        try:
            await self._describe(run_id)
        except NotFound:
            return False
        return True

    async def latest(self, *, limit: int = 20, query: str = "") -> list[Run]:
        """List those of :meth:`some` by when they started, the newest first."""
        found = await self.some(limit=limit, query=query)
        return sorted(found, key=lambda run: run.started, reverse=True)

    async def some(self, *, limit: int, query: str = "", skip: int = 0) -> list[Run]:
        """List runs in Temporal's order: those that go on, then the latest to end.

        Args:
            limit: how many at most.
            query: which of AIMA's runs, in Temporal's list filter language; empty: all.
            skip: how many to pass over.

        Raises:
            InvalidRequest: the query is none.
        """
        with told(f"the query {query!r}"):
            listed = self.client.list_workflows(_ours(query), limit=skip + limit)
            found = [execution async for execution in listed]
        return [_run(execution) for execution in found[skip:]]

    async def page(self, *, limit: int, query: str = "", after: bytes | None = None) -> Page:
        """List a part of the runs, in Temporal's order: those that go on, then the latest to end.

        Args:
            limit: how many at most.
            query: as for :meth:`latest`.
            after: where another part ended.

        Raises:
            InvalidRequest: the query is none, or no part ended there.
        """
        with told(f"the query {query!r}"):
            found = self.client.list_workflows(_ours(query), page_size=limit, next_page_token=after)
            await found.fetch_next_page()
        return Page([_run(one) for one in found.current_page or ()], found.next_page_token)

    async def count(self, query: str = "") -> int:
        """Count runs; ``query`` as for :meth:`page`."""
        with told(f"the query {query!r}"):
            return (await self.client.count_workflows(_ours(query))).count

    async def find(self, run_id: str) -> Run:
        """Look a run up.

        Raises:
            NotFound: there is none, or it is older than the retention.
        """
        return _run(await self._describe(run_id))

    async def glance(self, run_id: str) -> Glance:
        """Look a run up, with the steps it has in flight; its history is not read.

        Raises:
            NotFound: there is none, or it is older than the retention.
        """
        description = await self._describe(run_id)
        read = Steps(self.client.data_converter)
        in_flight = description.raw_description.pending_activities
        return Glance(
            _run(description),
            begun=description.history_length > _BEFORE_THE_FIRST_STEP,
            steps=[await read.pending(step) for step in in_flight],
        )

    async def steps(self, run_id: str) -> list[StepState]:
        """Tell where each step is that was ever begun.

        Raises:
            NotFound: there is no such run.
        """
        return (await self.look(run_id))[0]

    async def _steps(self, run_id: str) -> Steps:
        """Read the steps off a run's history as it is now."""
        steps = Steps(self.client.data_converter)
        with told(f"run {run_id!r}"):
            async for event in self.handle(run_id).fetch_history_events():
                for _ in steps.take(event):
                    pass
        return steps

    async def tree(self, run_id: str) -> Tree:
        """Tell how far a run is, as :class:`aima.temporal.overview.Overview` does.

        Raises:
            NotFound: there is no such run.
        """
        return (await self.look(run_id))[1]

    async def look(self, run_id: str) -> tuple[list[StepState], Tree]:
        """Tell where each step is that was ever begun, and the tree.

        Raises:
            NotFound: there is no such run.
        """
        description = (await self._describe(run_id)).raw_description
        steps = await self._steps(run_id)
        _, plan = await self.started_with(run_id)
        overview = Overview(self.client, run_id, plan, steps)
        if steps.ended and steps.last_event > MOST_REPLAYED:
            overview.ask_nobody()
        tree = await overview.look(description)
        for pending in description.pending_activities:
            await steps.take_pending(pending)
        return list(steps.states.values()), tree

    async def watch(self, run_id: str) -> AsyncGenerator[StepState, None]:
        """Give each change of a step from the run's start on, until the run has ended.

        Raises:
            NotFound: there is no such run.
        """
        async with aclosing(self.follow(run_id, trees=False)) as changes:
            async for change in changes:
                if isinstance(change, StepState):
                    yield change

    async def follow(self, run_id: str, *, trees: bool) -> AsyncGenerator[StepState | Tree, None]:
        """Give what :meth:`watch` does and, if wanted, the tree of the run as it changes.

        Args:
            run_id: the run.
            trees: whether to give the whole tree as well, whenever it has changed.

        Raises:
            NotFound: there is no such run.
        """
        await self._describe(run_id)
        steps, overview = Steps(self.client.data_converter), None
        if trees:
            _, plan = await self.started_with(run_id)
            overview = Overview(self.client, run_id, plan, steps)
        watch = Watch(
            self.handle(run_id),
            steps,
            overview,
            lambda history: self.client.get_workflow_handle(run_id, run_id=history),
        )
        with told(f"run {run_id!r}"):
            async with aclosing(watch.changes()) as changes:
                async for change in changes:
                    yield change

    async def outcome(self, run_id: str) -> Outcome:
        """Wait until a run has ended and tell how.

        Raises:
            NotFound: there is no such run, or a value of it has left the store.
        """
        try:
            with told(f"run {run_id!r}"):
                output = await self.handle(run_id).result()
        except WorkflowFailureError as error:
            outcome = _failure(error)
            if outcome.state != "canceled":
                return outcome
            memo = await (await self._describe(run_id)).memo()
            cleaned = {key: memo[key] for key in CLEANED_UP if key in memo}
            return replace(outcome, error={**(outcome.error or {}), **cleaned})
        return Outcome("completed", output=output)

    async def send(self, run_id: str, name: str, value: Json, *, message_id: str = "") -> None:
        """Send a run a signal or an approval; with an id, once however often it is sent.

        Raises:
            NotFound: there is no such run.
            Conflict: it has ended.
            ValidationFailed: no step of it can take this.
        """
        run = await self.find(run_id)
        if run.state != "running":
            if message_id and await self._has_taken(run_id, message_id):
                return
            raise Conflict(f"run {run_id!r} has ended already: it is {run.state}")
        if name.startswith("aima.") and name != APPROVE:
            raise ValidationFailed(f"{name!r} is a name of AIMA's own; a signal has another")
        try:
            with told(f"run {run_id!r}"):
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self.handle(run_id).execute_update(name, value, id=message_id or None)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            message = cause.message if isinstance(cause, ApplicationError) else str(cause)
            raise ValidationFailed(message) from error
        except TimeoutError as error:
            raise TemporalUnreachable(
                f"no worker took it for run {run_id!r} within {ANSWER_SECONDS:g} s; start one with "
                "`aima up` or `aima worker`"
            ) from error

    async def _has_taken(self, run_id: str, message_id: str) -> bool:
        """Tell whether a run that has ended took a message; Temporal remembers those."""
        try:
            with told(f"message {message_id!r}"):
                await self.handle(run_id).get_update_handle(message_id).result()
        except (NotFound, WorkflowUpdateFailedError):
            return False
        return True

    async def waits(self, run_id: str) -> list[Json]:
        """Tell what the steps of a run and of its children wait for."""
        waits = (await self.tree(run_id))["waits"]
        return waits if isinstance(waits, list) else []

    async def started_with(self, run_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give the request and the plan with which a run's first history began."""
        with told(f"run {run_id!r}"):
            async for event in self.handle(run_id).fetch_history_events(page_size=1):
                payloads = event.workflow_execution_started_event_attributes.input.payloads
                request, plan = await self.client.data_converter.decode(payloads)
                return request, plan
        raise NotFound(f"the history of run {run_id!r} is gone")

    async def step_outputs(self, run_id: str) -> AsyncIterator[tuple[str, Json]]:
        """Give what each step gave that its history tells of, by the step's path.

        Raises:
            NotFound: there is no such run.
        """
        names: dict[int, str] = {}
        with told(f"run {run_id!r}"):
            async for event in self.handle(run_id).fetch_history_events():
                if event.HasField("activity_task_scheduled_event_attributes"):
                    begun = event.activity_task_scheduled_event_attributes
                    names[event.event_id] = begun.activity_id
                elif event.HasField("activity_task_completed_event_attributes"):
                    ended = event.activity_task_completed_event_attributes
                    for value in await self.client.data_converter.decode(ended.result.payloads):
                        yield names[ended.scheduled_event_id], value

    async def cancel(self, run_id: str) -> None:
        """Ask a run to stop; it ends Canceled when its steps have.

        Raises:
            NotFound: there is no such run.
            Conflict: it has ended already.
        """
        run = await self.find(run_id)
        if run.state == "running":
            try:
                with told(f"run {run_id!r}"):
                    await self.handle(run_id).cancel()
            except NotFound:  # it ended in this moment
                run = await self.find(run_id)
            else:
                return
        raise Conflict(f"run {run_id!r} has ended already: it is {run.state}")

    async def forget(self, run_id: str) -> None:
        """Delete a run that has ended, and its history.

        Raises:
            NotFound: there is no such run.
            Conflict: it goes on.
        """
        if (await self.find(run_id)).state == "running":
            raise Conflict(f"run {run_id!r} goes on; cancel it first")
        execution = WorkflowId(workflow_id=run_id)
        with told(f"run {run_id!r}"):
            await self.client.workflow_service.delete_workflow_execution(
                DeleteWorkflowExecutionRequest(
                    namespace=self.client.namespace, workflow_execution=execution
                )
            )

    async def _describe(self, run_id: str) -> WorkflowExecutionDescription:
        with told(f"run {run_id!r}"):
            return await self.handle(run_id).describe()

    def handle(self, run_id: str) -> WorkflowHandle[Any, Any]:
        """Reach a run through Temporal's own client."""
        return self.client.get_workflow_handle(run_id)


def _ours(query: str) -> str:
    return f"{PLAN} IS NOT NULL" + (f" AND ({query})" if query else "")


def _labels(plan: Plan) -> list[Json]:
    labels = plan.data["labels"]
    return labels if isinstance(labels, list) else []


def _run(execution: WorkflowExecution) -> Run:
    end = execution.close_time
    seconds = (end - execution.start_time) / timedelta(seconds=1) if end else None
    labels = execution.typed_search_attributes.get(SearchAttributeKey.for_keyword_list(LABELS))
    return Run(
        id=execution.id,
        workflow=execution.workflow_type,
        state=_STATES.get(execution.status or WorkflowExecutionStatus.RUNNING, "running"),
        started=execution.start_time,
        seconds=seconds,
        labels=tuple(labels or ()),
    )


def _failure(error: WorkflowFailureError) -> Outcome:
    state, told = _told_by(error.cause)
    return Outcome(state, error={**told, "retryable": is_retryable(str(told["code"]))})


def _told_by(cause: BaseException) -> tuple[str, dict[str, Any]]:
    """Give the state that a run ended in, and what it says of why."""
    if isinstance(cause, CancelledError):
        return "canceled", {"code": "CANCELLED", "message": "the run was cancelled"}
    if isinstance(cause, ApplicationError):
        told = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        code = cause.type or "EXECUTION_FAILED"
        return "failed", {**told, "code": code, "message": cause.message}
    if isinstance(cause, TerminatedError):
        message = f"somebody terminated the run in Temporal: {cause.message}"
        return "terminated", {"code": "CANCELLED", "message": message}
    if isinstance(cause, TemporalTimeout):
        message = "the run took longer than Temporal was told to allow"
        return "timed_out", {"code": "TIMEOUT", "message": message}
    return "failed", {"code": "EXECUTION_FAILED", "message": str(cause)}
