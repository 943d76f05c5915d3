"""Recording commands: who asked for what, and what became of it, before the answer is sent.

A command is a request that may change something. What only looks, asks a unit that changes
nothing, or uses a model is told in the access log alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, Self

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aima.blocking import in_thread
from aima.errors import AimaError
from aima.gateway.access.commanded import COMMANDED, Commanded
from aima.gateway.access.permission import Caller, Role
from aima.gateway.problem import tell
from aima.gateway.route import CALLER
from aima.store.audit import AuditRow, Command

if TYPE_CHECKING:
    from types import TracebackType

    from aima.store.database import Store

WITNESS = "aima.witness"
"""Where it has what the access log tells of the row."""
_MOST_CHARACTERS = 300
_BROKEN_OFF = 499
_NOBODY = Caller("", Role.DEVICE)


class Journal(Protocol):
    """Keeps commands."""

    async def write(self, command: Command) -> AuditRow:
        """Keep a command; it is on disk when this returns."""
        ...


@dataclass
class StoredJournal:
    """Keeps commands in the store; those that come while it writes are written together.

    Attributes:
        store: gives the store.
    """

    store: Callable[[], AbstractContextManager[Store]]
    _coming: tuple[list[Command], asyncio.Task[list[AuditRow]]] | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def write(self, command: Command) -> AuditRow:
        """Keep a command.

        Raises:
            AimaError: the store cannot be written.
        """
        if self._coming is None:
            commands: list[Command] = []
            self._coming = commands, asyncio.create_task(self._write_all(commands))
        commands, writing = self._coming
        commands.append(command)
        place = len(commands) - 1
        return (await asyncio.shield(writing))[place]

    async def _write_all(self, commands: list[Command]) -> list[AuditRow]:
        async with self._turn:
            self._coming = None  # the next one begins a new batch
            return await in_thread(self._append, commands)

    def _append(self, commands: list[Command]) -> list[AuditRow]:
        with self.store() as store:
            return store.audit.append(commands)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait until the last command is written."""
        async with self._turn:
            pass


class Audited:
    """Has each command written down before its answer is sent."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        """Write the commands of ``app`` into a journal."""
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; where it cannot be written down that is the answer."""
        written = refused = False

        async def audited(message: Message) -> None:
            nonlocal written, refused
            if not written:
                written = True
                try:
                    await self._write(scope, message["status"])
                except AimaError as error:
                    refused = True
                    await tell(Request(scope), error)(scope, receive, send)
            if not refused:
                await send(message)

        try:
            await self._app(scope, receive, audited)
        finally:
            if not written:
                await self._write(scope, _BROKEN_OFF)

    async def _write(self, scope: Scope, status: int) -> None:
        commanded = scope.get(COMMANDED)
        if not isinstance(commanded, Commanded):
            return
        caller = scope.get(CALLER) or _NOBODY
        row = await self._journal.write(
            Command(
                time=datetime.now(UTC).isoformat(timespec="milliseconds"),
                request=scope["aima.request_id"],
                key=caller.id,
                caller=caller.name,
                action=commanded.action,
                target=scope["path"][:_MOST_CHARACTERS],
                subject=commanded.subject[:_MOST_CHARACTERS],
                run=commanded.run[:_MOST_CHARACTERS],
                input=commanded.body.hexdigest(),
                status=status,
            )
        )
        scope[WITNESS] = row.witness
