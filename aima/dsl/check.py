"""The checker: everything that is wrong with a workflow, told at once, before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Map
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from aima.dsl.collector import collector_rests
from aima.dsl.diagnostic import Diagnostic, Enough, Findings, Severity, define
from aima.dsl.document import OUTPUT, Document, Step, read_document
from aima.dsl.expression import ExpressionError
from aima.dsl.json import Json
from aima.dsl.language import Language
from aima.dsl.library import NO_LIBRARY, Library
from aima.dsl.load import Source, load
from aima.dsl.node import Mapping, Node, Scalar, Span
from aima.dsl.order import Order, find_cycle, order_of, steps_read
from aima.dsl.roots import ERROR, roots_of
from aima.dsl.scope import Relation, Scopes
from aima.dsl.signature import JsonSchema, Signatures
from aima.dsl.types import ANY, Type
from aima.dsl.values import TYPE_MISMATCH, Reader, ValueChecker

CYCLE = define("step/cycle", "Steps wait for each other in a circle.")
NEVER = define("step/never-runs", "A step can never run.")
ALL_STEPS = define("step/reads-all", "A step reads all steps at once, whichever are done.")
UNUSED_INPUT = define("inputs/unused", "Nothing reads this input.")
UNUSED_CONFIG = define("config/unused", "Nothing reads this config value.")

_SOFTENING = frozenset({"if", "for_each", "catch", "on_failure"})
"""With one of these a step may come to a good end though its body never does."""

_LONGEST_SHOWN = 60  # characters of a condition
_MOST_SHOWN = 10  # steps of a circle
_BOOLEAN: JsonSchema = {"type": "boolean"}

MOST_FINDINGS = 200
"""Findings after which the check of a file ends."""


@dataclass(frozen=True)
class Checked:
    """A file after the check; ``document`` is there where it could be read at all.

    ``output`` is the type of what its runs return, as far as it is known.
    """

    source: Source
    document: Document | None
    diagnostics: tuple[Diagnostic, ...]
    output: JsonSchema = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it can run: warnings do not count."""
        return self.document is not None and not any(
            d.severity is Severity.error for d in self.diagnostics
        )


class _Reading(NamedTuple):
    """How something of a step reads; what reads alike sees the same."""

    step: str
    late: bool
    per_item: bool
    own: bool
    """Whether it reads under the step's own condition."""


@dataclass(frozen=True)
class _Known:
    """What is known of a document, for all who read in it."""

    roots: Map[str, Type]
    outputs: dict[str, Type | None] = field(default_factory=dict)
    names: dict[str, Map[str, Type]] = field(default_factory=dict)
    types: dict[int, Type] = field(default_factory=dict)
    readers: dict[_Reading, Reader] = field(default_factory=dict)
    naming: set[str] = field(default_factory=set)
    """Steps whose names are being found; who reads meanwhile does not know them yet."""


