"""What the checker knows of a text, asked in an editor's questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aima.dsl.check import Checked, Checker
from aima.dsl.diagnostic import Findings
from aima.dsl.document import Step
from aima.dsl.roots import roots_of
from aima.dsl.scope import Scopes
from aima.dsl.types import Type, said
from aima.dsl.values import Reader
from aima.errors import UnitNotFound
from aima.gateway.definitions import Definitions
from aima.gateway.workflow_schema import workflow_schema
from aima.lsp.words import Sort, Typed, path_at, typed
from aima.unit import Unit
from aima.workflows.constructs import language


@dataclass(frozen=True)
class Offer:
    """One word that could stand here, and what it means."""

    word: str
    detail: str = ""
    told: str = ""


@dataclass(frozen=True)
class Knowledge:
    """One text, checked."""

    text: str
    file: str
    definitions: Definitions

    @cached_property
    def checked(self) -> Checked:
        """What `aima check` finds."""
        return self.definitions.check(self.text, self.file)

    def offers(self, line: int, column: int) -> list[Offer]:
        """Tell what could stand at a place; lines and columns count from 0."""
        here = typed(self.text, line, column)
        match here.sort:
            case Sort.unit:
                return [Offer(u.name, "unit", u.description) for u in self.definitions.catalog]
            case Sort.path:
                return self._links(here)
            case Sort.step_key:
                return _keys(self._schema["$defs"]["step"]["properties"])
            case Sort.top_key:
                return _keys(self._schema["properties"])
            case Sort.input_key:
                unit = self._unit(here.unit)
                fields = unit.input.model_fields if unit is not None else {}
                return [Offer(n, "input", f.description or "") for n, f in fields.items()]
        return []

    def hover(self, line: int, column: int) -> str:
        """Tell what the word at a place means, in Markdown; empty where nothing is known."""
        names = path_at(self.text, line, column)
        unit = self._unit(".".join(names))
        if unit is not None:
            return f"**{unit.name}**\n\n{unit.description}"
        kind = self._type(names)
        if kind is not None:
            return f"`{'.'.join(names)}`: {said(kind)}"
        known = {**self._schema["properties"], **self._schema["$defs"]["step"]["properties"]}
        told = known.get(names[0], {}).get("description", "") if len(names) == 1 else ""
        return f"**{names[0]}**: {told}" if told else ""

    def definition(self, line: int, column: int) -> Step | None:
        """Find the step that is read, or waited for, at a place."""
        names = path_at(self.text, line, column)
        wanted = names[1] if names[:1] == ("steps",) and names[1:] else ".".join(names)
        document = self.checked.document
        steps = document.all_steps if document is not None else ()
        return next((step for step in steps if step.id == wanted), None)

    def _links(self, here: Typed) -> list[Offer]:
        *way, _ = here.names
        checker = self._checker
        if checker is None:
            return []
        if not way:
            return [Offer(root, "root") for root in checker.reader.roots]
        if way == ["steps"]:
            steps = checker.document.all_steps
            return [Offer(step.id, _does(step)) for step in steps]
        kind = self._type(tuple(way))
        fields = kind.fields() if kind is not None else ()
        children = ((name, kind.child(name)) for name in fields) if kind is not None else ()
        return [Offer(name, said(child) if child else "") for name, child in children]

    def _type(self, names: tuple[str, ...]) -> Type | None:
        """Give the type of a path; None where it leads nowhere."""
        checker = self._checker
        if checker is None or not names or names[0] not in checker.reader.roots:
            return None
        links = names[1:]
        kind: Type | None = checker.reader.roots[names[0]]
        if names[0] == "steps" and links:
            if links[0] not in checker.document.ids:
                return None
            kind, links = checker.output(links[0]), links[1:]
        for link in links:
            kind = kind.child(link) if kind is not None else None
        return kind

    def _unit(self, name: str) -> Unit | None:
        try:
            return self.definitions.catalog.get(name)
        except UnitNotFound:
            return None

    @cached_property
    def _checker(self) -> Checker | None:
        document = self.checked.document
        if document is None:
            return None
        scopes = Scopes(document, language())
        reader = Reader(roots_of(document))
        return Checker(scopes, self.definitions.signatures, Findings(self.file), reader)

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return workflow_schema(language(), self.definitions.catalog)


def _keys(properties: Mapping[str, Any]) -> list[Offer]:
    return [Offer(key, "key", told.get("description", "")) for key, told in properties.items()]


def _does(step: Step) -> str:
    said_unit = step.get("type")
    return str(getattr(said_unit, "value", "") or step.body)
