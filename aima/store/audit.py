"""The audit log: who commanded what, in a chain in which each row vouches for the one before.

The hash of a row covers all it says and the hash of the row before. So a row that is changed,
taken out, put in or moved breaks the chain from there on; to hide that, everything after it
would have to be written anew. What even that cannot hide is compared with witnesses elsewhere:
the number the database remembers to have given last, and hashes that were told to others.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

GENESIS = "0" * 64
"""What stands before the first row."""
WITNESS_CHARACTERS = 16
"""Of a hash, told to others: enough that nobody finds another row with them."""
_AT_ONCE = 1000
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
_MOST_FAULTS = 20


@dataclass(frozen=True)
class Command:
    """One command, as it came to the door and as the door answered.

    Attributes:
        time: when it was answered, in UTC (ISO 8601).
        request: the id of the request.
        key: the id of the key it came with; empty for the stack's own and for the public.
        caller: the name of that key.
        action: method and address, with names for its parameters: `POST /api/v2/runs/{id}/cancel`.
        target: the address as it was.
        subject: the unit or workflow, where there is one.
        run: the run that it started.
        input: SHA-256 of the body, in hexadecimal digits; the body itself is kept nowhere.
        status: of the answer, as HTTP has it.
    """

    time: str
    request: str
    key: str
    caller: str
    action: str
    target: str
    subject: str
    run: str
    input: str
    status: int


@dataclass(frozen=True)
class AuditRow:
    """A command in its place of the chain."""

    seq: int
    command: Command
    previous: str
    hash: str

    @property
    def witness(self) -> str:
        """What is told to others of it: `SEQ:HASH`."""
        return f"{self.seq}:{self.hash[:WITNESS_CHARACTERS]}"

    @property
    def is_whole(self) -> bool:
        """Tell whether it is what its hash says."""
        return self.hash == digest(self.seq, self.command, self.previous)


@dataclass(frozen=True)
class Verdict:
    """What a look at the whole log has found.

    Attributes:
        rows: how many there are.
        head: the witness of the last one; empty for none.
        faults: what is wrong, the first twenty of it; empty: nothing is.
    """

    rows: int
    head: str
    faults: tuple[str, ...]


def digest(seq: int, command: Command, previous: str) -> str:
    """Give the hash of a row, over its canonical JSON."""
    told = {"seq": seq, "previous": previous, **vars(command)}
    return hashlib.sha256(_CANONICAL.encode(told).encode()).hexdigest()


@dataclass(frozen=True)
class AuditLog:
    """The rows. Its methods block.

    Attributes:
        begin: gives a connection in a transaction of the store.
    """

    begin: Callable[[], AbstractContextManager[Connection]]

    def append(self, commands: Sequence[Command]) -> list[AuditRow]:
        """Add commands at the end, all or none; they are on disk when this returns."""
        rows: list[AuditRow] = []
        with self.begin() as connection:
            # By hand: the library would take longer to write these than the database.
            given, last, previous = connection.exec_driver_sql(_END, (GENESIS,)).one()
            seq = max(given, last)  # a row that was taken away leaves its gap
            for number, command in enumerate(commands, seq + 1):
                row = AuditRow(number, command, previous, digest(number, command, previous))
                rows.append(row)
                previous = row.hash
            connection.exec_driver_sql(_INSERT, [_values(row) for row in rows])
        return rows

    def latest(self, limit: int, before: int | None = None) -> list[AuditRow]:
        """Give the last rows, the newest first; ``before``: only those with a smaller number."""
        from sqlalchemy import select

        from aima.store.tables import audit

        wanted = select(audit).order_by(audit.c.seq.desc()).limit(limit)
        if before is not None:
            wanted = wanted.where(audit.c.seq < before)
        with self.begin() as connection:
            return [_row(row) for row in connection.execute(wanted)]

    def verify(self, witnesses: Mapping[int, str]) -> Verdict:
        """Look at every row, and at what others were told of some.

        Args:
            witnesses: the beginning of the hash of a row, by its number.
        """
        faults: list[str] = []
        count, last = 0, AuditRow(0, _NOTHING, "", GENESIS)
        for row in self._all():
            faults += _amiss(row, last, witnesses)
            count, last = count + 1, row
        with self.begin() as connection:
            given = _given(connection)
        end = max([given, *witnesses])
        if last.seq < end:
            faults.append(f"the rows after {last.seq} are missing, up to {end} at least")
        return Verdict(count, last.witness if count else "", tuple(faults[:_MOST_FAULTS]))

    def _all(self) -> Iterator[AuditRow]:
        """Walk the rows by their number; a writer waits for no more than a thousand."""
        from sqlalchemy import select

        from aima.store.tables import audit

        seen = -(1 << 62)
        while True:
            wanted = select(audit).where(audit.c.seq > seen).order_by(audit.c.seq).limit(_AT_ONCE)
            with self.begin() as connection:
                rows = [_row(row) for row in connection.execute(wanted)]
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            seen = rows[-1].seq


def _values(row: AuditRow) -> tuple[str | int, ...]:
    told = [getattr(row.command, name) for name in _NAMES]
    return (row.seq, *told, row.previous, row.hash)


_NOTHING = Command("", "", "", "", "", "", "", "", "", 0)
_NAMES = tuple(field.name for field in fields(Command))
_INSERT = (
    f"INSERT INTO audit (seq, {', '.join(_NAMES)}, previous, hash) "  # noqa: S608 - names of above
    f"VALUES ({', '.join('?' * (len(_NAMES) + 3))})"
)
_END = """
    SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0),
           coalesce((SELECT max(seq) FROM audit), 0),
           coalesce((SELECT hash FROM audit ORDER BY seq DESC LIMIT 1), ?)
"""


def _amiss(row: AuditRow, last: AuditRow, witnesses: Mapping[int, str]) -> Iterator[str]:
    """Tell what is wrong with a row, and with its place after another one."""
    if row.seq != last.seq + 1:
        yield f"between {last.seq} and {row.seq} rows are missing"
    if not row.is_whole:
        yield f"row {row.seq} was changed"
    if row.previous != last.hash:
        yield f"row {row.seq} does not follow on row {last.seq}"
    if row.seq in witnesses and not row.hash.startswith(witnesses[row.seq]):
        yield f"row {row.seq} is not the one that was told of when it was written"


def _given(connection: Connection) -> int:
    """Tell the highest number that SQLite has ever given."""
    from sqlalchemy import text

    wanted = text("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")
    return int(connection.scalar(wanted) or 0)


def _row(row: Row[tuple[object, ...]]) -> AuditRow:
    told = row._asdict()
    seq, previous, found = told.pop("seq"), told.pop("previous"), told.pop("hash")
    return AuditRow(seq, Command(**told), previous, found)
