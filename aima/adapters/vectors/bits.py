"""One bit for each number of a vector, and the first, coarse search among them.

The bits of up to 1 024 passages lie together in a block, so that a search reads few long rows
instead of many short ones, and compares a block in one go. A block belongs to a stretch of row
numbers of one collection; which of them are there is in the block.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from apsw import Connection

_SHIFT = 10
_AT_ONCE = 32
"""Blocks that are compared at once: for 384 numbers 1.5 MB, which the processor's cache holds."""
_FAR = np.iinfo(np.uint16).max

TABLE = """
CREATE TABLE blocks (
    id INTEGER PRIMARY KEY, collection INTEGER NOT NULL, block INTEGER NOT NULL,
    count INTEGER NOT NULL, places BLOB NOT NULL, bits BLOB NOT NULL, documents BLOB NOT NULL,
    UNIQUE (collection, block)
);
"""

Numbers: TypeAlias = npt.NDArray[np.int64]
Distances: TypeAlias = npt.NDArray[np.uint16]
_Block: TypeAlias = tuple[int, bytes, bytes, bytes]
"""Its number; and of each passage the place in it, the bits and the document."""


@dataclass(frozen=True)
class Coded:
    """A passage in the coarse search."""

    row: int
    document: int
    bits: bytes

    @classmethod
    def of_1(cls, row: int, document: int, code: bytes) -> Coded:
        """Make it of what version 1 of the file kept, which were whole bytes."""
        return cls(row, document, code.ljust(len(code) + -len(code) % 8, b"\0"))


def bits_of(vector: npt.NDArray[np.float32]) -> bytes:
    """Tell of each number whether it is positive, in whole words of 64 bits."""
    return np.packbits(np.pad(vector > 0, (0, -len(vector) % 64))).tobytes()


def add(db: Connection, collection: int, passages: Iterable[Coded]) -> None:
    """Put passages into their blocks."""
    ordered = sorted(passages, key=lambda passage: passage.row)
    for block, group in groupby(ordered, lambda passage: passage.row >> _SHIFT):
        new = list(group)
        _, places, bits, documents = _read(db, collection, block)
        _write(
            db,
            collection,
            (
                block,
                places + _places([one.row for one in new]),
                bits + b"".join(one.bits for one in new),
                documents + np.array([one.document for one in new], np.int64).tobytes(),
            ),
        )


def remove(db: Connection, collection: int, rows: Sequence[int]) -> None:
    """Take passages out of their blocks."""
    for block, group in groupby(sorted(rows), lambda row: row >> _SHIFT):
        _, places, bits, documents = _read(db, collection, block)
        there = np.frombuffer(places, np.uint16)
        stay = ~np.isin(there, np.frombuffer(_places(list(group)), np.uint16))
        columns = (_table(column, len(there))[stay].tobytes() for column in (bits, documents))
        _write(db, collection, (block, there[stay].tobytes(), *columns))  # type: ignore[arg-type] # two


def count(db: Connection, collection: int) -> int:
    """Count the passages."""
    statement = "SELECT total(count) FROM blocks WHERE collection = ?"
    return int(db.execute(statement, (collection,)).get or 0)


def rows_of(db: Connection, collection: int) -> list[int]:
    """Give all passages."""
    statement = "SELECT block, places FROM blocks WHERE collection = ?"
    found = db.execute(statement, (collection,))
    return [row for block, places in found for row in _rows(block, places).tolist()]


def nearest(
    db: Connection, collection: int, bits: bytes, most: int, documents: Numbers | None = None
) -> list[int]:
    """Give the passages whose bits differ least from these, of some documents or of all."""
    wanted = np.frombuffer(bits, np.uint64)
    blocks: list[tuple[int, bytes]] = []
    distances = []
    lets = None if documents is None else _Among(documents)
    for some in _read_all(db, collection, with_documents=lets is not None):
        distance = _distance(b"".join(bits for _, _, bits, _ in some), wanted)
        if lets is not None:
            distance[~lets.through(b"".join(documents for _, _, _, documents in some))] = _FAR
        distances.append(distance)
        blocks += [(block, places) for block, places, _, _ in some]
    if not blocks:
        return []
    return _rows_at(blocks, _least(np.concatenate(distances), most))


