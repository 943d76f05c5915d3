"""How engines come to run on this machine: what is known of a product, and what may be asked.

An engine that AIMA starts outlives the worker that started it, as it would if a person had: it
is found again by whoever asks next, and runs until somebody stops it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from aima.ports.inference import Progress

Phase: TypeAlias = Literal["pulling", "starting", "loading", "ready"]
"""The parts of a start, in their order."""

Way: TypeAlias = Literal["container", "package", "program"]


@dataclass(frozen=True)
class Container:
    """A product as an image.

    Attributes:
        image: what its project calls it, without a tag.
        registry: where it is, in words, if not in Docker's own; it is then named by the user.
        port: where it listens inside.
        command: what follows the image's own start, or with ``entrypoint`` replaces it.
        cache: the folder inside in which it keeps what it has fetched, without the first slash.
        shared_memory_bytes: what its processes need to share; 0 is the runtime's own choice.
    """

    image: str
    port: int
    command: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    registry: str = ""
    cache: str = ""
    shared_memory_bytes: int = 0


@dataclass(frozen=True)
class Package:
    """A product as a package of PyPI, in an environment of its own.

    Attributes:
        name: with its extras, without a version.
        command: ``{python}``, ``{bin}`` and ``{script}`` are put in.
        script: the program of AIMA's that serves it, where it is only a library.
        licence: if it is another than the permissive ones.
    """

    name: str
    command: tuple[str, ...]
    script: str = ""
    licence: str = ""


@dataclass(frozen=True)
class Program:
    """A product as a program that is on this machine already."""

    command: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """The ways in which a product can be had; in commands ``{model}``, ``{host}`` … are put in.

    Attributes:
        key_variable: where it looks for the key that its callers must send.
        environment: what else it is told that way.
    """

    container: Container | None = None
    package: Package | None = None
    program: Program | None = None
    key_variable: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Installation:
    """What is there of a product.

    Attributes:
        path: the environment's folder, the image, or the program.
    """

    path: str
    version: str | None = None


@dataclass(frozen=True)
class Instance:
    """A process or container that runs an engine.

    Attributes:
        id: the process's number, or the container's.
        by: the effect key of the step that started it.
        model: what it was told to serve; empty where it was told nothing.
    """

    id: str
    by: str
    model: str


@dataclass(frozen=True)
class Wish:
    """That an engine runs.

    Attributes:
        by: the effect key of the step: what it has begun itself, it also takes back.
        model: what it shall serve; empty: as the settings say.
        afresh: one that another step has started is stopped first.
    """

    by: str
    model: str = ""
    afresh: bool = False


class Watcher(Protocol):
    """Is told how a start goes."""

    def progress(self, message: str) -> None:
        """Hear how far the part is that runs."""
        ...

    async def begins(self, phase: Phase) -> None:
        """Hear that a part begins."""
        ...


@runtime_checkable
class Installs(Protocol):
    """Can be brought to this machine."""

    async def installation(self) -> Installation | None:
        """Tell what is there; None: nothing, or not all of it."""
        ...

    async def install(self, version: str, *, progress: Progress) -> Installation:
        """Bring it; what is there already is not fetched again.

        Args:
            version: of the package or image; empty: as the settings say.
            progress: is told how far it is.

        Raises:
            ValidationFailed: the settings do not say how, or not which version.
            Conflict: the settings say another version.
            NotFound: there is no such package, image or program.
        """
        ...


@runtime_checkable
class Starts(Protocol):
    """Can be started on this machine."""

    def patience(self) -> float:
        """Seconds in which it should answer."""
        ...

    async def instance(self) -> Instance | None:
        """Find the one that runs."""
        ...

    async def launch(self, wish: Wish) -> Instance:
        """Start it, unless it runs: then that one is given, so that no step starts two.

        Raises:
            ValidationFailed: the settings do not say how, or not which model.
            Conflict: it runs with something else, or another program has its port.
            NotFound: it is not installed.
        """
        ...

    async def last_lines(self) -> list[str]:
        """Give what it wrote last, without secrets."""
        ...


@runtime_checkable
class Stops(Protocol):
    """Can be stopped on this machine."""

    def grace(self) -> float:
        """Seconds in which it should end, unless somebody says otherwise."""
        ...

    async def clear(self) -> None:
        """Take away what one that has ended has left behind; one that runs goes on."""
        ...

    async def stop(self, seconds: float) -> bool:
        """End it, politely for so many seconds, then for certain.

        Returns:
            Whether it ran.
        """
        ...
