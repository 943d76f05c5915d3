"""Starts a process that outlives whoever asked for it, and writes down which one it is.

A program of its own: the worker that runs it may be killed at any moment, and then either nothing
was started or it is on record. The lock makes two workers that start the same engine start one.
It knows nothing of AIMA, so that the engine's variables cannot change what it does.

The order comes as JSON by standard input, the record goes as JSON to standard output.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil

RECORD = "process.json"
LOCK = "launch.lock"
LOG = "engine.log"
NOT_FOUND = 3
"""How it ends where there is no such program; it says why."""

_START_TOLERANCE_SECONDS = 1.0
"""How far two readings of one process's start time may lie apart."""


def living(folder: Path) -> dict[str, Any] | None:
    """Give the record of the process that runs; None where none does."""
    record = on_record(folder)
    if record is None:
        return None
    try:
        process = psutil.Process(record["pid"])
        began = abs(process.create_time() - record["started"]) < _START_TOLERANCE_SECONDS
        return record if began and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def on_record(folder: Path) -> dict[str, Any] | None:
    """Give the record of the last process, whether or not it runs."""
    try:
        record = json.loads((folder / RECORD).read_text())
        return {"pid": int(record["pid"]), "started": float(record["started"]), **record}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def main() -> int:
    """Start what the order says, unless it runs."""
    order = json.load(sys.stdin)
    folder = Path(order["folder"])
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = living(folder)
        if record is None:
            try:
                record = _started(folder, order)
            except OSError as error:
                print(f"{order['command'][0]}: {error.strerror}")  # noqa: T201 - its answer
                return NOT_FOUND
    print(json.dumps(record))  # noqa: T201 - its answer
    return 0


def _started(folder: Path, order: dict[str, Any]) -> dict[str, Any]:
    log = folder / LOG
    if log.exists():
        log.replace(log.with_suffix(".log.before"))
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments; no shell reads it
            order["command"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,
        )
    started = psutil.Process(process.pid).create_time()
    record = {"pid": process.pid, "started": started, **order["label"]}
    new = folder / f"{RECORD}.new"
    new.write_text(json.dumps(record))
    new.replace(folder / RECORD)
    return record


if __name__ == "__main__":
    sys.exit(main())
