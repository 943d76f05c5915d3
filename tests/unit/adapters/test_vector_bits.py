"""The coarse search among bits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import pytest

from aima.adapters.vectors import bits
from aima.adapters.vectors.bits import Coded
from aima.adapters.vectors.sqlite import SqliteVectors
from aima.ports.vectors import Entry, Passage, Search

OF_VERSION_1 = """
CREATE TABLE codes (
    collection INTEGER NOT NULL, row INTEGER NOT NULL, document INTEGER NOT NULL,
    code BLOB NOT NULL, PRIMARY KEY (collection, row)
) WITHOUT ROWID;
CREATE INDEX codes_of_document ON codes (document);
DROP TABLE blocks;
PRAGMA user_version = 1;
"""
BLOCKS = "SELECT collection, block, count, places, bits, documents FROM blocks ORDER BY 1, 2"


@pytest.fixture
def db() -> Iterator[apsw.Connection]:
    """Give a database with blocks alone."""
    connection = apsw.Connection(":memory:")
    connection.execute(bits.TABLE)
    yield connection
    connection.close()


def differing(one: bytes, other: bytes) -> int:
    """Count the bits that differ, the slow way."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_of_what_was_added_and_not_removed_are_found(
    db: apsw.Connection, seed: int
) -> None:
    """Whatever the order of adding and removing, over many blocks and two collections."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    there: dict[int, Coded] = {}
    for _ in range(12):
        rows = [row for row in chance.sample(range(5000), 400) if row not in there]
        new = [Coded(row, row // 7, chance.randbytes(16)) for row in rows]
        bits.add(db, 1, new)
        bits.add(db, 2, new[:3])
        bits.remove(db, 2, [one.row for one in new[:3]])
        there |= {one.row: one for one in new}
        gone = chance.sample(sorted(there), min(len(there), chance.randrange(300)))
        bits.remove(db, 1, gone)
        for row in gone:
            del there[row]
    assert sorted(bits.rows_of(db, 1)) == sorted(there)
    assert (bits.count(db, 1), bits.count(db, 2)) == (len(there), 0)
    wanted = chance.randbytes(16)
    some = np.array(sorted({chance.randrange(800) for _ in range(200)}))
    for documents in (None, some):
        allowed = [c for c in there.values() if documents is None or c.document in some.tolist()]
        true = sorted(differing(one.bits, wanted) for one in allowed)[:50]
        found = bits.nearest(db, 1, wanted, 50, documents)
        assert sorted(differing(there[row].bits, wanted) for row in found) == true
        assert len(set(found)) == len(found)
        assert documents is None or {there[row].document for row in found} <= set(some.tolist())


def test_nothing_is_nearest_where_nothing_is(db: apsw.Connection) -> None:
    """No passage, or none of these documents."""
    assert bits.nearest(db, 1, bytes(8), 5) == []
    bits.add(db, 1, [Coded(3, 1, bytes(8))])
    assert bits.nearest(db, 1, bytes(8), 5, np.array([], np.int64)) == []
    assert bits.nearest(db, 1, bytes(8), 5, np.array([0, 2])) == []
    assert bits.nearest(db, 1, bytes(8), 5) == [3]


async def test_a_file_of_version_1_is_moved_to_blocks(tmp_path: Path) -> None:
    """What was indexed before is found after an upgrade, without indexing anew."""
    store = SqliteVectors(tmp_path / "vectors.db")
    vectors = np.random.default_rng(1).standard_normal((1300, 12)).astype(np.float32)
    for name, part in (("a", vectors[:1100]), ("b", vectors[1100:])):
        passages = [Passage(str(n), n, vector.tolist()) for n, vector in enumerate(part)]
        await store.keep(name, "m", [Entry("all", "x", {}, passages)])
    connection = apsw.Connection(str(store.file))
    blocks = connection.execute(BLOCKS).fetchall()
    kept = connection.execute(
        "SELECT row, collection, document, vector FROM vectors JOIN passages USING (row) "
        "JOIN documents ON documents.id = document"
    ).fetchall()
    connection.execute(OF_VERSION_1)
    for row, collection, document, vector in kept:
        code = np.packbits(np.frombuffer(vector, np.float32) > 0).tobytes()  # type: ignore[arg-type] # bytes
        connection.execute(
            "INSERT INTO codes VALUES (?, ?, ?, ?)", (collection, row, document, code)
        )
    [best] = await store.search(Search("b", vectors[1200].tolist(), None, 1))
    assert best.text == "100"
    assert connection.execute(BLOCKS).fetchall() == blocks
    assert connection.execute("PRAGMA user_version").get == 2
    connection.close()
