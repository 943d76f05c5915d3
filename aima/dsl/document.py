"""The document model: a workflow file as steps with marks, before anything is compiled."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from aima.dsl.diagnostic import Findings, define, named
from aima.dsl.expression import ExpressionError
from aima.dsl.hints import key_hint
from aima.dsl.language import Language, Nested, Path
from aima.dsl.node import Mapping, Node, Scalar, Sequence
from aima.dsl.template import Template, parse_template

NAME = re.compile(r"[a-z][a-z0-9_-]{0,99}")
NAME_HINT = "write up to 100 lower-case letters, digits, `_` and `-`, a letter first"

MISSING_KEY = define("document/missing-key", "A required key is missing.")
UNKNOWN_KEY = define("document/unknown-key", "The language has no such key here.")
WRONG_TYPE = define("document/wrong-type", "The value is of another type than the key takes.")
BAD_NAME = define(
    "document/bad-name", "A name is too long, or not of letters, digits, `_` and `-`."
)
TOO_MANY_STEPS = define("document/too-many-steps", "A workflow has more steps than one run takes.")
TOO_DEEP = define("document/too-deep", "Steps are nested deeper than one run takes.")
DUPLICATE_ID = define("step/duplicate-id", "Two steps have the same id.")
NO_BODY = define("step/no-body", "A step says nothing to do.")
TWO_BODIES = define("step/two-bodies", "A step says two things to do.")

MOST_STEPS = 5_000
"""What a run holds in memory, and a plan in one payload."""

MOST_DEPTH = 100
"""Blocks in blocks; each costs a run a few frames of its stack."""

TEXT_KEYS = ("name", "description", "version")
STEPS = "steps"
OUTPUT = "output"
_STEP_KEYS = ("id", "description")


@dataclass(frozen=True)
class Step:
    """One step: its id, the key that chose its body, all it says, and the steps inside it."""

    id: str
    place: Scalar
    body: str
    node: Mapping
    lists: tuple[StepList, ...] = ()

    def get(self, key: str) -> Node | None:
        """Give what the step says under ``key``."""
        return self.node.get(key)

    @property
    def values(self) -> Mapping:
        """What it says where ``${…}`` has a meaning: not its id, nor its description."""
        said = {key: entry for key, entry in self.node.entries.items() if key not in _STEP_KEYS}
        return Mapping(said, self.node.mark, self.node.end)

    @cached_property
    def inside(self) -> frozenset[Path]:
        """The paths of the lists of steps inside, which are no values of its own."""
        return frozenset(inner.nested.path for inner in self.lists)


@dataclass(frozen=True)
class StepList:
    """A list of steps, at the top or inside another step."""

    nested: Nested
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Text:
    """A text with expressions in it, and where it stands."""

    path: Path
    scalar: Scalar
    template: Template


@dataclass(frozen=True)
class Document:
    """A workflow as written. ``lists[0]`` are its main steps."""

    name: str
    node: Mapping
    lists: tuple[StepList, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The main steps, without those inside them."""
        return self.lists[0].steps

    @cached_property
    def all_steps(self) -> tuple[Step, ...]:
        """Every step, in the order of the document."""
        return tuple(_flattened(self.lists))

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of all steps."""
        return frozenset(step.id for step in self.all_steps)

    @cached_property
    def names(self) -> frozenset[str]:
        """The declared names with a hyphen, which an expression must not take for a minus."""
        declared = set(self.ids)
        for key in ("config", "inputs", "secrets"):
            node = self.get(key)
            properties = node.get("properties") if isinstance(node, Mapping) else None
            for mapping in (node, properties):
                if isinstance(mapping, Mapping):
                    declared |= set(mapping.entries)
        return frozenset(name for name in declared if "-" in name)

    def get(self, key: str) -> Node | None:
        """Give what the document says under a top-level ``key``."""
        return self.node.get(key)

    def default(self, key: str) -> Node | None:
        """Give what the document says under ``defaults`` for steps that are silent."""
        defaults = self.get("defaults")
        return defaults.get(key) if isinstance(defaults, Mapping) else None

    def template(self, text: str) -> Template:
        """Read a text with its expressions, once for every equal text.

        Raises:
            ExpressionError: what stands in a ``${…}`` is no expression.
        """
        if text not in self._templates:
            self._templates[text] = parse_template(text, self.names)
        return self._templates[text]

    def texts(
        self, node: Node, path: Path = (), *, without: Collection[Path] = ()
    ) -> Iterator[Text]:
        """Walk every text below a node with a well-formed expression in it.

        What stands at the paths ``without`` is left out.
        """
        if path in without:
            return
        if isinstance(node, Mapping):
            for key, entry in node.entries.items():
                yield from self.texts(entry.value, (*path, key), without=without)
        elif isinstance(node, Sequence):
            for index, item in enumerate(node.items):
                yield from self.texts(item, (*path, index), without=without)
        elif isinstance(node.value, str) and "${" in node.value:
            try:
                template = self.template(node.value)
            except ExpressionError:
                return
            if not template.is_literal:
                yield Text(path, node, template)

    def texts_of(self, step: Step) -> tuple[Text, ...]:
        """Give the texts of a step itself, without those of the steps inside it."""
        if step.id not in self._texts:
            self._texts[step.id] = tuple(self.texts(step.values, without=step.inside))
        return self._texts[step.id]

    @cached_property
    def _templates(self) -> dict[str, Template]:
        return {}

    @cached_property
    def _texts(self) -> dict[str, tuple[Text, ...]]:
        return {}


def _flattened(lists: tuple[StepList, ...]) -> Iterator[Step]:
    for inner in lists:
        for step in inner.steps:
            yield step
            yield from _flattened(step.lists)


def read_document(root: Node, language: Language, findings: Findings) -> Document | None:
    """Read the structure of a workflow; what does not fit is told and left out.

    Returns:
        None where there is nothing to check any further.
    """
    if not isinstance(root, Mapping):
        findings.error(WRONG_TYPE, root.mark, "a workflow is a mapping", "start with `name:`")
        return None
    known = (*TEXT_KEYS, *language.sections, STEPS, OUTPUT)
    unknown_keys(root, known, findings, where="a workflow")
    for key in TEXT_KEYS:
        _expect_text(root, key, findings)
    name = _name(root, findings)
    steps = root.get(STEPS)
    if not isinstance(steps, Sequence) or not steps.items:
        if steps is None:
            findings.error(MISSING_KEY, root.mark, "a workflow needs `steps`")
        else:
            hint = (
                "write `- id: NAME` and what it does below" if isinstance(steps, Mapping) else None
            )
            findings.error(WRONG_TYPE, steps.mark, "`steps` is a list of at least one step", hint)
        return None
    reader = _Reader(language, findings)
    found = [Nested((STEPS,), steps)]
    for key, section in language.sections.items():
        if (value := root.get(key)) is not None:
            found += section.nested(value)
    found.sort(key=lambda nested: nested.rank)
    return Document(name, root, tuple(reader.lists(found, depth=0)))


def unknown_keys(node: Mapping, known: tuple[str, ...], findings: Findings, *, where: str) -> None:
    """Tell each key that does not belong here, with the nearest that does."""
    for key, entry in node.entries.items():
        if key not in known:
            message = f"{where} has no key `{key}`"
            findings.error(UNKNOWN_KEY, entry.key, message, key_hint(key, known))


def _name(root: Mapping, findings: Findings) -> str:
    node = root.get("name")
    if node is None:
        findings.error(MISSING_KEY, root.mark, "a workflow needs a `name`")
    elif isinstance(node, Scalar) and isinstance(node.value, str):
        if not NAME.fullmatch(node.value):
            findings.error(BAD_NAME, node, f"{named(node.value)} is no name", NAME_HINT)
        return node.value
    return ""


@dataclass
class _Reader:
    """Reads lists of steps, and the lists inside them."""

    language: Language
    findings: Findings
    seen: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def lists(self, found: list[Nested], *, depth: int) -> Iterator[StepList]:
        for nested in found:
            node = nested.node
            if not isinstance(node, Sequence) or not node.items:
                where = str(nested.path[-1])
                message = f"`{where}` is a list of at least one step"
                self.findings.error(WRONG_TYPE, node.mark, message)
                yield StepList(nested, ())
            elif self._too_many(node):
                yield StepList(nested, ())
            else:
                yield StepList(nested, tuple(self._steps(node, depth)))

    def _too_many(self, nodes: Sequence) -> bool:
        """Count the steps of a list; tell the first one too many."""
        room = MOST_STEPS - self.count
        self.count += len(nodes.items)
        if len(nodes.items) <= room:
            return False
        message = f"a workflow has at most {MOST_STEPS} steps"
        where = nodes.items[max(room, 0)].mark
        self.findings.error(TOO_MANY_STEPS, where, message, "split it into several")
        return True

    def _steps(self, nodes: Sequence, depth: int) -> Iterator[Step]:
        for node in nodes.items:
            if not isinstance(node, Mapping):
                self.findings.error(WRONG_TYPE, node.mark, "a step is a mapping with an `id`")
            elif (step := self._step(node, depth)) is not None:
                yield step

    def _step(self, node: Mapping, depth: int) -> Step | None:
        body = self._body(node)
        place = _step_id(node, self.findings)
        if place is None or body is None:
            return None
        step_id = str(place.value)
        if step_id in self.seen:
            message = f"step id `{step_id}` is taken by the step on line {self.seen[step_id]}"
            self.findings.error(DUPLICATE_ID, place, message, "give each step an id of its own")
            return None
        self.seen[step_id] = place.mark.line
        found = list(self.language.bodies[body].nested(node))
        for modifier, value in self.language.modifiers_of(node):
            found += modifier.nested(value, node)
        if found and depth == MOST_DEPTH:
            message = f"steps are nested at most {MOST_DEPTH} deep"
            self.findings.error(TOO_DEEP, place, message, "move inner steps to a workflow")
            found = []
        found.sort(key=lambda nested: nested.rank)
        return Step(step_id, place, body, node, tuple(self.lists(found, depth=depth + 1)))

    def _body(self, node: Mapping) -> str | None:
        """Find the body; tell two of them, none, and keys that belong to neither."""
        bodies = self.language.bodies
        body, *others = self.language.body_of(node) or (None,)
        mine = bodies.values() if body is None else (bodies[body],)
        known = (*_STEP_KEYS, *(key for one in mine for key in one.keys), *self.language.modifiers)
        for key in others:
            message = f"a step is either `{body}` or `{key}`, not both"
            self.findings.error(TWO_BODIES, node.entries[str(key)].key, message)
        said = {k: e for k, e in node.entries.items() if k not in others}
        unknown_keys(Mapping(said, node.mark, node.end), known, self.findings, where="a step")
        if body is None:
            hint = f"add one of {', '.join(f'`{key}`' for key in bodies)}"
            self.findings.error(NO_BODY, node.mark, "this step says nothing to do", hint)
        return body


def _step_id(node: Mapping, findings: Findings) -> Scalar | None:
    found = node.get("id")
    if found is None:
        findings.error(MISSING_KEY, node.mark, "a step needs an `id`")
        return None
    if not isinstance(found, Scalar) or not isinstance(found.value, str):
        findings.error(WRONG_TYPE, found, "an `id` is text")
        return None
    if not NAME.fullmatch(found.value):
        findings.error(BAD_NAME, found, f"{named(found.value)} is no id", NAME_HINT)
    return found


def _expect_text(root: Mapping, key: str, findings: Findings) -> None:
    node = root.get(key)
    if node is not None and not (isinstance(node, Scalar) and isinstance(node.value, str)):
        findings.error(WRONG_TYPE, node, f"`{key}` is text", "put it in quotes")
