"""The wheel of this work tree, built as a release is, with no network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def build_wheel(folder: Path) -> Path:
    """Build the wheel into a folder and give its file."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, "--wheel-dir", str(folder), str(REPOSITORY)],
        env={**os.environ, "PIP_NO_INDEX": "1"},
        check=True,
        timeout=120,
    )
    return next(folder.glob("aima-*.whl"))
