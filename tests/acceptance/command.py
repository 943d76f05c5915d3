"""AIMA as its users have it: the installed command, real processes, a data folder of their own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

AIMA = Path(sys.executable).with_name("aima")
PROJECT = Path(__file__).parent / "project"
REPOSITORY = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0


def wait_until(condition: Callable[[], Any], *, what: str) -> Any:  # noqa: ANN401 - what it gives
    """Look again and again until something is true; fail loudly if it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {PATIENCE_SECONDS:.0f} s in vain for {what}")
        time.sleep(0.02)
    return found


@dataclass
class Aima:
    """The command ``aima`` on a data folder of its own."""

    data: Path
    cwd: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every call: free ports, no settings of the machine."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AIMA_")}
        ports = {"AIMA_PORT": "0", "AIMA_TEMPORAL_PORT": "0", "AIMA_TEMPORAL_UI_PORT": "0"}
        return {**clean, **ports, "AIMA_DATA": str(self.data), **self.settings}

    def call(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever it says."""
        return subprocess.run(
            [str(AIMA), *map(str, arguments)],
            cwd=self.cwd,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def ask(self, *arguments: str | Path) -> Any:  # noqa: ANN401 - JSON
        """Run a command that must succeed, with ``--json``."""
        done = self.call(*arguments, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def up(self) -> dict[str, int]:
        """Bring the stack up; give its processes."""
        done = self.call("up")
        assert done.returncode == 0, done.stderr
        return self.pids()

    def pids(self) -> dict[str, int]:
        """Give the processes of the stack."""
        pids: dict[str, int] = self.ask("ps")["pids"]
        return pids

    def start(self, *arguments: str | Path) -> str:
        """Start a detached run and give its id."""
        run_id: str = self.ask("run", *arguments, "--detach")["id"]
        return run_id

    def ended(self, run_id: str) -> dict[str, Any]:
        """Wait until a run has ended and give its status."""
        told: dict[str, Any] = wait_until(
            lambda: (s := self.ask("status", run_id))["state"] != "running" and s,
            what=f"the end of {run_id}",
        )
        return told

    def step(self, run_id: str, name: str) -> dict[str, Any]:
        """Give where a step is; empty before it was scheduled."""
        steps = self.ask("status", run_id)["steps"]
        return next((s for s in steps if s["step"] == name), {})

    def door_port(self) -> int:
        """Give the port of the stack's door."""
        port: int = json.loads((self.data / "stack.json").read_text())["port"]
        return port


def models_folder() -> Path:
    """Find the models that `make install` has fetched."""
    from aima.settings import load_settings

    return Path(os.environ.get("AIMA_TEST_MODELS") or load_settings().data / "models")


def belongs_to(process: psutil.Process, data: Path) -> bool:
    """Tell whether a process was started with this data folder."""
    environ: dict[str, str] | None = process.info["environ"]
    try:
        alive = process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    return alive and bool(environ) and (environ or {}).get("AIMA_DATA") == str(data)


@dataclass(frozen=True)
class Sink:
    """Where the effects of the test unit can be counted."""

    file: Path
    gate: Path

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs of the gated workflow."""
        return "-i", f"file={self.file}", "-i", f"gate={self.gate}"

    def attempts(self, step: str) -> int:
        """Count how often a step was begun."""
        return self._count("select count(*) from attempts where key like ?", step)

    def deliveries(self, step: str) -> int:
        """Count how often a step's effect arrived."""
        return self._count(
            "select coalesce(sum(deliveries), 0) from effects where key like ?", step
        )

    def _count(self, query: str, step: str) -> int:
        with closing(sqlite3.connect(self.file, timeout=30)) as database:
            try:
                return int(database.execute(query, (f"%/{step}",)).fetchone()[0])
            except sqlite3.OperationalError:
                return 0  # not made yet
