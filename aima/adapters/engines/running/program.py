"""An engine that is a program on this machine already."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aima.adapters.engines.running.process import Processes
from aima.adapters.engines.running.setup import Setup
from aima.errors import Conflict, NotFound
from aima.ports.engine_running import Installation, Instance
from aima.ports.inference import Progress


@dataclass(frozen=True)
class ProgramRunner:
    """Starts what somebody else has installed."""

    setup: Setup

    @property
    def command(self) -> Sequence[str]:
        """The program and its arguments, with places to fill in."""
        program = self.setup.product.recipe.program
        return self.setup.run.command or (program.command if program else ())

    async def installation(self) -> Installation | None:
        """Look for the program."""
        found = shutil.which(self.command[0])
        return Installation(found) if found else None

    async def install(self, version: str, *, progress: Progress) -> Installation:
        """Find it: AIMA installs no programs.

        Raises:
            NotFound: there is none.
        """
        del version, progress
        if found := await self.installation():
            return found
        raise NotFound(
            f"engine {self.setup.name!r} needs the program {self.command[0]!r}, which is not on "
            "PATH; install it as its documentation says"
        )

    async def find(self) -> Instance | None:
        """Give the one that runs."""
        return await Processes(self.setup).find()

    async def launch(self, model: str, *, by: str) -> Instance:
        """Start one, unless it runs."""
        return await started(self.setup, self.command, {"model": model}, by=by)

    async def end(self, seconds: float) -> bool:
        """End it."""
        return await Processes(self.setup).end(seconds)

    async def clear(self) -> None:
        """Take away what one that has ended has left behind."""
        await Processes(self.setup).clear()

    async def last_lines(self, count: int) -> list[str]:
        """Give what it wrote last."""
        return await Processes(self.setup).last_lines(count)


async def started(
    setup: Setup, template: Sequence[str], places: Mapping[str, str], *, by: str
) -> Instance:
    """Start a process with its places filled in, unless it runs.

    Raises:
        Conflict: it runs with something else.
    """
    command = setup.command(template, **places)
    digest = setup.digest(command)
    label = {"by": by, "model": places["model"], "digest": digest}
    processes = Processes(setup)
    instance = await processes.launch(command, setup.environment(**places), label)
    if await processes.digest() not in (digest, None):
        raise Conflict(
            f"engine {setup.name!r} runs with other settings or another model; "
            "engine.restart starts it with these"
        )
    return instance
