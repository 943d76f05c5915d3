"""One address for whatever can be executed, in the envelopes of the earlier system; and streamed.

A request names what it wants, ``{type, unit, input, options: {timeout, async, trace_id}}``, and
the answer is ``{success, data | error, meta: {request_id, duration_ms, trace_id}}``. Without a
``type`` the unit's own kind counts. A failure is a problem (RFC 9457) as everywhere, and has the
members of the envelope beside.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from time import perf_counter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aima.dsl.duration import parse_bound
from aima.dsl.inputs import accept_input
from aima.dsl.plan import Plan
from aima.errors import AimaError, Conflict, InvalidRequest, TimedOut, UnitNotFound, error_class
from aima.gateway.about import IDEMPOTENT, About
from aima.gateway.access.commanded import looked, note
from aima.gateway.access.permission import Permission
from aima.gateway.incoming import read
from aima.gateway.problem import tell
from aima.gateway.relaying import EVENTS, while_heard
from aima.gateway.route import Way, admit
from aima.gateway.runs.answers import links_of
from aima.gateway.sse import HEADERS, RETRY_MS, event
from aima.gateway.units.routes import UnitRoutes, admitted
from aima.gateway.workflows.parts import WorkflowParts
from aima.resources.registry import Resources
from aima.temporal.runs import RunRequest
from aima.unit import Kind, Unit

PREFIX = "/api/v2"
TRACE = "x-trace-id"
_ERRORS = (UnitNotFound, TimedOut)
_EXAMPLE = {
    "type": "command",
    "unit": "inference.embed",
    "input": {"input": "a cat"},
    "options": {"timeout": "30s"},
}
_NAME = r"^[A-Za-z0-9_.:-]{0,200}$"


def _duration(value: object) -> object:
    """Read a duration: text as everywhere, or nanoseconds as the earlier system wrote them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return timedelta(microseconds=value / 1000)
    return parse_bound(value) if isinstance(value, str) else value


class Options(BaseModel):
    """How to execute."""

    model_config = ConfigDict(extra="ignore")

    timeout: Annotated[timedelta, BeforeValidator(_duration)] | None = Field(
        default=None, description="How long it may take: `30s`, or nanoseconds. Absent: its own."
    )
    is_async: bool = Field(default=False, alias="async", description="Answer once it has begun.")
    trace_id: str = Field(default="", pattern=_NAME)


