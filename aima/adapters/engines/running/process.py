"""A process that runs an engine: found by its record, ended with all that it has started."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import psutil

from aima.adapters.engines.running import launch
from aima.adapters.engines.running.setup import Setup
from aima.blocking import in_thread
from aima.disk import told
from aima.errors import ExecutionFailed, NotFound
from aima.ports.engine_running import Instance

_POLL_SECONDS = 0.05
_KILLED_SECONDS = 5.0
"""In which the kernel takes away what was killed, unless a device holds it."""
_LAST_WORDS_BYTES = 16_384
_OURS = "AIMA_"
"""How the names of AIMA's own variables begin; some are secret, and no engine needs them."""


@dataclass(frozen=True)
class Processes:
    """Starts, finds and ends the process of one engine."""

    setup: Setup

    async def find(self) -> Instance | None:
        """Give the one that runs."""
        record = await in_thread(launch.living, self.setup.folder)
        return _instance(record) if record else None

    async def digest(self) -> str | None:
        """Name what the one that runs was started with."""
        record = await in_thread(launch.living, self.setup.folder)
        return str(record.get("digest")) if record else None

    async def launch(
        self, command: Sequence[str], environment: Mapping[str, str], label: Mapping[str, str]
    ) -> Instance:
        """Start one, unless it runs.

        Raises:
            NotFound: there is no such program.
        """
        folder = self.setup.folder
        with told(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        await self.clear()
        order = {"folder": str(folder), "command": list(command), "label": dict(label)}
        launcher = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", str(launch.__file__)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**environment_of_all(), **environment},
            start_new_session=True,  # so that whatever ends the worker does not end it halfway
        )
        said, _ = await launcher.communicate(json.dumps(order).encode())
        if launcher.returncode == launch.NOT_FOUND:
            raise NotFound(
                f"engine {self.setup.name!r} cannot be started: {said.decode().strip()}; install it"
            )
        if launcher.returncode:
            raise ExecutionFailed(
                f"engine {self.setup.name!r} could not be started: {said.decode()[-500:].strip()}"
            )
        return _instance(json.loads(said))

    async def end(self, seconds: float) -> bool:
        """End it and all that it has started: politely for so many seconds, then for certain."""
        ran = await self.find() is not None
        await end_all(self.setup.folder, seconds)
        return ran

    async def clear(self) -> None:
        """End what an engine that has ended had started."""
        if await self.find() is None:
            await end_all(self.setup.folder, 0)

    async def last_lines(self, count: int) -> list[str]:
        """Give what it wrote last."""
        return await in_thread(_tail, self.setup.folder / launch.LOG, count)


async def end_all(folder: Path, seconds: float) -> None:
    """End the process on record, then those of its session that have outlived it."""
    record = launch.on_record(folder)
    if record is None:
        return
    pid, until = record["pid"], monotonic() + seconds
    if launch.living(folder):
        _signal(os.kill, pid, signal.SIGTERM if seconds else signal.SIGKILL)
        await _over(lambda: launch.living(folder) is None, until)
    if not _is_anothers(folder, pid):
        if seconds and any(_session(pid)):
            _signal(os.killpg, pid, signal.SIGTERM)
            await _over(lambda: not any(_session(pid)), until)
        if any(_session(pid)):
            _signal(os.killpg, pid, signal.SIGKILL)
            await _over(lambda: not any(_session(pid)), monotonic() + _KILLED_SECONDS)
    (folder / launch.RECORD).unlink(missing_ok=True)


def _is_anothers(folder: Path, pid: int) -> bool:
    """Tell whether another program has the number by now: then nothing of the engine is left.

    While one process of a session lives, the kernel gives its number to nobody.
    """
    return psutil.pid_exists(pid) and not launch.living(folder) and not _is_zombie(pid)


def _session(leader: int) -> Iterator[int]:
    """Find the living processes of the session that a process began."""
    for pid in psutil.pids():
        with suppress(OSError):
            if os.getsid(pid) == leader and not _is_zombie(pid):
                yield pid


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _signal(send: Callable[[int, signal.Signals], None], pid: int, what: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        send(pid, what)


async def _over(ended: Callable[[], bool], until: float) -> None:
    while not ended() and monotonic() < until:  # noqa: ASYNC110 - no event tells of its end
        await asyncio.sleep(_POLL_SECONDS)


def _tail(log: Path, count: int) -> list[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _LAST_WORDS_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()][-count:]


def environment_of_all() -> dict[str, str]:
    """Give the variables of this process that are nobody's secret."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}


def _instance(record: Mapping[str, Any]) -> Instance:
    return Instance(str(record["pid"]), str(record.get("by", "")), str(record.get("model", "")))
