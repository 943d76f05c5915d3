"""Units as tools: one for each, with its own schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aima.gateway.access.permission import Permission
from aima.gateway.mcp.following import OPERATION, PATIENCE_SECONDS, started
from aima.gateway.mcp.rest import Rest
from aima.gateway.mcp.tool import Call, Told, Tool
from aima.unit import Kind

MOST_OF_AN_EXAMPLE = 300
"""Characters of an example that stands in a list of tools."""

Unit = Mapping[str, Any]
"""A unit as the API describes it."""


async def units_of(rest: Rest) -> dict[str, Unit]:
    """Ask which units there are."""
    told = await rest.ask("GET", "/units?schemas=true")
    return {unit["name"]: unit for unit in told["units"]}


def tool_name(unit: str) -> str:
    """Name the tool of a unit: many models' APIs take no dot."""
    return unit.replace(".", "_")


def unit_tool(unit: Unit) -> Tool:
    """Make the tool of a unit."""

    async def run(call: Call) -> Told:
        return await ask_unit(unit, call, call.arguments)

    is_query = unit["kind"] == Kind.QUERY
    return Tool(
        name=tool_name(unit["name"]),
        title=unit["name"],
        description=unit["description"],
        input=_with_example(unit),
        output=unit["output"] if is_query else _or_operation(unit["output"]),
        run=run,
        needs=Permission(unit["permission"]),
        reads=is_query,
        destroys=unit["destructive"],
        repeatable=unit["repeatable"],
        meta={"aima/unit": unit["name"]},
    )


async def ask_unit(
    unit: Unit, call: Call, given: Mapping[str, Any], *, seconds: float = PATIENCE_SECONDS
) -> Told:
    """Ask a unit; of one that takes longer than ``seconds`` give the operation."""
    path = f"/{unit['kind']}/{unit['name']}"
    if unit["kind"] == Kind.QUERY:
        return await call.rest.ask("POST", path, dict(given))
    operation = await started(call, path, dict(given), seconds=seconds)
    result: Told | None = operation.get("result")
    return operation if result is None else result


def _with_example(unit: Unit) -> Mapping[str, Any]:
    """Give the schema of a unit's input with its first example, if that is short.

    Models do as they see; the others are in `describe_unit`, since each tool of a list costs.
    """
    first = next((example["input"] for example in unit["examples"]), None)
    short = first and len(json.dumps(first)) <= MOST_OF_AN_EXAMPLE
    return {**unit["input"], **({"examples": [first]} if short else {})}


def _or_operation(output: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an answer that is the unit's, or an operation that goes on."""
    own = {key: value for key, value in output.items() if key != "$defs"}
    either = {"type": "object", "anyOf": [own, OPERATION]}
    return either | ({"$defs": output["$defs"]} if "$defs" in output else {})
