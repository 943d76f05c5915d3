"""The shape of a workflow: boxes in lanes, and arrows between them; no drawing yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Sequenced
from dataclasses import dataclass
from enum import StrEnum

from aima.dsl.document import Document, Step, StepList
from aima.dsl.language import Language
from aima.dsl.node import Mapping as MappingNode
from aima.dsl.node import Node, Scalar, Sequence, to_json
from aima.dsl.order import Order, order_of
from aima.dsl.scope import Scopes
from aima.dsl.template import to_text

_LONGEST = 72  # characters of a condition in a picture


class Role(StrEnum):
    """When a list of steps runs: what a picture tells by its colour."""

    body = "body"
    branch = "branch"
    failure = "failure"
    cleanup = "cleanup"


@dataclass(frozen=True)
class Arrow:
    """One box waits for another one."""

    source: str
    target: str


@dataclass(frozen=True)
class Box:
    """A step.

    Attributes:
        does: the unit it runs, or what kind of step it is.
        notes: its condition, its loop, what bounds it: one line each.
        lanes: the lists of steps inside.
        unit: whether it runs a unit.
        optional: whether it may be skipped.
        many: whether it is done for each item of a list.
        undo: the unit that undoes it; empty where nothing does.
    """

    id: str
    does: str
    notes: tuple[str, ...] = ()
    lanes: tuple[Lane, ...] = ()
    unit: bool = False
    optional: bool = False
    many: bool = False
    undo: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """What is written in it."""
        undo = f"undo: {self.undo}" if self.undo else ""
        return tuple(filter(None, (self.id, self.does, *self.notes, undo)))


@dataclass(frozen=True)
class Lane:
    """A list of steps; ``title`` tells when it runs, empty where that goes without saying."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    role: Role = Role.body


START, END = "<start>", "<end>"
"""Where a workflow begins and ends, as boxes of a lane; no step has such an id."""


@dataclass(frozen=True)
class Shape:
    """A whole workflow: its main steps, then those for failure and cleaning up."""

    name: str
    lanes: tuple[Lane, ...]


def shape_of(document: Document, language: Language) -> Shape:
    """Give the shape of a document that could be read; mistakes in it are drawn as they are."""
    order = order_of(Scopes(document, language))
    return Shape(document.name, tuple(_lane(one, order, None) for one in document.lists))


def _lane(listed: StepList, order: Order, owner: Step | None) -> Lane:
    title, role = _when(listed, owner)
    return Lane(
        title=title,
        boxes=tuple(_box(step, order) for step in listed.steps),
        arrows=tuple(arrows({step.id: tuple(order[step.id]) for step in listed.steps})),
        role=role,
    )


_WHEN: Mapping[str, tuple[str, Role]] = {
    "on_failure": ("when the run fails", Role.failure),
    "finally": ("finally, however it ends", Role.cleanup),
}


def _when(listed: StepList, owner: Step | None) -> tuple[str, Role]:
    """Say when a list runs."""
    match listed.nested.path:
        case ("switch", int(index), key):
            return _branch(listed, index, str(key)), Role.branch
        case ("race", int(index), *_):
            return f"racer {index + 1}", Role.branch
        case ("catch", int(index), *_):
            return f"on {_codes(owner, index)}", Role.failure
        case (str(key), *_):
            return _WHEN.get(key, ("", Role.body))
    return "", Role.body


def _branch(listed: StepList, index: int, key: str) -> str:
    condition = listed.nested.when
    if key == "else" or condition is None:
        return key
    return f"{'else ' if index else ''}if {_short(condition)}"


def _codes(owner: Step | None, index: int) -> str:
    """Name the errors that a handler takes."""
    handlers = owner.get("catch") if owner is not None else None
    handler = handlers.items[index] if isinstance(handlers, Sequence) else None
    codes = handler.get("codes") if isinstance(handler, MappingNode) else None
    if not isinstance(codes, Sequence):
        return "any error" if index == 0 else "any other error"
    named = [str(item.value) for item in codes.items if isinstance(item, Scalar)]
    return _cut(" or ".join(named))


def _box(step: Step, order: Order) -> Box:
    said = step.get("type") or step.get("workflow")
    does = str(said.value) if isinstance(said, Scalar) else step.body
    if step.body == "workflow":
        does = f"workflow {does}"
    undo = step.get("compensate")
    undone = undo.get("type") if isinstance(undo, MappingNode) else None
    return Box(
        id=step.id,
        does="" if does in ("steps", "repeat") else does,
        notes=tuple(_notes(step)),
        lanes=tuple(_lane(one, order, step) for one in step.lists),
        unit=step.body == "type",
        optional=step.get("if") is not None,
        many=step.get("for_each") is not None,
        undo=str(undone.value) if isinstance(undone, Scalar) else "",
    )


def _notes(step: Step) -> Iterator[str]:
    """Tell a step's condition, its loop, its bounds and what is particular to its body."""
    if step.body == "race":
        yield "the first to succeed wins"
    for path, told in _SAID:
        if (said := _at(step.node, path)) is not None:
            yield told.format(_short(said))
    if isinstance(wait := step.get("wait_for"), MappingNode):
        yield from (_waited(key, entry.value) for key, entry in wait.entries.items())


_SAID = (
    (("if",), "if {}"),
    (("for_each", "in"), "for each of {}"),
    (("repeat", "while"), "repeat while {}"),
    (("repeat", "until"), "repeat until {}"),
    (("wait",), "{}"),
    (("emit", "type"), "{}"),
    (("raise", "code"), "{}"),
    (("retry", "max_attempts"), "attempts: {}"),
    (("timeout",), "timeout: {}"),
    (("deadline",), "deadline: {}"),
)
"""Where a step says what a picture tells, and how it tells it."""


def _at(node: Node | None, path: tuple[str, ...]) -> Node | None:
    for key in path:
        node = node.get(key) if isinstance(node, MappingNode) else None
    return node


def _waited(key: str, value: Node) -> str:
    """Say what a step waits for, or how long."""
    if isinstance(value, MappingNode):
        value = value.get("message") or value.get("type") or value
    return f"{key}: {_short(value)}"


def _short(node: Node) -> str:
    """Give a value on one short line, an expression without its braces."""
    value = to_json(node)
    text = value if isinstance(value, str) else to_text(value)
    text = " ".join(text.split())
    if text.startswith("${") and text.endswith("}") and text.count("${") == 1:
        text = text[2:-1]
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def arrows(order: Mapping[str, Sequenced[str]]) -> Iterator[Arrow]:
    """Give the arrows between steps that wait for others, without those that others imply."""
    after = {step: set(before) for step, before in order.items()}
    reach = _reach(after)
    for step, before in order.items():
        for source in before:
            others = after[step] - {source}
            if not any(source in reach.get(other, ()) for other in others):
                yield Arrow(source, step)


def _reach(after: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Give all that comes before each step; steps that wait in a circle reach only part."""
    found: dict[str, set[str]] = {}
    left = list(after)
    while left:
        ready = [name for name in left if after[name] <= found.keys()] or left[:1]
        for name in ready:
            known = after[name] & found.keys()
            found[name] = after[name].union(*(found[other] for other in known))
            left.remove(name)
    return found
