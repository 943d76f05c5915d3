"""What an entry of the audit log costs: alone, with others at once, and each part of it.

    python bench/audit.py [entries]

Each entry is in the chain and on disk (`synchronous = FULL`, so an `fsync` of the write-ahead log)
before its caller goes on; those that come while another write is under way share the next one. The
bare `fsync` of a page, on the same disk and by turns, is what no log could be cheaper than.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from aima.gateway.access.audit import StoredJournal
from aima.store import open_store
from aima.store.audit import GENESIS, Command, digest
from aima.store.kept import KeptStore
from bench._ratios import spread

ENTRIES = 2000
AT_ONCE = (8, 64)
PAGE = bytes(4096)


def command(number: int) -> Command:
    """Make an entry as the door does."""
    return Command(
        time="2026-11-29T12:00:00.000+00:00",
        request=f"{number:032x}",
        key="k7d2m4",
        caller="ci",
        action="POST /api/v2/command/{unit}",
        target="/api/v2/command/inference.embed",
        subject="inference.embed",
        run=f"exec-{number:018x}",
        input=f"{number:064x}",
        status=202,
    )


def fsync_us(file: int) -> float:
    """Write a page and have it on disk."""
    begun = time.perf_counter()
    os.pwrite(file, PAGE, 0)
    os.fsync(file)
    return (time.perf_counter() - begun) * 1e6


async def alone(journal: StoredJournal, file: int, entries: int) -> None:
    """Write one after another, by turns with a bare `fsync`."""
    ours: list[float] = []
    bare: list[float] = []
    spent = 0.0
    for number in range(entries):
        begun, before = time.perf_counter(), time.process_time()
        await journal.write(command(number))
        ours.append((time.perf_counter() - begun) * 1e6)
        spent += time.process_time() - before
        bare.append(fsync_us(file))
    print(f"an entry alone               us  {spread(ours)}")
    print(f"a bare fsync of a page       us  {spread(bare)}")
    print(f"processor for an entry alone us  {spent * 1e6 / entries:.0f}")


async def together(journal: StoredJournal, entries: int, many: int) -> None:
    """Write so many at once, again and again; what each costs is the time by their number."""
    costs, before = [], time.process_time()
    for begin in range(0, entries, many):
        begun = time.perf_counter()
        await asyncio.gather(*(journal.write(command(begin + n)) for n in range(many)))
        costs.append((time.perf_counter() - begun) * 1e6 / many)
    spent = (time.process_time() - before) * 1e6 / (len(costs) * many)
    print(f"each of {many:>2} at once           us  {spread(costs)}, processor {spent:.0f}")


def hashing(entries: int) -> None:
    """Time the chain alone."""
    begun, previous = time.process_time(), GENESIS
    for number in range(entries):
        previous = digest(number, command(number), previous)
    print(f"hash of an entry             us  {(time.process_time() - begun) * 1e6 / entries:.0f}")


async def measure(folder: Path, entries: int) -> None:
    """Measure all of it in a folder."""
    file = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
    async with StoredJournal(KeptStore(partial(open_store, folder / "aima.db"))) as journal:
        await journal.write(command(0))  # opening the store is not what is measured
        await alone(journal, file, entries)
        for many in AT_ONCE:
            await together(journal, entries, many)
    os.close(file)
    begun = time.perf_counter()
    with open_store(folder / "aima.db") as store:
        verdict = store.audit.verify({})
    found = "whole" if not verdict.faults else "; ".join(verdict.faults)
    print(f"verifying {verdict.rows} entries, {found}: {time.perf_counter() - begun:.2f} s")
    hashing(entries)


def main(entries: int = ENTRIES) -> None:
    """Measure on the disk of temporary files, or where `TMPDIR` says."""
    with tempfile.TemporaryDirectory(prefix="aima-audit-") as folder:
        asyncio.run(measure(Path(folder), entries))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
