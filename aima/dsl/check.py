"""The checker: everything that is wrong with a workflow, told at once, before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from aima.dsl.diagnostic import Diagnostic, Enough, Findings, Severity, define
from aima.dsl.document import Document, read_document
from aima.dsl.json import Json
from aima.dsl.language import Language
from aima.dsl.load import Source, load
from aima.dsl.node import Mapping, Mark, Node, Scalar, to_json
from aima.dsl.order import find_cycle, order_of
from aima.dsl.signature import JsonSchema, Signatures
from aima.dsl.types import ANY, Type
from aima.dsl.values import ValueChecker, scalars

CYCLE = define("step/cycle", "Steps wait for each other in a circle.")
BAD_SCHEMA = define("inputs/bad-schema", "`inputs` is no valid JSON Schema of an object.")
UNUSED_CONFIG = define("config/unused", "No step reads this config value.")
BAD_LABEL = define("document/bad-label", "A label is not text.")

MOST_FINDINGS = 200
"""Findings after which the check of a file ends."""


@dataclass(frozen=True)
class Checked:
    """A file after the check; ``document`` is there where it could be read at all."""

    source: Source
    document: Document | None
    diagnostics: tuple[Diagnostic, ...]

    @property
    def ok(self) -> bool:
        """Whether it can run: warnings do not count."""
        return self.document is not None and not any(
            d.severity is Severity.error for d in self.diagnostics
        )


@dataclass
class Checker:
    """What constructs ask while they check themselves."""

    document: Document
    language: Language
    signatures: Signatures
    findings: Findings
    outputs: dict[str, Type] = field(default_factory=dict)

    def value(self, node: Node, wanted: JsonSchema, *, root: JsonSchema | None = None) -> None:
        """Check a value with its expressions against the type it must have."""
        self._values().check(node, Type(wanted, root if root is not None else wanted))

    def literal(self, node: Node, wanted: JsonSchema) -> None:
        """Check a value in which no ``${…}`` may stand."""
        self._values().literal(node, Type.of(wanted))

    def _values(self) -> ValueChecker:
        return ValueChecker(self.document, self.findings, self.outputs)


def check(data: bytes | str, file: str, *, language: Language, signatures: Signatures) -> Checked:
    """Load and check a workflow file; never raises on what is in it."""
    source, root, diagnostics = load(data, file)
    findings = Findings(file, list(diagnostics), most=MOST_FINDINGS)
    document = None
    with suppress(Enough):
        document = read_document(root, language, findings) if root is not None else None
        if document is not None:
            _check_document(document, language, signatures, findings)
    return Checked(source, document, tuple(sorted(set(findings.all))))


def _check_document(
    document: Document, language: Language, signatures: Signatures, findings: Findings
) -> None:
    checker = Checker(document, language, signatures, findings)
    _check_inputs(document, findings)
    _check_labels(document, findings)
    for step in document.steps:
        schema = language.bodies[step.body].output(step, checker)
        checker.outputs[step.id] = Type.of(schema)
    for step in document.steps:
        language.bodies[step.body].check(step, checker)
        for key, modifier in language.modifiers.items():
            value = step.get(key)
            if value is not None:
                modifier.check(value, step, checker)
    output = document.get("output")
    if output is not None:
        checker.value(output, ANY)
    _check_cycle(document, findings)
    _check_unused(document, findings)


def _check_inputs(document: Document, findings: Findings) -> None:
    node = document.get("inputs")
    if not isinstance(node, Mapping):
        return
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(cast("dict[str, Json]", to_json(node)))
    except SchemaError as error:
        where = _at(node, tuple(error.absolute_path))
        findings.error(BAD_SCHEMA, where, f"this is no JSON Schema: {error.message}")
        return
    kind = node.get("type")
    if not (isinstance(kind, Scalar) and kind.value == "object"):
        hint = "write `type: object` and name each input under `properties`"
        findings.error(BAD_SCHEMA, node.mark, "a run's input is an object", hint)


def _check_labels(document: Document, findings: Findings) -> None:
    node = document.get("labels")
    if isinstance(node, Mapping):
        for entry in node.entries.values():
            if not (isinstance(entry.value, Scalar) and isinstance(entry.value.value, str)):
                findings.error(BAD_LABEL, entry.value, "a label is text", "put it in quotes")


def _check_cycle(document: Document, findings: Findings) -> None:
    loop = find_cycle(order_of(document))
    if loop:
        places = {step.id: step.place for step in document.steps}
        way = " → ".join((*loop, loop[0]))
        hint = "remove one of these dependencies"
        findings.error(CYCLE, places[loop[0]], f"steps wait for each other: {way}", hint)


def _check_unused(document: Document, findings: Findings) -> None:
    config = document.get("config")
    if not isinstance(config, Mapping):
        return
    read = {path[1] for path in _paths(document) if path[0] == "config" and len(path) > 1}
    if any(path == ("config",) for path in _paths(document)):
        return
    for key, entry in config.entries.items():
        if key not in read:
            findings.warning(UNUSED_CONFIG, entry.key, f"no step reads `config.{key}`")


def _paths(document: Document) -> Iterator[tuple[str, ...]]:
    for _, template in scalars(document.node, document.names):
        for read in template.reads:
            yield read.path


def _at(node: Node, path: tuple[object, ...]) -> Mark:
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            node = node.entries[part].value
    return node.mark
