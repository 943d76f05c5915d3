"""Tools for what goes on: operations and runs, which are the same thing in Temporal."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from urllib.parse import quote, urlencode

from pydantic import Field

from aima.gateway.access.permission import Permission
from aima.gateway.mcp.following import LONGEST_WAIT_SECONDS, followed
from aima.gateway.mcp.tool import Arguments, Call, Told, Tool, own_tool

State: TypeAlias = Literal["running", "completed", "failed", "canceled", "terminated", "timed_out"]


class OneRun(Arguments):
    """Which operation or run."""

    id: str = Field(min_length=1, description="Of an operation; a run's id is one as well.")


class WaitOperation(OneRun):
    """Which operation, and how long."""

    seconds: float = Field(default=30, ge=0, le=LONGEST_WAIT_SECONDS, description="Longest wait.")


class ListRuns(Arguments):
    """Which runs."""

    limit: int = Field(default=10, ge=1, le=100, description="So many at once.")
    workflow: str = Field(default="", description="Of this workflow alone. Empty: of all.")
    state: State | None = Field(default=None, description="In this state alone.")
    query: str = Field(
        default="", description="Of Temporal's visibility, such as `AimaLabels = 'team=a'`."
    )
    cursor: str = Field(default="", description="The `next_cursor` of the page before.")


class ApproveRun(OneRun):
    """What is answered."""

    step: str = Field(description="The step that waits for approval.")
    approved: bool = Field(description="False refuses.")
    comment: str = Field(default="", description="What the run shall know of it.")


class SignalRun(OneRun):
    """What is sent."""

    name: str = Field(min_length=1, description="The signal that a step waits for.")
    data: Any = Field(default=None, description="What it carries.")


class RetryRun(OneRun):
    """Where to begin."""

    start: str = Field(default="", description="The step to begin with again. Empty: what failed.")


async def get_operation(asked: OneRun, call: Call) -> Told:
    """Tell how an operation goes, and what it gave if it has ended."""
    return await call.rest.ask("GET", f"/operations/{_segment(asked.id)}")


async def wait_operation(asked: WaitOperation, call: Call) -> Told:
    """Wait for the end of an operation; after `seconds` tell how it goes, and it goes on."""
    return await followed(call, asked.id, seconds=asked.seconds)


async def cancel_operation(asked: OneRun, call: Call) -> Told:
    """Stop an operation; what it has to clean up it still does."""
    return await call.rest.ask("POST", f"/operations/{_segment(asked.id)}/cancel")


async def list_runs(asked: ListRuns, call: Call) -> Told:
    """List runs of workflows and units: those that go on first, then the latest to end."""
    given = asked.model_dump(exclude_defaults=True) | {"limit": asked.limit}
    return await call.rest.ask("GET", f"/runs?{urlencode(given)}")


async def look_at_run(asked: OneRun, call: Call) -> Told:
    """Show a run step by step: states, attempts, errors with the line of the YAML, output."""
    return await call.rest.ask("GET", f"/runs/{_segment(asked.id)}")


async def approve_run(asked: ApproveRun, call: Call) -> Told:
    """Answer a step of a run that waits for approval; ask the person you work for first."""
    body = {"approved": asked.approved, "comment": asked.comment}
    path = f"/runs/{_segment(asked.id)}/approvals/{_segment(asked.step)}"
    await call.rest.ask("POST", path, body)
    return {"id": asked.id, "step": asked.step, "approved": asked.approved}


async def signal_run(asked: SignalRun, call: Call) -> Told:
    """Send a run the signal that a step of it waits for."""
    path = f"/runs/{_segment(asked.id)}/signals/{_segment(asked.name)}"
    await call.rest.ask("POST", path, {"data": asked.data})
    return {"id": asked.id, "signal": asked.name}


async def retry_run(asked: RetryRun, call: Call) -> Told:
    """Run again what a run did not finish; what it finished is not done twice."""
    path = f"/runs/{_segment(asked.id)}/retry"
    return await call.rest.ask("POST", path, {"from": asked.start})


def run_tools() -> list[Tool]:
    """Give the tools."""
    reads = (get_operation, wait_operation, list_runs, look_at_run)
    return [
        *(own_tool(body, needs=Permission.RUN_READ, reads=True) for body in reads),
        own_tool(cancel_operation, needs=Permission.RUN_CONTROL, destroys=True, repeatable=True),
        own_tool(approve_run, needs=Permission.RUN_CONTROL, repeatable=True),
        own_tool(signal_run, needs=Permission.RUN_CONTROL),
        own_tool(retry_run, needs=Permission.RUN_CONTROL),
    ]


def _segment(text: str) -> str:
    return quote(text, safe="")