class Execute(BaseModel):
    """Execute something."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["command", "query", "resource", "workflow"] | None = Field(
        default=None, description="Absent: as `unit` says."
    )
    unit: str = Field(min_length=1, description="A unit, a workflow, or a resource's address.")
    input: dict[str, Any] | None = Field(default=None, description="What it takes.")
    options: Options = Field(default=Options(), description="How it is asked.")


@dataclass(frozen=True)
class ExecuteRoutes:
    """Executes units, workflows and resources."""

    units: UnitRoutes
    resources: Resources
    workflows: WorkflowParts

    def ways(self) -> list[Way]:
        """Give the addresses."""
        asked = About(
            body=Execute, example=_EXAMPLE, headers=IDEMPOTENT, errors=_ERRORS, passes_on=True
        )
        streamed = replace(asked, gives=(EVENTS,))
        return [
            Way(
                "POST",
                f"{PREFIX}/execute",
                self.execute,
                Permission.UNIT_VIEW,  # and what the thing itself needs
                looks=None,
                about=asked,
            ),
            Way("POST", f"{PREFIX}/stream", self.stream, Permission.UNIT_RUN, about=streamed),
        ]

    async def execute(self, request: Request) -> Response:
        """Execute a unit, a workflow or a resource, and answer in an envelope with its outcome."""
        meta = _Meta(request)
        try:
            asked = await read(request, Execute)
            meta.trace_id = asked.options.trace_id or meta.trace_id
            data = await while_heard(request, self._do(request, asked))
        except AimaError as error:
            said = {"code": error.code, "message": error.message}
            told = {"success": False, "error": said, "meta": meta.told()}
            answer = tell(request, error, more=told)
        else:
            answer = JSONResponse({"success": True, "data": data, "meta": meta.told()})
        answer.headers[TRACE] = meta.trace_id
        return answer

    async def stream(self, request: Request) -> Response:
        """Have a unit do something and stream it: `start`, its pieces and progress, and `end`."""
        asked = await read(request, Execute)
        note(request.scope, subject=asked.unit)
        unit = self._unit(asked)
        if unit.kind is Kind.QUERY:
            raise InvalidRequest(f"{unit.name!r} is a query, which answers at once; ask it so")
        run = await self._start(request, *self._plan(request, unit, asked))

        async def frames() -> AsyncIterator[bytes]:
            yield f"retry: {RETRY_MS}\n\n".encode()
            yield event("start", {"id": run, "links": links_of(run)})
            with self.workflows.feeds.watched(run) as feed:
                async with aclosing(feed.frames(None)) as told:
                    async for frame in told:
                        yield frame

        return StreamingResponse(frames(), headers=HEADERS, media_type=EVENTS)

    async def _do(self, request: Request, asked: Execute) -> Any:  # noqa: ANN401 - any JSON
        note(request.scope, subject=asked.unit)
        if asked.type == "resource":
            looked(request.scope)
            return await self._read(request, asked.unit)
        if asked.type == "workflow":
            admit(request.scope, Permission.RUN_START)
            return await self._run(request, asked, *await self._workflow(asked))
        unit = self._unit(asked)
        if unit.kind is Kind.QUERY and not asked.options.is_async:
            looked(request.scope)
            accepted = admitted(request, unit, asked.input or {})
            name = request.scope["aima.request_id"]
            return await _within(asked.options, self.units.said(unit, accepted, name))
        return await self._run(request, asked, *self._plan(request, unit, asked))

    def _unit(self, asked: Execute) -> Unit:
        unit = self.units.definitions.catalog.get(asked.unit)
        if asked.type not in (None, unit.kind.value):
            raise UnitNotFound(f"there is no {asked.type} {unit.name!r}; it is a {unit.kind.value}")
        return unit

    def _plan(self, request: Request, unit: Unit, asked: Execute) -> tuple[Plan, RunRequest]:
        """Have a unit run; a query too, which then takes what a run takes."""
        given = asked.input or {}
        admitted(request, unit, given)
        admit(request.scope, Permission.UNIT_RUN)
        return self.units.definitions.single(unit), RunRequest(given)

    async def _workflow(self, asked: Execute) -> tuple[Plan, RunRequest]:
        plan, source = await self.workflows.known.runnable(asked.unit)
        return plan, RunRequest(accept_input(plan, asked.input or {}), source=source)

    async def _read(self, request: Request, uri: str) -> object:
        resource, _, _ = self.resources.find(uri)
        admit(request.scope, Permission.RESOURCE_READ)
        for permission in resource.permissions():
            admit(request.scope, Permission(permission))
        return (await self.resources.read(uri)).data

    async def _run(self, request: Request, asked: Execute, plan: Plan, wanted: RunRequest) -> Any:  # noqa: ANN401 - any JSON
        """Run a plan; give its output, or at once where it is.

        Raises:
            AimaError: it has failed, or was not done in time and is stopped.
        """
        run, runs = await self._start(request, plan, wanted), self.workflows.starter.runs
        if asked.options.is_async:
            return {"id": run, "links": links_of(run)}
        try:
            outcome = await _within(asked.options, runs.outcome(run))
        except TimedOut:
            with suppress(Conflict):  # it ended in this moment
                await runs.cancel(run)
            raise
        if outcome.error is not None:
            raise error_class(str(outcome.error["code"]))(str(outcome.error["message"]))
        return outcome.output

    async def _start(self, request: Request, plan: Plan, wanted: RunRequest) -> str:
        return await self.workflows.starter.start(request, plan, wanted, what=plan.hash)


@dataclass
class _Meta:
    """What an envelope says of its own answer."""

    request: Request
    trace_id: str = ""
    clock: Callable[[], float] = perf_counter

    def __post_init__(self) -> None:
        """Begin to count."""
        self._begun = self.clock()
        self._name = str(self.request.scope["aima.request_id"])
        given = self.request.headers.get(TRACE, "")
        self.trace_id = given if given and re.fullmatch(_NAME, given) else self._name

    def told(self) -> dict[str, object]:
        """Tell it as of now."""
        took = round((self.clock() - self._begun) * 1000)
        return {"request_id": self._name, "duration_ms": took, "trace_id": self.trace_id}


async def _within(options: Options, work: Any) -> Any:  # noqa: ANN401 - what the work gives
    """Bound work by what the request allows.

    Raises:
        TimedOut: it is over.
    """
    seconds = None if options.timeout is None else options.timeout.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise TimedOut(f"it was not done within {seconds:g} s") from error
