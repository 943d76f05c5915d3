"""A door, and a fake engine behind it, for benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

AIMA = str(Path(sys.executable).with_name("aima"))


@dataclass(frozen=True)
class Side:
    """One of the two that are compared.

    Attributes:
        pid: its process.
        data: the data folder of a door.
        temporal: the address of its Temporal.
    """

    url: str
    pid: int
    key: str = ""
    data: Path = Path()
    temporal: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each request."""
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def cpu_ms(self) -> float:
        """Tell the processor time of its process; other work stretches it less than a clock's."""
        return cpu_ms(psutil.Process(self.pid))

    def processes(self) -> dict[str, psutil.Process]:
        """Give the processes of a stack by what they are."""
        stack = psutil.Process(self.pid)
        children = {
            "worker" if "worker" in one.cmdline() else "Temporal": one for one in stack.children()
        }
        return {"door": stack, **children}


def cpu_ms(process: psutil.Process) -> float:
    """Tell the processor time that a process has used."""
    times = process.cpu_times()
    return float(times.user + times.system) * 1000


@contextmanager
def fake_engine() -> Iterator[Side]:
    """Run a fake engine that answers at once."""
    command = [sys.executable, "-m", "aima.testing.engines", "openai"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = (process.stdout.readline() if process.stdout else "").strip()
            yield Side(url, process.pid)
        finally:
            process.terminate()


@contextmanager
def door(folder: Path, engine: Side) -> Iterator[Side]:
    """Run `aima up` in front of an engine; give its door."""
    free = {"AIMA_PORT": "0", "AIMA_TEMPORAL_PORT": "0", "AIMA_TEMPORAL_UI_PORT": "0"}
    engines = {"AIMA_ENGINES": f'{{fake = {{url = "{engine.url}/v1"}}}}'}
    off = {"AIMA_EMBEDDED_ENABLED": "false", "AIMA_DATA": str(folder / "data")}
    environ = {**os.environ, **free, **engines, **off}
    subprocess.run([AIMA, "up"], env=environ, check=True, capture_output=True)
    try:
        state = json.loads((folder / "data" / "stack.json").read_text())
        key = (folder / "data" / "admin.key").read_text().strip()
        url = f"http://127.0.0.1:{state['port']}"
        yield Side(url, state["pid"], key, folder / "data", state["temporal"])
    finally:
        subprocess.run([AIMA, "down"], env=environ, check=True, capture_output=True)
