"""The owner of a stack: it starts Temporal, the worker and the door, and keeps them running."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from itertools import count
from pathlib import Path

import uvloop
from temporalio.client import Client

from aima.blocking import in_thread
from aima.errors import AimaError, EngineNotRunning, InvalidRequest, TemporalUnreachable
from aima.meters import SHARED, shared_folder
from aima.settings import Settings, variable
from aima.stack.activation import EngineSocket
from aima.stack.child import Children
from aima.stack.keeper import Keeper
from aima.stack.lock import DataLock, StackState
from aima.stack.ports import free_port, listen
from aima.stores import converter_of, store_of
from aima.temporal.client import connect, set_retention, wait_for_namespace
from aima.temporal.server import LOOPBACK, server_command

READY_SECONDS = 30.0
"""How long Temporal may take to answer; it took under a second on two busy cores."""

UNCLAIMED_SECONDS = 15.0
"""How long a stack that does not stay waits for its first client."""


@dataclass
class Supervisor:
    """One stack, from the lock to the last child's end.

    Attributes:
        stays: whether it outlives its clients (`aima up`) or ends with the last (`aima run`).
        ready: told how to reach the stack, once it can be reached.
        clients: those attached now, by a number of their own.
        ended: set when the stack is to end.
    """

    settings: Settings
    stays: bool
    ready: Callable[[StackState], None]
    clients: set[int] = field(default_factory=set)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: count[int] = field(default_factory=count)
    _starting: asyncio.Task[None] | None = None
    _temporal: str = ""
    _door: str = ""
    _streams_token: str = field(default_factory=partial(secrets.token_urlsafe, 32))
    _works: bool = False

    def __post_init__(self) -> None:
        """Prepare to keep things running; nothing is started yet."""
        data = self.settings.data
        self._children = Children(data / "children.json")
        self._keeper = Keeper(self._children, data / "logs", failed=self.ended.set)

    async def run(self) -> None:
        """Own the data folder until told to stop.

        Raises:
            Conflict: another AIMA owns it, or a port is taken.
            TemporalUnreachable: Temporal does not come up.
            CancelledError: it was told to stop before it was ready.
        """
        lock = DataLock(self.settings.data)
        self._starting = asyncio.current_task()
        try:
            for name in (signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().add_signal_handler(name, self._stop)
            state = await self._start()
            self._starting = None
            gc.freeze()  # it all stays: looking through it again would hold each stream up, 60 ms
            lock.publish(state)
            self.ready(state)
            asyncio.get_running_loop().call_later(UNCLAIMED_SECONDS, self._end_if_unused)
            await self.ended.wait()
        finally:
            try:
                await self._keeper.close()
            finally:
                lock.release()

    @property
    def engine_is_awake(self) -> bool:
        """Whether the embedded engine may be asked without starting it."""
        process = self._engine.process
        elsewhere = bool(self.settings.embedded.url)
        return elsewhere or (process is not None and process.returncode is None)

    @property
    def pids(self) -> dict[str, int]:
        """The stack's processes that live now."""
        processes = dict(self._keeper.processes)
        if self._engine.process is not None:
            processes["engine"] = self._engine.process
        living = {name: p.pid for name, p in processes.items() if p.returncode is None}
        return {"stack": os.getpid(), **living}

    async def attach(self, *, works: bool) -> int:
        """Count one more client and give its number; one that works needs a worker.

        Raises:
            EngineNotRunning: the stack is ending.
        """
        if self.ended.is_set():
            raise EngineNotRunning("this AIMA is just ending; try again")
        client = next(self._numbers)
        self.clients.add(client)
        if works:
            await self._work()
        return client

    def detach(self, client: int) -> None:
        """Forget a client; without any, a stack that does not stay ends."""
        self.clients.discard(client)
        self._end_if_unused()

    async def stay(self) -> None:
        """Outlive the clients, and work on what is open."""
        self.stays = True
        await self._work()

    def _end_if_unused(self) -> None:
        if not self.clients and not self.stays:
            self.ended.set()

    def _stop(self) -> None:
        if self._starting is not None and not self.ended.is_set():
            self._starting.cancel()
        self.ended.set()

    async def _start(self) -> StackState:
        """Start everything but the worker, in the order in which it is needed."""
        from aima.gateway.access.keys import first_key
        from aima.gateway.units.installed import units_of
        from aima.gateway.workflows.definitions import Definitions
        from aima.stack.door import Door

        settings = self.settings
        definitions = Definitions(units_of(settings))  # a broken unit is told before all else
        self._children.end_leftovers()
        listeners = self._doors()
        listener = listeners[0]
        engine = self._listen(0, "the embedded engine", "AIMA_EMBEDDED_URL")
        self._door = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        self._engine = EngineSocket(self._children, engine, self._keeper.log("engine"))
        if self.stays:
            await in_thread(first_key, settings.data, partial(store_of, settings))
        self._temporal, ui = await self._start_temporal()
        client = await self._client()
        if not settings.temporal.address:
            await set_retention(client, days=settings.temporal.retention_days)
        self._keeper.keep(self._engine.serve())
        if self.stays:
            await self._work()
        state = StackState(
            pid=os.getpid(),
            port=listener.getsockname()[1],
            token=secrets.token_urlsafe(32),
            temporal=self._temporal,
            ui=ui,
            project=str(settings.root or ""),
        )
        door = Door(
            settings=self._with_engine(),
            definitions=definitions,
            supervisor=self,
            state=state,
            client=client,
            worker_token=self._streams_token,
            access_log=self._keeper.log("access"),
        )
        for service in door.services(listeners):
            self._keeper.keep(service)
        return state

    def _with_engine(self) -> Settings:
        """Give the settings, with the address of this stack's own engine."""
        embedded = self.settings.embedded
        told = {"url": embedded.url or self._engine.url}
        return self.settings.model_copy(update={"embedded": embedded.model_copy(update=told)})

    async def _start_temporal(self) -> tuple[str, str]:
        """Start the embedded server, or name the one of the settings; give address and UI."""
        settings = self.settings.temporal
        if settings.address:
            return settings.address, ""
        port = self._free(settings.port, "Temporal", "AIMA_TEMPORAL_PORT")
        ui_port = self._free(settings.ui_port, "Temporal's page", "AIMA_TEMPORAL_UI_PORT")
        file = self.settings.data / "temporal.db"
        command = server_command(file, port=port, ui_port=ui_port)
        # Asked to end it takes a second. Whatever it acknowledged is in its file, so it is killed.
        await self._keeper.keep_process("temporal", command, self._environ, grace_seconds=0)
        return f"{LOOPBACK}:{port}", f"http://{LOOPBACK}:{ui_port}"

    async def _work(self) -> None:
        """Start the worker, unless it runs or somebody else's serves this Temporal server."""
        others = bool(self.settings.temporal.address) and not self.stays
        if others or self._works:
            return
        self._works = True
        told = {
            **self._environ,
            variable(("temporal", "address")): self._temporal,
            variable(("streams", "url")): self._door,
            variable(("streams", "token")): self._streams_token,
            SHARED: str(self._shared_counts()),
        }
        if not self.settings.embedded.url:
            told[variable(("embedded", "url"))] = self._engine.url
        command = [sys.executable, "-m", "aima", "worker"]
        grace = self.settings.worker.shutdown_seconds
        await self._keeper.keep_process("worker", command, told, grace_seconds=grace)

    def _shared_counts(self) -> Path:
        """Make an empty folder for the counts of the workers of this stack."""
        folder = shared_folder(self.settings.data)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return folder

    @property
    def _environ(self) -> dict[str, str]:
        return {variable(("data",)): str(self.settings.data)}

    async def _client(self) -> Client:
        settings = self.settings.temporal
        converter = converter_of(self.settings)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + READY_SECONDS
        while True:
            try:
                client = await connect(settings, self._temporal, converter)
            except TemporalUnreachable:
                if settings.address or loop.time() > deadline:
                    raise
                self._look_at_temporal()
                await asyncio.sleep(0.05)
            else:
                await wait_for_namespace(client, seconds=READY_SECONDS)
                return client

    def _look_at_temporal(self) -> None:
        """Give up at once on a server that ended before it answered, and say what it said.

        Raises:
            TemporalUnreachable: it did.
        """
        if self._keeper.processes["temporal"].returncode is None:
            return
        log = self._keeper.log("temporal")
        said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise TemporalUnreachable(
            f"the Temporal server ended at its start: {' '.join(said[-1:])}; {log} tells more"
        )

    def _doors(self) -> list[socket.socket]:
        """Listen for the door: on loopback, and where the settings say, the first for ourselves.

        Raises:
            InvalidRequest: it would be open to a network under no name that it answers to.
        """
        wanted, what, setting = self.settings.door, "AIMA's door", "AIMA_PORT"
        address = wanted.address if self.stays else ""
        if address in ("", LOOPBACK):
            return [self._listen(self.settings.port, what, setting)]
        if not wanted.hosts:
            raise InvalidRequest(
                f"the door is to listen at {address!r}, but under no name; set `door.hosts` to the "
                "names or addresses that clients will use"
            )
        port = self.settings.port
        if ip_address(address).is_unspecified:  # loopback is among all addresses
            return [listen(port, what=what, setting=setting, address=address)]
        first = self._listen(port, what, setting)
        port = first.getsockname()[1]
        try:
            return [first, listen(port, what=what, setting=setting, address=address)]
        except AimaError:
            first.close()
            raise

    def _listen(self, port: int, what: str, setting: str) -> socket.socket:
        return listen(port if self.stays else 0, what=what, setting=setting)

    def _free(self, port: int, what: str, setting: str) -> int:
        return free_port(port if self.stays else 0, what=what, setting=setting)


def own_stack(settings: Settings, *, stays: bool, ready: Callable[[StackState], None]) -> None:
    """Run a stack in this process until it is told to stop."""
    os.umask(0o077)  # what is kept is for its owner alone, also in a folder made by others
    with (
        suppress(asyncio.CancelledError),
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop,
    ):
        loop.run(Supervisor(settings, stays=stays, ready=ready).run())
