"""Who sees whom: what a step that reads another one must wait for, and whether it is there.

Ids are unique in a document, so a step is read by its own id from anywhere. Two steps meet in
the nearest list that holds both, or an ancestor of each: these ancestors are what is ordered
(design, language.md, fine print 5, 6 and 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property

from aima.dsl.document import Document, Step, StepList
from aima.dsl.language import Language


class Sight(Enum):
    """What a step is to one that reads it."""

    earlier = auto()
    """It has ended before, for an edge or a higher rank sees to that."""
    round_before = auto()
    """It comes later in a loop, so its output is that of the round before."""
    inside = auto()
    """It has run inside the reader, which reads it afterwards."""
    itself = auto()
    ancestor = auto()
    sibling = auto()
    """Only one of the two branches runs."""
    item = auto()
    """It runs once for each item, and the reader stands outside."""


@dataclass(frozen=True)
class Relation:
    """How a reader and a step that it reads stand to each other.

    Attributes:
        edge: the ids of the two in their nearest common list, the reader's first; None where
            the reader does not wait for the other.
        certain: whether the step has certainly run.
    """

    sight: Sight
    edge: tuple[str, str] | None = None
    certain: bool = True


@dataclass(frozen=True)
class _Place:
    """A step, and the list it stands in."""

    list: StepList
    step: Step


@dataclass(frozen=True)
class Scopes:
    """The places of all steps of a document."""

    document: Document
    language: Language

    @cached_property
    def places(self) -> Mapping[str, tuple[_Place, ...]]:
        """Give each step's way from the top: the lists and the steps that lead to it."""
        return dict(_walk(self.document.lists, ()))

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {step.id: index for index, step in enumerate(self.document.all_steps)}

    def around(self, step_id: str) -> tuple[Step, ...]:
        """Give the steps around a step, the outermost first, and itself."""
        return tuple(place.step for place in self.places[step_id])

    def lists_around(self, step_id: str) -> tuple[StepList, ...]:
        """Give the lists around a step, the outermost first."""
        return tuple(place.list for place in self.places[step_id])

    def relation(self, reader: str, target: str, *, late: bool = False) -> Relation:
        """Tell how ``reader`` sees ``target``; ``late``: once its own body has run."""
        mine, theirs = self.places[reader], self.places[target]
        shared = 0
        while (
            shared + 1 < min(len(mine), len(theirs))
            and mine[shared].step is theirs[shared].step
            and mine[shared + 1].list is theirs[shared + 1].list
        ):
            shared += 1
        here, there = mine[shared], theirs[shared]
        if here.list is not there.list:  # both at the top, in different lists
            return self._of_lists(here.list, there.list)
        if here.step is there.step:
            return self._within(mine[shared:], theirs[shared:], late=late)
        below = theirs[shared:]
        if self._per_item(below):
            return Relation(Sight.item)
        loop = any(self._repeats(place.step) for place in mine[:shared])
        if loop and self._positions[there.step.id] > self._positions[here.step.id]:
            return Relation(Sight.round_before, certain=False)
        return Relation(Sight.earlier, (here.step.id, there.step.id), _certain(below))

    def _within(
        self, mine: tuple[_Place, ...], theirs: tuple[_Place, ...], *, late: bool
    ) -> Relation:
        """Relate two steps whose ways part below a step that is on both."""
        looping = any(self._repeats(s) for s in self.around(mine[0].step.id)[:-1])
        if len(theirs) == 1:
            if len(mine) == 1 and late:
                return Relation(Sight.earlier)
            if looping:
                return Relation(Sight.round_before, certain=False)
            return Relation(Sight.itself if len(mine) == 1 else Sight.ancestor)
        if self._per_item(theirs[1:]):
            return Relation(Sight.item)
        if len(mine) == 1:
            return Relation(Sight.inside if late else Sight.ancestor, certain=_certain(theirs[1:]))
        return self._of_lists(mine[1].list, theirs[1].list)

    def from_the_end(self, target: str) -> Relation:
        """Tell how the document itself sees a step when its main steps have ended well."""
        way = self.places[target]
        if way[0].list.nested.rank:
            return Relation(Sight.sibling)
        if self._per_item(way):
            return Relation(Sight.item)
        return Relation(Sight.earlier, certain=_certain(way))

    def meeting(self, one: str, other: str) -> tuple[str, str] | None:
        """Give the steps in one list that are, or hold, two steps; None where there is none."""
        for mine, theirs in zip(self.places[one], self.places[other], strict=False):
            if mine.list is not theirs.list:
                return None
            if mine.step is not theirs.step:
                return mine.step.id, theirs.step.id
        return None

    @staticmethod
    def _of_lists(mine: StepList, theirs: StepList) -> Relation:
        if theirs.nested.rank < mine.nested.rank:
            return Relation(Sight.earlier, certain=False)
        return Relation(Sight.sibling)

    def _per_item(self, way: tuple[_Place, ...]) -> bool:
        """Tell whether the last step of a way runs for each item of a loop above it."""
        return any(place.step.get("for_each") is not None for place in way[:-1])

    def _repeats(self, step: Step) -> bool:
        return self.language.bodies[step.body].repeats


def _certain(way: tuple[_Place, ...]) -> bool:
    """Tell whether the last step of a way has run wherever the first has ended well."""
    for outer, inner in zip((None, *way), way, strict=False):
        if inner.step.get("if") is not None:
            return False
        if outer is not None and not inner.list.nested.certain:
            return False
        if outer is not None and _survives(outer.step) and inner.list.nested.rank == 0:
            return False
    return True


def _survives(step: Step) -> bool:
    """Tell whether a step may end well though what is inside it did not."""
    from aima.dsl.node import to_json

    said = step.get("on_failure")
    return step.get("catch") is not None or (said is not None and to_json(said) == "continue")


def _walk(
    lists: tuple[StepList, ...], above: tuple[_Place, ...]
) -> Iterator[tuple[str, tuple[_Place, ...]]]:
    for inner in lists:
        for step in inner.steps:
            way = (*above, _Place(inner, step))
            yield step.id, way
            yield from _walk(step.lists, way)
