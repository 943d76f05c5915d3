"""Processes that live and die with the stack."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_START_TOLERANCE_SECONDS = 1.0
"""How far two readings of one process's start time may lie apart."""


@dataclass
class Children:
    """The processes this one started, remembered in ``record`` for whoever comes after a crash."""

    record: Path
    _living: dict[int, float] = field(default_factory=dict)

    def end_leftovers(self) -> list[int]:
        """End processes that a killed owner left behind; give their pids."""
        try:
            left = json.loads(self.record.read_text())
        except (OSError, ValueError):
            return []
        ended = []
        for pid, started in left.items():
            with suppress(psutil.Error):
                process = psutil.Process(int(pid))
                if abs(process.create_time() - started) < _START_TOLERANCE_SECONDS:
                    process.kill()
                    process.wait(5)
                    ended.append(process.pid)
        return ended

    async def start(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str] | None = None,
        keep_fd: int | None = None,
    ) -> asyncio.subprocess.Process:
        """Start a process that dies with this one; what it prints goes to ``log``."""
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(environ or {})},
                pass_fds=() if keep_fd is None else (keep_fd,),
                preexec_fn=_die_with_parent,
                start_new_session=True,
            )
        with suppress(psutil.Error):
            self._living[process.pid] = psutil.Process(process.pid).create_time()
        self._remember()
        return process

    def forget(self, pid: int) -> None:
        """Note that a process has ended."""
        self._living.pop(pid, None)
        self._remember()

    def _remember(self) -> None:
        new = self.record.with_suffix(".new")
        with suppress(OSError):  # a full disk; the kernel's own watch still works
            new.write_text(json.dumps(self._living))
            new.replace(self.record)


async def end(process: asyncio.subprocess.Process, *, grace: float) -> None:
    """Ask a process to end; kill it if it has not within ``grace`` seconds."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM if grace else signal.SIGKILL)
    try:
        async with asyncio.timeout(grace or None):  # wait_for swallows a cancel on 3.11
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _die_with_parent() -> None:
    """Between fork and exec: let the kernel kill this process when its parent is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
