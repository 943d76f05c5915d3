"""Long work asked for over HTTP: an operation is a run of one unit, seen from the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.dsl.plan import Plan
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way
from aima.gateway.runs.starting import Starter
from aima.temporal.runs import Run, RunRequest, Runs

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
        one = f"{PATH}/{{id:path}}"
        return [
            Way("POST", f"{one}/cancel", self.cancel, Permission.RUN_CONTROL),
            Way("GET", one, self.get, Permission.RUN_READ),
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
        run = await self.runs.find(run_id)
        told = await self._told(run)
        return JSONResponse(told, accepted if run.state == "running" else 200, headers)

    async def _told(self, run: Run) -> dict[str, Any]:
        way = f"{PATH}/{quote(run.id, safe='')}"
        told: dict[str, Any] = {
            "id": run.id,
            "unit": next((n.removeprefix("unit=") for n in run.labels if n[:5] == "unit="), None),
            "state": _STATES.get(run.state, run.state),
            "started": run.started.isoformat(),
            "seconds": run.seconds,
            "links": {
                "self": way,
                "cancel": f"{way}/cancel",
                "events": f"/api/v2/runs/{quote(run.id, safe='')}/events",
            },
        }
        if run.state != "running":
            outcome = await self.runs.outcome(run.id)
            told |= {"result": outcome.output} if outcome.error is None else {}
            told |= {"error": outcome.error} if outcome.error is not None else {}
        return told
