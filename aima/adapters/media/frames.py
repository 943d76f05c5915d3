"""Pictures out of films with PyAV, decoded by a process of its own for each film."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aima.adapters.media.film import HEADER, Task
from aima.errors import InternalError, UnsupportedMedia, error_class
from aima.ports.frames import Film, Picking, Picture

PROGRAM = "aima.adapters.media.film"
MOST_HEADER_BYTES = 10_000
MOST_COMPLAINT_BYTES = 2000


@dataclass(frozen=True)
class ProcessFrames:
    """Decodes each film in a process of its own.

    Attributes:
        most_pixels: of one picture.
        memory_bytes: the most address space such a process may take.
    """

    most_pixels: int
    memory_bytes: int

    @asynccontextmanager
    async def pick(
        self, film: Path, picking: Picking, *, progress: Callable[[str], None]
    ) -> AsyncIterator[Film]:
        """Look a film through; leaving the context ends the work."""
        task = Task(
            film=str(film),
            most_pixels=self.most_pixels,
            memory_bytes=self.memory_bytes,
            parent=os.getpid(),
            **asdict(picking),
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            PROGRAM,
            json.dumps(asdict(task)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={key: value for key, value in os.environ.items() if key in _PASSED_ON},
        )
        try:
            records = _records(process)
            first = await anext(records)
            opened = Film(pictures=_nothing(), seconds=first[0].get("seconds"))
            opened.pictures = _pictures(records, opened, progress)
            yield opened
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "LANG", "TMPDIR")


async def _nothing() -> AsyncIterator[Picture]:
    return
    yield


async def _pictures(
    records: AsyncIterator[tuple[dict[str, Any], bytes]],
    film: Film,
    progress: Callable[[str], None],
) -> AsyncIterator[Picture]:
    count = 0
    async for header, body in records:
        if "end" in header:
            film.more = header["more"]
        elif "at" in header:
            progress(f"{count} frames, at {header['at']} s")
        else:
            count += 1
            progress(f"{count} frames, at {header['time']} s")
            yield Picture(header["time"], header["width"], header["height"], body)


async def _records(
    process: asyncio.subprocess.Process,
) -> AsyncIterator[tuple[dict[str, Any], bytes]]:
    """Read what the process says until its last record.

    Raises:
        AimaError: what the process tells went wrong.
        UnsupportedMedia: it ended before its last record.
    """
    if process.stdout is None:
        raise InternalError("a process without an output")
    try:
        while True:
            sizes = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
            if sizes[0] > MOST_HEADER_BYTES:
                raise InternalError("the process that decodes films speaks another language")
            header = json.loads(await process.stdout.readexactly(sizes[0]))
            body = await process.stdout.readexactly(sizes[1])
            if "error" in header:
                raise error_class(header["error"])(header["message"])
            yield header, body
            if "end" in header:
                return
    except asyncio.IncompleteReadError as error:
        raise UnsupportedMedia(await _last_words(process)) from error


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """Tell how a process ended that did not finish."""
    said = await process.stderr.read(MOST_COMPLAINT_BYTES) if process.stderr else b""
    code = await process.wait()
    how = f"signal {-code}" if code < 0 else f"code {code}"
    last = said.decode(errors="replace").strip().rpartition("\n")[2]
    return (
        f"the decoder broke on this film ({how}{f': {last}' if last else ''}); "
        "make the file anew, as H.264 in MP4 for instance"
    )
