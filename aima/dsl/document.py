"""The document model: a workflow file as steps with marks, before anything is compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from aima.dsl.diagnostic import Findings, define, named
from aima.dsl.expression import ExpressionError
from aima.dsl.language import Language
from aima.dsl.nearest import nearest
from aima.dsl.node import Mapping, Node, Scalar, Sequence
from aima.dsl.template import Template, parse_template

NAME = re.compile(r"[a-z][a-z0-9_-]{0,99}")
_NAME_HINT = "write up to 100 lower-case letters, digits, `_` and `-`, a letter first"

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions that lead to something inside a value."""

MISSING_KEY = define("document/missing-key", "A required key is missing.")
UNKNOWN_KEY = define("document/unknown-key", "The language has no such key here.")
WRONG_TYPE = define("document/wrong-type", "The value is of another type than the key takes.")
BAD_NAME = define(
    "document/bad-name", "A name is too long, or not of letters, digits, `_` and `-`."
)
TOO_MANY_STEPS = define("document/too-many-steps", "A workflow has more steps than one run takes.")
DUPLICATE_ID = define("step/duplicate-id", "Two steps have the same id.")
NO_BODY = define("step/no-body", "A step says nothing to do.")
TWO_BODIES = define("step/two-bodies", "A step says two things to do.")

MOST_STEPS = 5_000
"""A step leaves six events, and Temporal terminates a run that has 51 200."""

_TEXT_KEYS = ("name", "description", "version")
_TOP_KEYS = (*_TEXT_KEYS, "labels", "inputs", "config", "steps", "output")
_STEP_KEYS = ("id", "description")


@dataclass(frozen=True)
class Step:
    """One step: its id, the key that chose its body, and all it says."""

    id: str
    place: Scalar
    body: str
    node: Mapping

    def get(self, key: str) -> Node | None:
        """Give what the step says under ``key``."""
        return self.node.get(key)

    @property
    def values(self) -> Mapping:
        """What it says where ``${…}`` has a meaning: not its id, nor its description."""
        said = {key: entry for key, entry in self.node.entries.items() if key not in _STEP_KEYS}
        return Mapping(said, self.node.mark, self.node.end)


@dataclass(frozen=True)
class Text:
    """A text with expressions in it, and where it stands."""

    path: Path
    scalar: Scalar
    template: Template


@dataclass(frozen=True)
class Document:
    """A workflow as written."""

    name: str
    node: Mapping
    steps: tuple[Step, ...]

    @cached_property
    def ids(self) -> frozenset[str]:
        """The ids of all steps."""
        return frozenset(step.id for step in self.steps)

    @cached_property
    def names(self) -> frozenset[str]:
        """The declared names with a hyphen, which an expression must not take for a minus."""
        declared = set(self.ids)
        for key in ("config", "inputs"):
            node = self.get(key)
            properties = node.get("properties") if isinstance(node, Mapping) else None
            for mapping in (node, properties):
                if isinstance(mapping, Mapping):
                    declared |= set(mapping.entries)
        return frozenset(name for name in declared if "-" in name)

    def get(self, key: str) -> Node | None:
        """Give what the document says under a top-level ``key``."""
        return self.node.get(key)

    def template(self, text: str) -> Template:
        """Read a text with its expressions, once for every equal text.

        Raises:
            ExpressionError: what stands in a ``${…}`` is no expression.
        """
        if text not in self._templates:
            self._templates[text] = parse_template(text, self.names)
        return self._templates[text]

    def texts(self, node: Node, path: Path = ()) -> Iterator[Text]:
        """Walk every text below a node with a well-formed expression in it."""
        if isinstance(node, Mapping):
            for key, entry in node.entries.items():
                yield from self.texts(entry.value, (*path, key))
        elif isinstance(node, Sequence):
            for index, item in enumerate(node.items):
                yield from self.texts(item, (*path, index))
        elif isinstance(node.value, str) and "${" in node.value:
            try:
                template = self.template(node.value)
            except ExpressionError:
                return
            if not template.is_literal:
                yield Text(path, node, template)

    @cached_property
    def _templates(self) -> dict[str, Template]:
        return {}


