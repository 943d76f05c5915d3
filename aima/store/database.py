"""The database behind the store: SQLite, prepared for several processes and for power cuts."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from aima.disk import told
from aima.errors import (
    AimaError,
    Conflict,
    Forbidden,
    InsufficientResources,
    InvalidRequest,
    TimedOut,
)
from aima.store.applied import Applied
from aima.store.audit import AuditLog
from aima.store.cache import Cache
from aima.store.effects import Effects
from aima.store.events import Outbox
from aima.store.facts import Facts
from aima.store.keys import KeyTable
from aima.store.responses import KeptResponses
from aima.store.schema import upgrade

_BUSY_SECONDS = 10.0
_READS = "aima_reads"
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not wait for each other
    # Every commit reaches the disk. NORMAL would lose the last ones in a power cut, and with them
    # the proof that an effect has happened: it would happen again.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


@dataclass(frozen=True)
class Store:
    """An open store; close it, or use it as a context."""

    engine: Engine
    file: Path

    @cached_property
    def effects(self) -> Effects:
        """The record of effects."""
        return Effects(self.transaction)

    @cached_property
    def events(self) -> Outbox:
        """The events and the waits for them."""
        return Outbox(self.transaction)

    @cached_property
    def facts(self) -> Facts:
        """What is true outside, as far as it was told."""
        return Facts(self.transaction)

    @cached_property
    def cache(self) -> Cache:
        """The outputs kept for later runs."""
        return Cache(self.transaction)

    @cached_property
    def applied(self) -> Applied:
        """The workflows whose triggers are active."""
        return Applied(self.transaction)

    @cached_property
    def keys(self) -> KeyTable:
        """The keys of the door."""
        return KeyTable(self.transaction)

    @cached_property
    def responses(self) -> KeptResponses:
        """The answers that a later request may go on from."""
        return KeptResponses(self.transaction)

    @cached_property
    def audit(self) -> AuditLog:
        """Who commanded what."""
        return AuditLog(self.transaction)

    @contextmanager
    def transaction(self, *, reads: bool = False) -> Iterator[Connection]:
        """Give a connection in a transaction: all of the block happens, or nothing of it.

        Writers of all processes take turns from the block's start, so keep it short.

        Args:
            reads: it only reads: it sees the store as it is now, and waits for no writer.

        Raises:
            TimedOut: another process has not let go for ten seconds.
            InsufficientResources: the disk is full.
            Forbidden: the file may not be written.
        """
        with (
            _told(self.file),
            self.engine.connect() as connection,
            connection.execution_options(**{_READS: reads}).begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_database(where: Path | str) -> Store:
    """Open the store; see :func:`aima.store.open_store`."""
    file = where if isinstance(where, Path) else _file_of(where)
    with _told(file), _one_at_a_time(file):
        store = Store(_engine(file), file)
        try:
            upgrade(store.engine, file)
        except BaseException:
            store.close()
            raise
    return store


def _file_of(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return Path(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        shown = parsed.render_as_string(hide_password=True)
        raise InvalidRequest(f"the store cannot be {shown!r}; give a file or sqlite:////path")
    return Path(parsed.database)


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    """Let one process at a time make or upgrade the store; a killed one lets go by itself.

    The lock is a file of its own: to open and close the database here would drop the locks that
    SQLite holds on it for other connections of this process.
    """
    with told(file):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(f"{file}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with told(file):
            if not file.exists():
                os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
        yield
    finally:
        os.close(lock)


def _engine(file: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(file)), connect_args={"timeout": _BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # Python's own BEGIN comes late and takes no lock
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins by reading and then writes may fail at once, without waiting,
        # when another one wrote in between.
        reads = connection.get_execution_options().get(_READS, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


_HELD = (TimedOut, "is held by another process; try again, or stop that one")
_REFUSED = (Forbidden, "may not be read or written; change its mode or its folder's")
_DAMAGED = (Conflict, "is damaged or no database; restore it from a backup")
_MEANINGS: dict[int, tuple[type[AimaError], str]] = {
    sqlite3.SQLITE_FULL: (InsufficientResources, "has no space left on its disk; free some"),
    sqlite3.SQLITE_IOERR: (InsufficientResources, "lies on a disk that is full or failing"),
    sqlite3.SQLITE_BUSY: _HELD,
    sqlite3.SQLITE_LOCKED: _HELD,
    sqlite3.SQLITE_READONLY: _REFUSED,
    sqlite3.SQLITE_CANTOPEN: _REFUSED,
    sqlite3.SQLITE_PERM: _REFUSED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """Say what the database refused, about which file, and the way out."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        origin = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(origin, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind
        if code not in _MEANINGS:
            raise
        kind, what = _MEANINGS[code]
        raise kind(f"the store {str(file)!r} {what}") from error
