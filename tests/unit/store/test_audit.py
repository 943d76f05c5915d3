"""The audit log: a chain in which nothing can be changed, taken out or moved unseen."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from aima.store import open_store
from aima.store.audit import GENESIS, Command, digest
from aima.store.database import Store

COMMAND = Command(
    time="2026-11-29T12:00:00.000+00:00",
    request="r",
    key="0123456789ab",
    caller="ci",
    action="POST /api/v2/runs",
    target="/api/v2/runs",
    subject="rag",
    run="rag-1",
    input="e3b0c44298fc1c14",
    status=201,
)
ROWS = 1200


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of more rows than are looked at in one go."""
    file = tmp_path_factory.mktemp("audit") / "aima.db"
    with open_store(file) as store:
        store.audit.append([replace(COMMAND, request=f"r-{n}") for n in range(ROWS)])
    return file


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    with open_store(tmp_path / "aima.db") as store:
        yield store


def test_each_row_vouches_for_the_one_before(store: Store) -> None:
    """Whether commands were written together or one by one."""
    first, second = store.audit.append([COMMAND, replace(COMMAND, status=409)])
    [third] = store.audit.append([COMMAND])
    assert (first.seq, first.previous) == (1, GENESIS)
    assert [second.previous, third.previous] == [first.hash, second.hash]
    assert third.hash == digest(3, COMMAND, second.hash)
    assert [row.seq for row in store.audit.latest(2)] == [3, 2]
    assert [row.seq for row in store.audit.latest(9, before=3)] == [2, 1]
    verdict = store.audit.verify({3: third.hash[:16]})
    assert (verdict.rows, verdict.head, verdict.faults) == (3, third.witness, ())


def test_an_empty_log_is_in_order(store: Store) -> None:
    """There is nothing to be wrong."""
    assert store.audit.verify({}).faults == ()
    assert store.audit.verify({4: "ab"}).faults == (
        "the rows after 0 are missing, up to 4 at least",
    )


@pytest.mark.parametrize("change", ["UPDATE audit SET caller = 'x'", "DELETE FROM audit"])
def test_the_database_lets_it_only_grow(store: Store, change: str) -> None:
    """A mistake in AIMA, or in somebody's query, changes nothing of it."""
    store.audit.append([COMMAND])
    with (
        closing(sqlite3.connect(store.file)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="only grows"),
    ):
        connection.execute(change)


def cut_off(connection: sqlite3.Connection) -> None:
    """Take the end away, and what the database remembers of it."""
    connection.execute("DELETE FROM audit WHERE seq > 1000")
    connection.execute("UPDATE sqlite_sequence SET seq = 1000 WHERE name = 'audit'")


def rewrite(connection: sqlite3.Connection) -> None:
    """Change a row and write everything after it anew, as one would who knows how."""
    previous = ""
    names = [*Command.__dataclass_fields__]
    wanted = f"SELECT seq, previous, {', '.join(names)} FROM audit WHERE seq >= 700 ORDER BY seq"  # noqa: S608 - names of this program
    for seq, before, *values in connection.execute(wanted).fetchall():
        command = Command(**dict(zip(names, values, strict=True)))
        command = replace(command, caller="nobody") if seq == 700 else command
        previous = previous or before
        found = digest(seq, command, previous)
        connection.execute(
            "UPDATE audit SET caller = ?, previous = ?, hash = ? WHERE seq = ?",
            (command.caller, previous, found, seq),
        )
        previous = found


def swap(connection: sqlite3.Connection) -> None:
    """Let two rows change places."""
    for old, new in (7, -7), (8, 7), (-7, 8):
        connection.execute("UPDATE audit SET seq = ? WHERE seq = ?", (new, old))


def insert(connection: sqlite3.Connection) -> None:
    """Put a copy of a row before the first one."""
    names = ", ".join(Command.__dataclass_fields__)
    connection.execute(
        f"INSERT INTO audit SELECT 0, {names}, previous, hash FROM audit WHERE seq = 5"  # noqa: S608 - names of this program
    )


Tamper = Callable[[sqlite3.Connection], object]


@pytest.mark.parametrize("column", [*Command.__dataclass_fields__, "previous", "hash"])
def test_a_changed_row_is_found(filled: Path, tmp_path: Path, column: str) -> None:
    """Whatever of it was changed."""
    faults = after(
        filled,
        tmp_path,
        lambda c: c.execute(f"UPDATE audit SET {column} = {column} || '1' WHERE seq = 600"),  # noqa: S608 - names of this program
    )
    assert "row 600 was changed" in faults


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (lambda c: c.execute("DELETE FROM audit WHERE seq = 600"),
         "between 599 and 601 rows are missing"),
        (lambda c: c.execute("DELETE FROM audit WHERE seq = 1"),
         "between 0 and 2 rows are missing"),
        (lambda c: c.execute("DELETE FROM audit"), "the rows after 0 are missing, up to 1200"),
        (lambda c: c.execute("DELETE FROM audit WHERE seq = 1200"),
         "the rows after 1199 are missing, up to 1200"),
        (swap, "row 7 was changed"),
        (insert, "between 0 and 0 rows are missing"),
    ],
)  # fmt: skip
def test_a_row_that_is_missing_or_moved_is_found(
    filled: Path, tmp_path: Path, tamper: Tamper, fault: str
) -> None:
    """In the middle, at the beginning and at the end."""
    assert any(found.startswith(fault) for found in after(filled, tmp_path, tamper))


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (cut_off, "the rows after 1000 are missing, up to 1200 at least"),
        (rewrite, "row 1200 is not the one that was told of when it was written"),
    ],
)
def test_what_the_chain_cannot_show_its_witnesses_do(
    filled: Path, tmp_path: Path, tamper: Tamper, fault: str
) -> None:
    """One row told to somebody vouches for all rows up to it."""
    with open_store(filled) as store:
        [last] = store.audit.latest(1)
    assert after(filled, tmp_path, tamper) == ()
    assert fault in after(filled, tmp_path, tamper, {last.seq: last.hash[:16]})


def after(
    filled: Path, folder: Path, tamper: Tamper, witnesses: dict[int, str] | None = None
) -> tuple[str, ...]:
    """Verify a copy of the log that somebody with the file in his hands has changed."""
    file = folder / "aima.db"
    with closing(sqlite3.connect(filled)) as source, closing(sqlite3.connect(file)) as copy:
        source.backup(copy)
        copy.executescript("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete")
        tamper(copy)
        copy.commit()
    with open_store(file) as store:
        return store.audit.verify(witnesses or {}).faults
