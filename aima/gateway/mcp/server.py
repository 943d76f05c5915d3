"""The MCP server: what the official SDK asks, answered from the REST API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from aima import __version__
from aima.errors import AimaError
from aima.gateway.access.permission import Permission
from aima.gateway.mcp.authoring import authoring_tools
from aima.gateway.mcp.finding import finding_tools
from aima.gateway.mcp.following import GoesOnError
from aima.gateway.mcp.profile import chosen
from aima.gateway.mcp.prompts import PromptDesk
from aima.gateway.mcp.resources import Context, ResourceDesk
from aima.gateway.mcp.rest import Refused, Rest
from aima.gateway.mcp.run_tools import run_tools
from aima.gateway.mcp.showing import result_of, shown
from aima.gateway.mcp.tasks import TaskDesk, task_of, wants_tasks
from aima.gateway.mcp.tool import Call, Tool
from aima.gateway.mcp.unit_tools import Unit, tool_name, unit_tool, units_of
from aima.gateway.mcp.workflow_tools import (
    Workflow,
    named,
    stored_workflows,
    workflow_finding_tools,
    workflow_tool,
)
from aima.trace import TRACEPARENT, read

INSTRUCTIONS = """\
AIMA runs AI on this person's own machines: models, speech, pictures, search, and workflows made \
of them that survive crashes. Units are what it can do; `search_units` finds them and `call_unit` \
asks any of them. What takes long gives an operation: `wait_operation` waits for it. Large values \
are artifacts, `{"artifact": "sha256:…"}`, which other units take as they are. To build something \
of several steps write a workflow: `show_examples`, `describe_language`, `check_workflow` until \
it is ok, `try_workflow`, then `store_workflow`. `list_workflows` tells which there are already."""

LIST_MS = 10_000
"""How long a client may keep a list; what is applied meanwhile it learns then."""


@dataclass(frozen=True)
class Desk:
    """Answers for one door.

    Attributes:
        rest: gives the API as the caller of a request may use it.
        profile: tells which units have tools in a request's lists.
        project: whose runbooks join those that AIMA ships.
    """

    rest: Callable[[Context], Rest]
    profile: Callable[[Context], str]
    project: Path | None = None
    _own: dict[str, Tool] = field(default_factory=dict)
    _units: dict[str, Unit] = field(default_factory=dict)

    def server(self) -> Server[Any]:
        """Make the server."""
        workflows = workflow_finding_tools()
        own = (*finding_tools(), *workflows, *run_tools(), *authoring_tools())
        self._own.update({tool.name: tool for tool in own})
        resources, prompts = ResourceDesk(self.rest), PromptDesk(self.rest, self.project)
        server: Server[Any] = Server(
            "aima",
            version=__version__,
            title="AIMA",
            instructions=INSTRUCTIONS,
            cache_hints={"tools/list": CacheHint(LIST_MS), "prompts/list": CacheHint(LIST_MS)},
            get_tool_input_schema=lambda _: None,  # none asks for a header
            on_list_tools=self.list_tools,
            on_completion=prompts.complete,
            on_list_prompts=prompts.list,
            on_get_prompt=prompts.get,
            on_list_resources=resources.list,
            on_list_resource_templates=resources.templates,
            on_read_resource=resources.read,
            on_subscribe_resource=resources.subscribe,
            on_unsubscribe_resource=resources.unsubscribe,
            on_subscriptions_listen=resources.listen,
        )
        # By its name, since an answer may be a task: an extension's, which the SDK does not type.
        server.add_request_handler("tools/call", types.CallToolRequestParams, self.call_tool)
        TaskDesk(self.rest).join(server)
        return server

    async def list_tools(
        self, ctx: Context, _: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        """List what this caller may call."""
        rest = self.rest(ctx)

        async def listed() -> list[Tool]:
            mine = set((await rest.ask("GET", "/keys/mine"))["permissions"])
            self._units.update(await units_of(rest))
            units = (self._units[name] for name in chosen(self._units, self.profile(ctx)))
            workflows = map(workflow_tool, await _stored(rest, mine))
            tools = [*self._own.values(), *map(unit_tool, units), *workflows]
            return [tool for tool in tools if tool.needs in mine]

        return types.ListToolsResult(tools=[_shown(tool) for tool in await _or_error(listed())])

    async def call_tool(
        self, ctx: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | dict[str, Any]:
        """Call a tool; what it refuses is an answer, for the model to read."""
        call = Call(self.rest(ctx), params.arguments or {}, _teller(ctx), wants_tasks(ctx))
        try:
            tool = await self._tool(call.rest, params.name)
            told = await tool.run(call)
            return result_of(told, await shown(call.rest, told))
        except GoesOnError as far:
            return task_of(far.operation)
        except Refused as refused:
            return result_of(refused.problem, failed=True)

    async def _tool(self, rest: Rest, name: str) -> Tool:
        if name in self._own:
            return self._own[name]
        if workflow := named(name):
            given: Workflow = {"name": workflow, "description": "", "inputs": None}
            return workflow_tool(given)
        by_name = {tool_name(unit): unit for unit in self._units}
        if name not in by_name:
            self._units.update(await units_of(rest))
            by_name = {tool_name(unit): unit for unit in self._units}
        if name not in by_name:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {name[:80]!r}")
        return unit_tool(self._units[by_name[name]])


def told_trace(ctx: Context) -> str:
    """Give the trace that a call belongs to, as its `_meta` says; empty where that says nothing."""
    return read((ctx.meta or {}).get(TRACEPARENT))


def _shown(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=dict(tool.input),
        output_schema=None if tool.output is None else dict(tool.output),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.reads,
            destructive_hint=tool.destroys,
            idempotent_hint=tool.repeatable,
        ),
        _meta=dict(tool.meta) or None,
    )


def _teller(ctx: Context) -> Callable[[str], Awaitable[None]] | None:
    """Tell progress to a caller that asked for it."""
    if not (ctx.meta or {}).get("progress_token"):
        return None
    said = 0

    async def tell(message: str) -> None:
        nonlocal said
        said += 1
        await ctx.session.report_progress(said, message=message)

    return tell


async def _stored(rest: Rest, mine: set[str]) -> list[Workflow]:
    return await stored_workflows(rest) if Permission.WORKFLOW_READ in mine else []


async def _or_error(work: Awaitable[list[Tool]]) -> list[Tool]:
    """Do what a list needs; a list has no place for a problem, so it becomes the protocol's."""
    try:
        return await work
    except Refused as refused:
        raise MCPError(types.INTERNAL_ERROR, str(refused), refused.problem) from refused
    except AimaError as error:
        raise MCPError(types.INVALID_PARAMS, error.message) from error
