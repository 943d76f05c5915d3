"""Long work as tasks, for clients that have the protocol's extension for them.

A client that declares it gets a task in place of an answer that takes longer than a moment, and
asks for the answer when it likes. A task is an operation, which is a run in Temporal: it is there
before its client hears of it, whoever is killed meanwhile. Source: SEP-2663 of the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types.jsonrpc import HEADER_MISMATCH, MISSING_REQUIRED_CLIENT_CAPABILITY
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from aima.errors import NotFound
from aima.gateway.mcp.following import failure_of
from aima.gateway.mcp.rest import Refused, Rest
from aima.gateway.mcp.showing import result_of, shown
from aima.gateway.mcp.tool import Told

Context = ServerRequestContext[Any, Any]

EXTENSION = "io.modelcontextprotocol/tasks"
POLL_MS = 1_000
KEPT_MS = 24 * 3_600_000
"""As long as a task is there at least: Temporal keeps runs for a day or more after their end."""
_STATES = {
    "queued": "working",
    "running": "working",
    "succeeded": "completed",
    "failed": "completed",  # `failed` is for what the protocol could not do; a tool's error is told
    "cancelled": "cancelled",
}


class OneTask(types.RequestParams):
    """Which task."""

    task_id: str


def wants_tasks(ctx: Context) -> bool:
    """Tell whether the caller knows what to do with a task."""
    told = ctx.session.client_capabilities
    declared = (told.extensions or {}) if told else {}
    return ctx.protocol_version in MODERN_PROTOCOL_VERSIONS and EXTENSION in declared


def task_of(operation: Told) -> dict[str, Any]:
    """Write an operation as the task that a call has become."""
    return {"resultType": "task", **_told(operation)}


@dataclass(frozen=True)
class TaskDesk:
    """Answers for tasks."""

    rest: Callable[[Context], Rest]

    def join(self, server: Server[Any]) -> None:
        """Let a server answer what the extension asks."""
        server.extensions[EXTENSION] = {}
        server.add_request_handler("tasks/get", OneTask, self.get)
        server.add_request_handler("tasks/update", OneTask, self.update)
        server.add_request_handler("tasks/cancel", OneTask, self.cancel)

    async def get(self, ctx: Context, asked: OneTask) -> dict[str, Any]:
        """Tell how a task goes; of one at its end, what the call gives."""
        rest, operation = await self._operation(ctx, asked)
        told = _told(operation)
        if told["status"] == "completed":
            told["result"] = await _result(rest, operation)
        return told

    async def update(self, ctx: Context, asked: OneTask) -> dict[str, Any]:
        """Take what a task has asked for: AIMA's ask for nothing, so nothing changes."""
        await self._operation(ctx, asked)
        return {}

    async def cancel(self, ctx: Context, asked: OneTask) -> dict[str, Any]:
        """Stop a task; what it has to clean up it still does. One at its end stays as it is."""
        rest, operation = await self._operation(ctx, asked)
        if _STATES[operation["state"]] == "working":
            await _asked(rest, "POST", f"{_path(asked)}/cancel")
        return {}

    async def _operation(self, ctx: Context, asked: OneTask) -> tuple[Rest, Told]:
        """Find a task's operation.

        Raises:
            MCPError: its client does not know tasks, or there is no such task.
        """
        if not wants_tasks(ctx):
            needed: Told = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
            said = f"tasks are for clients that declare {EXTENSION!r}"
            raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, said, needed)
        headers: Mapping[str, str] = ctx.request.headers if ctx.request else {}
        if headers.get("mcp-name", asked.task_id) != asked.task_id:
            raise MCPError(HEADER_MISMATCH, "Mcp-Name names another task than `taskId`")
        rest = self.rest(ctx)
        return rest, await _asked(rest, "GET", _path(asked))


async def _asked(rest: Rest, method: str, path: str) -> Told:
    """Ask the API; there is no place for a problem here, so it becomes the protocol's."""
    try:
        return await rest.ask(method, path)
    except Refused as refused:
        missing = refused.problem.get("status") == NotFound.status
        code = types.INVALID_PARAMS if missing else types.INTERNAL_ERROR
        raise MCPError(code, str(refused), refused.problem) from refused


async def _result(rest: Rest, operation: Told) -> dict[str, Any]:
    """Write what the call gives, as if it had been waited for."""
    if operation["state"] == "failed":
        result = result_of(failure_of(operation).problem, failed=True)
    else:
        # A unit's answer is its output; a workflow's is the operation, as its tool says.
        told: Told = operation["result"] if operation["unit"] else operation
        result = result_of(told, await shown(rest, told))
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


def _told(operation: Told) -> dict[str, Any]:
    said = (operation.get("progress") or {}).get("message")
    return {
        "taskId": operation["id"],
        "status": _STATES[operation["state"]],
        **({"statusMessage": said} if said else {}),
        "createdAt": operation["started"],
        "lastUpdatedAt": operation.get("ended") or operation["started"],
        "ttlMs": KEPT_MS,
        "pollIntervalMs": POLL_MS,
    }


def _path(asked: OneTask) -> str:
    return f"/operations/{quote(asked.task_id, safe='')}"
