"""Long work asked for over HTTP: an operation is a run, seen from the door."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.dsl.plan import Plan
from aima.errors import Conflict, InvalidRequest
from aima.gateway.commanded import note
from aima.gateway.permission import Permission
from aima.gateway.route import Way, caller_of
from aima.temporal.runs import Run, RunRequest, Runs

PATH = "/api/v2/operations"
LONGEST_WAIT_SECONDS = 60.0
MOST_KEY_CHARACTERS = 255
_FINGERPRINT = "request"
_STATES = {
    "completed": "succeeded",
    "canceled": "cancelled",
    "terminated": "cancelled",
    "timed_out": "failed",
}
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,6})", re.IGNORECASE)


class KeyUsedOtherwise(InvalidRequest):
    """This `Idempotency-Key` came before with another request."""

    status = 422


@dataclass(frozen=True)
class Operations:
    """Starts runs for requests, and tells how they go."""

    runs: Runs

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
        return await self.answer(request, run_id, accepted=200)

    async def cancel(self, request: Request) -> Response:
        """Ask an operation to stop; it ends `cancelled` when its work has stopped."""
        run_id = request.path_params["id"]
        await self.runs.cancel(run_id)
        return await self.answer(request, run_id, accepted=202)

    async def start(self, request: Request, plan: Plan, value: dict[str, Any]) -> Response:
        """Start a run for a request; the same `Idempotency-Key` never starts a second one.

        Raises:
            KeyUsedOtherwise: the key came before with another request.
        """
        key = request.headers.get("idempotency-key", "")
        if len(key) > MOST_KEY_CHARACTERS:
            raise InvalidRequest(f"an `Idempotency-Key` has up to {MOST_KEY_CHARACTERS} characters")
        run_id, memo = "", {}
        if key:
            whose = caller_of(request.scope).name
            run_id = f"{plan.name}-{_digest(whose, plan.name, key)}"
            memo[_FINGERPRINT] = _digest(plan.hash, (await request.body()).decode(errors="replace"))
        try:
            run_id = await self.runs.start(plan, RunRequest(value, id=run_id, memo=memo))
        except Conflict:
            if not key or await self._fingerprint(run_id) != memo[_FINGERPRINT]:
                raise KeyUsedOtherwise(
                    "this `Idempotency-Key` came before with another request; use a new one"
                ) from None
        note(request.scope, run=run_id)
        return await self.answer(request, run_id, accepted=202)

    async def answer(self, request: Request, run_id: str, *, accepted: int) -> Response:
        """Tell how an operation goes, and wait for its end as long as the caller prefers."""
        headers = {"location": f"{PATH}/{quote(run_id, safe='')}"}
        seconds = _seconds(request)
        if seconds:
            headers["preference-applied"] = f"wait={seconds:g}"
            try:
                async with asyncio.timeout(seconds):
                    await self.runs.outcome(run_id)
            except TimeoutError:
                pass
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

    async def _fingerprint(self, run_id: str) -> object:
        description = await self.runs.handle(run_id).describe()
        return (await description.memo()).get(_FINGERPRINT)


def _seconds(request: Request) -> float:
    """Read how long the caller prefers to wait (RFC 7240); no longer than is good for both."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    return min(float(found[1]), LONGEST_WAIT_SECONDS) if found else 0.0


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:32]
