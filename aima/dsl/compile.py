"""From a checked document to a plan."""

from __future__ import annotations

from dataclasses import dataclass

from aima.dsl.document import Document, Step
from aima.dsl.json import Json
from aima.dsl.language import Language
from aima.dsl.node import Mapping, Node, Scalar, to_json
from aima.dsl.order import order_of
from aima.dsl.places import places_in
from aima.dsl.plan import FORMAT, Plan
from aima.dsl.signature import Signatures
from aima.dsl.template import compile_value


@dataclass(frozen=True)
class Compiler:
    """What constructs ask while they compile themselves."""

    document: Document
    signatures: Signatures

    def value(self, node: Node) -> Json:
        """Compile a value: literals stay, texts with ``${…}`` become expressions."""
        return compile_value(to_json(node), self.document.names)


def compile_plan(document: Document, *, language: Language, signatures: Signatures) -> Plan:
    """Compile a document that the checker found without errors."""
    compiler = Compiler(document, signatures)
    output = document.get("output")
    config, inputs = document.get("config"), document.get("inputs")
    order = order_of(document)
    return Plan(
        {
            "format": FORMAT,
            "name": document.name,
            "version": _text(document.get("version")),
            "labels": _labels(document.get("labels")),
            "inputs": to_json(inputs) if inputs is not None else None,
            "config": to_json(config) if config is not None else {},
            "steps": [
                {**_step(step, compiler, language), "after": list(order[step.id])}
                for step in document.steps
            ],
            "output": compiler.value(output) if output is not None else None,
            "places": places_in(output, document, "output") if output is not None else [],
        }
    )


def _step(step: Step, compiler: Compiler, language: Language) -> dict[str, Json]:
    compiled: dict[str, Json] = {
        "id": step.id,
        "body": step.body,
        "at": [step.place.mark.line, step.place.mark.column],
        "places": places_in(step.values, compiler.document),
    }
    compiled |= language.bodies[step.body].compile(step, compiler)
    for key, modifier in language.modifiers.items():
        value = step.get(key)
        if value is not None:
            compiled |= modifier.compile(value, step, compiler)
    return compiled


def _labels(node: Node | None) -> list[Json]:
    if not isinstance(node, Mapping):
        return []
    return [
        f"{key}={entry.value.value}"
        for key, entry in node.entries.items()
        if isinstance(entry.value, Scalar)
    ]


def _text(node: Node | None) -> str:
    return str(node.value) if isinstance(node, Scalar) and node.value is not None else ""
