"""What the door says of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.gateway.runs.starting import Starter
from aima.temporal.runs import Run, Runs

PATH = "/api/v2/runs"


@dataclass(frozen=True)
class RunAnswers:
    """Tells of runs."""

    starter: Starter

    @property
    def runs(self) -> Runs:
        """The runs."""
        return self.starter.runs

    async def started(self, request: Request, run_id: str, more: dict[str, Any]) -> Response:
        """Tell of a run that was just asked for, and wait for its end if that is preferred."""
        headers = {"location": way_of(run_id)} | await self.starter.wait(request, run_id)
        run = await self.runs.find(run_id)
        told = {**plain(run), **more, **await self.outcome(run)}
        return JSONResponse(told, 202 if run.state == "running" else 200, headers)

    async def outcome(self, run: Run) -> dict[str, Any]:
        """Tell how a run has ended; nothing of one that goes on."""
        return asdict(await self.runs.outcome(run.id)) if run.state != "running" else {}


def plain(run: Run) -> dict[str, Any]:
    """Tell where a run is, without its steps, and where to learn more."""
    return {**asdict(run), "started": run.started.isoformat(), "links": links_of(run.id)}


def links_of(run_id: str) -> dict[str, str]:
    """Give the addresses of a run and what it has."""
    way = way_of(run_id)
    return {"self": way, **{name: f"{way}/{name}" for name in ("events", "artifacts", "cancel")}}


def way_of(run_id: str) -> str:
    """Give the address of a run; whatever the id holds stays within it."""
    return f"{PATH}/{quote(run_id, safe='')}"