@dataclass(frozen=True)
class Checker:
    """What constructs ask while they check themselves, as the reader they are part of."""

    scopes: Scopes
    signatures: Signatures
    findings: Findings
    reader: Reader
    library: Library
    _known: _Known

    @classmethod
    def of(
        cls,
        document: Document,
        signatures: Signatures,
        findings: Findings,
        *,
        language: Language,
        library: Library = NO_LIBRARY,
    ) -> Checker:
        """Read as the document itself does."""
        roots = roots_of(document)
        scopes = Scopes(document, language)
        return cls(scopes, signatures, findings, Reader(roots), library, _Known(roots))

    @property
    def document(self) -> Document:
        """The document that is checked."""
        return self.scopes.document

    @property
    def language(self) -> Language:
        """The language it is written in."""
        return self.scopes.language

    def value(self, node: Node, wanted: JsonSchema) -> None:
        """Check a value with its expressions against the type it must have."""
        self._values.check(node, self._type(wanted))

    def call(self, node: Node, wanted: JsonSchema) -> None:
        """Check what a unit is given: there, secrets are resolved as late as can be."""
        self._call_values.check(node, self._type(wanted))

    def literal(self, node: Node, wanted: JsonSchema) -> None:
        """Check a value in which no ``${…}`` may stand."""
        self._values.literal(node, Type.of(wanted))

    def condition(self, node: Node) -> None:
        """Check what decides something: exactly one ``${…}``, or true or false."""
        text = node.value if isinstance(node, Scalar) else None
        if isinstance(text, str) and "${" in text:
            with suppress(ExpressionError):  # told by the check of the value
                if not self.document.template(text).is_whole:
                    hint = 'write the whole condition in one, such as "${a && b}"'
                    self.findings.error(
                        TYPE_MISMATCH, node, "a condition is exactly one `${…}`", hint
                    )
                    return
        elif isinstance(text, str):
            hint = f"write `${{{text}}}`" if len(text) <= _LONGEST_SHOWN else "write it in `${…}`"
            message = "this is text, and true or false is wanted"
            self.findings.error(TYPE_MISMATCH, node, message, hint)
            return
        self.value(node, _BOOLEAN)

    def decided(self, node: Node) -> bool | None:
        """Tell what a condition comes to where it reads nothing; None where only a run can tell."""
        value: Json = node.value if isinstance(node, Scalar) else None
        if isinstance(value, str) and "${" in value:
            with suppress(ExpressionError):  # told by the check of the value
                template = self.document.template(value)
                value = template.evaluate({}) if template.is_whole and not template.reads else None
        return value if isinstance(value, bool) else None

    def type_of(self, node: Node) -> Type:
        """Give the type of a value as far as it is known."""
        return self._values.type_of(node)

    def with_roots(self, **roots: Type) -> Checker:
        """Read with more names."""
        reader = replace(self.reader, roots={**self.reader.roots, **roots})
        return self._reading_as(reader)

    def inside(self, step: Step, key: str = "") -> Checker:
        """Read as a step does, under one of its keys; without one, as its body does."""
        modifier = self.language.modifiers.get(key)
        late = key in self.language.bodies[step.body].late if modifier is None else modifier.late
        how = _Reading(step.id, late, modifier is None or modifier.per_item, key != "if")
        reader = self._known.readers.get(how)
        if reader is None:
            reader = self._reader(step, how)
            if not self._known.naming:
                self._known.readers[how] = reader
        return self._reading_as(reader)

    def _reading_as(self, reader: Reader) -> Checker:
        return Checker(
            self.scopes, self.signatures, self.findings, reader, self.library, self._known
        )

    def _reader(self, step: Step, how: _Reading) -> Reader:
        roots = dict(self._known.roots)
        for outer in self.scopes.around(step.id)[:-1]:
            roots |= self._names_of(outer)
        for nested in (inner.nested for inner in self.scopes.lists_around(step.id)):
            if nested.error:
                roots[nested.error] = Type.of(ERROR)
        if how.per_item:
            roots |= self._names_of(step)
        return Reader(roots, step.id, how.late, tuple(self._present(step, own=how.own)))

    # -- what values ask of the steps: see values.Steps ------------------------------------

    def __iter__(self) -> Iterator[str]:
        """Name all steps, in the order of the document."""
        return (step.id for step in self.document.all_steps)

    def __contains__(self, step: object) -> bool:
        """Tell whether there is such a step."""
        return step in self.document.ids

    def output(self, step: str) -> Type:
        """Give the type of what a step leaves behind; of one that reads itself, anything."""
        if step not in self._known.outputs:
            self._find_outputs(step)
        return self._known.outputs[step] or Type.of(ANY)

    def _find_outputs(self, step: str) -> None:
        """Find the outputs that a step's own is made of first: a chain may be 5000 steps long."""
        waiting = [step]
        while waiting:
            last = waiting[-1]
            if last not in self._known.outputs:
                self._known.outputs[last] = None  # it is being found out
                waiting += [part for part in self._parts(last) if part not in self._known.outputs]
            else:
                waiting.pop()
                if self._known.outputs[last] is None:
                    self._known.outputs[last] = self._type(
                        self._output(self.scopes.around(last)[-1])
                    )

    def _parts(self, step: str) -> Iterator[str]:
        """Name the steps inside a step, and those it reads."""
        read = self.scopes.around(step)[-1]
        yield from (inner.id for nested in read.lists for inner in nested.steps)
        yield from (name for name in steps_read(self.document.texts_of(read)) if name in self)

    def relation(self, reader: Reader, step: str) -> Relation:
        """Tell how a reader sees a step; the document itself reads when all is done."""
        if not reader.step:
            return self.scopes.from_the_end(step)
        return self.scopes.relation(reader.step, step, late=reader.late)

    def loop_of(self, step: str) -> str:
        """Name the outermost loop that runs a step once for each item."""
        around = self.scopes.around(step)[:-1]
        return next((outer.id for outer in around if outer.get("for_each") is not None), step)

    def _type(self, schema: JsonSchema) -> Type:
        """Take a schema as a type: the same one for each step that runs the same unit."""
        types = self._known.types
        return types.setdefault(id(schema), Type.of(schema))  # the type keeps the schema

    def _output(self, step: Step) -> JsonSchema:
        here = self._quiet.inside(step)
        schema = self.language.bodies[step.body].output(step, here)
        for modifier, value in self.language.modifiers_of(step.node):
            schema = modifier.output(value, schema)
        return schema

    def _names_of(self, step: Step) -> Map[str, Type]:
        """Give the names that a step's modifiers bring."""
        names, naming = self._known.names, self._known.naming
        if step.id not in names and step.id not in naming:
            naming.add(step.id)
            found: dict[str, Type] = {}
            for modifier, value in self.language.modifiers_of(step.node):
                found |= modifier.names(value, self._quiet.inside(step, modifier.key))
            naming.remove(step.id)
            names[step.id] = found
        return names.get(step.id, {})

    def _present(self, step: Step, *, own: bool) -> Iterator[tuple[str, ...]]:
        """Give the paths that the conditions around a step show to be there."""
        around = self.scopes.around(step.id)
        conditions = [inner.nested.when for inner in self.scopes.lists_around(step.id)]
        conditions += [outer.get("if") for outer in (around if own else around[:-1])]
        for condition in conditions:
            text = condition.value if isinstance(condition, Scalar) else None
            if isinstance(text, str) and "${" in text:
                with suppress(ExpressionError):
                    for expression in self.document.template(text).expressions:
                        yield from expression.proves

    @cached_property
    def _quiet(self) -> Checker:
        """The same, telling nobody what is wrong."""
        return replace(self, findings=Findings(self.findings.file))

    @cached_property
    def _values(self) -> ValueChecker:
        return ValueChecker(self.document, self.findings, self, self.reader)

    @cached_property
    def _call_values(self) -> ValueChecker:
        return ValueChecker(self.document, self.findings, self, self.reader, resolves=True)


