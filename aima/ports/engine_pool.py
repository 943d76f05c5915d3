"""What units ask of the engines themselves, one by one and by name."""

from __future__ import annotations

from typing import Protocol

from aima.ports.artifacts import Artifacts
from aima.ports.engine import Engine
from aima.ports.engine_lifecycle import EngineCard, EngineFeatures, EngineReport
from aima.ports.engine_running import Installation, Instance, Watcher, Wish
from aima.ports.inference import Progress


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

    async def install(self, name: str, version: str, *, progress: Progress) -> Installation:
        """Bring one of them to this machine, unless it is here.

        Args:
            name: which one.
            version: of its package or image; empty: as the settings say.
            progress: is told how far it is.

        Raises:
            NotFound: there is none of that name, or no such package, image or program.
            ValidationFailed: the settings do not say how it is installed.
            Conflict: the settings say another version.
            InsufficientResources: the disk is full.
        """
        ...

    async def start(
        self, name: str, wish: Wish, *, artifacts: Artifacts, watcher: Watcher
    ) -> Instance:
        """Have one of them run and answer; what fails or is cancelled on the way is taken back.

        Raises:
            NotFound: there is none of that name, or it cannot be installed.
            ValidationFailed: AIMA does not run it, or nobody says which model.
            Conflict: it runs with something else, or another program has its port.
            InsufficientResources: the disk is full.
            ExecutionFailed: it ended; the message has its last words.
            TimedOut: it does not answer in time.
        """
        ...

    async def stop(self, name: str, seconds: float | None, *, progress: Progress) -> bool:
        """Let one of them finish what it is asked, then end it; tell whether it ran.

        Args:
            name: which one.
            seconds: how long that may take; 0: at once, None: as the settings say.
            progress: is told how far it is.

        Raises:
            NotFound: there is none of that name.
            ValidationFailed: AIMA does not run it.
            Conflict: somebody else has started what listens there.
        """
        ...
