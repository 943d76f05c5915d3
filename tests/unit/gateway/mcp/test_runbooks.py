"""Runbooks name only what there is, and are filled in."""

from __future__ import annotations

import re

import pytest
from mcp.shared.exceptions import MCPError

from aima.catalog import discover
from aima.errors import error_classes
from aima.gateway.mcp.authoring import authoring_tools
from aima.gateway.mcp.finding import finding_tools
from aima.gateway.mcp.prompts import Runbook, runbooks
from aima.gateway.mcp.run_tools import run_tools
from aima.gateway.mcp.workflow_tools import workflow_finding_tools
from aima.gateway.reference.workflow_schema import DOCUMENT, STEP
from aima.settings import Settings
from aima.workflows.constructs import language

TOOLS = [*finding_tools(), *workflow_finding_tools(), *run_tools(), *authoring_tools()]
WORDS = {"ok", "default", "failed", "error"}
"""What tools answer with, and what stands for a value."""

every_book = pytest.mark.parametrize("book", runbooks().values(), ids=runbooks())


def test_there_are_a_handful() -> None:
    """A person chooses one from a menu."""
    assert 3 <= len(runbooks()) <= 6


@every_book
def test_a_runbook_names_only_what_there_is(book: Runbook) -> None:
    """An agent that is told to call what there is not makes something up."""
    known = {unit.name for unit in discover()} | {tool.name for tool in TOOLS}
    known |= {error.code for error in error_classes()} | WORDS | {*DOCUMENT, *STEP}
    told = language()
    known |= {*told.bodies, *told.modifiers, *told.sections}
    groups = Settings.model_fields
    known |= {f"{group}.{name}" for group in groups for name in _fields(group)}
    said = [book.text, *(str(one["description"]) for one in book.arguments.values())]
    quoted = {word for text in said for word in re.findall(r"`([^`]+)`", text)}
    quoted = {word for word in quoted if "{{" not in word}
    assert quoted <= known, quoted - known


@every_book
def test_a_runbook_is_filled_in(book: Runbook) -> None:
    """What it is given stands in it, as it is; what it must have is asked for."""
    given = {name: f"<{name} {{{{ 1 }}}}>" for name in book.arguments}
    text = book.filled(given)
    assert all(value in text for value in given.values())
    assert "{%" not in text
    needed = {name: "x" for name, told in book.arguments.items() if told["required"]}
    assert book.filled(needed)
    for name in needed:
        with pytest.raises(MCPError, match=name):
            book.filled({key: value for key, value in needed.items() if key != name})
    with pytest.raises(MCPError, match="no argument 'other'"):
        book.filled({**needed, "other": "x"})


def _fields(group: str) -> list[str]:
    kind = Settings.model_fields[group].annotation
    return list(getattr(kind, "model_fields", {}))
