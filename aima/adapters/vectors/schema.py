"""The file of vectors: its tables, and a connection to it.

Ordinary tables hold everything; sqlite-vec gives the distances. So a kill at any moment leaves
what SQLite promises: every transaction whole or not at all. Each vector is kept twice, whole and
as one bit for each number (:mod:`.bits`): the bits are searched, 48 bytes a passage for 384
numbers, and the best few are compared again by their whole vectors. docs/decisions tells how that
was chosen.

The library is APSW, which brings its own SQLite: Python's is often built without extensions. Two
SQLites in one process must not open the same file, so nothing else opens this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

from aima.adapters.vectors import bits
from aima.adapters.vectors.keywords import TOKENIZER
from aima.errors import Conflict, ExecutionFailed, Forbidden, InsufficientResources, TimedOut
from aima.ports.vectors import StoreDamaged

if TYPE_CHECKING:
    from apsw import Connection

VERSION = 2
BUSY_SECONDS = 30
_MOVED_AT_ONCE = 1 << 14

_BEFORE_TABLES = (
    "PRAGMA page_size = 8192",  # five vectors of 384 numbers to a page, instead of two to 4096
    "PRAGMA auto_vacuum = INCREMENTAL",
)
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers and the one writer do not wait for each other
    "PRAGMA synchronous = FULL",  # what a step's result says is kept survives a power cut
)
_TABLES = f"""
CREATE TABLE collections (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, model TEXT, dimension INTEGER NOT NULL
);
CREATE TABLE documents (
    id INTEGER PRIMARY KEY, collection INTEGER NOT NULL, name TEXT NOT NULL,
    digest TEXT NOT NULL, metadata TEXT NOT NULL, UNIQUE (collection, name)
);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, document INTEGER NOT NULL, start INTEGER NOT NULL, text TEXT NOT NULL
);
CREATE INDEX passages_of_document ON passages (document);
CREATE TABLE vectors (row INTEGER PRIMARY KEY, vector BLOB NOT NULL);
{bits.TABLE}
CREATE TABLE facts (
    collection INTEGER NOT NULL, key TEXT NOT NULL, value NOT NULL, document INTEGER NOT NULL,
    PRIMARY KEY (collection, key, value, document)
) WITHOUT ROWID;
CREATE INDEX facts_of_document ON facts (document);
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', contentless_delete = 1, detail = none, tokenize = "{TOKENIZER}"
);
PRAGMA user_version = {VERSION};
"""


@contextmanager
def opened(file: Path, *, create: bool) -> Iterator[Connection | None]:
    """Connect to the file, with the distances of sqlite-vec; None: there is no file."""
    with told(file):
        if not create and not file.exists():
            yield None
            return
        connection = _connection(file)
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Do all of the block or nothing of it; writers of all processes take turns from its start."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def told(file: Path) -> Iterator[None]:
    """Say what SQLite refused, about which file, and the way out."""
    import apsw

    try:
        yield
    except apsw.BusyError as error:
        raise TimedOut(f"{str(file)!r} was in use for {BUSY_SECONDS} s; try again") from error
    except apsw.FullError as error:
        raise InsufficientResources(f"no space left for {str(file)!r}; free some") from error
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise StoreDamaged(
            f"{str(file)!r} is damaged; restore it from a backup, or move it away and index anew"
        ) from error
    except (apsw.ReadOnlyError, apsw.PermissionsError, apsw.CantOpenError) as error:
        raise Forbidden(f"{str(file)!r} cannot be opened: {error}; change its mode") from error
    except apsw.Error as error:
        raise ExecutionFailed(f"{str(file)!r}: {error}; check the disk") from error


def _connection(file: Path) -> Connection:
    import apsw
    import sqlite_vec

    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = apsw.Connection(str(file))
    try:
        connection.set_busy_timeout(BUSY_SECONDS * 1000)
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())
        connection.enable_load_extension(False)
        _prepare(connection, file)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: Connection, file: Path) -> None:
    """Make the tables where there are none; refuse those of a newer AIMA."""
    version = _version(connection)
    if version == 0:
        for pragma in _BEFORE_TABLES:
            connection.execute(pragma)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    if version == 0:
        file.chmod(0o600)
        with transaction(connection):
            if _version(connection) == 0:  # nobody else was first
                connection.execute(_TABLES)
    elif version == 1:
        with transaction(connection):
            if _version(connection) == 1:
                _from_1(connection)
    elif version > VERSION:
        raise Conflict(
            f"{str(file)!r} was written by a newer AIMA (version {version}, this one knows "
            f"{VERSION}); upgrade AIMA"
        )


def _from_1(connection: Connection) -> None:
    """Pack the bits of single passages, which version 1 kept in rows of their own, into blocks."""
    connection.execute(bits.TABLE)
    codes: Iterator[tuple[int, int, int, bytes]]
    codes = connection.execute(
        "SELECT collection, row, document, code FROM codes ORDER BY collection, row"
    )
    for collection, all_ in groupby(codes, lambda code: code[0]):
        while some := [bits.Coded.of_1(*code[1:]) for code in islice(all_, _MOVED_AT_ONCE)]:
            bits.add(connection, collection, some)
    connection.execute("DROP TABLE codes; PRAGMA user_version = 2")


def _version(connection: Connection) -> int:
    return int(connection.execute("PRAGMA user_version").get or 0)