@collector_rests()
def check(
    data: bytes | str,
    file: str,
    *,
    language: Language,
    signatures: Signatures,
    library: Library = NO_LIBRARY,
) -> Checked:
    """Load and check a workflow file; never raises on what is in it."""
    source, root, diagnostics = load(data, file)
    findings = Findings(file, list(diagnostics), most=MOST_FINDINGS)
    document, output = None, ANY
    with suppress(Enough):
        document = read_document(root, language, findings) if root is not None else None
        if document is not None:
            checker = Checker.of(document, signatures, findings, language=language, library=library)
            _check_document(checker)
            output = _output_of(checker)
    return Checked(source, document, tuple(sorted(set(findings.all))), output)


def _check_document(checker: Checker) -> None:
    document, language, findings = checker.document, checker.language, checker.findings
    for key, section in language.sections.items():
        value = document.get(key)
        if value is not None:
            section.check(value, checker)
    for step in document.all_steps:
        language.bodies[step.body].check(step, checker.inside(step))
        for modifier, value in language.modifiers_of(step.node):
            modifier.check(value, step, checker.inside(step, modifier.key))
    output = document.get(OUTPUT)
    if output is not None:
        checker.value(output, ANY)
    order = order_of(checker.scopes)
    _check_order(order, document, findings)
    _check_ends(order, checker)
    _check_unused(document, findings)


def _output_of(checker: Checker) -> JsonSchema:
    """Give the type of what a run returns; anything, where a step may return something else."""
    document = checker.document
    if any(step.body == "return" for step in document.all_steps):
        return ANY
    if (output := document.get(OUTPUT)) is not None:
        return checker.type_of(output).resolved().schema
    properties = {step.id: checker.output(step.id) for step in document.steps}
    certain = [step.id for step in document.steps if step.get("if") is None]
    return {"type": "object", "properties": properties, "required": certain}


def _check_order(order: Order, document: Document, findings: Findings) -> None:
    loop = find_cycle(order)
    if loop:
        places = {step.id: step.place for step in document.all_steps}
        shown = loop if len(loop) <= _MOST_SHOWN else (*loop[: _MOST_SHOWN - 1], "…")
        way = " → ".join((*shown, loop[0]))
        hint = "remove one of these dependencies"
        findings.error(CYCLE, places[loop[0]], f"steps wait for each other: {way}", hint)
    for step in document.all_steps:
        for text in document.texts_of(step):
            for read in text.template.reads:
                if read.path == ("steps",):
                    place = Span(text.scalar.locate(read.offset), text.scalar.locate(read.end))
                    message = "which steps are done here depends on chance"
                    findings.error(ALL_STEPS, place, message, "name the step: `steps.ID`")


def _check_ends(order: Order, checker: Checker) -> None:
    """Warn of steps that wait for one after which nothing comes."""
    bodies = checker.language.bodies
    ends = {step.id for step in checker.document.all_steps
            if bodies[step.body].ends and not step.node.entries.keys() & _SOFTENING}  # fmt: skip
    for name, before in order.items() if ends else ():
        if end := next((earlier for earlier in before if earlier in ends), None):
            place = checker.scopes.around(name)[-1].place
            message = f"this step never runs: it waits for `{end}`, after which nothing does"
            checker.findings.warning(NEVER, place, message, f"give `{end}` an `if`")


def _check_unused(document: Document, findings: Findings) -> None:
    """Warn of inputs and config values that nothing reads; nothing, if all are read at once."""
    lists = {inner.nested.path for inner in document.lists}
    texts = [*document.texts(document.node, without=lists)]
    texts += [text for step in document.all_steps for text in document.texts_of(step)]
    paths = {read.path for text in texts for read in text.template.reads}
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
