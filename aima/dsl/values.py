"""Checking values: literals against their type, and every ``${…}`` in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

from aima.dsl.comparisons import NEVER_EQUAL, unlike
from aima.dsl.diagnostic import Findings, define
from aima.dsl.document import Document
from aima.dsl.expression import Expression, ExpressionError, Read, shared_names
from aima.dsl.hints import foreign_reference, suggestion
from aima.dsl.node import Mapping, Node, Place, Scalar, Sequence, Span, to_json
from aima.dsl.scope import Relation, Sight
from aima.dsl.template import Template
from aima.dsl.types import (
    ANY,
    ARTIFACT,
    LITERAL,
    TEXT,
    Type,
    fits,
    is_combined,
    kind_of_literal,
    misfit,
    said,
)

if TYPE_CHECKING:  # jsonschema costs 0.1 s; the command line imports this module
    from jsonschema import ValidationError

BAD_EXPRESSION = define("expression/syntax", "What stands in `${…}` is no expression.")
UNKNOWN_ROOT = define("expression/unknown-root", "An expression starts with an unknown name.")
UNKNOWN_STEP = define("expression/unknown-step", "An expression reads a step that does not exist.")
UNKNOWN_FIELD = define("expression/unknown-field", "An expression reads a field that is not there.")
MAY_BE_ABSENT = define("expression/may-be-absent", "An expression reads an input nobody must give.")
MAY_BE_SKIPPED = define(
    "expression/may-be-skipped", "An expression reads a step that may not have run."
)
NOT_IN_SIGHT = define("expression/not-in-sight", "A step reads one that it can never see.")
SECRET = define("expression/secret", "A secret would reach the history of runs.")
NOT_ALLOWED = define("expression/not-allowed", "`${…}` cannot stand here.")
TYPE_MISMATCH = define("value/type-mismatch", "A value is of another type than is wanted.")
FOREIGN = define(
    "expression/foreign", "A text looks like a reference of another system, and stays text."
)
INVALID = define("value/invalid", "A value breaks a rule of its type.")
MISSING_FIELD = define("value/missing-field", "A required field is missing.")
UNKNOWN_INPUT = define("value/unknown-field", "The type has no such field.")

ROOTS = ("input", "config", "steps", "run", "secrets")
_KINDS = {
    kind: Type.of({"type": kind})
    for kind in ("null", "boolean", "integer", "number", "string", "array", "object")
}
_LIST, _MAP = _KINDS["array"], _KINDS["object"]
_MOST_CHARACTERS = 200
_COMPARES = re.compile(r"[=!]=|\bin\b")


@dataclass(frozen=True)
class Reader:
    """Who reads: what it may start an expression with, and what it knows to be there.

    Attributes:
        step: the id of the step; empty for the document itself.
        late: whether it reads after its own body has run.
        roots: the types of what an expression starts with; ``steps`` are looked up apart.
        present: paths that conditions around it show to be there.
    """

    roots: Map[str, Type]
    step: str = ""
    late: bool = False
    present: tuple[tuple[str, ...], ...] = ()


class Steps(Protocol):
    """What is known of the steps of a document."""

    def __iter__(self) -> Iterator[str]:
        """Name them."""
        ...

    def output(self, step: str) -> Type:
        """Give the type of what a step leaves behind."""
        ...

    def relation(self, reader: Reader, step: str) -> Relation:
        """Tell how a reader sees a step."""
        ...

    def loop_of(self, step: str) -> str:
        """Name the loop that runs a step once for each item."""
        ...


_UNSEEN = {
    Sight.itself: ("a step cannot read its own output", "a loop's next round can"),
    Sight.ancestor: (
        "`{0}` has not ended while what is inside it runs",
        "read the inner step that has what is wanted",
    ),
    Sight.sibling: ("`{0}` is in another branch, of which only one runs", None),
    Sight.item: (
        "`{0}` runs once for each item of a loop",
        "read the loop's `items`, such as `steps.{1}.items`",
    ),
}


@dataclass(frozen=True)
class ValueChecker:
    """Checks one value after another against types, as one reader sees them."""

    document: Document
    findings: Findings
    steps: Steps
    reader: Reader
    resolves: bool = False
    """Whether secrets are resolved where the value is used: only units' inputs do so."""

    def check(self, node: Node, wanted: Type) -> None:
        """Check a value and everything in it."""
        if isinstance(node, Scalar):
            self._scalar(node, wanted)
            return
        wanted = wanted.narrowed(*_shape(node))
        if _needs_validator(wanted) and not _has_expression(node):
            self._validate(node, wanted)
        elif isinstance(node, Mapping):
            self._mapping(node, wanted)
        else:
            self._sequence(node, wanted)

    def literal(self, node: Node, wanted: Type) -> None:
        """Check a value that must hold no expression."""
        if _has_expression(node):
            hint = "write the value itself"
            self.findings.error(NOT_ALLOWED, node, "no `${…}` can stand here", hint)
        else:
            self.check(node, wanted)

    def _mapping(self, node: Mapping, wanted: Type) -> None:
        here = wanted.resolved()
        if not fits(_MAP, here) and here.kinds() != {ARTIFACT}:  # a reference is a map
            self._mismatch(node, "a map", wanted)
            return
        for key, entry in node.entries.items():
            child = here.child(key)
            if child is None:
                hint = suggestion(key, _required_first(here), "it takes")
                self.findings.error(UNKNOWN_INPUT, entry.key, f"there is no `{key}`", hint)
                child = Type.of(ANY)
            self.check(entry.value, child)
        for key in here.schema.get("required", ()):
            if key not in node.entries:
                self.findings.error(MISSING_FIELD, node.mark, f"`{key}` is missing", f"add `{key}`")
        self._container(node, here)

    def _sequence(self, node: Sequence, wanted: Type) -> None:
        if not fits(_LIST, wanted):
            self._mismatch(node, "a list", wanted)
            return
        inner = wanted.item()
        for item in node.items:
            self.check(item, inner)
        self._container(node, wanted.resolved())

    def _container(self, node: Node, wanted: Type) -> None:
        """Check what holds for a list or a map as a whole."""
        if (whole := wanted.as_a_whole) is not None:
            self._validate(node, whole)

    def _validate(self, node: Node, wanted: Type) -> None:
        value = to_json(node)
        if not wanted.validator.is_valid(value):
            for error in wanted.resolved().validator.iter_errors(value):
                self._tell(error, node, wanted)

    def _tell(self, error: ValidationError, node: Node, wanted: Type) -> None:
        at = node_at(node, error.absolute_path)
        if error.validator == "type" and isinstance(error.schema, Map):
            self._mismatch(at, _kind_of(at), wanted.inside(error.schema))
            return
        if error.context and all(_is_of_the_whole(inner) for inner in error.context):
            self._mismatch(at, _kind_of(at), wanted.inside(error.schema))
            return
        if error.validator == "enum" and isinstance(at, Scalar):
            choice = [str(one) for one in cast("list[object]", error.validator_value)]
            message = f"{shortened(repr(at.value))} is none of its values"
            self.findings.error(INVALID, at, message, suggestion(str(at.value), choice, "there is"))
            return
        self.findings.error(INVALID, at, shortened(error.message))

    def _scalar(self, node: Scalar, wanted: Type) -> None:
        if not isinstance(node.value, str) or "${" not in node.value:
            if wanted.resolved().schema.get("format") == ARTIFACT:
                hint = "give a step's output or an input, such as ${input.audio}"
                self._mismatch(node, _kind_of(node), wanted, hint)
            elif not (wanted.is_plain and fits(_KINDS[kind_of_literal(node.value)], wanted)):
                self._validate(node, wanted)
            if isinstance(node.value, str) and not wanted.resolved().schema.get(LITERAL):
                self._foreign(node, node.value)
            return
        try:
            template = self.document.template(node.value)
        except ExpressionError as error:
            place = Span(node.locate(error.offset), node.locate(error.end))
            foreign = foreign_reference(node.value)
            meant = f"write `${{{foreign[2]}}}`" if foreign else error.hint
            self.findings.error(BAD_EXPRESSION, place, error.message, meant)
            return
        self._foreign(node, node.value)
        if wanted.resolved().schema.get(LITERAL):
            hint = "hand data over in `values`; they are text there, never a template"
            self.findings.error(NOT_ALLOWED, node, "a template is written out", hint)
            return
        given = self._given(template, node, secret=self.resolves and _is_secret(wanted))
        found = misfit(given, wanted) if given is not None else None
        if found is not None and found.given is None:
            self.findings.error(TYPE_MISMATCH, node, f"this has no `{found.path}`, which is wanted")
        elif found is not None and found.given is not None:
            this = _part(found.path)
            self._mismatch(node, said(found.given), found.wanted, this=this)

    def _foreign(self, node: Scalar, text: str) -> None:
        """Warn of what is a reference elsewhere, and here text like any other."""
        if (found := foreign_reference(text)) is not None:
            start, end, path = found
            place = Span(node.locate(start), node.locate(end))
            message, hint = "this stays as it is written", f"write `${{{path}}}` for its value"
            self.findings.warning(FOREIGN, place, message, hint)

    def type_of(self, node: Node) -> Type:
        """Give the type of a value as far as it is known, telling nothing."""
        quiet = replace(self, findings=Findings(self.findings.file), resolves=True)
        if isinstance(node, Mapping):
            fields = {key: quiet.type_of(entry.value) for key, entry in node.entries.items()}
            return Type.of({"type": "object", "properties": fields, "required": list(fields)})
        if isinstance(node, Sequence):
            kinds = [quiet.type_of(item) for item in node.items]
            same = kinds and all(kind.kinds() == kinds[0].kinds() for kind in kinds)
            return Type.of({"type": "array", "items": kinds[0] if same else ANY})
        if not isinstance(node.value, str) or "${" not in node.value:
            return Type.of({"type": kind_of_literal(node.value)})
        try:
            template = self.document.template(node.value)
        except ExpressionError:
            return Type.of(ANY)
        return quiet._given(template, node, secret=True) or Type.of(ANY)  # noqa: SLF001 - its twin

    def _given(self, template: Template, node: Scalar, *, secret: bool) -> Type | None:
        """Check what a text reads; give its type, None where nothing is known."""
        found = [self._read(read, node) for read in template.reads]
        self._compare(template, node, found)
        secrets = [read for read in template.reads if read.path[0] == "secrets"]
        plain = all(_is_one_secret(e) for e in template.expressions if _reads_secret(e))
        if secrets and not (secret and plain):
            message = "a secret would stand in the history of the run"
            hint = "hand it, whole or with text around it, to an input that takes a secret"
            self.findings.error(SECRET, _place(secrets[0], node), message, hint)
        if not template.is_whole:
            return Type.of(TEXT)
        if template.is_path and found:
            return found[0]
        kind = template.expressions[0].kind
        return Type.of({"type": kind}) if kind else None

    def _compare(self, template: Template, node: Scalar, found: list[Type | None]) -> None:
        """Warn of values that are compared and never equal."""
        text = str(node.value)
        if not _COMPARES.search(text):
            return
        pairs = zip(template.reads, found, strict=True)
        known = {(read.offset, read.end): kind for read, kind in pairs if read.complete}
        for expression in template.expressions:
            for wrong in unlike(expression.tree, lambda side: known.get((side.at, side.end))):
                place = Span(node.locate(wrong.node.at), node.locate(wrong.node.end))
                self.findings.warning(NEVER_EQUAL, place, wrong.message(text), wrong.hint(text))

    def _read(self, read: Read, node: Scalar) -> Type | None:
        """Check one reference; give its type, None where nothing is known."""
        root, *links = read.path
        roots = self.reader.roots
        if root not in roots:
            names = set(self.steps)
            hint = (
                f"write `steps.{root}`" if root in names else suggestion(root, roots, "start with")
            )
            message = f"nothing is called `{root}` here"
            self.findings.error(UNKNOWN_ROOT, _place(read, node), message, hint)
            return None
        here: Type | None = roots[root]
        if root == "steps" and links:
            step, *links = links
            if step not in self.steps:
                self._unknown(UNKNOWN_STEP, read, node, _Missing("step", step, self.steps))
                return None
            if not self._sees(step, read, node):
                return None
            here = self.steps.output(step)
        first = len(read.path) - len(links)
        for index, link in enumerate(links, start=first):
            following = here.child(link) if here is not None else None
            if here is not None and following is None and not read.optional and not read.guarded:
                self._unknown(UNKNOWN_FIELD, read, node, _Missing("field", link, here.fields()))
                return None
            if here is not None and here.may_lack(link):
                self._check_present(index, read, node)
            here = following
        return here

    def _sees(self, step: str, read: Read, node: Scalar) -> bool:
        """Tell a step that the reader cannot see, and one that may not have run."""
        relation = self.steps.relation(self.reader, step)
        if told := _UNSEEN.get(relation.sight):
            message, hint = told
            loop = self.steps.loop_of(step) if relation.sight is Sight.item else ""
            hint = hint.format(step, loop) if hint else None
            self.findings.error(NOT_IN_SIGHT, _place(read, node), message.format(step), hint)
            return False
        if not relation.certain and self._proven(read) <= 1 < read.tolerated:
            if relation.sight is Sight.round_before:
                message = f"there is no `steps.{step}` in the first round"
            else:
                message = f"`{step}` may not have run"
            hint = f"write `has(steps.{step}) ? … : …`, or `steps.?{step}`"
            self.findings.error(MAY_BE_SKIPPED, _place(read, node), message, hint)
        return True

    def _proven(self, read: Read) -> int:
        """Count the names of a read that are certainly there, from its root on."""
        around = (shared_names(read.path, path) for path in self.reader.present)
        return max(read.proven, *around, 0)

    def _check_present(self, index: int, read: Read, node: Scalar) -> None:
        """Tell a field that may be absent where nothing guards against it."""
        if self._proven(read) <= index < read.tolerated:
            path = ".".join(read.path[: index + 1])
            if read.path[0] == "input":
                message = f"a run may be started without `{path}`"
                hint = f"write `has({path}) ? … : …`, give it a `default`, or require it"
            else:
                message = f"`{path}` may be absent"
                hint = f"write `has({path}) ? … : …`"
            self.findings.error(MAY_BE_ABSENT, _place(read, node), message, hint)

    def _unknown(self, code: str, read: Read, node: Scalar, missing: _Missing) -> None:
        hint = suggestion(missing.name, missing.known, "there is")
        message = f"there is no {missing.what} `{missing.name}`"
        self.findings.error(code, _place(read, node), message, hint)

    def _mismatch(
        self, at: Place, given: str, wanted: Type, hint: str | None = None, *, this: str = "this"
    ) -> None:
        message = f"{this} is {given}, and {said(wanted)} is wanted"
        self.findings.error(TYPE_MISMATCH, at, message, hint)


