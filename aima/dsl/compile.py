"""From a checked document to a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from aima.dsl.document import OUTPUT, STEPS, TEXT_KEYS, Document, Step, StepList
from aima.dsl.json import Json
from aima.dsl.language import Language, Path
from aima.dsl.library import NO_LIBRARY, Library
from aima.dsl.node import Node, Scalar, to_json
from aima.dsl.order import Order, order_of, steps_read
from aima.dsl.places import places_in
from aima.dsl.plan import FORMAT, Plan
from aima.dsl.scope import Scopes
from aima.dsl.signature import Signatures
from aima.dsl.template import compile_value


@dataclass(frozen=True)
class Compiler:
    """What constructs ask while they compile themselves."""

    scopes: Scopes
    signatures: Signatures
    library: Library = NO_LIBRARY

    @property
    def document(self) -> Document:
        """The document that is compiled."""
        return self.scopes.document

    @property
    def language(self) -> Language:
        """The language it is written in."""
        return self.scopes.language

    def value(self, node: Node) -> Json:
        """Compile a value: literals stay, texts with ``${…}`` become expressions."""
        return compile_value(to_json(node), self.document.template)

    def steps(self, step: Step, path: Path) -> list[Json]:
        """Compile the list of steps at a path inside a step."""
        return self.listed(next(inner for inner in step.lists if inner.nested.path == path))

    def section(self, key: str) -> list[Json]:
        """Compile the list of steps under a key of the document."""
        lists = self.document.lists
        return self.listed(next(inner for inner in lists if inner.nested.path == (key,)))

    def listed(self, inner: StepList) -> list[Json]:
        """Compile a list of steps."""
        return [self._step(step) for step in inner.steps]

    def reads_from_outside(self, step: Step) -> list[str]:
        """Name the steps that a step, or one inside it, reads outside of it."""
        inside = set(_ids(step))
        texts = (t for name in inside for t in self.document.texts_of(self._steps[name]))
        wanted = set(steps_read(texts)) - inside
        return [one.id for one in self.document.all_steps if one.id in wanted]

    def _step(self, step: Step) -> dict[str, Json]:
        compiled: dict[str, Json] = {
            "id": step.id,
            "body": step.body,
            "at": [step.place.mark.line, step.place.mark.column],
            "places": places_in(self.document.texts_of(step)),
        }
        compiled |= self.language.bodies[step.body].compile(step, self)
        for key, modifier in self.language.modifiers.items():
            value = step.get(key)
            if value is None and step.body == "type":
                value = self.document.default(key)
            if value is not None:
                compiled |= modifier.compile(value, step, self)
        return {**compiled, "after": list(self._order[step.id])}

    @cached_property
    def _order(self) -> Order:
        return order_of(self.scopes)

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {step.id: step for step in self.document.all_steps}


def compile_plan(
    document: Document,
    *,
    language: Language,
    signatures: Signatures,
    library: Library = NO_LIBRARY,
) -> Plan:
    """Compile a document that the checker found without errors."""
    compiler = Compiler(Scopes(document, language), signatures, library)
    output = document.get(OUTPUT)
    data: dict[str, Json] = {"format": FORMAT}
    data |= {key: _text(document.get(key)) for key in TEXT_KEYS if key != "description"}
    data |= {"labels": [], "inputs": None, "config": {}}
    for key, section in language.sections.items():
        if (value := document.get(key)) is not None:
            data |= section.compile(value, compiler)
    data[STEPS] = compiler.section(STEPS)
    data[OUTPUT] = compiler.value(output) if output is not None else None
    lists = {inner.nested.path for inner in document.lists}
    data["places"] = places_in(document.texts(document.node, without=lists))
    return Plan(data)


def _ids(step: Step) -> Iterator[str]:
    yield step.id
    for inner in step.lists:
        for one in inner.steps:
            yield from _ids(one)


def _text(node: Node | None) -> str:
    return str(node.value) if isinstance(node, Scalar) and node.value is not None else ""
