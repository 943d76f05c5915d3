"""What the command line costs: `aima --help`, a warm run beside its engine's time, a cold run.

    python bench/command_line.py [samples]

The warm run asks the same question as `make run` of a stack that is up; what AIMA adds is the
wall time of the whole process less the time that the engine itself reports for its three steps.
The cold run is `make run` with installed packages and models: no stack, nothing in memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench._ratios import spread

AIMA = str(Path(sys.executable).with_name("aima"))
SAMPLES = 20
COLD_SAMPLES = 5

TIMED = """
output:
  engine_ms: ${[steps.transcribe, steps.chat, steps.synthesize].map(s, s.timings.total_ms).sum()}
"""


def wall_ms(*arguments: str, environ: dict[str, str]) -> tuple[float, str]:
    """Run a whole process and give its time and what it printed."""
    begun = time.perf_counter()
    done = subprocess.run(
        [AIMA, *arguments], env=environ, capture_output=True, text=True, check=True
    )
    return (time.perf_counter() - begun) * 1000, done.stdout


def help_page(environ: dict[str, str], samples: int) -> None:
    """Time the help page."""
    times = [wall_ms("--help", environ=environ)[0] for _ in range(samples)]
    print(f"aima --help             ms  {spread(times)}  best {min(times):.0f}")


def warm(environ: dict[str, str], workflow: str, samples: int) -> None:
    """Time runs on a stack that is up."""
    wall_ms("up", environ=environ)
    try:
        wall_ms("run", workflow, "--example", "--json", environ=environ)
        added, engine = [], []
        for _ in range(samples):
            wall, printed = wall_ms("run", workflow, "--example", "--json", environ=environ)
            told: dict[str, Any] = json.loads(printed)
            engine.append(float(told["output"]["engine_ms"]))
            added.append(wall - engine[-1])
        print(f"warm run, engine        ms  {spread(engine)}")
        print(f"warm run, AIMA adds     ms  {spread(added)}")
    finally:
        wall_ms("down", environ=environ)


def cold(environ: dict[str, str], workflow: str, samples: int) -> None:
    """Time runs that start and end everything."""
    times = [
        wall_ms("run", workflow, "--example", "--json", environ=environ)[0] for _ in range(samples)
    ]
    print(f"cold run, all of it     ms  {spread(times)}")


def main(samples: int) -> None:
    """Measure on a data folder of its own with the machine's models."""
    from aima.settings import load_settings
    from aima.shipped import shipped

    source = shipped("workflows") / "voice-assistant.yaml"
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "models").symlink_to(load_settings().data / "models")
        (Path(folder) / "assets").symlink_to(source.parent / "assets")
        workflow = Path(folder) / "timed.yaml"
        workflow.write_text(source.read_text().partition("\noutput:")[0] + TIMED)
        free = {"AIMA_PORT": "0", "AIMA_TEMPORAL_PORT": "0", "AIMA_TEMPORAL_UI_PORT": "0"}
        environ = {**os.environ, **free, "AIMA_DATA": str(data)}
        help_page(environ, samples)
        warm(environ, str(workflow), samples)
        cold(environ, str(workflow), COLD_SAMPLES)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
