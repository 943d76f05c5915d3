"""The checker: everything that is wrong with a workflow, told at once, before it runs."""

from __future__ import annotations

from collections.abc import Mapping as Map
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from aima.dsl.diagnostic import Diagnostic, Enough, Findings, Severity, define
from aima.dsl.document import Document, Step, read_document
from aima.dsl.language import Language
from aima.dsl.load import Source, load
from aima.dsl.node import Mapping, Node, Scalar, Span, to_json
from aima.dsl.order import find_cycle, order_of
from aima.dsl.signature import JsonSchema, Signatures
from aima.dsl.types import ANY, TEXT, Type, dangling_reference
from aima.dsl.values import NOT_ALLOWED, ValueChecker, node_at, shortened

CYCLE = define("step/cycle", "Steps wait for each other in a circle.")
ALL_STEPS = define("step/reads-all", "A step reads all steps at once, whichever are done.")
BAD_SCHEMA = define("inputs/bad-schema", "`inputs` is no valid JSON Schema of an object.")
UNUSED_INPUT = define("inputs/unused", "Nothing reads this input.")
UNUSED_CONFIG = define("config/unused", "Nothing reads this config value.")
BAD_LABEL = define("document/bad-label", "A label is not text, or too long.")

_LABEL_BYTES = 255  # of `key=value`: what every store of Temporal's search attributes takes
_MOST_SHOWN = 10  # steps of a circle
_RUN: JsonSchema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "id": TEXT,
        "name": TEXT,
        "status": TEXT,
        "attempt": {"type": "integer"},
        "started_at": TEXT,
    },
}

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
    roots: Map[str, Type]
    outputs: dict[str, Type] = field(default_factory=dict)

    def value(self, node: Node, wanted: JsonSchema) -> None:
        """Check a value with its expressions against the type it must have."""
        self._values.check(node, Type.of(wanted))

    def literal(self, node: Node, wanted: JsonSchema) -> None:
        """Check a value in which no ``${…}`` may stand."""
        self._values.literal(node, Type.of(wanted))

    @cached_property
    def _values(self) -> ValueChecker:
        return ValueChecker(self.document, self.findings, self.roots, self.outputs)


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
    checker = Checker(document, language, signatures, findings, _roots(document, findings))
    _check_labels(document, checker)
    _check_config(document, findings)
    for step in document.steps:
        checker.outputs[step.id] = Type.of(_output(step, checker))
    for step in document.steps:
        language.bodies[step.body].check(step, checker)
        for key, modifier in language.modifiers.items():
            value = step.get(key)
            if value is not None:
                modifier.check(value, step, checker)
    output = document.get("output")
    if output is not None:
        checker.value(output, ANY)
    _check_order(document, findings)
    _check_unused(document, findings)


def _roots(document: Document, findings: Findings) -> dict[str, Type]:
    """Give the types of what an expression can start with; a step's output is looked up apart."""
    config = document.get("config")
    return {
        "input": Type.of(_inputs(document, findings)),
        "config": Type.of(_schema_of(to_json(config) if isinstance(config, Mapping) else {})),
        "steps": Type.of(ANY),
        "run": Type.of(_RUN),
    }


def _output(step: Step, checker: Checker) -> JsonSchema:
    """Give the type of what a step leaves behind, as its body says and its modifiers change it."""
    schema = checker.language.bodies[step.body].output(step, checker)
    for key, modifier in checker.language.modifiers.items():
        value = step.get(key)
        if value is not None:
            schema = modifier.output(value, schema)
    return schema


def _inputs(document: Document, findings: Findings) -> JsonSchema:
    """Check ``inputs``; give the type of ``input``, which is anything where they are wrong."""
    from jsonschema import Draft202012Validator, SchemaError

    node = document.get("inputs")
    if not isinstance(node, Mapping):
        return ANY
    schema = cast("JsonSchema", to_json(node))
    checks = Draft202012Validator.FORMAT_CHECKER  # so that a `pattern` must be one
    try:
        Draft202012Validator.check_schema(schema, format_checker=checks)
    except SchemaError as error:
        where = node_at(node, error.absolute_path)
        findings.error(BAD_SCHEMA, where, f"this is no JSON Schema: {shortened(error.message)}")
        return ANY
    if schema.get("type") != "object":
        hint = "write `type: object` and name each input under `properties`"
        findings.error(BAD_SCHEMA, node.mark, "a run's input is an object", hint)
        return ANY
    if dangling := dangling_reference(schema, schema):
        hint = "a `$ref` leads to a place in `inputs` itself, such as `#/$defs/name`"
        findings.error(BAD_SCHEMA, node_at(node, dangling), "this leads nowhere", hint)
        return ANY
    return schema


def _check_labels(document: Document, checker: Checker) -> None:
    node = document.get("labels")
    if not isinstance(node, Mapping):
        return
    for key, entry in node.entries.items():
        value = entry.value
        if not (isinstance(value, Scalar) and isinstance(value.value, str)):
            checker.findings.error(BAD_LABEL, value, "a label is text", "put it in quotes")
        elif len(f"{key}={value.value}".encode()) > _LABEL_BYTES:
            message = f"a label takes at most {_LABEL_BYTES} bytes, its name included"
            checker.findings.error(BAD_LABEL, value, message)
        else:
            checker.literal(value, TEXT)


def _check_config(document: Document, findings: Findings) -> None:
    """Tell expressions in the config: they would stay the text they are."""
    node = document.get("config")
    for text in document.texts(node) if node is not None else ():
        hint = "config values are written out; a step can compute"
        findings.error(NOT_ALLOWED, text.scalar, "no `${…}` can stand in `config`", hint)


def _check_order(document: Document, findings: Findings) -> None:
    loop = find_cycle(order_of(document))
    if loop:
        places = {step.id: step.place for step in document.steps}
        shown = loop if len(loop) <= _MOST_SHOWN else (*loop[: _MOST_SHOWN - 1], "…")
        way = " → ".join((*shown, loop[0]))
        hint = "remove one of these dependencies"
        findings.error(CYCLE, places[loop[0]], f"steps wait for each other: {way}", hint)
    for step in document.steps:
        for text in document.texts(step.values):
            for read in text.template.reads:
                if read.path == ("steps",):
                    place = Span(text.scalar.locate(read.offset), text.scalar.locate(read.end))
                    message = "which steps are done here depends on chance"
                    findings.error(ALL_STEPS, place, message, "name the step: `steps.ID`")


def _check_unused(document: Document, findings: Findings) -> None:
    """Warn of inputs and config values that nothing reads; nothing, if all are read at once."""
    paths = {read.path for text in document.texts(document.node) for read in text.template.reads}
    inputs = document.get("inputs")
    declared = {
        "config": (document.get("config"), UNUSED_CONFIG),
        "input": (inputs.get("properties") if isinstance(inputs, Mapping) else None, UNUSED_INPUT),
    }
    for root, (node, code) in declared.items():
        if isinstance(node, Mapping) and (root,) not in paths:
            read = {path[1] for path in paths if path[0] == root and len(path) > 1}
            for key, entry in node.entries.items():
                if key not in read:
                    findings.warning(code, entry.key, f"nothing reads `{root}.{key}`")


def _schema_of(value: object) -> JsonSchema:
    """Give the type of a literal; maps are closed, since config is known as written."""
    if isinstance(value, dict):
        properties = {key: _schema_of(v) for key, v in value.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}
    if isinstance(value, list):
        return {"type": "array"}
    return {"const": value}
