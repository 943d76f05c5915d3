"""An engine that is a package of PyPI, in an environment of its own.

An environment is complete when its ``installed.json`` is there, which is written last; what lies
there without it is the rest of an attempt, and is begun again. pip holds the lock as well, so one
that outlives its worker is waited for.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import venv
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aima.adapters.engines.running.alone import alone
from aima.adapters.engines.running.process import Processes, environment_of_all
from aima.adapters.engines.running.program import started
from aima.adapters.engines.running.setup import Setup
from aima.blocking import in_thread
from aima.disk import sync_folder, told
from aima.errors import ExecutionFailed, InsufficientResources, NotFound, ValidationFailed
from aima.ports.engine_running import Installation, Instance, Package
from aima.ports.inference import Progress

_MARK = "installed.json"
_LOCK = "install.lock"
_LINES_OF_A_FAILURE = 5


@dataclass(frozen=True)
class PackageRunner:
    """Installs a package and runs it.

    Attributes:
        wheels: a folder of wheels that are tried before any network.
    """

    setup: Setup
    package: Package
    wheels: Path | None = None

    async def installation(self) -> Installation | None:
        """Look for a complete environment."""
        return await in_thread(self._installed, self._folder(self.setup.chosen()))

    async def install(self, version: str, *, progress: Progress) -> Installation:
        """Make the environment, unless it is there."""
        folder = self._folder(version)
        async with alone(self.setup.folder / _LOCK) as lock:
            found = self._installed(folder)
            if found is None:
                await in_thread(_empty_environment, folder)
                await self._pip(folder, version, lock, progress)
                found = await self._complete(folder)
            self.setup.choose(version)
        return found

    async def find(self) -> Instance | None:
        """Give the one that runs."""
        return await Processes(self.setup).find()

    async def launch(self, model: str, *, by: str) -> Instance:
        """Start one, unless it runs.

        Raises:
            NotFound: it is not installed.
        """
        found = await self.installation()
        if found is None:
            raise NotFound(
                f"engine {self.setup.name!r} is not installed; engine.install brings "
                f"{self.package.name!r}"
            )
        binaries = Path(found.path) / "bin"
        script = Path(__file__).with_name(self.package.script or "_")
        places = {
            "model": model,
            "python": str(binaries / "python"),
            "bin": str(binaries),
            "script": str(script),
        }
        return await started(self.setup, self.package.command, places, by=by)

    async def end(self, seconds: float) -> bool:
        """End it."""
        return await Processes(self.setup).end(seconds)

    async def clear(self) -> None:
        """Take away what one that has ended has left behind."""
        await Processes(self.setup).clear()

    async def last_lines(self, count: int) -> list[str]:
        """Give what it wrote last."""
        return await Processes(self.setup).last_lines(count)

    def _requirement(self, version: str) -> str:
        return f"{self.package.name}=={version}" if version else self.package.name

    def _folder(self, version: str) -> Path:
        """Name the environment of a version: each has its own, as scripts name their folder."""
        named = re.sub(r"[^A-Za-z0-9.=]+", "-", self._requirement(version)).strip("-")
        return self.setup.folder / "environments" / named

    def _installed(self, folder: Path) -> Installation | None:
        if not (folder / "bin" / "python").exists():  # also: its Python has gone since
            return None
        try:
            mark = json.loads((folder / _MARK).read_text())
            return Installation(str(folder), str(mark["version"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    async def _pip(self, folder: Path, version: str, lock: int, progress: Progress) -> None:
        found = [f"--find-links={self.wheels}"] if self.wheels else []
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"),
            *("--no-input", "--disable-pip-version-check", "--progress-bar=off", "--no-cache-dir"),
            *(*found, self._requirement(version)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=folder,
            env=environment_of_all(),
            pass_fds=(lock,),
            start_new_session=True,
        )
        said: list[str] = []
        try:
            async for line in process.stdout or _nothing():
                said.append(line.decode(errors="replace").strip())
                progress(f"installing: {said[-1]}")
            await process.wait()
        finally:
            if process.returncode is None:  # a cancel: pip must not go on alone
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            raise self._failure(said)

    async def _complete(self, folder: Path) -> Installation:
        """Mark the environment as complete."""
        name = re.split(r"[\[<>=!~ ]", self.package.name)[0]
        asked = await asyncio.create_subprocess_exec(
            *(str(folder / "bin" / "python"), "-I", "-c"),
            f"from importlib.metadata import version; print(version({name!r}))",
            stdout=asyncio.subprocess.PIPE,
        )
        version = (await asked.communicate())[0].decode().strip()
        with told(folder):
            new = folder / f"{_MARK}.new"
            new.write_text(json.dumps({"requirement": self.package.name, "version": version}))
            new.replace(folder / _MARK)
            sync_folder(folder)
        return Installation(str(folder), version)

    def _failure(self, said: list[str]) -> Exception:
        text = "\n".join(said)
        if "No space left" in text:
            return InsufficientResources(
                f"the disk is full while installing {self.package.name!r}; free some space"
            )
        if "No module named pip" in text:
            return ExecutionFailed("this Python has no pip; `python -m ensurepip` adds it")
        errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
        why = "; ".join((errors or said)[-_LINES_OF_A_FAILURE:])
        if "No matching distribution" in text or "Could not find a version" in text:
            return NotFound(f"pip finds no {self.package.name!r}: {why}")
        if "Invalid requirement" in text:
            return ValidationFailed(f"pip cannot read {self.package.name!r}: {why}")
        return ExecutionFailed(f"pip could not install {self.package.name!r}: {why}")


def _empty_environment(folder: Path) -> None:
    """Make an environment without pip: AIMA's own installs into it."""
    with told(folder):
        shutil.rmtree(folder, ignore_errors=True)
        venv.EnvBuilder(symlinks=True, clear=True).create(folder)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield
