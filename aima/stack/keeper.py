"""Tasks and processes that live as long as the stack does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aima.stack.child import Children, end

RESTART_SECONDS = 1.0
"""Wait before a process that died is started again."""


@dataclass
class Keeper:
    """Keeps tasks and processes running; when it is closed they end, the last begun first.

    Attributes:
        logs: folder of what the processes print.
        failed: told when a task fails; closing raises its error.
        processes: the latest process of each name, living or just dead.
    """

    children: Children
    logs: Path
    failed: Callable[[], None]
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task."""
        task = asyncio.create_task(work)

        def ended(done: asyncio.Task[None]) -> None:
            if not done.cancelled() and done.exception() is not None:
                self.failed()

        task.add_done_callback(ended)

        async def stop() -> None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        self._running.push_async_callback(stop)

    async def keep_process(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], *, grace_seconds: float
    ) -> None:
        """Run a process, and run it again whenever it dies.

        Args:
            name: what its log is called.
            command: the program and its arguments.
            environ: what is added to the environment.
            grace_seconds: time to end by itself when it is asked to; 0 kills it at once.
        """
        log = self.log(name)
        self.processes[name] = await self.children.start(command, log=log, environ=environ)

        async def keep() -> None:
            try:
                while True:
                    await self.processes[name].wait()
                    self.children.forget(self.processes[name].pid)
                    await asyncio.sleep(RESTART_SECONDS)
                    again = await self.children.start(command, log=log, environ=environ)
                    self.processes[name] = again
            finally:
                await end(self.processes[name], grace=grace_seconds)
                self.children.forget(self.processes[name].pid)

        self.keep(keep())

    def log(self, name: str) -> Path:
        """Tell where a process's words go."""
        return self.logs / f"{name}.log"

    async def close(self) -> None:
        """End everything.

        Raises:
            Exception: what a task failed with.
        """
        await self._running.aclose()