def read_document(root: Node, language: Language, findings: Findings) -> Document | None:
    """Read the structure of a workflow; what does not fit is told and left out.

    Returns:
        None where there is nothing to check any further.
    """
    if not isinstance(root, Mapping):
        findings.error(WRONG_TYPE, root.mark, "a workflow is a mapping", "start with `name:`")
        return None
    unknown_keys(root, _TOP_KEYS, findings, where="a workflow")
    for key in _TEXT_KEYS:
        _expect_text(root, key, findings)
    for key in ("labels", "inputs", "config"):
        node = root.get(key)
        if node is not None and not isinstance(node, Mapping):
            findings.error(WRONG_TYPE, node.mark, f"`{key}` is a mapping")
    name = _name(root, findings)
    steps = root.get("steps")
    if not isinstance(steps, Sequence) or not steps.items:
        if steps is None:
            findings.error(MISSING_KEY, root.mark, "a workflow needs `steps`")
        else:
            findings.error(WRONG_TYPE, steps.mark, "`steps` is a list of at least one step")
        return None
    if len(steps.items) > MOST_STEPS:
        message = f"a workflow has at most {MOST_STEPS} steps, and this one {len(steps.items)}"
        findings.error(
            TOO_MANY_STEPS, steps.items[MOST_STEPS].mark, message, "split it into several"
        )
        return None
    return Document(name, root, tuple(_steps(steps, language, findings)))


def unknown_keys(node: Mapping, known: tuple[str, ...], findings: Findings, *, where: str) -> None:
    """Tell each key that does not belong here, with the nearest that does."""
    for key, entry in node.entries.items():
        if key not in known:
            near = nearest(key, known)
            hint = f"did you mean `{near}`?" if near else f"known are {', '.join(known)}"
            findings.error(UNKNOWN_KEY, entry.key, f"{where} has no key `{key}`", hint)


def _name(root: Mapping, findings: Findings) -> str:
    node = root.get("name")
    if node is None:
        findings.error(MISSING_KEY, root.mark, "a workflow needs a `name`")
    elif isinstance(node, Scalar) and isinstance(node.value, str):
        if not NAME.fullmatch(node.value):
            findings.error(BAD_NAME, node, f"{named(node.value)} is no name", _NAME_HINT)
        return node.value
    return ""


def _steps(nodes: Sequence, language: Language, findings: Findings) -> Iterator[Step]:
    seen: dict[str, int] = {}
    for node in nodes.items:
        if not isinstance(node, Mapping):
            findings.error(WRONG_TYPE, node.mark, "a step is a mapping with an `id`")
            continue
        step = _step(node, language, findings)
        if step is None:
            continue
        if step.id in seen:
            message = f"step id `{step.id}` is taken by the step on line {seen[step.id]}"
            findings.error(DUPLICATE_ID, step.place, message, "give each step an id of its own")
            continue
        seen[step.id] = step.place.mark.line
        yield step


def _step(node: Mapping, language: Language, findings: Findings) -> Step | None:
    chosen = [key for key in node.entries if key in language.bodies]
    body = chosen[0] if chosen else None
    bodies = language.bodies.values() if body is None else (language.bodies[body],)
    known = (*_STEP_KEYS, *(key for one in bodies for key in one.keys), *language.modifiers)
    for key in chosen[1:]:
        findings.error(
            TWO_BODIES, node.entries[key].key, f"a step is either `{body}` or `{key}`, not both"
        )
    mine = Mapping(
        {k: e for k, e in node.entries.items() if k not in chosen[1:]}, node.mark, node.end
    )
    unknown_keys(mine, known, findings, where="a step")
    step_id = _step_id(node, findings)
    if body is None:
        hint = f"add one of {', '.join(f'`{key}`' for key in language.bodies)}"
        findings.error(NO_BODY, node.mark, "this step says nothing to do", hint)
    if step_id is None or body is None:
        return None
    return Step(str(step_id.value), step_id, body, node)


def _step_id(node: Mapping, findings: Findings) -> Scalar | None:
    found = node.get("id")
    if found is None:
        findings.error(MISSING_KEY, node.mark, "a step needs an `id`")
        return None
    if not isinstance(found, Scalar) or not isinstance(found.value, str):
        findings.error(WRONG_TYPE, found, "an `id` is text")
        return None
    if not NAME.fullmatch(found.value):
        findings.error(BAD_NAME, found, f"{named(found.value)} is no id", _NAME_HINT)
    return found


def _expect_text(root: Mapping, key: str, findings: Findings) -> None:
    node = root.get(key)
    if node is not None and not (isinstance(node, Scalar) and isinstance(node.value, str)):
        findings.error(WRONG_TYPE, node, f"`{key}` is text", "put it in quotes")
