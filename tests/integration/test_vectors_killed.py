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
        (SELECT count(*) FROM codes), (SELECT count(*) FROM words),
        3 * (SELECT count(*) FROM documents)"""


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.nightly)])
async def test_a_kill_leaves_whole_batches_and_loses_none(
    tmp_path: Path, request: pytest.FixtureRequest, kills: int
) -> None:
    """Three writers at once, one killed at a time: what was acknowledged is there, whole."""
    store = SqliteVectors(tmp_path / "vectors.db")
    chance = random.Random(kills)  # noqa: S311 - when to kill is no secret
    writers = {who: start(store.file, who) for who in ("a", "b", "c")}
    request.addfinalizer(lambda: [end(writer) for writer in writers.values()])
    acknowledged: dict[str, int] = {}
    for kill in range(kills):
        for who, writer in writers.items():
            assert writer.stdout is not None
            for _ in range(chance.randint(2, 6)):
                acknowledged[who] = int(writer.stdout.readline())
        victim = "abc"[kill % 3]
        rest = end(writers[victim])
        acknowledged[victim] = max([acknowledged[victim], *map(int, rest.split())])
        await check(store, victim, acknowledged[victim])
        writers[victim] = start(store.file, victim)
        acknowledged.pop(victim)
    for writer in writers.values():
        end(writer)
    counts = whole(store.file)
    assert len(set(counts)) == 1, counts


def start(file: Path, who: str) -> subprocess.Popen[str]:
    """Start a writer."""
    command = [sys.executable, str(WRITER), str(file), who]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def end(writer: subprocess.Popen[str]) -> str:
    """Kill a writer; give what it still had to say."""
    writer.kill()
    return writer.communicate(timeout=30)[0] if not writer.stdout.closed else ""  # type: ignore[union-attr] # it is a pipe


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
