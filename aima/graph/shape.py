"""The shape of a workflow: boxes in lanes, and arrows between them; no drawing yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aima.dsl.document import Document, Step, StepList
from aima.dsl.language import Language
from aima.dsl.node import Mapping as MappingNode
from aima.dsl.node import Node, Scalar, to_json
from aima.dsl.order import Order, order_of
from aima.dsl.scope import Scopes
from aima.dsl.template import to_text

_LONGEST = 48  # characters of a condition in a picture


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
    """

    id: str
    does: str
    notes: tuple[str, ...] = ()
    lanes: tuple[Lane, ...] = ()


@dataclass(frozen=True)
class Lane:
    """A list of steps; ``title`` tells when it runs, empty where that goes without saying."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True)
class Shape:
    """A whole workflow: its main steps, then those for failure and cleaning up."""

    name: str
    lanes: tuple[Lane, ...]


def shape_of(document: Document, language: Language) -> Shape:
    """Give the shape of a document that could be read; mistakes in it are drawn as they are."""
    order = order_of(Scopes(document, language))
    return Shape(document.name, tuple(_lane(one, order) for one in document.lists))


def _lane(listed: StepList, order: Order) -> Lane:
    return Lane(
        title=_title(listed),
        boxes=tuple(_box(step, order) for step in listed.steps),
        arrows=tuple(_arrows(listed, order)),
    )


def _title(listed: StepList) -> str:
    """Say when a list runs."""
    nested = listed.nested
    key = next((part for part in reversed(nested.path) if isinstance(part, str)), "")
    if nested.when is not None:
        return f"if {_short(nested.when)}" if "switch" in nested.path else ""
    if nested.path[0] == "catch":
        return "catch"
    if nested.path[0] == "race":
        return f"racer {nested.path[1]}"
    return key if key in ("else", "finally", "on_failure") else ""


def _box(step: Step, order: Order) -> Box:
    said = step.get("type") or step.get("workflow")
    does = str(said.value) if isinstance(said, Scalar) else step.body
    if step.body == "workflow":
        does = f"workflow {does}"
    lanes = tuple(_lane(one, order) for one in step.lists)
    return Box(step.id, "" if does == "steps" else does, tuple(_notes(step)), lanes)


def _notes(step: Step) -> Iterator[str]:
    if (condition := step.get("if")) is not None:
        yield f"if {_short(condition)}"
    loop = step.get("for_each")
    if isinstance(loop, MappingNode) and (items := loop.get("in")) is not None:
        yield f"for each of {_short(items)}"
    rounds = step.get("repeat")
    if isinstance(rounds, MappingNode):
        for key in ("while", "until"):
            if (said := rounds.get(key)) is not None:
                yield f"{key} {_short(said)}"
    if (said := step.get("wait")) is not None:
        yield _short(said)
    if isinstance(wait := step.get("wait_for"), MappingNode):
        yield from (_waited(key, entry.value) for key, entry in wait.entries.items())
    undo = step.get("compensate")
    if isinstance(undo, MappingNode) and isinstance(unit := undo.get("type"), Scalar):
        yield f"undo: {unit.value}"


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
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _arrows(listed: StepList, order: Order) -> Iterator[Arrow]:
    """Give the arrows of a list, without those that others imply."""
    after = {step.id: set(order[step.id]) for step in listed.steps}
    reach = _reach(after)
    for step in listed.steps:
        for source in order[step.id]:
            others = after[step.id] - {source}
            if not any(source in reach.get(other, ()) for other in others):
                yield Arrow(source, step.id)


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
