"""The order of steps: data they read, and what they say under ``depends_on``."""

from __future__ import annotations

from collections.abc import Mapping as Map

from aima.dsl.document import Document, Step
from aima.dsl.node import Scalar, Sequence
from aima.dsl.values import scalars

Order = Map[str, tuple[str, ...]]
"""Each step's id and the ids it waits for, both in document order."""


def order_of(document: Document) -> Order:
    """Find what each step waits for; ids that do not exist are left to the checker."""
    known = [step.id for step in document.steps]
    return {step.id: _waits(step, document, known) for step in document.steps}


def find_cycle(order: Order) -> tuple[str, ...]:
    """Find steps that wait for each other; empty where there are none."""
    left = dict(order)
    while ready := [name for name, waits in left.items() if not any(w in left for w in waits)]:
        for name in ready:
            del left[name]
    if not left:
        return ()
    way = [next(iter(left))]
    while (following := next(w for w in left[way[-1]] if w in left)) not in way:
        way.append(following)
    return tuple(way[way.index(following) :])


def _waits(step: Step, document: Document, known: list[str]) -> tuple[str, ...]:
    found: set[str] = set()
    said = step.get("depends_on")
    if isinstance(said, Sequence):
        found |= {str(n.value) for n in said.items if isinstance(n, Scalar)}
    for _, template in scalars(step.node, document.names):
        found |= {r.path[1] for r in template.reads if r.path[0] == "steps" and len(r.path) > 1}
    return tuple(name for name in known if name in found)
