"""All constructs of the language, found in ``bodies``, ``modifiers`` and ``sections``."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias, cast, runtime_checkable

from aima.dsl.json import Json
from aima.dsl.language import Body, Language, Modifier, Section
from aima.workflows import bodies, modifiers, sections

if TYPE_CHECKING:
    from aima.workflows.frame import Call, Frame, Node
    from aima.workflows.run import Run

Proceed: TypeAlias = Callable[[], Awaitable[Json]]


class RunningBody(Body, Protocol):
    """A body together with how it runs."""

    handles: ClassVar[tuple[str, ...]] = ()
    """The modifiers that it keeps itself; the others are put around it."""
    nests: ClassVar[bool] = False
    """Whether steps run inside, so that it may have to clean up after its end."""

    def accept(self, node: Node) -> None:
        """Take a step of a plan from outside, with the steps inside it.

        Raises:
            LookupError, TypeError, ValueError: it is no step of this body.
        """
        ...

    def run(self, node: Node, frame: Frame) -> Awaitable[Json]:
        """Do it inside a workflow; give the step's output.

        Raises:
            StepFailed: it could not be done.
        """
        ...


@runtime_checkable
class RunningModifier(Modifier, Protocol):
    """A modifier that is put around a step as it runs."""

    rank: ClassVar[int]
    """The lower, the further outside."""

    def accept(self, node: Node) -> None:
        """Take its part of a step from outside, with the steps inside it.

        Raises:
            LookupError, TypeError, ValueError: it is none.
        """
        del node

    def applies(self, node: Node) -> bool:
        """Tell whether it is put around a step."""
        return self.key in node.data and self.key not in running_bodies()[node.body].handles

    def around(self, node: Node, frame: Frame, proceed: Call) -> Awaitable[Json]:
        """Run what is inside with ``proceed``, in this frame or one made for it."""
        ...


@runtime_checkable
class RunningSection(Section, Protocol):
    """A section that is put around a run's steps."""

    rank: ClassVar[int]
    """The lower, the further outside."""

    def around(self, run: Run, proceed: Proceed) -> Awaitable[Json]:
        """Run the steps with ``proceed``."""
        ...


@cache
def running_bodies() -> dict[str, RunningBody]:
    """Give every body by the key that chooses it."""
    found = [cast("RunningBody", module.BODY) for module in _modules(bodies)]
    return {body.keys[0]: body for body in found}


@cache
def running_modifiers() -> tuple[RunningModifier, ...]:
    """Give the modifiers that are put around steps, the outermost first."""
    found = (m for m in language().modifiers.values() if isinstance(m, RunningModifier))
    return tuple(sorted(found, key=lambda modifier: modifier.rank))


@cache
def running_sections() -> tuple[RunningSection, ...]:
    """Give the sections that are put around runs, the outermost first."""
    found = (s for s in language().sections.values() if isinstance(s, RunningSection))
    return tuple(sorted(found, key=lambda section: section.rank))


@cache
def language() -> Language:
    """Give the language as the checker and the compiler need it."""
    found = [cast("Modifier", module.MODIFIER) for module in _modules(modifiers)]
    parts = [cast("Section", module.SECTION) for module in _modules(sections)]
    return Language(
        running_bodies(),
        {modifier.key: modifier for modifier in found},
        {section.key: section for section in parts},
    )


def call_of(node: Node) -> Call:
    """Put a step's modifiers around its body."""
    return _call(node, running_modifiers())


def call_inside(node: Node, key: str) -> Call:
    """Put those modifiers of a step around its body that stand inside one of them."""
    modifiers = running_modifiers()
    keys = [modifier.key for modifier in modifiers]
    return _call(node, modifiers[keys.index(key) + 1 :])


def _call(node: Node, modifiers: tuple[RunningModifier, ...]) -> Call:
    body = running_bodies()[node.body]

    def run(frame: Frame) -> Awaitable[Json]:
        if frame.closing and not body.nests:
            frame.run.mail.forget(frame.path_of(node))
            raise asyncio.CancelledError
        return body.run(node, frame)

    call: Call = run
    for modifier in reversed(modifiers):
        if modifier.applies(node):
            call = _around(modifier, node, call)
    return call


def _around(modifier: RunningModifier, node: Node, inner: Call) -> Call:
    return lambda frame: modifier.around(node, frame, inner)


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        yield importlib.import_module(f"{package.__name__}.{module.name}")
