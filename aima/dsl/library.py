"""Where a workflow finds the others that it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from aima.dsl.plan import Plan
from aima.dsl.signature import JsonSchema


class NotThere(Exception):
    """A workflow that another one names cannot be had."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Tell why not, and the way out."""
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True)
class Child:
    """A workflow as another one sees it: its plan, and the type of what it returns."""

    plan: Plan
    output: JsonSchema


class Library(Protocol):
    """Finds workflows by name or path."""

    def workflow(self, reference: str) -> Child:
        """Find a workflow.

        Raises:
            NotThere: there is none, it has errors, or it runs itself.
        """
        ...


@dataclass(frozen=True)
class NoLibrary:
    """A library without workflows."""

    def workflow(self, reference: str) -> Child:
        """Find none."""
        raise NotThere(f"there is no workflow {reference[:60]!r} here")


NO_LIBRARY = NoLibrary()
