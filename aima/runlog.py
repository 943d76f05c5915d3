"""The log of each run: JSON lines in the data folder, one file for each run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class RunLogs:
    """The logs of all runs, in one folder."""

    folder: Path

    def write(self, run: str, line: Mapping[str, object]) -> None:
        """Append one line; a log that cannot be written never stops a run."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        text = json.dumps({"time": now, **line}, ensure_ascii=False, default=str)
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Half a character, which no UTF-8 has, is written as JSON's own escape.
            with self.file(run).open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text + "\n")

    def file(self, run: str) -> Path:
        """Tell where a run's lines are."""
        return self.folder / (quote(run, safe="") + ".jsonl")
