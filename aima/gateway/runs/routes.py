"""The door's routes for runs: start one, list them, look at one, follow it, and steer it.

For the command line a run is followed as JSON lines; everybody else gets server-sent events.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from aima.blocking import in_thread
from aima.dsl.inputs import accept_config, accept_input
from aima.errors import Conflict, Forbidden, NotFound, TemporalUnreachable, TooManyRuns
from aima.gateway.about import IDEMPOTENT, About
from aima.gateway.access.commanded import note
from aima.gateway.access.permission import Permission, Role
from aima.gateway.incoming import json_of, read
from aima.gateway.paging import PageQuery, decoded, encoded
from aima.gateway.relaying import EVENTS
from aima.gateway.representation import preferred
from aima.gateway.route import Endpoint, Way, caller_of
from aima.gateway.runs.answers import RunAnswers, plain
from aima.gateway.runs.feed import RunFeeds
from aima.gateway.runs.run_id import run_id
from aima.gateway.runs.starting import KeyUsedOtherwise
from aima.gateway.runs.streams import Listen, Say, Show, StreamRoutes, along, as_json
from aima.gateway.sse import HEADERS, RETRY_MS, Brief, since, within
from aima.gateway.workflows.definitions import Definitions
from aima.mistakes import Mistakes, accept, accept_json
from aima.streams.hub import Said
from aima.temporal.again import Again
from aima.temporal.history import StepState
from aima.temporal.runs import STATUSES, Run, RunRequest, Runs
from aima.temporal.watch import Tree
from aima.workflows.outline import NOTHING, rows, shape

PREFIX = "/api/v2"
JSON_LINES = "application/jsonl"
_EXAMPLE = {
    "text": "name: wait-a-second\nsteps:\n  - {id: wait, wait: 1s}\n",
    "file": "wait.yaml",
}
_RAW = About(query=Say, takes=("application/octet-stream",))
_SHOWN = About(query=Listen, gives=(JSON_LINES,))
STREAMS = f"{PREFIX}/streams"
OPERATION_EVENTS = f"{PREFIX}/operations/{{id}}/events"
"""An operation is a run of one unit, and is followed like any."""


RunId = Annotated[str, AfterValidator(run_id)]

RunState: TypeAlias = Literal[
    "running", "completed", "failed", "canceled", "terminated", "timed_out"
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartRun(_Body):
    """Start a run of a workflow given as text."""

    text: str = Field(description="The workflow, in YAML.")
    file: str = Field(description="What messages call the text.")
    place: str = Field(default="", description="Where it lies, for workflows beside it.")
    input: Any = Field(default={}, description="By the names of its `inputs`.")
    config: dict[str, Any] = Field(default={}, description="Values instead of its own.")
    id: RunId = Field(default="", description="The run's name; absent: a new one.")


class Retry(_Body):
    """Run again what a run did not finish."""

    start: str = Field(default="", alias="from", description="The step to begin with again.")
    config: dict[str, Any] = Field(default={}, description="Values instead of the run's.")


class Signal(_Body):
    """Send a run something."""

    data: Any = Field(default=None, description="The step that waits gives it as its `data`.")
    id: str = Field(default="", max_length=200, description="Sent twice, it counts once.")


class Approval(_Body):
    """Answer a step that waits for approval."""

    approved: bool = Field(default=True, description="Or refused.")
    by: str = Field(
        default="", max_length=200, description="Who says so. Absent: the name of the key."
    )
    comment: str = Field(default="", description="What the workflow may read, too.")
    id: str = Field(default="", max_length=200, description="Sent twice, it counts once.")


class Follow(Brief):
    """How to follow a run."""

    model_config = ConfigDict(extra="ignore")

    trees: bool = Field(default=False, description="In JSON lines, tell the whole tree as well.")
    pieces: bool = Field(default=False, description="In JSON lines, tell what steps show as well.")


class ListRuns(PageQuery):
    """Which runs to list."""

    limit: int = Field(default=20, ge=1, le=1000, description="How many, at most.")
    state: RunState | None = Field(default=None, description="Only those in this state.")
    workflow: str = Field(
        default="", pattern=r"^[\w-]{0,200}$", description="Only those of this workflow."
    )
    query: str = Field(default="", description="A Temporal visibility query.")

    @property
    def visibility(self) -> str:
        """All of it in Temporal's list filter language."""
        wanted = []
        if self.state is not None:
            wanted.append(f"ExecutionStatus = '{STATUSES[self.state]}'")
        if self.workflow:
            wanted.append(f"WorkflowType = '{self.workflow}'")
        if wanted and self.query:
            return " AND ".join([f"({self.query})", *wanted])
        return self.query or " AND ".join(wanted)


