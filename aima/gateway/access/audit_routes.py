"""The door's routes for the audit log: read it, and see whether somebody has changed it."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.blocking import in_thread
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way
from aima.mistakes import accept
from aima.store.audit import WITNESS_CHARACTERS, Verdict

if TYPE_CHECKING:
    from aima.store.database import Store

PATH = "/api/v2/audit"
_WITNESS = re.compile(rf'"audit": "(\d{{1,18}}):([0-9a-f]{{{WITNESS_CHARACTERS}}})"')


class ListCommands(BaseModel):
    """Which commands to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=1000)
    before: int | None = Field(
        default=None, ge=1, lt=1 << 63, description="Only those with a smaller number."
    )


class Verify(BaseModel):
    """What somebody noted of the log before."""

    model_config = ConfigDict(extra="forbid")

    head: str = Field(
        default="", pattern=r"^(\d{1,18}:[0-9a-f]{16,64})?$", description="`SEQ:HASH` of a row."
    )


@dataclass(frozen=True)
class AuditRoutes:
    """Shows the audit log.

    Attributes:
        store: opens the store.
        log: the access log, which tells the hash of each row when it is written.
    """

    store: Callable[[], AbstractContextManager[Store]]
    log: Path

    def ways(self) -> list[Way]:
        """Give the addresses."""
        return [
            Way("GET", PATH, self.get, Permission.AUDIT_READ),
            Way("GET", f"{PATH}/verify", self.verify, Permission.AUDIT_READ),
        ]

    async def get(self, request: Request) -> Response:
        """List the latest commands, the newest first."""
        asked = accept(ListCommands.model_validate, dict(request.query_params), what="the query")
        return JSONResponse({"commands": await in_thread(self._latest, asked)})

    async def verify(self, request: Request) -> Response:
        """Tell whether any command was changed, taken out, put in or moved."""
        asked = accept(Verify.model_validate, dict(request.query_params), what="the query")
        verdict = await in_thread(self._verify, asked.head)
        return JSONResponse({"ok": not verdict.faults, **asdict(verdict)})

    def _latest(self, asked: ListCommands) -> list[dict[str, Any]]:
        with self.store() as store:
            rows = store.audit.latest(asked.limit, asked.before)
        return [{"seq": r.seq, **asdict(r.command), "hash": r.hash} for r in rows]

    def _verify(self, head: str) -> Verdict:
        witnesses = _told_in(self.log)
        if head:
            seq, _, found = head.partition(":")
            witnesses[int(seq)] = found
        with self.store() as store:
            return store.audit.verify(witnesses)


def _told_in(log: Path) -> dict[int, str]:
    """Read what the access log, and what is left of those before it, tells of the rows."""
    found: dict[int, str] = {}
    for file in log.parent.glob(f"{log.name}*"):
        with file.open(errors="replace") as lines:
            found.update((int(m[1]), m[2]) for line in lines if (m := _WITNESS.search(line)))
    return found
