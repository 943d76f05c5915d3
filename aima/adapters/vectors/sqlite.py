"""Vectors, words and metadata in one SQLite file, shared by all workers of a data folder."""

from __future__ import annotations

import json
from collections.abc import Collection as Many
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from aima.adapters.vectors import bits
from aima.adapters.vectors.filters import Documents, documents_with, facts_of
from aima.adapters.vectors.keywords import indexed, query
from aima.adapters.vectors.schema import opened, transaction
from aima.blocking import in_thread
from aima.errors import NotFound, ValidationFailed
from aima.ports.vectors import Collection, Entry, Filter, Found, Search

if TYPE_CHECKING:
    from apsw import Connection, Cursor

EXACT_UP_TO = 10_000
"""Passages that are compared by their whole vectors, all of them."""
CANDIDATES = 400
CANDIDATES_EACH = 20
"""So many passages for each wanted one, and no fewer than so many, are compared a second time."""
FUSION = 60
"""The constant of reciprocal rank fusion. Source: Cormack, Clarke, Büttcher, SIGIR 2009."""
FUSED_DEPTH = 4
BATCH = 2000


@dataclass(frozen=True)
class _Known:
    """A collection as the file has it."""

    id: int
    name: str
    model: str | None
    dimension: int

    def check(self, dimension: int, model: str | None) -> None:
        if self.model and model and self.model != model:
            raise ValidationFailed(
                f"collection {self.name!r} holds vectors of model {self.model!r}, this one is of "
                f"{model!r}; they cannot be compared: use that model or another collection"
            )
        if dimension != self.dimension:
            raise ValidationFailed(
                f"collection {self.name!r} holds vectors of {self.dimension} numbers, this one "
                f"has {dimension}; use the model it was indexed with"
                f"{f', {self.model!r}' if self.model else ''}, or another collection"
            )


@dataclass(frozen=True)
class SqliteVectors:
    """The collections in one file; it is made when the first document is kept."""

    file: Path

    async def unchanged(self, collection: str, digests: Mapping[str, str]) -> set[str]:
        """Tell which documents are there as they are given."""
        return await in_thread(self._unchanged, collection, digests)

    async def keep(self, collection: str, model: str | None, entries: Sequence[Entry]) -> None:
        """Keep documents, all of them or none; one that is there is replaced."""
        await in_thread(self._keep, collection, model, entries)

    async def search(self, wanted: Search) -> list[Found]:
        """Find the passages nearest to a vector, or that share most words with a text."""
        return await in_thread(self._search, wanted)

    async def delete(
        self, collection: str, *, ids: Many[str] | None = None, matching: Filter | None = None
    ) -> int:
        """Forget documents, by id or by filter, or the whole collection; tell how many."""
        return await in_thread(self._delete, collection, ids, matching)

    async def collections(self) -> list[Collection]:
        """List the collections by name."""
        return await in_thread(self._collections)

    def _unchanged(self, collection: str, digests: Mapping[str, str]) -> set[str]:
        with opened(self.file, create=False) as db:
            known = _find(db, collection)
            if db is None or known is None:
                return set()
            statement = "SELECT 1 FROM documents WHERE collection = ? AND name = ? AND digest = ?"
            return {
                name
                for name, digest in digests.items()
                if db.execute(statement, (known.id, name, digest)).get is not None
            }

    def _keep(self, collection: str, model: str | None, entries: Sequence[Entry]) -> None:
        packed = [[_packed(p.vector) for p in entry.passages] for entry in entries]
        sizes = {len(vector) for vectors in packed for vector in vectors}
        if len(sizes) > 1:
            raise ValidationFailed(
                f"vectors of {sorted(sizes)} numbers cannot be in one collection; one model "
                "makes them all"
            )
        with opened(self.file, create=True) as db:
            if db is None or not sizes:
                return
            dimension = sizes.pop()
            with transaction(db):
                known = _find(db, collection) or _create(db, collection, model, dimension)
                known.check(dimension, model)
                if model and known.model is None:
                    db.execute("UPDATE collections SET model = ? WHERE id = ?", (model, known.id))
                each = {e.id: (e, v) for e, v in zip(entries, packed, strict=True)}
                _forget(db, known.id, [old for name in each for old in _named(db, known.id, name)])
                coded = (one for e, v in each.values() for one in _insert(db, known.id, e, v))
                bits.add(db, known.id, coded)

    def _search(self, wanted: Search) -> list[Found]:
        with opened(self.file, create=False) as db:
            known = _find(db, wanted.collection)
            if db is None or known is None:
                raise NotFound(
                    f"there is no collection {wanted.collection!r}; fill it with retrieval.index"
                )
            db.execute("BEGIN")  # all of what follows sees one state of the file
            allowed = documents_with(wanted.filter, known.id) if wanted.filter else None
            near: dict[int, float] = {}
            depth = wanted.top_k * (FUSED_DEPTH if wanted.words and wanted.vector else 1)
            if wanted.vector is not None:
                vector = _packed(wanted.vector)
                known.check(len(vector), wanted.model)
                near = _nearest(db, known, vector, depth, allowed)
            if wanted.words is None:
                scores = dict(near)
            else:
                worded = _with_words(db, known, wanted.words, depth, allowed)
                scores = _fused(worded, list(near)) if wanted.vector else _fused(worded)
            best = sorted(scores, key=lambda row: (-scores[row], row))[: wanted.top_k]
            return [_found(db, row, scores[row], near.get(row)) for row in best]

    def _delete(self, collection: str, ids: Many[str] | None, wanted: Filter | None) -> int:
        count = 0
        with opened(self.file, create=False) as db:
            known = _find(db, collection)
            if db is None or known is None:
                return 0
            while batch := _batch(db, known.id, ids, wanted):  # a short turn for each: others write
                with transaction(db):
                    _forget(db, known.id, batch)
                count += len(batch)
            if ids is None and wanted is None:
                db.execute("DELETE FROM collections WHERE id = ?", (known.id,))
            db.execute("PRAGMA incremental_vacuum").fetchall()
        return count

    def _collections(self) -> list[Collection]:
        statement = """
            SELECT name, model, dimension,
                (SELECT count(*) FROM documents WHERE collection = collections.id),
                (SELECT CAST(total(count) AS INTEGER) FROM blocks WHERE collection = collections.id)
            FROM collections ORDER BY name"""
        with opened(self.file, create=False) as db:
            rows = db.execute(statement).fetchall() if db else []
        names = ("name", "model", "dimension", "documents", "passages")
        return [Collection.model_validate(dict(zip(names, row, strict=True))) for row in rows]


