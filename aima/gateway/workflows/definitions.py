"""Workflow files, checked and compiled with the units of this installation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from aima.catalog import Catalog
from aima.disk import told
from aima.dsl.check import Checked, check
from aima.dsl.compile import compile_plan
from aima.dsl.json import Json
from aima.dsl.library import Child, NotThere
from aima.dsl.plan import FORMAT, Plan
from aima.dsl.signature import Signatures
from aima.dsl.template import compile_value
from aima.errors import AimaError
from aima.gateway.access.permission import Caller, Role
from aima.shipped import find_workflow, workflow_folders, workflows_in
from aima.unit import Unit
from aima.workflows.bodies.unit import unit_defaults
from aima.workflows.constructs import language
from aima.workflows.follow import shows

MOST_CHILDREN = 20
"""Workflows in workflows; deeper ones are taken for endless."""


@dataclass(frozen=True)
class Definitions:
    """Checks and compiles against one catalogue.

    Attributes:
        project: folder whose workflows are found by name.
        by_path: whether a workflow may also name others by where they lie.
        way: the files that led here, each running the next one as a child.
        known: the children found on the way: two may have the same one, and so on down.
    """

    catalog: Catalog
    project: Path | None = None
    by_path: bool = True
    way: tuple[str, ...] = ()
    known: dict[Path, Child | NotThere] | None = None

    @cached_property
    def signatures(self) -> Signatures:
        """The units as the language sees them."""
        return self.catalog.signatures()

    def readable_by(self, caller: Caller) -> Definitions:
        """Find workflows by path for the admin alone: other keys read no files of this machine."""
        return self if caller.role is Role.ADMIN else replace(self, by_path=False)

    def check(self, text: bytes | str, file: str, place: str = "") -> Checked:
        """Load and check a workflow's text.

        Args:
            text: the workflow.
            file: what messages call it.
            place: where it lies, for workflows beside it; ``file`` where that is not told.
        """
        return check(
            text,
            file,
            language=language(),
            signatures=self.signatures,
            library=Shelf(self, place or file),
        )

    def plan(self, checked: Checked, place: str = "") -> Plan:
        """Compile what the check found without errors; ``place`` as for the check."""
        if checked.document is None:
            raise ValueError("only a checked document compiles")
        return compile_plan(
            checked.document,
            language=language(),
            signatures=self.signatures,
            library=Shelf(self, place or checked.source.file),
        )

    def workflows(self) -> list[str]:
        """Name the workflows that are found by name, in a project or shipped."""
        folders = workflow_folders(self.project)
        return sorted({file.stem for folder in folders for file in workflows_in(folder)})

    def single(self, unit: Unit) -> Plan:
        """Make the plan that runs one unit on the run's input."""
        step: dict[str, Json] = {"id": "unit", "body": "type", "at": [0, 0], "after": []}
        signature = self.signatures[unit.name]
        step |= {"places": [], **unit_defaults(signature)}
        if shows(signature):
            step["stream"] = True
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


@dataclass(frozen=True)
class Shelf:
    """Finds the workflows that the one in ``file`` names."""

    definitions: Definitions
    file: str

    @cached_property
    def known(self) -> dict[Path, Child | NotThere]:
        """The children that were found already."""
        return {} if self.definitions.known is None else self.definitions.known

    def workflow(self, reference: str) -> Child:
        """Find a workflow by name, or by its path beside the file.

        Raises:
            NotThere: there is none, it has errors, or it runs itself.
        """
        way = (*self.definitions.way, str(Path(self.file).resolve()))
        file = self.find(reference)
        if file.resolve() not in self.known:
            self.known[file.resolve()] = self._child(file, reference, way)
        child = self.known[file.resolve()]
        if isinstance(child, NotThere):
            raise NotThere(child.message, child.hint)
        return child

    def _child(self, file: Path, reference: str, way: tuple[str, ...]) -> Child | NotThere:
        if str(file.resolve()) in way or len(way) > MOST_CHILDREN:
            return NotThere(
                f"{reference[:60]!r} would run itself", "a workflow cannot contain itself"
            )
        inner = replace(self.definitions, by_path=True, way=way, known=self.known)
        with told(file):
            checked = inner.check(file.read_bytes(), str(file))
        if not checked.ok:
            first = next(d for d in checked.diagnostics if d.severity == "error")
            message = f"{reference[:60]!r} has errors, the first in line {first.line}"
            return NotThere(f"{message}: {first.message}", f"`aima check {file}` tells all")
        return Child(inner.plan(checked), checked.output)

    def find(self, reference: str) -> Path:
        """Find the file of a workflow.

        Raises:
            NotThere: there is none.
        """
        beside = Path(self.file).parent / reference
        is_path = "/" in reference or reference.startswith(".")
        if is_path and not self.definitions.by_path:
            hint = "name a workflow of the project, or one that ships"
            raise NotThere("only the admin's key may run files of this machine", hint)
        if reference.startswith((".", "/")) or reference.endswith((".yaml", ".yml")):
            if not beside.is_file():
                raise NotThere(f"there is no file {reference[:60]!r} beside this one")
            return beside
        try:
            return find_workflow(reference, self.definitions.project)
        except AimaError as error:
            raise NotThere(error.message) from error