@dataclass(frozen=True)
class _Missing:
    """Something that is not there, and what is."""

    what: str
    name: str
    known: Iterable[str]


def _part(path: str) -> str:
    """Name a part of a value: ``[]`` is any item of a list."""
    if not path:
        return "this"
    return "an item of this" if path == "[]" else f"`{path}` of this"


def _required_first(kind: Type) -> list[str]:
    required = kind.resolved().schema.get("required", ())
    return [*required, *(name for name in kind.fields() if name not in required)]


def _is_secret(wanted: Type) -> bool:
    schema = wanted.resolved().schema
    return bool(schema.get("writeOnly"))


def _reads_secret(expression: Expression) -> bool:
    return any(read.path[0] == "secrets" for read in expression.reads)


def _is_one_secret(expression: Expression) -> bool:
    return expression.is_path and len(expression.reads[0].path) == len(("secrets", "name"))


def _place(read: Read, node: Scalar) -> Span:
    return Span(node.locate(read.offset), node.locate(read.end))


def _shape(node: Mapping | Sequence) -> tuple[str, dict[str, object]]:
    """Give the kind of a value, and those of its fields that are written out."""
    if isinstance(node, Sequence):
        return "array", {}
    fields = {key: entry.value for key, entry in node.entries.items()}
    return "object", {
        key: value.value
        for key, value in fields.items()
        if isinstance(value, Scalar) and not _has_expression(value)
    }


def _needs_validator(wanted: Type) -> bool:
    return is_combined(wanted) or wanted.kinds() == {ARTIFACT}


def _has_expression(node: Node) -> bool:
    if isinstance(node, Mapping):
        return any(_has_expression(entry.value) for entry in node.entries.values())
    if isinstance(node, Sequence):
        return any(_has_expression(item) for item in node.items)
    return isinstance(node.value, str) and "${" in node.value


def node_at(node: Node, path: Iterable[object]) -> Node:
    """Follow keys and positions into a node, as far as they lead."""
    for part in path:
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.entries:
            node = node.entries[part].value
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
    return node


def shortened(message: str) -> str:
    """Cut a message of JSON Schema's, which may quote a whole value."""
    return message if len(message) <= _MOST_CHARACTERS else message[:_MOST_CHARACTERS] + "…"


def _is_of_the_whole(error: ValidationError) -> bool:
    """Tell an error that says no more than that a value is of another type."""
    return error.validator == "type" and not error.relative_path


def _kind_of(node: Node) -> str:
    if isinstance(node, Scalar):
        return said(Type.of({"const": node.value}))
    return "a map" if isinstance(node, Mapping) else "a list"