def _packed(vector: Sequence[float]) -> npt.NDArray[np.float32]:
    """Give a vector of length 1."""
    given = np.asarray(vector, np.float32)
    length = float(np.linalg.norm(given)) if given.ndim == 1 and given.size else 0.0
    if not np.isfinite(length) or length == 0:
        raise ValidationFailed(
            "a vector has no direction: it is empty, all zero, or holds a number that is none"
        )
    return given / np.float32(length)


def _find(db: Connection | None, name: str) -> _Known | None:
    statement = "SELECT id, name, model, dimension FROM collections WHERE name = ?"
    row = db.execute(statement, (name,)).fetchone() if db else None
    return _Known(*row) if row else None


def _create(db: Connection, name: str, model: str | None, dimension: int) -> _Known:
    db.execute(
        "INSERT INTO collections (name, model, dimension) VALUES (?, ?, ?)",
        (name, model, dimension),
    )
    return _Known(db.last_insert_rowid(), name, model, dimension)


def _named(db: Connection, collection: int, name: str) -> list[int]:
    statement = "SELECT id FROM documents WHERE collection = ? AND name = ?"
    return _numbers(db.execute(statement, (collection, name)))


def _numbers(found: Cursor) -> list[int]:
    """Give the only column of what was found."""
    return [row for (row,) in found.fetchall()]  # type: ignore[misc] # numbers, as selected


def _insert(
    db: Connection, collection: int, entry: Entry, vectors: Sequence[npt.NDArray[np.float32]]
) -> Iterator[bits.Coded]:
    """Keep a document; give what the coarse search shall know of its passages."""
    metadata = json.dumps(dict(entry.metadata), ensure_ascii=False)
    db.execute(
        "INSERT INTO documents (collection, name, digest, metadata) VALUES (?, ?, ?, ?)",
        (collection, entry.id, entry.digest, metadata),
    )
    document = db.last_insert_rowid()
    facts = ((collection, key, value, document) for key, value in facts_of(entry.metadata))
    db.executemany("INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?)", facts)
    for passage, vector in zip(entry.passages, vectors, strict=True):
        db.execute(
            "INSERT INTO passages (document, start, text) VALUES (?, ?, ?)",
            (document, passage.start, passage.text),
        )
        row = db.last_insert_rowid()
        db.execute("INSERT INTO vectors VALUES (?, ?)", (row, vector.tobytes()))
        text = indexed(passage.text, collection)
        db.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (row, text))
        yield bits.Coded(row, document, bits.bits_of(vector))


