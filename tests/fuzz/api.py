"""Everything the door describes, asked with what nobody foresaw: each answer is one it describes.

    python tests/fuzz/api.py SCHEMATHESIS [EXAMPLES] [ARGUMENTS …]

starts AIMA on a data folder of its own, with an engine that answers at once, and lets Schemathesis
read its OpenAPI description; `make fuzz-api` does so with the program in an environment of its
own. No operation is left out; `hooks.py` tells how those are asked that would end the stack or
never end. What went wrong is shown with the request that asks for it again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.acceptance.command import Aima

MOST_SECONDS = 3 * 3600
PHASES = "examples,coverage,fuzzing"
# What fits the schema may still be refused: there is no such run, say. Without a key is asked by
# `ignored_auth`.
LEFT_OUT = "positive_data_acceptance,missing_required_header"


def main(program: str, examples: str = "10", *more: str) -> int:
    """Run it; give what the program says of the whole."""
    with tempfile.TemporaryDirectory(prefix="aima-fuzz-") as folder, _engine() as engine:
        data, project = Path(folder, "data"), Path(folder, "project")
        for made in (data, project):
            made.mkdir()
        settings = {
            "AIMA_ENGINES": f'{{fake = {{url = "{engine}/v1"}}}}',
            "AIMA_EMBEDDED_ENABLED": "false",
        }
        aima = Aima(
            data, project, settings
        )  # no units of the tests: they write where they are told
        aima.up()
        state = json.loads((data / "stack.json").read_text())
        viewer = aima.ask("key", "create", "viewer", "--role", "viewer")["key"]
        command = [
            *(str(Path(program).absolute()), "run"),
            f"http://127.0.0.1:{state['port']}/api/v2/openapi.json",
            *("--header", f"Authorization: Bearer {state['token']}"),
            *("--phases", PHASES, "--max-examples", examples),
            *("--checks", "all", "--exclude-checks", LEFT_OUT, "--continue-on-failure"),
            *("--request-timeout", "120", "--suppress-health-check", "all", *more),
        ]
        hooks = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(Path(__file__).parent)}
        environ = {**os.environ, **hooks, "AIMA_FUZZ_VIEWER": viewer}
        try:
            return subprocess.run(
                command, check=False, cwd=project, env=environ, timeout=MOST_SECONDS
            ).returncode
        finally:
            aima.call("down")


@contextmanager
def _engine() -> Iterator[str]:
    """Run a fake engine; give its address."""
    command = [sys.executable, "-m", "aima.testing.engines", "openai"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
