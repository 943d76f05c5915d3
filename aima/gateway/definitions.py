"""Workflow files, checked and compiled with the units of this installation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from aima.catalog import Catalog
from aima.dsl.check import Checked, check
from aima.dsl.compile import compile_plan
from aima.dsl.json import Json
from aima.dsl.plan import FORMAT, Plan
from aima.dsl.signature import Signatures
from aima.dsl.template import compile_value
from aima.unit import Unit
from aima.workflows.bodies.unit import unit_defaults
from aima.workflows.constructs import language


@dataclass(frozen=True)
class Definitions:
    """Checks and compiles against one catalogue."""

    catalog: Catalog

    @cached_property
    def signatures(self) -> Signatures:
        """The units as the language sees them."""
        return self.catalog.signatures()

    def check(self, text: bytes | str, file: str) -> Checked:
        """Load and check a workflow's text."""
        return check(text, file, language=language(), signatures=self.signatures)

    def plan(self, checked: Checked) -> Plan:
        """Compile what the check found without errors."""
        if checked.document is None:
            raise ValueError("only a checked document compiles")
        return compile_plan(checked.document, language=language(), signatures=self.signatures)

    def single(self, unit: Unit) -> Plan:
        """Make the plan that runs one unit on the run's input."""
        step: dict[str, Json] = {"id": "unit", "body": "type", "at": [1, 1], "after": []}
        step |= {"places": [], **unit_defaults(self.signatures[unit.name])}
        return Plan(
            {
                "format": FORMAT,
                "name": "exec",
                "version": "",
                "labels": [f"unit={unit.name}"],
                "inputs": None,
                "config": {},
                "steps": [{**step, "input": compile_value("${input}")}],
                "output": compile_value("${steps.unit}"),
                "places": [],
            }
        )