def _forget(db: Connection, collection: int, documents: Sequence[int]) -> None:
    gone: list[int] = []
    for document in documents:
        rows = "SELECT row FROM passages WHERE document = ?"
        for row in _numbers(db.execute(rows, (document,))):
            db.execute("DELETE FROM words WHERE rowid = ?", (row,))
            db.execute("DELETE FROM vectors WHERE row = ?", (row,))
            gone.append(row)
        db.execute("DELETE FROM passages WHERE document = ?", (document,))
        db.execute("DELETE FROM facts WHERE document = ?", (document,))
        db.execute("DELETE FROM documents WHERE id = ?", (document,))
    bits.remove(db, collection, gone)


def _batch(
    db: Connection, collection: int, ids: Many[str] | None, wanted: Filter | None
) -> list[int]:
    if ids is not None:
        found = (document for name in ids for document in _named(db, collection, name))
        return list(dict.fromkeys(found))[:BATCH]
    chosen = documents_with(wanted, collection) if wanted else _everything(collection)
    statement = f"{chosen.sql} LIMIT ?"
    return _numbers(db.execute(statement, (*chosen.bound, BATCH)))


def _everything(collection: int) -> Documents:
    return Documents("SELECT id FROM documents WHERE collection = ?", (collection,))


def _nearest(
    db: Connection,
    known: _Known,
    vector: npt.NDArray[np.float32],
    top_k: int,
    allowed: Documents | None,
) -> dict[int, float]:
    """Give the similarity of the nearest passages, nearest first."""
    rows = _rows_to_compare(db, known, vector, max(CANDIDATES, CANDIDATES_EACH * top_k), allowed)
    statement = """
        SELECT row, vec_distance_cosine(vector, ?) AS distance FROM vectors
        WHERE row IN (SELECT value FROM json_each(?)) ORDER BY distance, row LIMIT ?"""
    nearest = db.execute(statement, (vector.tobytes(), json.dumps(rows), top_k))
    return {row: 1 - distance for row, distance in nearest}


def _rows_to_compare(
    db: Connection,
    known: _Known,
    vector: npt.NDArray[np.float32],
    most: int,
    allowed: Documents | None,
) -> list[int]:
    """Give all passages where they are few, else those that the coarse search finds."""
    if allowed is None:
        if bits.count(db, known.id) <= EXACT_UP_TO:
            return bits.rows_of(db, known.id)
        return bits.nearest(db, known.id, bits.bits_of(vector), most)
    statement = f"SELECT json_group_array(document) FROM ({allowed.sql})"  # one row is quick to get
    documents = json.loads(str(db.execute(statement, allowed.bound).get))
    if len(documents) <= EXACT_UP_TO:
        statement = f"SELECT row FROM passages WHERE document IN ({allowed.sql}) LIMIT ?"
        few = _numbers(db.execute(statement, (*allowed.bound, EXACT_UP_TO + 1)))
        if len(few) <= EXACT_UP_TO:
            return few
    of_these = np.array(documents, np.int64)
    return bits.nearest(db, known.id, bits.bits_of(vector), most, of_these)


def _with_words(
    db: Connection, known: _Known, text: str, top_k: int, allowed: Documents | None
) -> list[int]:
    """Give the passages that share most words with a text, the best first."""
    wanted = query(text, known.id)
    if wanted is None:
        return []
    statement, bound = "SELECT rowid FROM words WHERE words MATCH ?", (wanted,)
    if allowed:
        rows = f"SELECT row FROM passages WHERE document IN ({allowed.sql})"
        statement += f" AND rowid IN ({rows})"
        bound += allowed.bound  # type: ignore[assignment] # grows
    return _numbers(db.execute(f"{statement} ORDER BY rank LIMIT ?", (*bound, top_k)))


def _fused(*lists: Sequence[int]) -> dict[int, float]:
    """Score passages by their places in several lists; 1 is the first in each."""
    scores: dict[int, float] = {}
    for ranked in lists:
        for place, row in enumerate(ranked):
            scores[row] = scores.get(row, 0) + (FUSION + 1) / (FUSION + 1 + place) / len(lists)
    return scores


def _found(db: Connection, row: int, score: float, similarity: float | None) -> Found:
    statement = """
        SELECT name, text, start, metadata FROM passages
        JOIN documents ON documents.id = passages.document WHERE row = ?"""
    name, text, start, metadata = db.execute(statement, (row,)).fetchone()  # type: ignore[misc] # it was found
    return Found(
        id=name,
        text=text,
        score=round(score, 6),
        metadata=json.loads(metadata),
        start=start,
        similarity=None if similarity is None else round(similarity, 6),
    )
