"""A data folder with one engine that AIMA starts, for tests and for the workers they kill."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil

from aima.engines import engines_of
from aima.settings import Settings
from aima.testing import FakeContext
from tests.unit.adapters.tiny_engine import free_port


@dataclass
class Machine:
    """A data folder with one engine, whose workers come and go."""

    data: Path
    http: httpx2.AsyncClient
    program: Path
    port: int = field(default_factory=free_port)

    def worker(self, key: str = "run/1/step", **run: Any) -> FakeContext:  # noqa: ANN401 - any setting
        """Give what a unit gets in a worker that has just come up."""
        serve = ["--host", "{host}", "--port", "{port}", "--model", "{model}"]
        said = {
            "way": "program",
            "command": [sys.executable, str(self.program), *serve],
            "model": "tiny",
            **run,
        }
        engine = {"url": f"http://127.0.0.1:{self.port}/v1", "api_key": "s3cret-key", "run": said}
        ctx = FakeContext(effect_key=key)
        settings = Settings.model_validate({"data": self.data, "engines": {"tiny": engine}})
        ctx.__dict__["engines"] = engines_of(settings, self.http, ctx.artifacts)
        return ctx

    @property
    def log(self) -> str:
        """What the engine wrote."""
        return (self.data / "engines" / "tiny" / "engine.log").read_text()

    def living(self) -> list[psutil.Process]:
        """Find the engine's processes, by the folder in which they work."""
        folder = str(self.data.resolve() / "engines" / "tiny")
        return [p for p in psutil.process_iter() if _works_in(p, folder)]


def _works_in(process: psutil.Process, folder: str) -> bool:
    try:
        return process.cwd() == folder and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
