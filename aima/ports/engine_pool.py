"""What units ask of the engines themselves, one by one and by name."""

from __future__ import annotations

from typing import Protocol

from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engine
from aima.ports.engine_lifecycle import EngineCard, EngineFeatures, EngineReport


class EnginePool(Protocol):
    """The engines of this installation, each by its name."""

    def named(self, name: str) -> Engine:
        """Give an engine.

        Raises:
            NotFound: there is none of that name; the message lists those there are.
        """
        ...

    async def cards(self) -> list[EngineCard]:
        """Look at all of them at once; one that is silent is stopped."""
        ...

    async def report(self, name: str, *, prove: Artifacts | None = None) -> EngineReport:
        """Look at one of them closely.

        Args:
            name: which one.
            prove: also ask each of its models for the least it can do; a recording for those
                that hear is put there.

        Raises:
            NotFound: there is none of that name.
        """
        ...

    def features(self, name: str) -> EngineFeatures:
        """Tell what one of them can do, without asking it.

        Raises:
            NotFound: there is none of that name.
        """
        ...
