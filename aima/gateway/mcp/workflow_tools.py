"""Workflows that have a name, as tools: those that were stored, and a way to all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import Field

from aima.gateway.access.permission import Permission
from aima.gateway.mcp.following import (
    LONGEST_WAIT_SECONDS,
    OPERATION,
    PATIENCE_SECONDS,
    started,
)
from aima.gateway.mcp.rest import Rest
from aima.gateway.mcp.tool import Arguments, Call, Told, Tool, own_tool

Workflow = Mapping[str, Any]
"""A workflow as the API lists it."""

PREFIX = "workflow_"
STORED = "stored"
MOST = 20
"""Workflows with a tool of their own; the others are run by `run_workflow`."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,55}", re.ASCII)
_MOST_SAID = 300


class ListWorkflows(Arguments):
    """Which workflows."""

    limit: int = Field(default=50, ge=1, le=1000, description="So many at once.")
    cursor: str = Field(default="", description="The `next_cursor` of the page before.")


class RunWorkflow(Arguments):
    """Which workflow, and what it is given."""

    name: str = Field(min_length=1, description="As `list_workflows` tells it.")
    input: dict[str, Any] = Field(default={}, description="As its `inputs` say.")
    wait_seconds: float = Field(
        default=PATIENCE_SECONDS,
        ge=0,
        le=LONGEST_WAIT_SECONDS,
        description="How long to wait for the end; the run goes on after that.",
    )


async def list_workflows(asked: ListWorkflows, call: Call) -> Told:
    """List the workflows that can be run by name, with the JSON Schema of their inputs."""
    cursor = f"&cursor={quote(asked.cursor, safe='')}" if asked.cursor else ""
    told = await call.rest.ask("GET", f"/workflows?limit={asked.limit}{cursor}")
    kept = ("name", "description", "inputs", "origin")
    listed = [{key: workflow[key] for key in kept} for workflow in told["items"]]
    return {**told, "items": listed}


async def run_workflow(asked: RunWorkflow, call: Call) -> Told:
    """Run a workflow by its name, durably; gives the run's output, or an operation."""
    return await _run(call, asked.name, asked.input, seconds=asked.wait_seconds)


def workflow_finding_tools() -> list[Tool]:
    """Give the tools that reach every workflow."""
    return [
        own_tool(list_workflows, needs=Permission.WORKFLOW_READ, reads=True),
        own_tool(run_workflow, needs=Permission.RUN_START, destroys=True),
    ]


async def stored_workflows(rest: Rest) -> list[Workflow]:
    """Ask for the stored workflows that can have a tool."""
    told = await rest.ask("GET", f"/workflows?origin={STORED}&limit=1000")
    named = [w for w in told["items"] if _NAME.fullmatch(w["name"]) and w["plan"]]
    return named[:MOST]


def workflow_tool(workflow: Workflow) -> Tool:
    """Make the tool of a workflow."""
    name = workflow["name"]

    async def run(call: Call) -> Told:
        return await _run(call, name, call.arguments, seconds=PATIENCE_SECONDS)

    return Tool(
        name=f"{PREFIX}{name}",
        title=name,
        description=_description(workflow),
        input={**(workflow["inputs"] or {}), "type": "object"},
        output=OPERATION,
        run=run,
        needs=Permission.RUN_START,
        destroys=True,  # its author knows; nobody else does
        meta={"aima/workflow": name},
    )


def named(tool: str) -> str:
    """Give the workflow that a tool's name means; empty for none."""
    name = tool.removeprefix(PREFIX)
    return name if tool.startswith(PREFIX) and _NAME.fullmatch(name) else ""


async def _run(call: Call, name: str, given: Mapping[str, Any], *, seconds: float) -> Told:
    path = f"/workflows/{quote(name, safe='')}/runs"
    return await started(call, path, {"input": dict(given)}, seconds=seconds)


def _description(workflow: Workflow) -> str:
    """Say what it is, and what its author says as the author's words: they are nobody's orders."""
    said = " ".join(str(workflow["description"] or "").split())[:_MOST_SAID]
    own = f"Run the stored workflow {workflow['name']}; gives an operation with its `result`."
    return f"{own} Its author says: {said!r}" if said else own
