"""Long work asked for over HTTP: an operation is a run of one unit, seen from the door."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.dsl.plan import Plan
from aima.errors import Conflict, NotFound, TemporalUnreachable
from aima.gateway.about import About
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way
from aima.gateway.runs.starting import Starter
from aima.temporal.history import StepState
from aima.temporal.runs import Glance, RunRequest, Runs

PATH = "/api/v2/operations"
_STATES = {
    "completed": "succeeded",
    "canceled": "cancelled",
    "terminated": "cancelled",
    "timed_out": "failed",
}


@dataclass(frozen=True)
class Operations:
    """Starts runs for requests, and tells how they go."""

    starter: Starter

    @property
    def runs(self) -> Runs:
        """The runs behind the operations."""
        return self.starter.runs

    def ways(self) -> list[Way]:
        """Give the addresses."""
        one, absent = f"{PATH}/{{id}}", (NotFound, TemporalUnreachable)
        cancelled = About(statuses=(200, 202), errors=(*absent, Conflict))
        return [
            Way("POST", f"{one}/cancel", self.cancel, Permission.RUN_CONTROL, about=cancelled),
            Way("GET", one, self.get, Permission.RUN_READ, about=About(errors=absent)),
        ]

    async def get(self, request: Request) -> Response:
        """Tell how an operation goes; with `Prefer: wait=SECONDS` when it has ended."""
        run_id = request.path_params["id"]
        await self.runs.find(run_id)
        return await self._answer(request, run_id, accepted=200)

    async def cancel(self, request: Request) -> Response:
        """Ask an operation to stop; it ends `cancelled` when its work has stopped."""
        run_id = request.path_params["id"]
        await self.runs.cancel(run_id)
        return await self._answer(request, run_id, accepted=202)

    async def start(self, request: Request, plan: Plan, value: dict[str, Any]) -> Response:
        """Start a run for a request, and tell how it goes."""
        run_id = await self.starter.start(request, plan, RunRequest(value), what=plan.hash)
        return await self._answer(request, run_id, accepted=202)

    async def _answer(self, request: Request, run_id: str, *, accepted: int) -> Response:
        headers = {"location": f"{PATH}/{quote(run_id, safe='')}"}
        headers |= await self.starter.wait(request, run_id)
        glance = await self.runs.glance(run_id)
        goes_on = glance.run.state == "running"
        return JSONResponse(await self._told(glance), accepted if goes_on else 200, headers)

    async def _told(self, glance: Glance) -> dict[str, Any]:
        run = glance.run
        way = f"{PATH}/{quote(run.id, safe='')}"
        told: dict[str, Any] = {
            "id": run.id,
            "unit": next((n.removeprefix("unit=") for n in run.labels if n[:5] == "unit="), None),
            "state": state_of(glance),
            "started": run.started.isoformat(),
            "ended": run.ended.isoformat() if run.ended else None,
            "seconds": run.seconds,
            "links": {
                "self": way,
                "cancel": f"{way}/cancel",
                "events": f"{way}/events",
            },
        }
        if run.state == "running":
            told |= _progress(glance.steps)
        else:
            outcome = await self.runs.outcome(run.id)
            told |= {"result": outcome.output} if outcome.error is None else {}
            told |= {"error": outcome.error} if outcome.error is not None else {}
        return told


def state_of(glance: Glance) -> str:
    """Tell how an operation goes: queued, running, succeeded, failed or cancelled."""
    if glance.run.state != "running":
        return _STATES.get(glance.run.state, glance.run.state)
    in_flight = [step.state != "waiting" for step in glance.steps] or [glance.begun]
    return "running" if any(in_flight) else "queued"


def _progress(steps: Sequence[StepState]) -> dict[str, Any]:
    """Tell what the work says of itself, of the step that has something to say."""
    says = [step for step in steps if step.message or step.attempt > 1]
    return {"progress": {"attempt": says[0].attempt, "message": says[0].message}} if says else {}
