"""The door of a stack: HTTP on loopback, for the command line now and for everyone later.

Every request carries the stack's token. Streams are JSON lines. Errors are problem details
(RFC 9457) with AIMA's code.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from aima import __version__
from aima.dsl.inputs import accept_config, accept_input
from aima.errors import AimaError, Unauthorized, ValidationFailed
from aima.gateway.definitions import Definitions
from aima.stack.lock import StackState
from aima.temporal.runs import RunRequest, Runs

if TYPE_CHECKING:
    from aima.stack.supervisor import Supervisor

PREFIX = "/api/v2"
Endpoint = Callable[[Request], Awaitable[Response]]
Model = TypeVar("Model", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartRun(_Body):
    """Start a run of a workflow given as text."""

    text: str
    file: str = Field(description="What messages call the text.")
    input: Any = {}
    config: dict[str, Any] = {}
    id: str = Field(default="", pattern=r"^([A-Za-z0-9][\w.:-]{0,199})?$")


class Execute(_Body):
    """Run one unit by itself."""

    unit: str
    input: dict[str, Any] = {}


@dataclass(frozen=True)
class Door:
    """What the routes work on."""

    supervisor: Supervisor
    runs: Runs
    definitions: Definitions
    state: StackState

    def routes(self) -> list[Route]:
        """Give the routes, each behind the token."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "/health", self.health),
            ("GET", "/stack/attach", self.attach),
            ("POST", "/stack/stay", self.stay),
            ("POST", "/stack/stop", self.stop),
            ("POST", f"{PREFIX}/check", self.check),
            ("POST", f"{PREFIX}/execute", self.execute),
            ("POST", f"{PREFIX}/runs", self.start_run),
            ("GET", f"{PREFIX}/runs", self.list_runs),
            ("GET", f"{PREFIX}/runs/{{id}}", self.find_run),
            ("GET", f"{PREFIX}/runs/{{id}}/events", self.watch_run),
            ("POST", f"{PREFIX}/runs/{{id}}/cancel", self.cancel_run),
        ]
        return [Route(path, self._guarded(call), methods=[method]) for method, path, call in table]

    async def health(self, _: Request) -> Response:
        """Tell that it lives, and its processes."""
        pids = {"stack": self.state.pid, **self.supervisor.pids}
        engine = self.supervisor.engine_pid
        told = {"version": __version__, "temporal": self.state.temporal, "ui": self.state.ui}
        return JSONResponse(
            {
                **told,
                "stays": self.supervisor.stays,
                "pids": pids | ({"engine": engine} if engine else {}),
            }
        )

    async def attach(self, _: Request) -> Response:
        """Hold the stack up for as long as the client reads."""

        async def lines() -> AsyncIterator[bytes]:
            self.supervisor.attach()
            try:
                yield b"{}\n"
                await asyncio.Event().wait()  # until the client goes, which cancels this
            finally:
                self.supervisor.detach()

        return StreamingResponse(lines(), media_type="application/jsonl")

    async def stay(self, _: Request) -> Response:
        """Let the stack outlive its clients."""
        self.supervisor.stays = True
        return Response(status_code=204)

    async def stop(self, _: Request) -> Response:
        """End the stack."""
        self.supervisor.ended.set()
        return Response(status_code=202)

    async def check(self, request: Request) -> Response:
        """Tell what is wrong with a workflow's text."""
        asked = await _read(request, StartRun)
        checked = self.definitions.check(asked.text, asked.file)
        return JSONResponse(
            {"ok": checked.ok, "diagnostics": [asdict(found) for found in checked.diagnostics]}
        )

    async def execute(self, request: Request) -> Response:
        """Run one unit: a query in this process, a command as a run of its own."""
        asked = await _read(request, Execute)
        unit = self.definitions.catalog.get(asked.unit)
        run_id = await self.runs.start(self.definitions.single(unit), RunRequest(asked.input))
        return JSONResponse({"id": run_id}, status_code=202)

    async def start_run(self, request: Request) -> Response:
        """Check, compile and start a workflow; acknowledged, it is never lost."""
        asked = await _read(request, StartRun)
        checked = self.definitions.check(asked.text, asked.file)
        if not checked.ok:
            return JSONResponse(
                {
                    "code": "VALIDATION_ERROR",
                    "diagnostics": [asdict(found) for found in checked.diagnostics],
                },
                status_code=422,
            )
        plan = self.definitions.plan(checked)
        run_id = await self.runs.start(
            plan,
            RunRequest(
                input=accept_input(plan, asked.input),
                config=accept_config(plan, asked.config),
                id=asked.id,
                source=asked.file,
            ),
        )
        told = {"id": run_id, "workflow": plan.name, "plan": plan.hash}
        steps = [{"step": s["id"], "unit": s.get("unit", "")} for s in _steps(plan.data)]
        warnings = [asdict(found) for found in checked.diagnostics]
        return JSONResponse({**told, "steps": steps, "diagnostics": warnings}, status_code=201)

    async def list_runs(self, request: Request) -> Response:
        """List the latest runs."""
        limit = int(request.query_params.get("limit", "20"))
        runs = await self.runs.latest(limit=limit, query=request.query_params.get("query", ""))
        return JSONResponse({"runs": [_plain(run) for run in runs]})

    async def find_run(self, request: Request) -> Response:
        """Tell where a run is, step by step, and how it ended."""
        run = await self.runs.find(request.path_params["id"])
        steps = await self.runs.steps(run.id)
        told = {**_plain(run), "steps": [asdict(step) for step in steps]}
        if run.state != "running":
            told |= asdict(await self.runs.outcome(run.id))
        return JSONResponse(told)

    async def watch_run(self, request: Request) -> Response:
        """Stream each change of a step, then the outcome."""
        run = await self.runs.find(request.path_params["id"])

        async def lines() -> AsyncIterator[bytes]:
            async with aclosing(self.runs.watch(run.id)) as changes:
                async for change in changes:
                    yield _line({"type": "step", **asdict(change)})
            yield _line({"type": "run", "id": run.id, **asdict(await self.runs.outcome(run.id))})

        return StreamingResponse(lines(), media_type="application/jsonl")

    async def cancel_run(self, request: Request) -> Response:
        """Ask a run to stop."""
        await self.runs.cancel(request.path_params["id"])
        return Response(status_code=202)

    def _guarded(self, call: Endpoint) -> Endpoint:
        async def guarded(request: Request) -> Response:
            try:
                given = request.headers.get("authorization", "")
                if not hmac.compare_digest(given.encode(), f"Bearer {self.state.token}".encode()):
                    raise Unauthorized("this stack asks for the token of its stack.json")
                return await call(request)
            except AimaError as error:
                told = {"title": type(error).__name__, "status": error.status}
                return JSONResponse(
                    {**told, "code": error.code, "detail": error.message},
                    status_code=error.status,
                    media_type="application/problem+json",
                )

        return guarded


async def serve_door(
    supervisor: Supervisor, runs: Runs, state: StackState, listener: socket.socket
) -> None:
    """Serve the door until cancelled."""
    from aima.worker import units_of

    door = Door(supervisor, runs, Definitions(units_of(supervisor.settings)), state)
    app = Starlette(routes=door.routes())
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    try:
        await server.serve(sockets=[listener])
    except asyncio.CancelledError:
        server.should_exit = True
        await server.shutdown(sockets=[listener])
        raise


class _Server(uvicorn.Server):
    """A server that leaves signals to the supervisor."""

    def install_signal_handlers(self) -> None:
        """Install none."""


async def _read(request: Request, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValidationFailed(f"the request's {where!r}: {first['msg']}") from error


def _plain(run: Any) -> dict[str, Any]:  # noqa: ANN401 - a Run
    return {**asdict(run), "started": run.started.isoformat()}


def _steps(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", plan["steps"])


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode() + b"\n"
