"""What is left of the store of passages when its writers are killed."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from aima.adapters.vectors.sqlite import SqliteVectors
from aima.ports.vectors import Filter, Search

WRITER = Path(__file__).with_name("vector_writer.py")
TABLES = """
    SELECT (SELECT count(*) FROM passages), (SELECT count(*) FROM vectors),
        (SELECT total(count) FROM blocks), (SELECT count(*) FROM words),
        3 * (SELECT count(*) FROM documents)"""


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.nightly)])
async def test_a_kill_leaves_whole_batches_and_loses_none(
    tmp_path: Path, request: pytest.FixtureRequest, kills: int
) -> None:
    """Three writers at once, one killed at a time: what was acknowledged is there, whole."""
    store = SqliteVectors(tmp_path / "vectors.db")
    chance = random.Random(kills)  # noqa: S311 - when to kill is no secret
    writers = [start(store.file, f"writer{number}") for number in range(3)]
    request.addfinalizer(lambda: [end(writer) for writer in writers])
    for kill in range(kills):
        acknowledged = [acknowledgements(writer, chance.randint(2, 6)) for writer in writers[-3:]]
        victim = writers[-3]
        last = max([acknowledged[0], *map(int, end(victim).split())])
        await check(store, f"writer{kill}", last)
        writers.append(start(store.file, f"writer{kill + 3}"))
    for writer in writers[-3:]:
        end(writer)
    counts = whole(store.file)
    assert len(set(counts)) == 1, counts


def acknowledgements(writer: subprocess.Popen[str], count: int) -> int:
    """Wait for some acknowledged batches; give the last one's turn."""
    assert writer.stdout is not None
    return [int(writer.stdout.readline()) for _ in range(count)][-1]


def start(file: Path, who: str) -> subprocess.Popen[str]:
    """Start a writer."""
    command = [sys.executable, str(WRITER), str(file), who]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def end(writer: subprocess.Popen[str]) -> str:
    """Kill a writer; give what it still had to say."""
    assert writer.stdout is not None
    if writer.stdout.closed:
        return ""
    writer.kill()
    with writer.stdout:  # `communicate` would lose what `readline` has read ahead
        rest = writer.stdout.read()
    writer.wait(timeout=30)
    return rest


async def check(store: SqliteVectors, who: str, turn: int) -> None:
    """See, while others write, that the last acknowledged batch is there, in both indexes."""
    mine = Filter.model_validate(
        {"all": [{"field": "who", "equals": who}, {"field": "turn", "at_least": turn}]}
    )
    for search in (
        Search("c", [1, 1, 1], None, 1000, mine),
        Search("c", None, f"turn{turn}", 1000, mine),
    ):
        texts = [found.text for found in await store.search(search)]
        news = [text for text in texts if text.startswith(f"{who}-{turn}-")]
        assert len(news) == 8 * 3
        assert len(texts) % (3 * 8) == 0, "a batch is there in part"


def whole(file: Path) -> tuple[object, ...]:
    """Count the rows of each table, once SQLite found the file in order."""
    connection = apsw.Connection(str(file))
    try:
        assert connection.execute("PRAGMA integrity_check").get == "ok"
        [counts] = connection.execute(TABLES).fetchall()
        return counts
    finally:
        connection.close()