@dataclass(frozen=True)
class RunRoutes:
    """Starts runs, tells of them, and steers them."""

    answers: RunAnswers
    definitions: Definitions
    streams: StreamRoutes
    feeds: RunFeeds

    @property
    def runs(self) -> Runs:
        """The runs."""
        return self.answers.runs

    def ways(self) -> list[Way]:
        """Give the addresses, and who may use each."""
        run, may = f"{PREFIX}/runs/{{id:path}}", Permission
        gone = (NotFound, Conflict, TemporalUnreachable)
        one, empty = About(errors=(NotFound, TemporalUnreachable)), About(gives=(), statuses=(202,))
        again = (*gone, KeyUsedOtherwise, TooManyRuns)
        steered = replace(empty, errors=gone)
        started = About(body=StartRun, example=_EXAMPLE, headers=IDEMPOTENT, statuses=(201,))
        started = replace(started, errors=(Conflict, KeyUsedOtherwise, TooManyRuns))
        resume = {"Last-Event-ID": "The number of the last event that was read."}
        followed = About(query=Follow, gives=(EVENTS, JSON_LINES), headers=resume)
        followed = replace(followed, errors=one.errors, statuses=(200, 204))
        answered = replace(steered, body=Approval, example={"approved": True, "comment": "Go."})
        rerun = About(headers=IDEMPOTENT, errors=again, statuses=(200, 202))
        retried = replace(rerun, body=Retry, example={"from": "step-2"})
        sent = replace(steered, body=Signal, example={"data": {"paid": True}, "id": "s-1"})
        shown = About(query=Show, gives=(JSON_LINES,))
        listed = About(query=ListRuns)
        table: list[tuple[str, str, Endpoint, Permission, About]] = [
            ("POST", f"{PREFIX}/runs", self.start_run, may.WORKFLOW_WRITE, started),
            ("GET", f"{PREFIX}/runs", self.list_runs, may.RUN_READ, listed),
            ("POST", STREAMS, self.streams.write, may.STREAM_SHARE, _RAW),
            ("GET", STREAMS, self.streams.listen, may.STREAM_SHARE, _SHOWN),
            ("GET", f"{run}/events", self.watch_run, may.RUN_READ, followed),
            ("GET", OPERATION_EVENTS, self.watch_run, may.RUN_READ, followed),
            ("GET", f"{run}/state", self.state_of_run, may.RUN_READ, one),
            ("GET", f"{run}/stream", self.streams.read, may.RUN_READ, shown),
            ("POST", f"{run}/cancel", self.cancel_run, may.RUN_CONTROL, steered),
            ("POST", f"{run}/retry", self.retry_run, may.RUN_CONTROL, retried),
            ("POST", f"{run}/rerun", self.rerun_run, may.RUN_CONTROL, rerun),
            ("POST", f"{run}/signals/{{name}}", self.signal_run, may.RUN_CONTROL, sent),
            ("POST", f"{run}/approvals/{{step}}", self.approve_run, may.RUN_CONTROL, answered),
            ("GET", run, self.find_run, may.RUN_READ, one),
        ]
        return [
            Way(method, path, call, permission, about=about)
            for method, path, call, permission, about in table
        ]

    async def start_run(self, request: Request) -> Response:
        """Check, compile and start a workflow; acknowledged, it is never lost."""
        asked = await read(request, StartRun)
        definitions = self.definitions.readable_by(caller_of(request.scope))
        checked = await in_thread(definitions.check, asked.text, asked.file, asked.place)
        if not checked.ok:
            mistakes = [asdict(found) for found in checked.diagnostics]
            raise Mistakes(f"the workflow {asked.file!r} has errors", diagnostics=mistakes)
        plan = definitions.plan(checked, asked.place)
        wanted = RunRequest(
            input=accept_input(plan, asked.input),
            config=accept_config(plan, asked.config),
            id=asked.id,
            source=asked.file,
        )
        note(request.scope, subject=plan.name)
        run_id = await self.answers.starter.start(request, plan, wanted, what=plan.hash)
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
        """List runs, those that go on first, then the latest to end; by cursor or by offset."""
        asked = accept(ListRuns.model_validate, dict(request.query_params), what="the query")
        if asked.offset is not None:
            runs = await self.runs.some(
                limit=asked.limit, query=asked.visibility, skip=asked.offset
            )
            total = await self.runs.count(asked.visibility)
            return JSONResponse({"items": [plain(run) for run in runs], "total": total})
        after = decoded(asked.cursor) or None
        page = await self.runs.page(limit=asked.limit, query=asked.visibility, after=after)
        following = encoded(page.following) if page.following else None
        return JSONResponse({"items": [plain(run) for run in page.runs], "next_cursor": following})

    async def find_run(self, request: Request) -> Response:
        """Tell where a run is, step by step, and how it ended; `Prefer: wait=10` waits for that."""
        run_id = request.path_params["id"]
        await self.runs.find(run_id)
        headers = await self.answers.starter.wait(request, run_id)
        run = await self.runs.find(run_id)
        steps, tree = await self.runs.look(run.id)
        told = {**plain(run), "steps": [asdict(step) for step in steps], **tree}
        return JSONResponse({**told, **await self.answers.outcome(run)}, headers=headers)

    async def state_of_run(self, request: Request) -> Response:
        """Tell whether a run has ended, and how, without a look at its steps."""
        return JSONResponse(plain(await self.runs.find(request.path_params["id"])))

    async def watch_run(self, request: Request) -> Response:
        """Follow a run: server-sent events of its steps, its progress, and what they show.

        The last is `end`, with the outcome. Who comes again with `Last-Event-ID` gets what came
        meanwhile. The command line asks for JSON lines, which tell all from the start.
        """
        asked = accept(Follow.model_validate, dict(request.query_params), what="the query")
        run = await self.runs.find(request.path_params["id"])
        if preferred(request, (EVENTS, JSON_LINES)) == JSON_LINES:
            return self._lines(asked, run)
        seen = since(request)
        with self.feeds.watched(run.id) as feed:
            if seen is not None and seen == feed.ended:
                return Response(status_code=204)  # which ends a browser's attempts to come again

        async def frames() -> AsyncIterator[bytes]:
            yield f"retry: {RETRY_MS}\n\n".encode()
            with self.feeds.watched(run.id) as feed:
                async with aclosing(within(feed.frames(seen), asked.seconds)) as told:
                    async for frame in told:
                        yield frame

        return StreamingResponse(frames(), headers=HEADERS, media_type=EVENTS)

    def _lines(self, asked: Follow, run: Run) -> Response:
        async def lines() -> AsyncGenerator[bytes]:
            follow = self.runs.follow(run.id, trees=asked.trees)
            with self.streams.hub.reader(run.id) as reader:
                async with aclosing(along(follow, reader) if asked.pieces else follow) as changes:
                    async for change in changes:
                        yield _line(_told(change))
            yield _line({"type": "run", "id": run.id, **asdict(await self.runs.outcome(run.id))})

        return StreamingResponse(within(lines(), asked.seconds), media_type=JSON_LINES)

    async def retry_run(self, request: Request) -> Response:
        """Start a run that reuses what another one finished: 202 and where it is, or its end."""
        asked = accept_json(Retry, await json_of(request) or b"{}", what="the request")
        old = request.path_params["id"]
        again = self._again(request, f"retry {old} {asked.start}")
        run_id = await again.retry(old, start=asked.start, config=asked.config)
        return await self.answers.started(request, run_id, {})

    async def rerun_run(self, request: Request) -> Response:
        """Start a run with the recorded input and plan of another one, and tell where it is."""
        old = request.path_params["id"]
        run_id = await self._again(request, f"rerun {old}").rerun(old)
        return await self.answers.started(request, run_id, {})

    def _again(self, request: Request, what: str) -> Again:
        return Again(self.runs, partial(self.answers.starter.start, request, what=what))

    async def signal_run(self, request: Request) -> Response:
        """Send a run a signal; one that no step of it can take is refused."""
        asked = await read(request, Signal)
        way = request.path_params
        await self.runs.send(way["id"], way["name"], asked.data, message_id=asked.id)
        return Response(status_code=202)

    async def approve_run(self, request: Request) -> Response:
        """Answer a step that waits for approval, in the name of the key.

        Raises:
            Forbidden: it is said in another's name, which only the admin may do.
        """
        asked = await read(request, Approval)
        way, caller = request.path_params, caller_of(request.scope)
        by = asked.by or caller.name
        if by != caller.name and caller.role is not Role.ADMIN:
            raise Forbidden(f"the key {caller.name!r} answers in its own name; leave `by` out")
        answer = {"step": way["step"], "approved": asked.approved, "by": by}
        answer |= {"comment": asked.comment} if asked.comment else {}
        await self.runs.send(way["id"], "aima.approve", answer, message_id=asked.id)
        return Response(status_code=202)

    async def cancel_run(self, request: Request) -> Response:
        """Ask a run to stop."""
        await self.runs.cancel(request.path_params["id"])
        return Response(status_code=202)


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
