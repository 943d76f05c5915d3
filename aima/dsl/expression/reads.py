"""What an expression reads, known before it runs.

A read is a root and the names that follow it as far as the text says them. A guard around it
tells what is certainly present there: behind ``has(p) ?``, ``has(p) &&`` and ``!has(p) ||`` the
path ``p`` is (design, language.md, fine print 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aima.dsl.expression.nodes import (
    Conditional,
    Get,
    Has,
    Logic,
    Macro,
    Name,
    Node,
    Path,
    Unary,
    names_of,
    type_of,
)


@dataclass(frozen=True, slots=True)
class Read:
    """A reference to a root: ``steps.chat.content`` is ``("steps", "chat", "content")``.

    ``proven`` is how many names of ``path``, from the root on, a guard shows to be there.
    ``tolerated`` is the index of the first name that may be missing without an error, because
    it stands in ``has()`` or behind ``.?``; ``len(path)`` when none may. ``complete`` is false
    where a computed key or a number follows ``path``.
    """

    path: Path
    offset: int
    end: int
    proven: int
    tolerated: int
    complete: bool

    @property
    def optional(self) -> bool:
        """Whether something read here may be missing without an error."""
        return self.tolerated < len(self.path)

    @property
    def guarded(self) -> bool:
        """Whether the author has thought of its absence, by a guard or by ``.?``."""
        return self.optional or self.proven > 1


@dataclass(frozen=True, slots=True)
class _Around:
    """What surrounds a node: names bound by macros, paths shown to be present."""

    bound: frozenset[str] = frozenset()
    present: tuple[Path, ...] = ()

    def knowing(self, paths: tuple[Path, ...]) -> _Around:
        return _Around(self.bound, self.present + paths)

    def binding(self, name: str) -> _Around:
        return _Around(self.bound | {name}, self.present)


def reads_of(tree: Node) -> tuple[Read, ...]:
    """Give every read of a tree in the order of the text."""
    return tuple(sorted(_walk(tree, _Around()), key=lambda read: (read.offset, read.end)))


def proves(node: Node, *, outcome: bool) -> tuple[Path, ...]:
    """Give the paths that are certainly present once ``node`` was evaluated to ``outcome``."""
    match node:
        case Has() if outcome:
            names = names_of(node.path)
            return (names,) if len(names) == 1 + len(node.path.links) else ()
        case Unary(operator="!"):
            return proves(node.operand, outcome=not outcome)
        case Logic() if outcome is (node.operator == "&&"):
            return tuple(path for part in node.operands for path in proves(part, outcome=outcome))
    return ()


def _walk(node: Node, around: _Around) -> Iterator[Read]:
    match node:
        case Name() | Get():
            yield from _path(node, around, everything_may_miss=False)
        case Has():
            yield from _path(node.path, around, everything_may_miss=True)
        case Logic():
            for operand in node.operands:
                yield from _walk(operand, around)
                around = around.knowing(proves(operand, outcome=node.operator == "&&"))
        case Conditional():
            yield from _walk(node.test, around)
            yield from _walk(node.yes, around.knowing(proves(node.test, outcome=True)))
            yield from _walk(node.no, around.knowing(proves(node.test, outcome=False)))
        case Macro():
            yield from _walk(node.over, around)
            inside = around.binding(node.variable)
            for part in filter(None, (node.keep, node.body)):
                yield from _walk(part, inside)
        case _:
            for child in node.children():
                yield from _walk(child, around)


def _path(node: Name | Get, around: _Around, *, everything_may_miss: bool) -> Iterator[Read]:
    names = names_of(node)
    below = node.children()
    if names:
        next(below, None)  # the root itself
    if names and names[0] not in around.bound and type_of(node) is None:
        links = node.links if isinstance(node, Get) else ()
        optional = (index for index, link in enumerate(links, start=1) if link.optional)
        yield Read(
            names,
            node.at,
            _end_of(node, len(names)),
            proven=max((shared_names(names, other) for other in around.present), default=0),
            tolerated=1 if everything_may_miss else min(next(optional, len(names)), len(names)),
            complete=len(names) == 1 + len(links),
        )
    for child in below:
        yield from _walk(child, around)


def _end_of(node: Name | Get, names: int) -> int:
    """Give where the first ``names`` names of a path end in the text."""
    if isinstance(node, Name):
        return node.end
    return node.links[names - 2].end if names > 1 else node.base.end


def shared_names(path: Path, other: Path) -> int:
    """Count the names with which both paths begin."""
    pairs = enumerate(zip(path, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(path), len(other)))
