"""A workflow: its graph, its text, its latest runs, and the form that starts one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from aima.artifacts import CHUNK_BYTES
from aima.blocking import in_thread
from aima.disk import told
from aima.dsl.inputs import accept_config, accept_input
from aima.dsl.plan import Plan
from aima.errors import Conflict, ValidationFailed
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.access.commanded import note
from aima.gateway.access.permission import Permission
from aima.gateway.representation import JSON, preferred
from aima.gateway.route import Way, caller_of
from aima.gateway.runs.form_parts import parts_of
from aima.gateway.runs.inputs import RunInput
from aima.gateway.web.drawn import drawn
from aima.gateway.web.form import Field, Filled, Reader, config_of, fields_of
from aima.gateway.web.look import HTML, Look
from aima.gateway.workflows.known import KnownWorkflow, KnownWorkflows, Origin
from aima.temporal.runs import Run, RunRequest, Runs

LATEST_RUNS = 8


@dataclass(frozen=True)
class WorkflowPage:
    """Shows a workflow and runs it.

    Attributes:
        most_bytes: largest file that is taken.
    """

    look: Look
    known: KnownWorkflows
    runs: Runs
    files: RunInput
    most_bytes: int

    def ways(self) -> list[Way]:
        """Give the addresses."""
        path, most = "/workflows/{name}", self.most_bytes + MOST_BODY_BYTES
        way, may = self.look.way, Permission
        return [
            way("GET", path, self.show, may.WORKFLOW_READ),
            way("POST", path, self.start, may.RUN_START, most_form_bytes=most),
        ]

    async def show(self, request: Request) -> Response:
        """Show it."""
        return await self._page(request, await self._found(request), Filled())

    async def start(self, request: Request) -> Response:
        """Start a run and lead to it, or tell beside each field what is wrong with it."""
        found = await self._found(request)
        if found.plan is None:
            raise Conflict(f"the workflow {found.name!r} has errors; correct them first")
        reader = Reader(*_fields(found), self.files, lambda one: _example(found, one))
        filled = await reader.read(parts_of(request))
        told = ""
        if not filled.errors:
            try:
                return await self._started(request, found, found.plan, filled)
            except ValidationFailed as error:
                told = error.message
        if preferred(request, (HTML, JSON)) == JSON:
            return JSONResponse({"errors": filled.errors, "detail": told}, 422)
        return await self._page(request, found, filled, told=told, status=422)

    async def _started(
        self, request: Request, found: KnownWorkflow, plan: Plan, filled: Filled
    ) -> Response:
        by = caller_of(request.scope).name
        wanted = RunRequest(
            input=accept_input(plan, filled.input),
            config=accept_config(plan, filled.config),
            source=found.source,
            memo={"started by": by},
        )
        run_id = await self.runs.start(plan, wanted)
        note(request.scope, subject=found.name, run=run_id)
        way = f"/runs/{quote(run_id, safe='')}"
        if preferred(request, (HTML, JSON)) == JSON:
            return JSONResponse({"location": way}, 201)
        return RedirectResponse(way, 303)

    async def _found(self, request: Request) -> KnownWorkflow:
        return await self.known.get(request.path_params["name"])

    async def _page(
        self,
        request: Request,
        found: KnownWorkflow,
        filled: Filled,
        *,
        told: str = "",
        status: int = 200,
    ) -> Response:
        fields, config = _fields(found)
        shown: dict[str, Any] = {
            "graph": drawn(found.plan.data) if found.plan else None,
            "latest": await self._latest(request, found),
            "triggers": await self.known.triggers(found),
        }
        return self.look.page(
            request,
            "workflow",
            found=found,
            fields=fields,
            config=config,
            filled=filled,
            told=told,
            status=status,
            **shown,
        )

    async def _latest(self, request: Request, found: KnownWorkflow) -> list[Run]:
        if found.plan is None or not caller_of(request.scope).may(Permission.RUN_READ):
            return []
        query = f"WorkflowType = '{found.plan.name}'"
        return await self.runs.latest(limit=LATEST_RUNS, query=query)


def _fields(found: KnownWorkflow) -> tuple[list[Field], list[Field]]:
    if found.plan is None:
        return [], []
    data = found.plan.data
    return fields_of(data, lambda name: _example_file(found, name)), config_of(data)


def _example_file(found: KnownWorkflow, name: str) -> Path | None:
    """Find the file of an example: beside a workflow that is a file here, and nowhere else.

    Whoever may store a workflow may not therefore read the files of this machine.
    """
    if found.origin is Origin.STORED:
        return None
    folder = Path(found.source).resolve().parent
    file = (folder / name).resolve()
    return file if file.is_relative_to(folder) and file.is_file() else None


async def _example(found: KnownWorkflow, one: Field) -> AsyncIterator[bytes]:
    named = (found.plan.data["inputs"] if found.plan else None) or {}
    example = named["examples"][0][one.key] if isinstance(named, dict) else ""  # type: ignore[index,call-overload] # JSON
    file = _example_file(found, str(example)[1:])
    if file is None:
        return
    with told(file), file.open("rb") as opened:
        while chunk := await in_thread(opened.read, CHUNK_BYTES):
            yield chunk
