"""Checking and compiling small workflows against a handful of made-up units."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from textwrap import dedent

from pydantic import BaseModel, ConfigDict, Field

from aima.catalog import Catalog, catalog_of
from aima.dsl.check import Checked
from aima.dsl.plan import Plan
from aima.gateway.workflows.definitions import Definitions
from aima.ports.artifacts import Artifact
from aima.unit import Context, Domain, Retry


class Part(BaseModel):
    """A part of a request."""

    model_config = ConfigDict(extra="forbid")

    label: str
    weight: float = 1.0


class Everything(BaseModel):
    """A request with a field of each kind."""

    model_config = ConfigDict(extra="forbid")

    text: str
    count: int | None = Field(default=None, ge=1)
    ratio: float = 0.5
    flag: bool = False
    words: list[str] = Field(default=[], max_length=3)
    parts: list[Part] = []
    either: str | int = ""
    anything: object = None
    recording: Artifact | None = None


class Nothing(BaseModel):
    """A request, or a reply, without fields."""


class Reply(BaseModel):
    """A reply with a field of each kind."""

    text: str
    number: float
    list: list[str]
    part: Part
    recording: Artifact
    maybe: Part | None = None


def made_up_units() -> Catalog:
    """Make `made.up` (a query), `made.once` (not idempotent) and `made.nothing` (takes nothing)."""
    made = Domain("made")

    @made.query(timeout=timedelta(minutes=2), retry=Retry(attempts=4))
    async def up(request: Everything, ctx: Context) -> Reply:
        """Take everything."""
        raise NotImplementedError

    @made.command(idempotent=False)
    async def once(request: Part, ctx: Context) -> Part:
        """Change something for good."""
        raise NotImplementedError

    @made.query()
    async def nothing(request: Nothing, ctx: Context) -> Nothing:
        """Take nothing, give nothing."""
        raise NotImplementedError

    return catalog_of(made)


DEFINITIONS = Definitions(made_up_units())


def check(text: str | bytes) -> Checked:
    """Check a workflow."""
    return DEFINITIONS.check(dedent(text) if isinstance(text, str) else text, "w.yaml")


def found(text: str) -> list[tuple[str, int, int]]:
    """Check a workflow; give code, line and column of each finding."""
    return [(d.code, d.line, d.column) for d in check(text).diagnostics]


def codes(text: str) -> list[str]:
    """Check a workflow; give the codes of the findings."""
    return [d.code for d in check(text).diagnostics]


def only_hint(text: str) -> str | None:
    """Check a workflow with one mistake; give its hint."""
    [diagnostic] = check(text).diagnostics
    return diagnostic.hint


def only_message(text: str) -> str:
    """Check a workflow with one mistake; give its message."""
    [diagnostic] = check(text).diagnostics
    return diagnostic.message


def plan(text: str) -> Plan:
    """Compile a workflow without mistakes."""
    checked = check(text)
    assert checked.ok, checked.diagnostics
    return DEFINITIONS.plan(checked)


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls that some work makes: a measure of it that no other work stretches."""
    count = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
