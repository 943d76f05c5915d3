"""What the checker knows of a text, asked in an editor's questions."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from aima.dsl.check import Checked, Checker
from aima.dsl.diagnostic import Findings
from aima.dsl.document import Document, Step
from aima.dsl.expression.functions import FUNCTIONS
from aima.dsl.expression.macros import MACRO_BODIES
from aima.dsl.library import NotThere
from aima.dsl.node import Mapping, Mark, Scalar
from aima.dsl.types import Type, said
from aima.errors import UnitNotFound
from aima.gateway.reference.construct_docs import doc_of
from aima.gateway.reference.expression_page import doc_of_function, evaluated
from aima.gateway.reference.language_pages import Construct
from aima.gateway.reference.schema_words import type_said
from aima.gateway.workflows.definitions import Definitions, Shelf
from aima.lsp import ids
from aima.lsp.keys import keys_of, reach, words_of
from aima.lsp.place import Spot, lines_of, path_at, spot_at, unit_near, word_at
from aima.unit import Unit
from aima.workflows.constructs import language

_BODIES = {**{name: one.body for name, one in FUNCTIONS.items()}, **MACRO_BODIES}
_ID = re.compile(r"\bid:\s*[\"']?([a-z][a-z0-9_-]*)")
_UNKNOWN = Type.of({"type": "object"})
_METHODS = [name for name, one in FUNCTIONS.items() if one.method and "." not in name]
_ALONE = [name for name, one in FUNCTIONS.items() if one.alone]


@dataclass(frozen=True)
class Offer:
    """One word that could stand here, and what it means."""

    word: str
    detail: str = ""
    told: str = ""


@dataclass(frozen=True)
class Target:
    """Where something is defined; ``file`` is None for this text."""

    mark: Mark
    length: int
    file: Path | None = None


@dataclass(frozen=True)
class Knowledge:
    """One text, checked.

    Attributes:
        schema: the JSON Schema of workflow files.
        older: what read the last text that was well-formed. It answers while the text is broken,
            and until this one is checked: nobody waits for a check to complete a word.
    """

    text: str
    file: str
    definitions: Definitions
    schema: dict[str, Any] = field(repr=False)
    older: Checker | None = field(default=None, repr=False)

    @cached_property
    def checked(self) -> Checked:
        """What `aima check` finds."""
        return self.definitions.check(self.text, self.file)

    @property
    def document(self) -> Document | None:
        """The document, or the last one that could be read."""
        return self._checker.document if self._checker is not None else None

    def offers(self, line: int, column: int) -> list[Offer]:
        """Tell what could stand at a place; lines and columns count from 0."""
        spot = spot_at(self._lines, line, column)
        if spot.names is not None:
            return self._links(spot, line)
        schemas = reach(self.schema, spot.path, unit_near(self._lines, line))
        if spot.key is not None:
            schemas = reach(self.schema, (*spot.path, spot.key), unit_near(self._lines, line))
        if (named := self._named(spot)) is not None:
            return named
        values = [Offer(word, "value") for word in words_of(schemas)]
        return values if spot.key is not None else [*_keys(keys_of(schemas)), *values]

    def hover(self, line: int, column: int) -> str:
        """Tell what the word at a place means, in Markdown; empty where nothing is known."""
        names, start, end = path_at(self._lines, line, column)
        unit = self._unit(word_at(self._lines, line, column))
        if unit is not None:
            return f"**{unit.name}** ({unit.kind})\n\n{unit.description}\n\n{_fields(unit)}"
        spot = spot_at(self._lines, line, end)
        if spot.names is not None:
            if self._lines[line][end : end + 1] == "(" and names[-1] in _BODIES:
                return _function(names[-1])
            return self._told(names, line)
        if spot.key is None and self._lines[line][end:].lstrip("\"'").startswith(":"):
            return self._key(spot, line)
        if name := self._id_at(line, start):
            return self._told(("steps", name), line)
        return ""

    def definition(self, line: int, column: int) -> Target | None:
        """Find what is named at a place: a step, an input, a workflow's file, a unit's code."""
        names, _, end = path_at(self._lines, line, column)
        unit = self._unit(word_at(self._lines, line, column))
        if unit is not None:
            return _code(unit)
        spot = spot_at(self._lines, line, end)
        if spot.key == "workflow" and spot.names is None:
            return self._child(line)
        document = self.document
        if document is None:
            return None
        if names[:1] == ("steps",) and names[1:]:
            found = ids.declared(document, names[1])
            return Target(found, len(names[1])) if found is not None else None
        if (name := self._id_at(line, column)) and (found := ids.declared(document, name)):
            return Target(found, len(name))
        return _declaration(document, names)

    def places_of(self, line: int, column: int) -> tuple[str, list[Mark]]:
        """Give the id at a place, and every place where it stands, the declaration first."""
        document = self.checked.document
        name = self._id_at(line, column) if document is not None else ""
        if document is None or not name:
            return "", []
        first = ids.declared(document, name)
        return name, [*([first] if first else []), *ids.uses(document, name)]

    def _id_at(self, line: int, column: int) -> str:
        document = self.document
        return ids.id_at(document, Mark(line + 1, column + 1)) if document is not None else ""

    def _named(self, spot: Spot) -> list[Offer] | None:
        """Offer names that are no words of the language: units, steps, workflows."""
        last = spot.key or (spot.path[-1] if spot.path else "")
        holder = spot.path[-1] if spot.path else ""
        if spot.key == "type" and holder not in ("emit", "event", "input", "properties"):
            return [Offer(u.name, "unit", u.description) for u in self.definitions.catalog]
        if last == "depends_on":
            return self._steps()
        if spot.key == "workflow":
            return [Offer(name, "workflow") for name in self.definitions.workflows()]
        return None

    def _links(self, spot: Spot, line: int) -> list[Offer]:
        """Offer what an expression can read."""
        checker = self._checker_at(line)
        if spot.after_value:
            return [_called(name) for name in _METHODS]
        *way, _ = spot.names or ("",)
        if way == ["steps"]:
            return self._steps()
        if checker is None:
            return []
        if not way:
            roots = [Offer(root, "root") for root in checker.reader.roots]
            return [*roots, Offer("has", "function"), *(_called(name) for name in _ALONE)]
        kind = self._type(tuple(way), line) or _UNKNOWN
        fields = [(name, kind.child(name)) for name in kind.fields()]
        if not fields and "object" not in kind.kinds():
            return [_called(name) for name in _METHODS]
        return [Offer(name, said(child) if child else "") for name, child in fields]

    def _steps(self) -> list[Offer]:
        """Offer the steps; of a text that never could be read, what look like their ids."""
        if self.document is None:
            return [Offer(name) for name in dict.fromkeys(_ID.findall(self.text))]
        return [Offer(step.id, _does(step)) for step in self.document.all_steps]

    def _told(self, names: tuple[str, ...], line: int) -> str:
        kind = self._type(names, line)
        if kind is None:
            return ""
        told = f"`{'.'.join(names)}`: {said(kind)}"
        about = kind.resolved().schema.get("description", "")
        rows = [(name, kind.child(name)) for name in kind.fields()]
        inside = "\n".join(f"* `{name}`: {said(child)}" for name, child in rows if child)
        return "\n\n".join(filter(None, (told, about, inside)))

    def _key(self, spot: Spot, line: int) -> str:
        path = (*spot.path, spot.word)
        found = keys_of(reach(self.schema, spot.path, unit_near(self._lines, line)))
        schema = found.get(spot.word, {})
        told = schema.get("description", "")
        parts = language()
        of_steps: dict[str, Construct] = {**parts.bodies, **parts.modifiers}
        here = dict(parts.sections) if len(path) == 1 else of_steps
        construct = here.get(spot.word) if len(path) == 1 or _is_step(found) else None
        if construct is not None:
            doc = doc_of(construct)
            shape = doc.shape.replace("``", "`")
            return f"**{spot.word}**: {doc.meaning}\n\n{shape}\n\n{doc.prose}"
        kind = f" ({type_said(schema)})" if schema else ""
        return f"**{spot.word}**{kind}: {told}" if told else ""

    def _type(self, names: tuple[str, ...], line: int) -> Type | None:
        """Give the type of a path; None where it leads nowhere."""
        checker = self._checker_at(line)
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

    def _child(self, line: int) -> Target | None:
        text = self._lines[line].partition("workflow:")[2].split("}")[0].split(",")[0]
        try:
            file = Shelf(self.definitions, self.file).find(text.strip(" \"'"))
        except NotThere:
            return None
        return Target(Mark(1, 1), 0, file)

    def _unit(self, name: str) -> Unit | None:
        try:
            return self.definitions.catalog.get(name)
        except UnitNotFound:
            return None

    def _checker_at(self, line: int) -> Checker | None:
        """Read as the step at a line does, with the names that stand around it."""
        checker = self._checker
        if checker is None:
            return None
        above = [s for s in checker.document.all_steps if s.place.mark.line <= line + 1]
        return checker.inside(above[-1]) if above else checker

    @property
    def _checker(self) -> Checker | None:
        is_checked = "checked" in vars(self)
        if self.older is not None and not (is_checked and self.checked.document is not None):
            return self.older
        return self._own

    @cached_property
    def _own(self) -> Checker | None:
        document = self.checked.document
        if document is None:
            return None
        shelf = Shelf(self.definitions, self.file)
        signatures, findings = self.definitions.signatures, Findings(self.file)
        return Checker.of(document, signatures, findings, language=language(), library=shelf)

    @cached_property
    def _lines(self) -> list[str]:
        return lines_of(self.text)

    def after(self, text: str) -> Knowledge:
        """Know another version of the text."""
        return replace(self, text=text, older=self._checker)


def _keys(properties: dict[str, Any]) -> list[Offer]:
    return [Offer(key, "key", told.get("description", "")) for key, told in properties.items()]


def _is_step(keys: dict[str, Any]) -> bool:
    return "depends_on" in keys


def _does(step: Step) -> str:
    said_unit = step.get("type")
    return str(getattr(said_unit, "value", "") or step.body)


def _called(name: str) -> Offer:
    return Offer(name, "function", _function(name))


@lru_cache(maxsize=200)
def _function(name: str) -> str:
    told, examples = doc_of_function(_BODIES[name])
    shown = "\n".join(f"{text}  →  {evaluated(text)}" for text in examples)
    return f"{told.replace('``', '`')}\n\n```\n{shown}\n```"


def _fields(unit: Unit) -> str:
    required = {n for n, f in unit.input.model_fields.items() if f.is_required()}
    inputs = unit.input.model_fields.items()
    lines = [f"* `{n}`{'' if n in required else '?'}: {f.description or ''}" for n, f in inputs]
    gives = ", ".join(f"`{name}`" for name in unit.output.model_fields)
    return "\n".join([*lines, "", f"Gives {gives}."])


def _code(unit: Unit) -> Target | None:
    try:
        file = inspect.getsourcefile(unit.run)
        _, line = inspect.getsourcelines(unit.run)
    except (OSError, TypeError):  # made without a file
        return None
    return Target(Mark(line, 1), 0, Path(file)) if file else None


def _declaration(document: Document, names: tuple[str, ...]) -> Target | None:
    """Find the key under `inputs`, `config` or `secrets` that a path starts with."""
    if len(names) < 2:  # noqa: PLR2004 - a root and a name
        return None
    holder = document.get("inputs" if names[0] == "input" else names[0])
    if names[0] == "input" and isinstance(holder, Mapping):
        holder = holder.get("properties")
    if names[0] not in ("input", "config", "secrets") or not isinstance(holder, Mapping):
        return None
    entry = holder.entries.get(names[1])
    key: Scalar | None = entry.key if entry is not None else None
    return Target(key.mark, len(names[1])) if key is not None else None
