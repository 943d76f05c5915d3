"""What the store of models says of its work to whoever looks: how far a pull is, what was verified.

Pulls are made by whatever needs a model: the command line, an engine, a worker. None of them may
have anybody to tell. So a pull leaves a note beside the models, not more often than somebody would
look, and a check of checksums leaves another. A note of a pull that was killed is none: the lock
that a pull holds says whether it goes on.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NOTED_SECONDS = 0.5
"""Between two notes of a pull, at least."""


@dataclass(frozen=True)
class Pulling:
    """How far a pull is."""

    file: str
    done_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class Verified:
    """What came of comparing a model's bytes with their checksums.

    Attributes:
        at_ms: when, since 1970.
        issues: what is wrong; nothing where it is whole.
    """

    at_ms: int
    issues: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Tell whether the model is whole."""
        return not self.issues


@dataclass(frozen=True)
class Notes:
    """The notes beside the models.

    Attributes:
        folder: of the models.
        locks: where a pull holds a lock of its model's name.
    """

    folder: Path
    locks: Path

    @contextmanager
    def pulling(self, model: str, total_bytes: int) -> Iterator[Callable[[str, int], None]]:
        """Note how far a pull is while it lasts; gives what is told of each file's bytes."""
        note = _Meter(self._pulls / model, total_bytes)
        try:
            yield note.take
        finally:
            note.file.unlink(missing_ok=True)

    def any_pull(self) -> bool:
        """Tell whether there is a note of a pull."""
        try:
            return any(self._pulls.iterdir())
        except OSError:
            return False

    def pull_of(self, model: str) -> Pulling | None:
        """Tell how far the pull of a model is; None where there is none."""
        told = _read(self._pulls / model)
        if told is None or not self._is_held(model):
            return None
        return Pulling(str(told["file"]), int(told["done_bytes"]), int(told["total_bytes"]))

    def verified(self, model: str, issues: tuple[str, ...] = ()) -> None:
        """Note what came of a check."""
        _write(self._checks / model, asdict(Verified(time.time_ns() // 1_000_000, issues)))

    def check_of(self, model: str) -> Verified | None:
        """Tell what came of the last check of a model; None where there was none."""
        told = _read(self._checks / model)
        return None if told is None else Verified(told["at_ms"], tuple(told["issues"]))

    @property
    def _pulls(self) -> Path:
        return self.folder / ".pulling"

    @property
    def _checks(self) -> Path:
        return self.folder / ".verified"

    def _is_held(self, model: str) -> bool:
        with suppress(OSError), (self.locks / model).open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False


@dataclass
class _Meter:
    """Adds up the bytes of a pull's files."""

    file: Path
    total_bytes: int
    _done: dict[str, int] = field(default_factory=dict)
    _noted_at: float = 0.0

    def take(self, name: str, done_bytes: int) -> None:
        """Take in how much of a file is here."""
        self._done[name] = done_bytes
        now = time.monotonic()
        if now - self._noted_at >= NOTED_SECONDS:
            self._noted_at = now
            done = sum(self._done.values())
            _write(self.file, asdict(Pulling(name, done, self.total_bytes)))


def _write(file: Path, told: dict[str, Any]) -> None:
    """Write a note whole; where that cannot be, the work it tells of goes on."""
    part = file.with_name(f"{file.name}.part")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(told), "utf-8")
        part.replace(file)


def _read(file: Path) -> dict[str, Any] | None:
    """Read a note; None where there is none, or one that nobody can read."""
    try:
        told = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
