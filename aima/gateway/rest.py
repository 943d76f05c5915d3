"""The door's routes for a stack and its runs.

Streams are JSON lines. Errors are problem details (RFC 9457) with AIMA's code, also for an
address that there is not.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aima import __version__
from aima.dsl.inputs import accept_config, accept_input
from aima.gateway.applied import AppliedWorkflows
from aima.gateway.commanded import note
from aima.gateway.definitions import Definitions
from aima.gateway.incoming import accept, read
from aima.gateway.permission import Permission
from aima.gateway.problem import Mistakes
from aima.gateway.route import Endpoint, Way, caller_of
from aima.gateway.streams import StreamRoutes, along, as_json
from aima.stack.lock import StackState
from aima.streams.hub import Said
from aima.temporal.again import Again
from aima.temporal.history import StepState
from aima.temporal.runs import RunRequest, Runs
from aima.temporal.server import LOOPBACK
from aima.temporal.watch import Tree
from aima.workflows.outline import NOTHING, rows, shape

if TYPE_CHECKING:
    from aima.stack.supervisor import Supervisor

PREFIX = "/api/v2"
STREAMS = f"{PREFIX}/streams"


def _run_id(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9][\w.:-]{0,199}", text):
        raise ValueError(
            f"{text[:40]!r} is no id of a run; write up to 200 letters, digits and `_.:-`, "
            "a letter or digit first"
        )
    return text


RunId = Annotated[str, AfterValidator(_run_id)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartRun(_Body):
    """Start a run of a workflow given as text."""

    text: str
    file: str = Field(description="What messages call the text.")
    place: str = Field(default="", description="Where it lies, for workflows beside it.")
    input: Any = {}
    config: dict[str, Any] = {}
    id: RunId = ""


class Execute(_Body):
    """Run one unit by itself."""

    unit: str
    input: dict[str, Any] = {}


class Retry(_Body):
    """Run again what a run did not finish."""

    start: str = Field(default="", alias="from", description="The step to begin with again.")
    config: dict[str, Any] = {}


class Signal(_Body):
    """Send a run something."""

    data: Any = None
    id: str = Field(default="", max_length=200, description="Sent twice, it counts once.")


class Approval(_Body):
    """Answer a step that waits for approval."""

    approved: bool = True
    by: str = Field(min_length=1, max_length=200)
    comment: str = ""
    id: str = Field(default="", max_length=200, description="Sent twice, it counts once.")


class ListRuns(_Body):
    """Which runs to list."""

    limit: int = Field(default=20, ge=1, le=1000)
    query: str = Field(default="", description="A Temporal visibility query.")


@dataclass(frozen=True)
class Door:
    """What the routes work on.

    Attributes:
        key: the file with the admin's key.
    """

    key: Path
    supervisor: Supervisor
    runs: Runs
    definitions: Definitions
    applied: AppliedWorkflows
    state: StackState
    streams: StreamRoutes

    def ways(self) -> list[Way]:
        """Give the addresses, and who may use each."""
        run, may = f"{PREFIX}/runs/{{id:path}}", Permission
        table: list[tuple[str, str, Endpoint, Permission]] = [
            ("GET", "/livez", self.live, may.PUBLIC),
            ("GET", "/health", self.health, may.HEALTH_READ),
            ("GET", "/stack/attach", self.attach, may.STACK_CONTROL),
            ("POST", "/stack/stay", self.stay, may.STACK_CONTROL),
            ("POST", "/stack/stop", self.stop, may.STACK_CONTROL),
            ("POST", f"{PREFIX}/execute", self.execute, may.UNIT_RUN),
            ("POST", f"{PREFIX}/definitions", self.applied.post, may.WORKFLOW_WRITE),
            ("GET", f"{PREFIX}/definitions", self.applied.get, may.WORKFLOW_READ),
            ("DELETE", f"{PREFIX}/definitions/{{name}}", self.applied.delete, may.WORKFLOW_WRITE),
            ("POST", f"{PREFIX}/runs", self.start_run, may.WORKFLOW_WRITE),
            ("GET", f"{PREFIX}/runs", self.list_runs, may.RUN_READ),
            ("POST", STREAMS, self.streams.write, may.STREAM_SHARE),
            ("GET", STREAMS, self.streams.listen, may.STREAM_SHARE),
            ("GET", f"{run}/events", self.watch_run, may.RUN_READ),
            ("GET", f"{run}/state", self.state_of_run, may.RUN_READ),
            ("GET", f"{run}/stream", self.streams.read, may.RUN_READ),
            ("POST", f"{run}/cancel", self.cancel_run, may.RUN_CONTROL),
            ("POST", f"{run}/retry", self.retry_run, may.RUN_CONTROL),
            ("POST", f"{run}/rerun", self.rerun_run, may.RUN_CONTROL),
            ("POST", f"{run}/signals/{{name}}", self.signal_run, may.RUN_CONTROL),
            ("POST", f"{run}/approvals/{{step}}", self.approve_run, may.RUN_CONTROL),
            ("GET", run, self.find_run, may.RUN_READ),
        ]
        check = Way("POST", f"{PREFIX}/check", self.check, may.WORKFLOW_WRITE, looks=True)
        return [check, *(Way(*row) for row in table)]

    async def live(self, _: Request) -> Response:
        """Tell anybody no more than that it lives."""
        return Response(status_code=204)

    async def health(self, _: Request) -> Response:
        """Tell that it lives, its processes, and who uses it."""
        return JSONResponse(
            {
                "version": __version__,
                "temporal": self.state.temporal,
                "ui": self.state.ui,
                "door": f"http://{LOOPBACK}:{self.state.port}",
                "key": str(self.key) if self.key.exists() else "",
                "stays": self.supervisor.stays,
                "clients": sorted(self.supervisor.clients),
                "pids": self.supervisor.pids,
            }
        )

    async def attach(self, request: Request) -> Response:
        """Hold the stack up for as long as the client reads; its number is the first line."""
        works = request.query_params.get("works") == "true"
        client = await self.supervisor.attach(works=works)

        async def lines() -> AsyncIterator[bytes]:
            try:
                yield _line({"client": client})
                await asyncio.Event().wait()  # until the client goes, which cancels this
            finally:
                self.supervisor.detach(client)

        return StreamingResponse(lines(), media_type="application/jsonl")

    async def stay(self, _: Request) -> Response:
        """Let the stack outlive its clients."""
        await self.supervisor.stay()
        return Response(status_code=204)

    async def stop(self, _: Request) -> Response:
        """End the stack."""
        self.supervisor.ended.set()
        return Response(status_code=202)

    async def check(self, request: Request) -> Response:
        """Tell what is wrong with a workflow's text."""
        asked = await read(request, StartRun)
        definitions = self.definitions.readable_by(caller_of(request.scope))
        checked = definitions.check(asked.text, asked.file, asked.place)
        name = checked.document.name if checked.document else None
        found = [asdict(diagnostic) for diagnostic in checked.diagnostics]
        return JSONResponse({"ok": checked.ok, "name": name, "diagnostics": found})

    async def execute(self, request: Request) -> Response:
        """Run one unit, as a run of one step."""
        asked = await read(request, Execute)
        unit = self.definitions.catalog.get(asked.unit)
        accept(unit.input.model_validate, asked.input, what=f"the input of {unit.name}")
        note(request.scope, subject=unit.name)
        run_id = await self.runs.start(self.definitions.single(unit), RunRequest(asked.input))
        note(request.scope, run=run_id)
        return JSONResponse({"id": run_id}, status_code=202)

    async def start_run(self, request: Request) -> Response:
        """Check, compile and start a workflow; acknowledged, it is never lost."""
        asked = await read(request, StartRun)
        definitions = self.definitions.readable_by(caller_of(request.scope))
        checked = definitions.check(asked.text, asked.file, asked.place)
        if not checked.ok:
            mistakes = [asdict(found) for found in checked.diagnostics]
            raise Mistakes(f"the workflow {asked.file!r} has errors", diagnostics=mistakes)
        plan = definitions.plan(checked, asked.place)
        run_id = await self.runs.start(
            plan,
            RunRequest(
                input=accept_input(plan, asked.input),
                config=accept_config(plan, asked.config),
                id=asked.id,
                source=asked.file,
            ),
        )
        note(request.scope, subject=plan.name, run=run_id)
        told = {"id": run_id, "workflow": plan.name, "plan": plan.hash}
        steps = [{"step": s["id"], "unit": s.get("unit", "")} for s in _steps(plan.data)]
        rest: dict[str, Any] = {
            "rows": [{**row, "run": run_id} for row in rows(shape(plan.data), NOTHING)]
        }
        warnings = [asdict(found) for found in checked.diagnostics]
        return JSONResponse(
            {**told, **rest, "steps": steps, "diagnostics": warnings}, status_code=201
        )

    async def list_runs(self, request: Request) -> Response:
        """List the latest runs."""
        asked = accept(ListRuns.model_validate, dict(request.query_params), what="the query")
        runs = await self.runs.latest(limit=asked.limit, query=asked.query)
        return JSONResponse({"runs": [_plain(run) for run in runs]})

    async def find_run(self, request: Request) -> Response:
        """Tell where a run is, step by step, and how it ended."""
        run = await self.runs.find(request.path_params["id"])
        steps, tree = await self.runs.look(run.id)
        told = {**_plain(run), "steps": [asdict(step) for step in steps], **tree}
        if run.state != "running":
            told |= asdict(await self.runs.outcome(run.id))
        return JSONResponse(told)

    async def state_of_run(self, request: Request) -> Response:
        """Tell whether a run has ended, and how, without a look at its steps."""
        return JSONResponse(_plain(await self.runs.find(request.path_params["id"])))

    async def watch_run(self, request: Request) -> Response:
        """Stream each change of a step, and what they show if wanted, then the outcome."""
        run = await self.runs.find(request.path_params["id"])
        trees = request.query_params.get("trees") == "true"
        pieces = request.query_params.get("pieces") == "true"

        async def lines() -> AsyncIterator[bytes]:
            follow = self.runs.follow(run.id, trees=trees)
            with self.streams.hub.reader(run.id) as reader:
                async with aclosing(along(follow, reader) if pieces else follow) as changes:
                    async for change in changes:
                        yield _line(_told(change))
            yield _line({"type": "run", "id": run.id, **asdict(await self.runs.outcome(run.id))})

        return StreamingResponse(lines(), media_type="application/jsonl")

    async def retry_run(self, request: Request) -> Response:
        """Start a run that reuses what another one finished."""
        asked = await read(request, Retry)
        old = request.path_params["id"]
        run_id = await Again(self.runs).retry(old, start=asked.start, config=asked.config)
        note(request.scope, run=run_id)
        return JSONResponse({"id": run_id}, status_code=201)

    async def rerun_run(self, request: Request) -> Response:
        """Start a run with the recorded input and plan of another one."""
        run_id = await Again(self.runs).rerun(request.path_params["id"])
        note(request.scope, run=run_id)
        return JSONResponse({"id": run_id}, status_code=201)

    async def signal_run(self, request: Request) -> Response:
        """Send a run a signal; one that no step of it can take is refused."""
        asked = await read(request, Signal)
        way = request.path_params
        await self.runs.send(way["id"], way["name"], asked.data, message_id=asked.id)
        return Response(status_code=202)

    async def approve_run(self, request: Request) -> Response:
        """Answer a step that waits for approval."""
        asked = await read(request, Approval)
        way = request.path_params
        answer = {"step": way["step"], "approved": asked.approved, "by": asked.by}
        answer |= {"comment": asked.comment} if asked.comment else {}
        await self.runs.send(way["id"], "aima.approve", answer, message_id=asked.id)
        return Response(status_code=202)

    async def cancel_run(self, request: Request) -> Response:
        """Ask a run to stop."""
        await self.runs.cancel(request.path_params["id"])
        return Response(status_code=202)


def _plain(run: Any) -> dict[str, Any]:  # noqa: ANN401 - a Run
    return {**asdict(run), "started": run.started.isoformat()}


def _told(change: StepState | Tree | Said) -> dict[str, Any]:
    if isinstance(change, Said):
        return as_json(change)
    if isinstance(change, StepState):
        return {"type": "step", **asdict(change)}
    return {"type": "tree", **change}


def _steps(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", plan["steps"])


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode() + b"\n"
