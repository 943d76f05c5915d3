"""The door's routes for workflows that have a name: list, read, draw, check, store and remove."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.blocking import in_thread
from aima.dsl.check import Checked
from aima.errors import Conflict, NotFound, ValidationFailed
from aima.gateway.about import GUARDED, About
from aima.gateway.access.commanded import note
from aima.gateway.access.permission import Permission
from aima.gateway.incoming import read
from aima.gateway.paging import PageQuery, page_of
from aima.gateway.precondition import Precondition, PreconditionFailed, etag_of
from aima.gateway.representation import JSON, preferred
from aima.gateway.route import Way, caller_of
from aima.gateway.workflows.definitions import Definitions
from aima.gateway.workflows.known import KnownWorkflow, KnownWorkflows, Origin
from aima.gateway.workflows.picture import PICTURES, draw
from aima.mistakes import Mistakes, accept
from aima.store.applied import AppliedWorkflow
from aima.workflows.outline import NOTHING, rows, shape

PATH = "/api/v2/workflows"
YAML = "application/yaml"
_CHECK = f"{PATH}/check"
_ABSENT = (NotFound,)
_EXAMPLE = {"text": "name: wait-a-second\nsteps:\n  - {id: wait, wait: 1s}\n"}
_FORMS = (JSON, YAML, "text/yaml", *PICTURES)


class Text(BaseModel):
    """A workflow as text."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="The workflow, in YAML.")
    file: str = Field(default="workflow.yaml", description="What messages call the text.")
    source: str = Field(
        default="", description="Where it lies: for workflows beside it, `--prune` and people."
    )


class ListWorkflows(PageQuery):
    """Which workflows to list."""

    origin: Origin | None = Field(default=None, description="Only those that come from there.")


