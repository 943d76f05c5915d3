"""Stores of vectors behind one face: AIMA's, and those it was chosen among.

The others are no dependencies of AIMA. To measure them, install them beside it in an environment
of their own: `pip install lancedb`, `pip install usearch`, `pip install duckdb==1.5.5
duckdb-extension-vss==1.5.5` (DuckDB itself fetches extensions from a host of its own).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from aima.adapters.vectors.sqlite import SqliteVectors
from aima.ports.vectors import Entry, Filter, Passage, Search
from bench._corpus import DIMENSION, Row, Vectors

Test = tuple[str, int | str]
"""A field, and what it must be below (numbers) or equal to (texts)."""

_INDEXED_FROM = 50_000
"""Fewer passages are compared one by one: an index of LanceDB is worth it only for more."""
_PROBES = 40
_REFINE = 20


class Store(Protocol):
    """Keeps passages on disk and finds the nearest.

    Attributes:
        filters: whether it can look among some of them alone.
    """

    filters: bool

    def add(self, rows: Sequence[Row]) -> None:
        """Keep passages; what is kept when this returns must survive a kill."""
        ...

    def finish(self) -> None:
        """Build what is built once all are there."""
        ...

    def search(self, vector: Vectors, top_k: int, test: Test | None) -> list[int]:
        """Give the numbers of the nearest passages that pass a test."""
        ...

    def count(self) -> int:
        """Tell how many are kept."""
        ...


class Aima:
    """What AIMA ships; it indexes the words and the metadata of each passage too."""

    filters = True

    def __init__(self, folder: Path) -> None:
        self._store = SqliteVectors(folder / "vectors.db")

    def add(self, rows: Sequence[Row]) -> None:
        entries = [
            Entry(
                id=str(row.number),
                digest="",
                metadata={"language": row.language, "number": row.number},
                passages=[Passage(row.text, 0, row.vector.tolist())],
            )
            for row in rows
        ]
        asyncio.run(self._store.keep("bench", "made", entries))

    def finish(self) -> None:
        """Nothing is left to do."""

    def search(self, vector: Vectors, top_k: int, test: Test | None) -> list[int]:
        wanted = Search("bench", vector.tolist(), None, top_k, _filter(test))
        return [int(found.id) for found in asyncio.run(self._store.search(wanted))]

    def count(self) -> int:
        return sum(found.passages for found in asyncio.run(self._store.collections()))


def _filter(test: Test | None) -> Filter | None:
    if test is None:
        return None
    field, value = test
    if isinstance(value, int):
        return Filter(field=field, below=value)
    return Filter(field=field, equals=value)


class Lance:
    """LanceDB: an inverted file with product quantisation, and whole vectors for the best."""

    filters = True

    def __init__(self, folder: Path) -> None:
        self._db: Any = import_module("lancedb").connect(folder)
        self._table: Any = None

    def add(self, rows: Sequence[Row]) -> None:
        arrow: Any = import_module("pyarrow")
        flat = arrow.array(np.concatenate([row.vector for row in rows]))
        data = arrow.table(
            {
                "number": [row.number for row in rows],
                "language": [row.language for row in rows],
                "text": [row.text for row in rows],
                "vector": arrow.FixedSizeListArray.from_arrays(flat, DIMENSION),
            }
        )
        self._table = self._table or self._db.create_table(
            "bench", schema=data.schema, exist_ok=True
        )
        self._table.add(data)

    def finish(self) -> None:
        self._table.optimize()
        if self.count() >= _INDEXED_FROM:
            self._table.create_index(metric="cosine", index_type="IVF_PQ")
        self._table.create_scalar_index("number")
        self._table.create_scalar_index("language", index_type="BITMAP")

    def search(self, vector: Vectors, top_k: int, test: Test | None) -> list[int]:
        query = self._opened().search(vector).distance_type("cosine").limit(top_k)
        query = query.nprobes(_PROBES).refine_factor(_REFINE).select(["number"])
        if test is not None:
            query = query.where(_condition(test), prefilter=True)
        return [row["number"] for row in query.to_list()]

    def count(self) -> int:
        return int(self._opened().count_rows())

    def _opened(self) -> Any:  # noqa: ANN401 - of a library that is not installed
        self._table = self._table or self._db.open_table("bench")
        return self._table


class Duck:
    """DuckDB with the index of its VSS extension, a graph that is held in memory."""

    filters = True

    def __init__(self, folder: Path) -> None:
        package = Path(str(import_module("duckdb_extension_vss").__file__)).parent
        [extension] = package.rglob("*.duckdb_extension")
        self._db: Any = import_module("duckdb").connect(folder / "bench.db")
        self._db.execute(f"LOAD '{extension}'")
        self._db.execute("SET hnsw_enable_experimental_persistence = true")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS bench (number BIGINT, language VARCHAR, text VARCHAR, "
            f"vector FLOAT[{DIMENSION}])"
        )

    def add(self, rows: Sequence[Row]) -> None:
        arrow: Any = import_module("pyarrow")
        flat = arrow.array(np.concatenate([row.vector for row in rows]))
        self._db.register(
            "given",
            arrow.table(
                {
                    "number": [row.number for row in rows],
                    "language": [row.language for row in rows],
                    "text": [row.text for row in rows],
                    "vector": arrow.FixedSizeListArray.from_arrays(flat, DIMENSION),
                }
            ),
        )
        self._db.execute("INSERT INTO bench SELECT * FROM given")

    def finish(self) -> None:
        self._db.execute("CREATE INDEX near ON bench USING HNSW (vector) WITH (metric = 'cosine')")
        self._db.execute("CHECKPOINT")

    def search(self, vector: Vectors, top_k: int, test: Test | None) -> list[int]:
        where = f"WHERE {_condition(test)}" if test else ""
        found = self._db.execute(
            f"SELECT number FROM bench {where} ORDER BY "  # noqa: S608 - a benchmark's own
            f"array_cosine_distance(vector, ?::FLOAT[{DIMENSION}]) LIMIT {top_k}",
            [vector.tolist()],
        )
        return [row[0] for row in found.fetchall()]

    def count(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM bench").fetchone()[0])


class USearch:
    """USearch: an index alone, a graph of whole vectors; no texts, no metadata."""

    filters = False

    def __init__(self, folder: Path) -> None:
        library: Any = import_module("usearch.index")
        self._file = folder / "bench.usearch"
        self._index = library.Index(ndim=DIMENSION, metric="cos", dtype="f32")
        if self._file.exists():
            self._index.view(str(self._file))

    def add(self, rows: Sequence[Row]) -> None:
        numbers = np.array([row.number for row in rows])
        self._index.add(numbers, np.stack([row.vector for row in rows]))

    def finish(self) -> None:
        self._index.save(str(self._file))

    def search(self, vector: Vectors, top_k: int, test: Test | None) -> list[int]:  # noqa: ARG002 - as the others
        return [int(key) for key in self._index.search(vector, top_k).keys]

    def count(self) -> int:
        return len(self._index)


def _condition(test: Test) -> str:
    field, value = test
    return f"{field} < {value}" if isinstance(value, int) else f"{field} = '{value}'"


STORES: Mapping[str, tuple[str, Callable[[Path], Store]]] = {
    "aima": ("aima", Aima),
    "lancedb": ("lancedb", Lance),
    "duckdb": ("duckdb", Duck),
    "usearch": ("usearch", USearch),
}
"""By name: the package that must be there, and what makes the store in a folder."""
