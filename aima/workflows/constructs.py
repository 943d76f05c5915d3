"""All constructs of the language, found in ``bodies`` and ``modifiers``."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any, Protocol, cast

from aima.dsl.json import Json
from aima.dsl.language import Body, Language, Modifier
from aima.workflows import bodies, modifiers
from aima.workflows.frame import Frame, Node


class RunningBody(Body, Protocol):
    """A body together with how it runs."""

    def accept(self, data: Mapping[str, Any]) -> None:
        """Take a step of a plan from outside.

        Raises:
            ValueError: it is no step of this body.
        """
        ...

    def run(self, node: Node, frame: Frame) -> Awaitable[Json]:
        """Do it inside a workflow; give the step's output.

        Raises:
            StepFailed: it could not be done.
        """
        ...


@cache
def running_bodies() -> dict[str, RunningBody]:
    """Give every body by the key that chooses it."""
    found = [cast("RunningBody", module.BODY) for module in _modules(bodies)]
    return {body.keys[0]: body for body in found}


@cache
def language() -> Language:
    """Give the language as the checker and the compiler need it."""
    found = [cast("Modifier", module.MODIFIER) for module in _modules(modifiers)]
    return Language(running_bodies(), {modifier.key: modifier for modifier in found})


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        yield importlib.import_module(f"{package.__name__}.{module.name}")