class Draw(BaseModel):
    """How to draw a workflow."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["svg", "mermaid", "dot"] | None = Field(
        default=None, description="Absent: as `Accept` says."
    )


@dataclass(frozen=True)
class WorkflowRoutes:
    """Tells of workflows, and stores them."""

    known: KnownWorkflows

    def ways(self) -> list[Way]:
        """Give the addresses."""
        one, may = f"{PATH}/{{name}}", Permission
        checked = About(body=Text, example=_EXAMPLE, takes=(YAML,))
        stored = replace(
            checked, headers=GUARDED, errors=(PreconditionFailed, Conflict), statuses=(200, 201)
        )
        drawn = About(query=Draw, gives=tuple(PICTURES), errors=_ABSENT)
        listed, shown = (
            About(query=ListWorkflows),
            About(gives=_FORMS, errors=_ABSENT, statuses=(200, 304)),
        )
        gone = (*_ABSENT, Conflict, PreconditionFailed)
        removed = About(headers=GUARDED, errors=gone, gives=(), statuses=(204,))
        return [
            Way("GET", PATH, self.list, may.WORKFLOW_READ, about=listed),
            Way("POST", PATH, self.post, may.WORKFLOW_WRITE, about=stored),
            Way("POST", _CHECK, self.check, may.WORKFLOW_WRITE, looks=True, about=checked),
            Way("GET", one, self.get, may.WORKFLOW_READ, about=shown),
            Way("GET", f"{one}/graph", self.graph, may.WORKFLOW_READ, about=drawn),
            Way("PUT", one, self.put, may.WORKFLOW_WRITE, about=stored),
            Way("DELETE", one, self.delete, may.WORKFLOW_WRITE, about=removed),
        ]

    async def list(self, request: Request) -> Response:
        """List the workflows that have a name: stored, of the project, or shipped with AIMA."""
        asked = accept(ListWorkflows.model_validate, dict(request.query_params), what="the query")
        found = await self.known.all()
        found = [one for one in found if asked.origin in (None, one.origin)]
        page, beside = page_of(found, asked, lambda one: one.name)
        return JSONResponse({"items": [await self._summary(one) for one in page], **beside})

    async def get(self, request: Request) -> Response:
        """Give a workflow: all of it as JSON, its text as YAML, or its graph, by `Accept`."""
        found = await self.known.get(request.path_params["name"])
        form = preferred(request, _FORMS)
        headers = {"etag": found.etag, "vary": "accept"}
        if Precondition.of(request).has(found.etag):
            return Response(status_code=304, headers=headers)
        if form in PICTURES:
            return draw(found.text, found.source, PICTURES[form], headers)
        if form != JSON:
            return Response(found.text, headers=headers, media_type=form)
        return JSONResponse(await self._whole(found), headers=headers)

    async def graph(self, request: Request) -> Response:
        """Draw a workflow: SVG, or by `format` or `Accept` Mermaid or DOT."""
        asked = accept(Draw.model_validate, dict(request.query_params), what="the query")
        found = await self.known.get(request.path_params["name"])
        kind = asked.format or PICTURES[preferred(request, tuple(PICTURES))]
        return draw(found.text, found.source, kind, {"etag": found.etag, "vary": "accept"})

    async def check(self, request: Request) -> Response:
        """Tell what is wrong with a workflow's text; nothing is kept, nothing is run."""
        asked = await _text(request)
        checked = await in_thread(self._checked, request, asked)
        name = checked.document.name if checked.document else None
        found = [asdict(diagnostic) for diagnostic in checked.diagnostics]
        return JSONResponse({"ok": checked.ok, "name": name, "diagnostics": found})

    async def post(self, request: Request) -> Response:
        """Store a workflow under the name that its text gives it; its triggers are active then."""
        return await self._store(request, await _text(request), None)

    async def put(self, request: Request) -> Response:
        """Store a workflow under a name; `If-Match` replaces only the one that you have seen."""
        name = request.path_params["name"]
        return await self._store(request, await _text(request, f"{name}.yaml"), name)

    async def delete(self, request: Request) -> Response:
        """Remove a stored workflow and end its triggers; runs in flight go on."""
        name, wanted = request.path_params["name"], Precondition.of(request)
        note(request.scope, subject=name)
        if await self.known.applied.get(name) is None:
            found = await in_thread(self.known.file, name)
            if found is not None:
                raise Conflict(
                    f"the workflow {name!r} is a file, {found.source}; only what was stored here "
                    "can be removed here"
                )
        await self.known.applied.unapply(
            name, require=lambda row: wanted.require(None if row is None else etag_of(row.text))
        )
        return Response(status_code=204)

    async def _store(self, request: Request, asked: Text, name: str | None) -> Response:
        """Check, compile and store a workflow; from then on its triggers start this plan."""
        checked = await in_thread(self._checked, request, asked)
        diagnostics = [asdict(found) for found in checked.diagnostics]
        if not checked.ok:
            raise Mistakes(f"the workflow {asked.file!r} has errors", diagnostics=diagnostics)
        plan = self._definitions(request).plan(checked, asked.source)
        if name not in (None, plan.name):
            raise ValidationFailed(
                f"the text names its workflow {plan.name!r}, not {name!r}; make the two one"
            )
        note(request.scope, subject=plan.name)
        source = asked.source or asked.file
        row = AppliedWorkflow(plan.name, plan.text, plan.hash, source=source, text=asked.text)
        file = await in_thread(self.known.file, plan.name)
        wanted = Precondition.of(request)

        def require(before: AppliedWorkflow | None) -> None:
            hidden = None if file is None else file.etag
            wanted.require(hidden if before is None else etag_of(before.text))

        before = await self.known.applied.apply(plan, row, require=require)
        state = "new" if before is None else "same" if before.hash == plan.hash else "changed"
        stored = await self.known.get(plan.name)
        told = {**await self._summary(stored), "state": state, "diagnostics": diagnostics}
        headers = {"etag": etag_of(asked.text), "location": way_of(plan.name)}
        return JSONResponse(told, 201 if before is None else 200, headers)

    def _checked(self, request: Request, asked: Text) -> Checked:
        return self._definitions(request).check(asked.text, asked.file, asked.source)

    def _definitions(self, request: Request) -> Definitions:
        return self.known.definitions.readable_by(caller_of(request.scope))

    async def _summary(self, found: KnownWorkflow) -> dict[str, Any]:
        data = found.plan.data if found.plan else {}
        told: dict[str, Any] = {
            "name": found.name,
            "origin": found.origin,
            "source": found.source,
            "description": found.description,
            "version": data.get("version", ""),
            "plan": found.plan.hash if found.plan else None,
            "inputs": data.get("inputs"),
            "triggers": await self.known.triggers(found),
            "links": {
                "self": way_of(found.name),
                "graph": f"{way_of(found.name)}/graph",
                "runs": f"{way_of(found.name)}/runs",
            },
        }
        if found.row is not None:
            told["applied_at"] = found.row.applied_at.isoformat()
        if found.plan is None:
            told["diagnostics"] = [asdict(diagnostic) for diagnostic in found.diagnostics]
        return told

    async def _whole(self, found: KnownWorkflow) -> dict[str, Any]:
        told = {**await self._summary(found), "text": found.text}
        told["diagnostics"] = [asdict(diagnostic) for diagnostic in found.diagnostics]
        if found.plan is not None:
            told |= {key: found.plan.data.get(key) for key in ("config", "labels")}
            told["rows"] = rows(shape(found.plan.data), NOTHING)
        return told


def way_of(name: str) -> str:
    """Give the address of a workflow; whatever the name holds stays within it."""
    return f"{PATH}/{quote(name, safe='')}"


async def _text(request: Request, file: str = "workflow.yaml") -> Text:
    """Read a workflow: YAML as it is, or a text in JSON with what it is called.

    Raises:
        ValidationFailed: it is neither.
    """
    kind = request.headers.get("content-type", YAML).partition(";")[0].strip().lower()
    if kind.endswith("json"):
        asked = await read(request, Text)
        return (
            asked if "file" in asked.model_fields_set else asked.model_copy(update={"file": file})
        )
    try:
        return Text(text=(await request.body()).decode(), file=file)
    except UnicodeDecodeError as error:
        raise ValidationFailed("the request: a workflow is text in UTF-8") from error
