"""The order of steps: data they read, and what they say under ``depends_on``."""

from __future__ import annotations

from collections.abc import Mapping as Map

from aima.dsl.document import Document, Step
from aima.dsl.node import Scalar, Sequence

Order = Map[str, tuple[str, ...]]
"""Each step's id and the ids it waits for, both in document order."""


def order_of(document: Document) -> Order:
    """Find what each step waits for; ids that do not exist are left to the checker."""
    position = {step.id: index for index, step in enumerate(document.steps)}
    return {step.id: _waits(step, document, position) for step in document.steps}


def find_cycle(order: Order) -> tuple[str, ...]:
    """Find steps that wait for each other, in a circle; empty where there are none.

    Takes off, again and again, a step that waits for nothing that is left (Kahn 1962). Of what
    cannot be taken off, each step waits for another one: following them leads into a circle.
    """
    waits = {name: len(before) for name, before in order.items()}
    after: dict[str, list[str]] = {name: [] for name in order}
    for name, before in order.items():
        for earlier in before:
            after[earlier].append(name)
    ready = [name for name, count in waits.items() if not count]
    while ready:
        name = ready.pop()
        del waits[name]
        for later in after[name]:
            waits[later] -= 1
            if not waits[later]:
                ready.append(later)
    way: dict[str, None] = {}  # an ordered set
    here = next(iter(waits), None)
    while here is not None and here not in way:
        way[here] = None
        here = next(earlier for earlier in order[here] if earlier in waits)
    steps = tuple(way)
    return steps[steps.index(here) :] if here is not None else ()


def _waits(step: Step, document: Document, position: Map[str, int]) -> tuple[str, ...]:
    found: set[str] = set()
    said = step.get("depends_on")
    if isinstance(said, Sequence):
        found |= {str(n.value) for n in said.items if isinstance(n, Scalar)}
    for text in document.texts(step.values):
        found |= {r.path[1] for r in text.template.reads if r.path[0] == "steps" and r.path[1:]}
    return tuple(sorted(found & position.keys(), key=position.__getitem__))
