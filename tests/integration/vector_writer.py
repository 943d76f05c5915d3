"""A process that indexes documents until somebody kills it; it prints each id once it is kept."""

from __future__ import annotations

import asyncio
import itertools
import sys
from pathlib import Path

from aima.adapters.vectors.sqlite import SqliteVectors
from aima.ports.vectors import Entry, Passage


async def write(file: Path, who: str) -> None:
    """Keep batches of documents of three passages each, half of them again and again."""
    store = SqliteVectors(file)
    for turn in itertools.count():
        entries = [
            Entry(name, f"{turn}", {"turn": turn, "who": who}, passages_of(name, turn))
            for name in [f"{who}-{turn}-{n}" for n in range(8)]
            + [f"{who}-again-{n}" for n in range(8)]
        ]
        await store.keep("c", "m", entries)
        print(turn, flush=True)  # noqa: T201 - it is what the test reads


def passages_of(name: str, turn: int) -> list[Passage]:
    """Make passages whose texts tell the turn."""
    return [Passage(f"{name} turn{turn}", n, [1.0 + n, turn + 1.0, 3.0]) for n in range(3)]


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2]))
