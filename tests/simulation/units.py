"""The units of a simulation, for the checker alone: what they do is the simulation's affair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache, lru_cache
from typing import Any

from pydantic import BaseModel

from aima.catalog import Catalog
from aima.dsl.check import check
from aima.dsl.compile import compile_plan
from aima.dsl.library import Child, NotThere
from aima.dsl.plan import Plan
from aima.unit import Context, Domain, Retry
from aima.workflows.constructs import language

Written = dict[str, Any]
"""A workflow as its author writes it."""


class Number(BaseModel):
    """A number; every unit gives back the one it was given."""

    n: int


class Refused(Exception):
    """The checker does not take a workflow."""


async def do(request: Number, ctx: Context) -> Number:
    """Change something in the world."""
    del ctx
    return request


async def look(request: Number, ctx: Context) -> Number:
    """Answer quickly, and change nothing."""
    del ctx
    return request


@cache
def catalog() -> Catalog:
    """Give the units."""
    sim = Domain("sim")
    retry = Retry(attempts=3, delay=timedelta(seconds=1))
    sim.command(timeout=timedelta(seconds=20), retry=retry, idempotent=False)(do)
    sim.query(timeout=timedelta(seconds=2), retry=retry)(look)
    return Catalog(sim.units)


class Shelf:
    """Workflows by name, none of which lies on a disk; those of the same texts are equal."""

    def __init__(self, written: Mapping[str, Written]) -> None:
        """Take them."""
        self._written = written
        self._text = json.dumps(written)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shelf) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def workflow(self, reference: str) -> Child:
        """Find one.

        Raises:
            NotThere: there is none, or it has errors.
        """
        if reference not in self._written:
            raise NotThere(f"there is no {reference!r}")
        try:
            return compiled(self._written[reference], self)
        except Refused as error:
            raise NotThere(str(error)) from error


def compiled(written: Written, shelf: Shelf) -> Child:
    """Check and compile a workflow.

    Raises:
        Refused: it has errors.
    """
    return _compiled(json.dumps(written), shelf)


@lru_cache(maxsize=16)
def _compiled(text: str, shelf: Shelf) -> Child:
    signatures = catalog().signatures()
    checked = check(text, "test.yaml", language=language(), signatures=signatures, library=shelf)
    if not checked.ok or checked.document is None:
        errors = [d for d in checked.diagnostics if d.severity == "error"]
        raise Refused("; ".join(f"{d.code} {d.message}" for d in errors))
    plan: Plan = compile_plan(
        checked.document, language=language(), signatures=signatures, library=shelf
    )
    return Child(plan, checked.output)
