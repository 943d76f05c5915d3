"""The door's route that runs a workflow by its name: JSON, or a form with files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from aima.dsl.inputs import accept_config, accept_input
from aima.dsl.plan import Plan
from aima.dsl.types import Type
from aima.errors import Conflict, NotFound, TemporalUnreachable, TooManyRuns
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.about import IDEMPOTENT, About
from aima.gateway.access.commanded import note
from aima.gateway.access.permission import Permission
from aima.gateway.incoming import json_of
from aima.gateway.route import Way
from aima.gateway.runs.answers import RunAnswers
from aima.gateway.runs.form_parts import FORM
from aima.gateway.runs.inputs import RunInput
from aima.gateway.runs.run_id import run_id
from aima.gateway.runs.starting import KeyUsedOtherwise
from aima.gateway.workflows.known import KnownWorkflows
from aima.gateway.workflows.routes import PATH
from aima.mistakes import accept
from aima.temporal.runs import RunRequest


class RunWorkflow(BaseModel):
    """Run a workflow that has a name."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(default={}, description="By the names of its `inputs`.")
    config: dict[str, Any] = Field(default={}, description="Values instead of its own.")
    id: Annotated[str, AfterValidator(run_id)] = Field(
        default="", description="The run's name; absent: a new one."
    )


@dataclass(frozen=True)
class WorkflowRuns:
    """Runs workflows.

    Attributes:
        most_bytes: largest file that is taken.
    """

    known: KnownWorkflows
    answers: RunAnswers
    input: RunInput
    most_bytes: int

    def ways(self) -> list[Way]:
        """Give the addresses."""
        way = f"{PATH}/{{name}}/runs"
        most = self.most_bytes + MOST_BODY_BYTES
        about = About(
            body=RunWorkflow,
            example={"input": {"question": "What is a cat?"}},
            takes=(FORM,),
            headers=IDEMPOTENT,
            errors=(NotFound, Conflict, KeyUsedOtherwise, TooManyRuns, TemporalUnreachable),
            statuses=(200, 202),
        )
        start = Permission.RUN_START
        return [Way("POST", way, self.post, start, most_form_bytes=most, about=about)]

    async def post(self, request: Request) -> Response:
        """Run a workflow: 202 and where the run is, or its end with `Prefer: wait=10`."""
        name = request.path_params["name"]
        plan, source = await self.known.runnable(name)
        note(request.scope, subject=name)
        asked = await self._asked(request, plan)
        wanted = RunRequest(
            input=accept_input(plan, asked.input),
            config=accept_config(plan, asked.config),
            id=asked.id,
            source=source,
        )
        what = f"workflow {name}"
        started = await self.answers.starter.start(request, plan, wanted, what=what)
        return await self.answers.started(request, started, {"plan": plan.hash})

    async def _asked(self, request: Request, plan: Plan) -> RunWorkflow:
        """Read what is wanted; files are in the store when this returns."""
        schema = plan.data["inputs"]
        wanted = Type.of(schema if isinstance(schema, dict) else {})
        if request.headers.get("content-type", "").lower().startswith(FORM):
            return RunWorkflow(input=await self.input.of_form(request, wanted))
        body = await json_of(request) or b"{}"
        asked = accept(RunWorkflow.model_validate_json, body, what="the request")
        filled = await self.input.filled(asked.input, wanted)
        return asked.model_copy(update={"input": filled})
