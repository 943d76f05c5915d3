"""Checking values: literals against their type, and every ``${…}`` in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass

from aima.dsl.diagnostic import Findings, define
from aima.dsl.document import Document
from aima.dsl.expression import ExpressionError, Read
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping, Node, Place, Scalar, Sequence, Span, to_json
from aima.dsl.template import Template, parse_template
from aima.dsl.types import ANY, TEXT, Type, fits, said

BAD_EXPRESSION = define("expression/syntax", "What stands in `${…}` is no expression.")
UNKNOWN_ROOT = define("expression/unknown-root", "An expression starts with an unknown name.")
UNKNOWN_STEP = define("expression/unknown-step", "An expression reads a step that does not exist.")
UNKNOWN_FIELD = define("expression/unknown-field", "An expression reads a field that is not there.")
NOT_ALLOWED = define("expression/not-allowed", "`${…}` cannot stand here.")
TYPE_MISMATCH = define("value/type-mismatch", "A value is of another type than is wanted.")
INVALID = define("value/invalid", "A value breaks a rule of its type.")
MISSING_FIELD = define("value/missing-field", "A required field is missing.")
UNKNOWN_INPUT = define("value/unknown-field", "The type has no such field.")

ROOTS = ("input", "config", "steps", "run")
_RUN: Map[str, object] = {
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


def scalars(node: Node, names: Collection[str]) -> Iterator[tuple[Scalar, Template]]:
    """Walk every text of a node that is a well-formed template with an expression in it."""
    if isinstance(node, Mapping):
        for entry in node.entries.values():
            yield from scalars(entry.value, names)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item, names)
    elif isinstance(node.value, str) and "${" in node.value:
        try:
            template = parse_template(node.value, names)
        except ExpressionError:
            return
        if not template.is_literal:
            yield node, template


@dataclass(frozen=True)
class ValueChecker:
    """Checks one value after another against types."""

    document: Document
    findings: Findings
    outputs: Map[str, Type]

    def check(self, node: Node, wanted: Type) -> None:
        """Check a value and everything in it."""
        if isinstance(node, Scalar):
            self._scalar(node, wanted)
        elif not _has_expression(node):
            self.literal(node, wanted)
        elif isinstance(node, Mapping):
            self._mapping(node, wanted)
        else:
            if not fits(Type.of({"type": "array"}), wanted):
                self._mismatch(node, "a list", wanted)
            for item in node.items:
                self.check(item, wanted.item())

    def literal(self, node: Node, wanted: Type) -> None:
        """Check a value that must hold no expression."""
        if _has_expression(node):
            hint = "write the value itself"
            self.findings.error(NOT_ALLOWED, node, "no `${…}` can stand here", hint)
            return
        if isinstance(node, Mapping) and wanted.resolved().schema.get("properties"):
            self._mapping(node, wanted)
            return
        self._validate(node, wanted)

    def _validate(self, node: Node, wanted: Type) -> None:
        from jsonschema import Draft202012Validator

        here = wanted.resolved()
        if here.schema.get("format") == "artifact":
            hint = "give a step's output or an input, such as ${input.audio}"
            if not isinstance(node, Mapping):
                self._mismatch(node, _kind_of(node), wanted, hint)
            return
        schema = {**here.schema, "$defs": here.root.get("$defs", {})}
        for error in Draft202012Validator(schema).iter_errors(to_json(node)):
            place = _inside(node, tuple(error.absolute_path))
            code = TYPE_MISMATCH if error.validator == "type" else INVALID
            self.findings.error(code, place, error.message, _hint_of(error.validator, wanted))

    def _mapping(self, node: Mapping, wanted: Type) -> None:
        here = wanted.resolved()
        if not fits(Type.of({"type": "object"}), here):
            self._mismatch(node, "a map", wanted)
            return
        for key, entry in node.entries.items():
            child = here.child(key)
            if child is None:
                near = nearest(key, here.fields())
                known = ", ".join(here.fields())
                hint = f"did you mean `{near}`?" if near else f"it takes {known}"
                self.findings.error(UNKNOWN_INPUT, entry.key, f"there is no `{key}`", hint)
                child = Type.of(ANY)
            self.check(entry.value, child)
        for key in here.schema.get("required", ()):
            if key not in node.entries:
                self.findings.error(MISSING_FIELD, node.mark, f"`{key}` is missing", f"add `{key}`")

    def _scalar(self, node: Scalar, wanted: Type) -> None:
        if not isinstance(node.value, str) or "${" not in node.value:
            self._validate(node, wanted)
            return
        try:
            template = parse_template(node.value, self.document.names)
        except ExpressionError as error:
            place = Span(node.locate(error.offset), node.locate(error.end))
            self.findings.error(BAD_EXPRESSION, place, error.message, error.hint)
            return
        found = [self._read(read, node) for read in template.reads]
        if template.is_literal or not template.is_whole:
            given: Type | None = Type.of(TEXT)
        else:
            given = found[0] if template.is_path and found else None
        if given is not None and not fits(given, wanted):
            what = said(given)
            self._mismatch(node, f"{what} ({node.value})", wanted)

    def _read(self, read: Read, node: Scalar) -> Type | None:
        """Check one reference; give its type, None where nothing is known."""
        root, *links = read.path
        at = Span(node.locate(read.offset), node.locate(read.end))
        if root not in ROOTS:
            near = nearest(root, ROOTS)
            hint = f"did you mean `{near}`?" if near else f"start with {', '.join(ROOTS)}"
            self.findings.error(UNKNOWN_ROOT, at, f"nothing is called `{root}` here", hint)
            return None
        here: Type | None = self._root(root)
        if root == "steps" and links:
            if links[0] not in self.outputs:
                self._unknown(UNKNOWN_STEP, at, links[0], tuple(self.outputs), "step")
                return None
            here = self.outputs[links[0]]
            links = links[1:]
        for link in links:
            following = here.child(link) if here is not None else None
            if here is not None and following is None and not read.optional and not read.guarded:
                self._unknown(UNKNOWN_FIELD, at, link, here.fields(), "field")
                return None
            here = following
        return here

    def _root(self, root: str) -> Type:
        if root == "run":
            return Type.of(_RUN)
        node = self.document.get("inputs" if root == "input" else root)
        if root == "input":
            return Type.of(_closed(to_json(node)) if isinstance(node, Mapping) else ANY)
        if root == "config":
            config = to_json(node) if isinstance(node, Mapping) else {}
            return Type.of(_schema_of(config))
        return Type.of(ANY)

    def _unknown(self, code: str, at: Place, name: str, known: tuple[str, ...], what: str) -> None:
        near = nearest(name, known)
        listed = ", ".join(f"`{k}`" for k in known) or "none"
        hint = f"did you mean `{near}`?" if near else f"there is {listed}"
        self.findings.error(code, at, f"there is no {what} `{name}`", hint)

    def _mismatch(self, at: Place, given: str, wanted: Type, hint: str | None = None) -> None:
        message = f"this is {given}, and {said(wanted)} is wanted"
        self.findings.error(TYPE_MISMATCH, at, message, hint)


def _closed(schema: object) -> Map[str, object]:
    """With ``properties``, an input has only these unless it says otherwise."""
    if not isinstance(schema, dict):
        return ANY
    return {"additionalProperties": False, **schema} if "properties" in schema else schema


def _schema_of(value: object) -> Map[str, object]:
    """Give the type of a literal; maps are closed, since config is known as written."""
    if isinstance(value, dict):
        properties = {key: _schema_of(v) for key, v in value.items()}
        return {"type": "object", "properties": properties, "additionalProperties": False}
    if isinstance(value, list):
        return {"type": "array"}
    return {"const": value}


def _has_expression(node: Node) -> bool:
    if isinstance(node, Mapping):
        return any(_has_expression(entry.value) for entry in node.entries.values())
    if isinstance(node, Sequence):
        return any(_has_expression(item) for item in node.items)
    return isinstance(node.value, str) and "${" in node.value


def _inside(node: Node, path: tuple[object, ...]) -> Node:
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            node = node.entries[part].value
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
    return node


def _kind_of(node: Node) -> str:
    if isinstance(node, Scalar):
        return said(Type.of({"const": node.value}))
    return "a map" if isinstance(node, Mapping) else "a list"


def _hint_of(rule: object, wanted: Type) -> str | None:
    return f"{said(wanted)} is wanted" if rule == "type" else None
