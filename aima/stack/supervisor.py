"""The owner of a stack: it starts Temporal, the worker and the door, and keeps them running."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client

from aima.errors import AimaError, TemporalUnreachable
from aima.settings import Settings, variable
from aima.stack.activation import EngineSocket
from aima.stack.child import Children, end
from aima.stack.lock import DataLock, StackState
from aima.stack.ports import free_port, listen
from aima.stores import converter_of
from aima.temporal.client import connect, set_retention, wait_for_namespace
from aima.temporal.server import LOOPBACK, server_command

READY_SECONDS = 30.0
"""How long Temporal may take to answer; it took under a second on two busy cores."""

RESTART_SECONDS = 1.0
"""Wait before a child that died is started again."""


UNCLAIMED_SECONDS = 15.0
"""How long a stack that does not stay waits for its first client."""


@dataclass
class Supervisor:
    """One stack, from the lock to the last child's end.

    Attributes:
        stays: whether it outlives its clients (`aima up`) or ends with the last (`aima run`).
    """

    settings: Settings
    stays: bool
    attached: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    pids: dict[str, int] = field(default_factory=dict)
    _engine: EngineSocket | None = None

    async def run(self) -> None:
        """Own the data folder until told to stop.

        Raises:
            Conflict: another AIMA owns it, or a port is taken.
            TemporalUnreachable: Temporal does not come up.
        """
        lock = DataLock(self.settings.data)
        try:
            for name in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(name, self.ended.set)
            await self._run(lock)
        finally:
            lock.release()

    @property
    def engine_pid(self) -> int | None:
        """The embedded engine's process, while it runs."""
        process = self._engine.process if self._engine is not None else None
        return process.pid if process is not None and process.returncode is None else None

    def attach(self) -> None:
        """Count one more client."""
        self.attached += 1

    def detach(self) -> None:
        """Count one client less; without any, a stack that does not stay ends."""
        self.attached -= 1
        if not self.attached and not self.stays:
            self.ended.set()

    def _end_if_unclaimed(self) -> None:
        if not self.attached and not self.stays:
            self.ended.set()

    async def _run(self, lock: DataLock) -> None:
        from aima.gateway.rest import serve_door
        from aima.temporal.runs import Runs

        children = Children(self.settings.data / "children.json")
        children.end_leftovers()
        door = self._listen(self.settings.port, "AIMA's door", "AIMA_PORT")
        async with AsyncExitStack() as running:
            engine = self._engine = EngineSocket(
                children,
                self._listen(0, "the embedded engine", "AIMA_EMBEDDED_URL"),
                self._log("engine"),
            )
            address, ui = await self._start_temporal(children, running)
            client = await self._client(address)
            if not self.settings.temporal.address:
                await set_retention(client, days=self.settings.temporal.retention_days)
            self._keep(running, engine.serve())
            if self.stays or not self.settings.temporal.address:
                await self._start_worker(children, running, address, engine.url)
            state = StackState(
                pid=os.getpid(),
                port=door.getsockname()[1],
                token=secrets.token_urlsafe(32),
                temporal=address,
                ui=ui,
                stays=self.stays,
            )
            runs = Runs(client, self.settings.temporal.task_queue)
            self._keep(running, serve_door(self, runs, state, door))
            lock.publish(state)
            asyncio.get_running_loop().call_later(UNCLAIMED_SECONDS, self._end_if_unclaimed)
            await self.ended.wait()

    async def _start_temporal(self, children: Children, running: AsyncExitStack) -> tuple[str, str]:
        """Start the embedded server, or name the one of the settings; give address and UI."""
        settings = self.settings.temporal
        if settings.address:
            return settings.address, ""
        port = self._free(settings.port, "Temporal", "AIMA_TEMPORAL_PORT")
        ui_port = self._free(settings.ui_port, "Temporal's page", "AIMA_TEMPORAL_UI_PORT")
        file = self.settings.data / "temporal.db"
        command = server_command(file, port=port, ui_port=ui_port)
        await self._start(children, running, "temporal", command, {})
        return f"{LOOPBACK}:{port}", f"http://{LOOPBACK}:{ui_port}"

    async def _start_worker(
        self, children: Children, running: AsyncExitStack, address: str, engine: str
    ) -> None:
        told = {variable(("temporal", "address")): address}
        if not self.settings.embedded.url:
            told[variable(("embedded", "url"))] = engine
        command = [sys.executable, "-m", "aima", "worker"]
        await self._start(children, running, "worker", command, told)

    async def _start(
        self,
        children: Children,
        running: AsyncExitStack,
        name: str,
        command: list[str],
        environ: dict[str, str],
    ) -> None:
        """Start a child and start it again whenever it dies."""
        environ = {variable(("data",)): str(self.settings.data), **environ}
        process = await children.start(command, log=self._log(name), environ=environ)
        self.pids[name] = process.pid

        async def keep() -> None:
            nonlocal process
            try:
                while True:
                    await process.wait()
                    children.forget(process.pid)
                    await asyncio.sleep(RESTART_SECONDS)
                    process = await children.start(command, log=self._log(name), environ=environ)
                    self.pids[name] = process.pid
            finally:
                await end(process, grace=self.settings.worker.shutdown_seconds)
                children.forget(process.pid)

        self._keep(running, keep())

    def _keep(self, running: AsyncExitStack, work: object) -> None:
        """Run something for as long as the stack lives; its failure ends the stack."""
        task = asyncio.ensure_future(work)  # type: ignore[call-overload] # any coroutine

        def failed(done: asyncio.Task[None]) -> None:
            if not done.cancelled() and done.exception() is not None:
                self.ended.set()

        task.add_done_callback(failed)

        async def stop() -> None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        running.push_async_callback(stop)

    async def _client(self, address: str) -> Client:
        settings = self.settings
        converter = converter_of(settings)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_SECONDS
        while True:
            try:
                client = await connect(settings.temporal, address, converter)
            except TemporalUnreachable:
                if settings.temporal.address or loop.time() > deadline:
                    raise
                await asyncio.sleep(0.05)
            else:
                await wait_for_namespace(client, seconds=READY_SECONDS)
                return client

    def _listen(self, port: int, what: str, setting: str) -> socket.socket:
        return listen(port if self.stays else 0, what=what, setting=setting)

    def _free(self, port: int, what: str, setting: str) -> int:
        return free_port(port if self.stays else 0, what=what, setting=setting)

    def _log(self, name: str) -> Path:
        return self.settings.data / "logs" / f"{name}.log"


def own_stack(settings: Settings, *, stays: bool) -> None:
    """Run a stack in this process until it is told to stop."""
    try:
        asyncio.run(Supervisor(settings, stays=stays).run())
    except AimaError as error:
        sys.exit(f"aima: {error.message}")
