"""The workflows that have a name: those that are stored, and the files of the project and AIMA's.

A stored one hides a file of its name. It runs with the plan that was compiled when it was stored;
a file runs as it is now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from aima.blocking import in_thread
from aima.disk import told
from aima.dsl.diagnostic import Diagnostic
from aima.dsl.load import load
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping, Scalar
from aima.dsl.plan import Plan
from aima.errors import NotFound
from aima.gateway.precondition import etag_of
from aima.gateway.workflows.applied import AppliedWorkflows, shown, triggers_of
from aima.gateway.workflows.definitions import Definitions
from aima.mistakes import Mistakes
from aima.shipped import known_workflows, shipped
from aima.store.applied import AppliedWorkflow


class Origin(StrEnum):
    """Where a workflow comes from."""

    STORED = "stored"
    PROJECT = "project"
    SHIPPED = "shipped"


@dataclass(frozen=True)
class KnownWorkflow:
    """A workflow that can be run by its name.

    Attributes:
        source: the file it came from.
        plan: what a run of it runs; None: the file has errors.
        row: how it is stored; None: it is a file.
    """

    name: str
    origin: Origin
    source: str
    text: str
    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...] = ()
    row: AppliedWorkflow | None = None

    @property
    def etag(self) -> str:
        """Name its text."""
        return etag_of(self.text)

    @cached_property
    def description(self) -> str:
        """What its file says of it."""
        _, root, _ = load(self.text, self.source)
        said = root.get("description") if isinstance(root, Mapping) else None
        return str(said.value) if isinstance(said, Scalar) and said.value is not None else ""


@dataclass(frozen=True)
class KnownWorkflows:
    """Finds workflows by name.

    A file that has not changed since it was listed is not read again for a list; whoever runs it
    has it compiled anew, since workflows inside it are files of their own.
    """

    definitions: Definitions
    applied: AppliedWorkflows
    _read: dict[Path, tuple[tuple[int, int], KnownWorkflow]] = field(default_factory=dict)

    async def all(self) -> list[KnownWorkflow]:
        """List them by name."""
        stored = [_of_row(row) for row in await self.applied.all()]
        files = await in_thread(self._files, {one.name for one in stored})
        return sorted([*stored, *files], key=lambda one: one.name)

    async def get(self, name: str) -> KnownWorkflow:
        """Give one, as a run of it would be now.

        Raises:
            NotFound: there is none; the message names the nearest.
        """
        row = await self.applied.get(name)
        if row is not None:
            return _of_row(row)
        found = await in_thread(self.file, name)
        if found is not None:
            return found
        names = [one.name for one in await self.all()]
        near = nearest(name, names)
        hint = f"did you mean {near!r}?" if near else "GET /api/v2/workflows lists all"
        raise NotFound(f"there is no workflow {name[:60]!r}; {hint}")

    async def runnable(self, name: str) -> tuple[Plan, str]:
        """Give the plan that a run of a workflow would run now, and where it is from.

        Raises:
            NotFound: there is none.
            ValidationFailed: it has errors; they are told one by one.
        """
        found = await self.get(name)
        if found.plan is None:
            mistakes = [asdict(one) for one in found.diagnostics]
            raise Mistakes(f"the workflow {found.name!r} has errors", diagnostics=mistakes)
        return found.plan, found.source

    async def triggers(self, found: KnownWorkflow) -> list[dict[str, Any]]:
        """Tell what would start runs of a workflow; that of a file does so once it is stored."""
        if found.row is not None:
            return await self.applied.triggers(found.row)
        triggers = triggers_of(found.plan.text) if found.plan else []
        return [{**shown(trigger, found.name), "active": False} for trigger in triggers]

    def file(self, name: str) -> KnownWorkflow | None:
        """Read the file of this name; None where there is none. It blocks."""
        file = known_workflows(self.definitions.project).get(name)
        return None if file is None else self._compiled(name, file)

    def _files(self, hidden: Iterable[str]) -> list[KnownWorkflow]:
        known = known_workflows(self.definitions.project)
        return [self._listed(name, file) for name, file in known.items() if name not in hidden]

    def _listed(self, name: str, file: Path) -> KnownWorkflow:
        with told(file):
            state = file.stat()
        stamp = (state.st_mtime_ns, state.st_size)
        before = self._read.get(file)
        if before is None or before[0] != stamp:
            before = self._read[file] = (stamp, self._compiled(name, file))
        return before[1]

    def _compiled(self, name: str, file: Path) -> KnownWorkflow:
        with told(file):
            data = file.read_bytes()
        checked = self.definitions.check(data, str(file))
        ours = file.is_relative_to(shipped("workflows"))
        return KnownWorkflow(
            name=name,
            origin=Origin.SHIPPED if ours else Origin.PROJECT,
            source=str(file),
            text=data.decode(errors="replace"),
            plan=self.definitions.plan(checked) if checked.ok else None,
            diagnostics=checked.diagnostics,
        )


def _of_row(row: AppliedWorkflow) -> KnownWorkflow:
    plan = Plan(json.loads(row.plan))
    return KnownWorkflow(row.name, Origin.STORED, row.source, row.text, plan, row=row)