class _Among:
    """Tells which passages are of some documents."""

    def __init__(self, documents: Numbers) -> None:
        self._is = np.zeros(int(documents.max(initial=0)) + 2, np.bool_)
        self._is[documents] = True

    def through(self, documents: bytes) -> npt.NDArray[np.bool_]:
        asked = np.frombuffer(documents, np.int64)
        return self._is[np.minimum(asked, len(self._is) - 1)]


def _distance(bits: bytes, wanted: npt.NDArray[np.uint64]) -> Distances:
    """Count the bits that differ."""
    words = np.bitwise_count(np.frombuffer(bits, np.uint64).reshape(-1, len(wanted)) ^ wanted)
    distance: Distances = words[:, 0].astype(np.uint16)
    for column in range(1, len(wanted)):  # many times faster than a sum over rows of few
        distance += words[:, column]
    return distance


def _least(distances: Distances, most: int) -> npt.NDArray[np.intp]:
    """Give where the least are; of those that are as far as the last of them, the first."""
    if len(distances) > most:
        border = np.partition(distances, most - 1)[most - 1]
        nearer = np.flatnonzero(distances < border)
        level = np.flatnonzero(distances == border)[: most - len(nearer)]
        chosen = np.concatenate([nearer, level])
    else:
        chosen = np.arange(len(distances))
    there: npt.NDArray[np.intp] = chosen[distances[chosen] < _FAR]
    return there


def _rows_at(blocks: Sequence[tuple[int, bytes]], chosen: npt.NDArray[np.intp]) -> list[int]:
    """Give the rows at positions, counted through all blocks."""
    starts = np.cumsum([0, *(len(places) // 2 for _, places in blocks)])
    found = []
    for position in chosen.tolist():
        index = int(np.searchsorted(starts, position, "right")) - 1
        block, places = blocks[index]
        found.append(int(_rows(block, places)[position - starts[index]]))
    return found


def _rows(block: int, places: bytes) -> Numbers:
    return np.frombuffer(places, np.uint16).astype(np.int64) + (block << _SHIFT)


def _places(rows: Sequence[int]) -> bytes:
    return (np.array(rows, np.int64) & ((1 << _SHIFT) - 1)).astype(np.uint16).tobytes()


def _table(column: bytes, count: int) -> npt.NDArray[np.uint8]:
    """Give the bytes of each passage as a row."""
    return np.frombuffer(column, np.uint8).reshape(count, len(column) // max(1, count))


def _read(db: Connection, collection: int, block: int) -> _Block:
    statement = "SELECT places, bits, documents FROM blocks WHERE collection = ? AND block = ?"
    found = db.execute(statement, (collection, block)).fetchone()
    return (block, *found) if found else (block, b"", b"", b"")


def _read_all(db: Connection, collection: int, *, with_documents: bool) -> Iterator[list[_Block]]:
    documents = "documents" if with_documents else "NULL"  # a column that is not read costs nothing
    statement = f"SELECT block, places, bits, {documents} FROM blocks WHERE collection = ?"
    found = db.execute(statement, (collection,))
    while some := list(islice(found, _AT_ONCE)):
        yield some


def _write(db: Connection, collection: int, block: _Block) -> None:
    number, places, bits, documents = block
    if places:
        db.execute(
            "INSERT INTO blocks (collection, block, count, places, bits, documents) "
            "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (collection, block) DO UPDATE SET "
            "count = excluded.count, places = excluded.places, bits = excluded.bits, "
            "documents = excluded.documents",
            (collection, number, len(places) // 2, places, bits, documents),
        )
    else:
        statement = "DELETE FROM blocks WHERE collection = ? AND block = ?"
        db.execute(statement, (collection, number))
