"""The way to every unit, also those without a tool of their own: search, describe, call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pydantic import Field

from aima.gateway.access.permission import Permission
from aima.gateway.mcp.following import LONGEST_WAIT_SECONDS, PATIENCE_SECONDS
from aima.gateway.mcp.tool import Arguments, Call, Told, Tool, own_tool
from aima.gateway.mcp.unit_tools import Unit, ask_unit, tool_name, units_of

_SHORTEST = 3
"""Letters of a word that says something."""

_WEIGHTS = (8, 4, 2, 1)
"""How much a word counts in the name, the sentence, the fields and the rest of the text."""


class SearchUnits(Arguments):
    """What to look for."""

    query: str = Field(
        default="", max_length=200, description="Words, such as `picture to text`. Empty: all."
    )
    limit: int = Field(default=10, ge=1, le=100, description="Most units to list.")


class DescribeUnit(Arguments):
    """Which unit."""

    unit: str = Field(description="Its name, such as `retrieval.index`.")


class CallUnit(DescribeUnit):
    """Which unit, and what it is given."""

    input: dict[str, Any] = Field(default={}, description="As `describe_unit` tells.")
    wait_seconds: float = Field(
        default=PATIENCE_SECONDS,
        ge=0,
        le=LONGEST_WAIT_SECONDS,
        description="After so long an operation is given instead of the answer.",
    )


async def search_units(asked: SearchUnits, call: Call) -> Told:
    """Find atomic units: the smallest things AIMA can do, such as speech, pictures or search.

    `call_unit` asks one, also where it has no tool of its own; workflows put them together.
    """
    mine = set((await call.rest.ask("GET", "/keys/mine"))["permissions"])
    units = [u for u in (await units_of(call.rest)).values() if u["permission"] in mine]
    words = _words(asked.query)
    ranked = sorted(units, key=lambda unit: (-_score(unit, words), unit["name"]))
    found = [unit for unit in ranked if not words or _score(unit, words)]
    listed = [
        {
            "unit": u["name"],
            "kind": u["kind"],
            "summary": u["summary"],
            "tool": tool_name(u["name"]),
        }
        for u in found[: asked.limit]
    ]
    return {"units": listed, "total": len(found)}


async def describe_unit(asked: DescribeUnit, call: Call) -> Told:
    """Tell what a unit takes, gives and may fail with, with examples of its input and output."""
    return await call.rest.ask("GET", f"/schema/{quote(asked.unit, safe='')}")


async def call_unit(asked: CallUnit, call: Call) -> Told:
    """Ask any unit; a long one gives an operation, for `wait_operation`."""
    units = await units_of(call.rest)
    if asked.unit not in units:
        return await call.rest.ask(
            "GET", f"/schema/{quote(asked.unit, safe='')}"
        )  # which refuses it
    return await ask_unit(units[asked.unit], call, asked.input, seconds=asked.wait_seconds)


def finding_tools() -> list[Tool]:
    """Give the tools."""
    return [
        own_tool(search_units, needs=Permission.UNIT_READ, reads=True),
        own_tool(describe_unit, needs=Permission.UNIT_READ, reads=True),
        own_tool(call_unit, needs=Permission.UNIT_QUERY, destroys=True),
    ]


def _score(unit: Unit, words: list[str]) -> int:
    places = [set(_words(text)) for text in _texts(unit)]
    return sum(
        max(weight * _likeness(word, place) for weight, place in zip(_WEIGHTS, places, strict=True))
        for word in words
    )


def _likeness(word: str, place: set[str]) -> int:
    """Tell whether a word is there: 2 as it is, 1 with another ending, 0 not at all."""
    if word in place:
        return 2
    return int(any(found.startswith(word) or word.startswith(found) for found in place))


def _texts(unit: Unit) -> Iterator[str]:
    fields: Mapping[str, Any] = {
        **unit["input"].get("properties", {}),
        **unit["output"].get("properties", {}),
    }
    yield unit["name"]
    yield unit["summary"]
    yield " ".join(fields)
    told = [str(field.get("description", "")) for field in fields.values()]
    yield " ".join([unit["description"], *told])


def _words(text: str) -> list[str]:
    return re.findall(rf"[^\W_]{{{_SHORTEST},}}", text.lower())
