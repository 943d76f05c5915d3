"""The wheel, installed into an empty environment, is all of AIMA."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import wave
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.command import models_folder
from tests.wheel import REPOSITORY, build_wheel


@dataclass(frozen=True)
class Installed:
    """AIMA from its wheel, used from a folder that has nothing to do with the checkout."""

    environment: Path
    folder: Path

    def call(self, *command: str) -> str:
        """Run a program of the environment to its successful end; give what it printed."""
        done = subprocess.run(
            [self.environment / "bin" / command[0], *command[1:]],
            cwd=self.folder,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _environ(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AIMA_", "PYTHON"))}
        return {**clean, "AIMA_DATA": str(self.folder / "data")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment into which only the wheel was installed.

    Its dependencies are lent by the environment of the tests, by path: a path file there is not
    read again, so the editable AIMA of the checkout stays out of sight.
    """
    folder = tmp_path_factory.mktemp("installed")
    environment = folder / "environment"
    venv.create(environment, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")]
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run(
        [*pip, "install", *options, str(build_wheel(folder))],
        check=True,
        timeout=120,
    )
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    temporal = Path(sys.executable).with_name("temporal")
    (environment / "bin" / "temporal").symlink_to(temporal)
    elsewhere = folder / "elsewhere"
    (elsewhere / "data").mkdir(parents=True)
    (elsewhere / "data" / "models").symlink_to(models_folder())
    return Installed(environment, elsewhere)


def test_the_code_that_runs_is_the_wheel_s(installed: Installed) -> None:
    """Or all the other tests here would only show that the checkout works."""
    shown = installed.call("python", "-c", "import aima, activities; print(aima.__file__)")
    assert str(installed.environment) in shown
    assert str(REPOSITORY) not in shown


def test_units_and_workflows_are_found(installed: Installed) -> None:
    """What ships as data is found as surely as what ships as code."""
    assert "inference.chat" in installed.call("aima", "units")
    file = shutil.copy(REPOSITORY / "workflows" / "voice-assistant.yaml", installed.folder)
    assert installed.call("aima", "check", "--strict", str(file)) == ""


def test_the_voice_assistant_answers(installed: Installed) -> None:
    """The promise of the first screen, kept for somebody who never saw the repository."""
    shown = installed.call("aima", "run", "voice-assistant", "--example", "-o", "audio=answer.wav")
    assert "paris" in shown.lower()
    with wave.open(str(installed.folder / "answer.wav")) as answer:
        assert answer.getnframes() > answer.getframerate(), "less than a second is no answer"
