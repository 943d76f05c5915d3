"""What an engine's class gets so that AIMA can start it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from aima.adapters.engines.running.container import ContainerRunner
from aima.adapters.engines.running.docker import Docker
from aima.adapters.engines.running.package import PackageRunner
from aima.adapters.engines.running.program import ProgramRunner
from aima.adapters.engines.running.runner import Runner
from aima.adapters.engines.running.setup import Setup
from aima.adapters.engines.server import EngineServer
from aima.errors import Conflict, ValidationFailed
from aima.ports.engine_running import Installation, Instance, Wish
from aima.ports.inference import Progress

Done = TypeVar("Done")

_LAST_LINES = 20
_KNOCK_SECONDS = 2.0


@dataclass(frozen=True)
class Local:
    """An engine that AIMA runs on this machine: what the settings say of it, and who does it."""

    setup: Setup
    runner: Runner


def local_of(setup: Setup, docker: Docker, wheels: Path | None) -> Local:
    """Choose who runs an engine."""
    recipe, way = setup.product.recipe, setup.run.way
    if way == "container" and recipe.container:
        return Local(setup, ContainerRunner(setup, recipe.container, docker))
    if way == "package" and recipe.package:
        return Local(setup, PackageRunner(setup, recipe.package, wheels))
    return Local(setup, ProgramRunner(setup))


@dataclass(frozen=True)
class Startable(EngineServer):
    """Can be started, by a command of its user's own if no other is known.

    Attributes:
        local: how; None where the settings leave it to somebody else.
    """

    local: Local | None = field(default=None, kw_only=True, repr=False)

    def patience(self) -> float:
        """Seconds in which it should answer."""
        return self._local.setup.run.start_seconds

    def grace(self) -> float:
        """Seconds in which it should end."""
        return self._local.setup.run.stop_seconds

    async def installation(self) -> Installation | None:
        """Tell what is there of it."""
        return await self.local.runner.installation() if self.local else None

    async def instance(self) -> Instance | None:
        """Find the one that runs."""
        return await self.local.runner.find() if self.local else None

    async def launch(self, wish: Wish) -> Instance:
        """Start it, unless it runs."""
        setup, runner = self._local.setup, self._local.runner
        model = setup.model(wish.model)
        if await runner.find() is None and await _answers(setup.host, setup.port):
            raise Conflict(
                f"engine {self.name!r} cannot be started: another program listens at port "
                f"{setup.port}; end it, or choose another port in [engines.{self.name}] url"
            )
        return await _to_its_end(runner.launch(model, by=wish.by))

    async def last_lines(self) -> list[str]:
        """Give what it wrote last, without secrets."""
        lines = await self._local.runner.last_lines(_LAST_LINES)
        return [self._local.setup.hidden(line) for line in lines]

    async def clear(self) -> None:
        """Take away what one that has ended has left behind."""
        await self._local.runner.clear()

    async def stop(self, seconds: float) -> bool:
        """End it, politely for so many seconds, then for certain."""
        setup, runner = self._local.setup, self._local.runner
        ran = await runner.end(seconds)
        if not ran and await _answers(setup.host, setup.port):
            raise Conflict(
                f"AIMA has not started what listens at port {setup.port}, and does not stop it"
            )
        return ran

    @property
    def _local(self) -> Local:
        if self.local is None:
            recipe = self.product.recipe
            ways = [way for way in ("container", "package", "program") if getattr(recipe, way)]
            known = " or ".join(map(repr, ways)) or "'program' with a command of your own"
            raise ValidationFailed(
                f"AIMA does not run engine {self.name!r}; [engines.{self.name}.run] way = {known} "
                "would let it"
            )
        return self.local


@dataclass(frozen=True)
class Installable(Startable):
    """Can be installed, too."""

    async def install(self, version: str, *, progress: Progress) -> Installation:
        """Bring it here; what is there already is not fetched again."""
        local = self._local
        return await local.runner.install(local.setup.version(version), progress=progress)


async def _to_its_end(work: Coroutine[None, None, Done]) -> Done:
    """Wait for something that must not be left halfway; a cancel is felt when it is done."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _answers(host: str, port: int) -> bool:
    """Tell whether anything listens there."""
    try:
        async with asyncio.timeout(_KNOCK_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
