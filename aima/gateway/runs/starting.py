"""Starting runs for requests: once for each `Idempotency-Key`, and waited for as `Prefer` says."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass, replace

from starlette.requests import Request

from aima.dsl.plan import Plan
from aima.errors import Conflict, InvalidRequest, TemporalUnreachable, TooManyRuns
from aima.gateway.access.commanded import note
from aima.gateway.route import caller_of
from aima.temporal.runs import RunRequest, Runs

LONGEST_WAIT_SECONDS = 60.0
MOST_KEY_CHARACTERS = 255
_FINGERPRINT = "request"
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,6})", re.IGNORECASE)


class KeyUsedOtherwise(InvalidRequest):
    """This `Idempotency-Key` came before with another request."""

    status = 422


STARTING = (Conflict, KeyUsedOtherwise, TooManyRuns, TemporalUnreachable)
"""What the start of any run may fail with."""


@dataclass(frozen=True)
class Starter:
    """Starts runs for requests."""

    runs: Runs

    async def start(self, request: Request, plan: Plan, wanted: RunRequest, *, what: str) -> str:
        """Start a run and give its id; the same `Idempotency-Key` never starts a second one.

        Args:
            request: the request, with the key if it has one.
            plan: what is run.
            wanted: how.
            what: names what is run, so that the same key for another thing is refused.

        Raises:
            KeyUsedOtherwise: the key came before with another request.
        """
        started = await self._once(request, plan, wanted, what)
        note(request.scope, run=started)
        return started

    async def _once(self, request: Request, plan: Plan, wanted: RunRequest, what: str) -> str:
        key = request.headers.get("idempotency-key", "")
        if not key:
            return await self.runs.start(plan, wanted)
        if len(key) > MOST_KEY_CHARACTERS:
            raise InvalidRequest(f"an `Idempotency-Key` has up to {MOST_KEY_CHARACTERS} characters")
        whose = caller_of(request.scope).name
        run_id = wanted.id or f"{plan.name}-{_digest(whose, plan.name, key)}"
        said = json.dumps([wanted.input, wanted.config], sort_keys=True)
        fingerprint = _digest(what, said)
        try:
            memo = {**wanted.memo, _FINGERPRINT: fingerprint}
            return await self.runs.start(plan, replace(wanted, id=run_id, memo=memo))
        except Conflict:
            if await self._fingerprint(run_id) != fingerprint:
                raise KeyUsedOtherwise(
                    "this `Idempotency-Key` came before with another request; use a new one"
                ) from None
        return run_id

    async def wait(self, request: Request, run_id: str) -> dict[str, str]:
        """Wait for a run's end as long as the caller prefers; give the headers that say so."""
        seconds = _seconds(request)
        if not seconds:
            return {}
        try:
            async with asyncio.timeout(seconds):
                await self.runs.outcome(run_id)
        except TimeoutError:
            pass
        return {"preference-applied": f"wait={seconds:g}"}

    async def _fingerprint(self, run_id: str) -> object:
        description = await self.runs.handle(run_id).describe()
        return (await description.memo()).get(_FINGERPRINT)


def _seconds(request: Request) -> float:
    """Read how long the caller prefers to wait (RFC 7240); no longer than is good for both."""
    found = _WAIT.search(request.headers.get("prefer", ""))
    return min(float(found[1]), LONGEST_WAIT_SECONDS) if found else 0.0


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:32]
