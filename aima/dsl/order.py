"""The order of steps: data they read, and what they say under ``depends_on``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map

from aima.dsl.document import Step, Text
from aima.dsl.node import Scalar, Sequence
from aima.dsl.scope import Scopes

Order = Map[str, tuple[str, ...]]
"""Each step's id and the ids it waits for in its own list, both in document order."""


def order_of(scopes: Scopes) -> Order:
    """Find what each step waits for; ids that do not exist are left to the checker."""
    steps = scopes.document.all_steps
    position = {step.id: index for index, step in enumerate(steps)}
    waits: dict[str, set[str]] = {step.id: set() for step in steps}
    for step in steps:
        for earlier in steps_read(scopes.document.texts_of(step)):
            if earlier in position and (edge := scopes.relation(step.id, earlier).edge):
                waits[edge[0]].add(edge[1])
        for earlier in said_before(step):
            if earlier in position and (edge := scopes.meeting(step.id, earlier)):
                waits[edge[0]].add(edge[1])
    return {name: tuple(sorted(found, key=position.__getitem__)) for name, found in waits.items()}


def said_before(step: Step) -> tuple[str, ...]:
    """Give the ids under ``depends_on``."""
    said = step.get("depends_on")
    if not isinstance(said, Sequence):
        return ()
    return tuple(str(item.value) for item in said.items if isinstance(item, Scalar))


def steps_read(texts: Iterable[Text]) -> Iterator[str]:
    """Name the steps that texts read, some maybe twice."""
    for text in texts:
        for read in text.template.reads:
            if read.path[0] == "steps" and read.path[1:]:
                yield read.path[1]


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
