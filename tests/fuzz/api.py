"""Everything the door describes, asked with what nobody foresaw: no answer is AIMA's mistake.

    python tests/fuzz/api.py SCHEMATHESIS [EXAMPLES] [ARGUMENTS …]

starts AIMA on a data folder of its own and lets Schemathesis read its OpenAPI description; `make
fuzz-api` does so with the program in an environment of its own. What went wrong is shown with
the request that asks for it again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.acceptance.command import Aima, models_folder

# What ends or holds the stack, and what streams for as long as its reader listens.
LEFT_OUT = r"^/stack/|^/api/v2/streams$|/events$|/stream$|/watch"


def main(program: str, examples: str = "25", *more: str) -> int:
    """Run it; give what the program says of the whole."""
    with tempfile.TemporaryDirectory(prefix="aima-fuzz-") as folder:
        data, project = Path(folder, "data"), Path(folder, "project")
        for made in (data, project):
            made.mkdir()
        (data / "models").symlink_to(models_folder())
        aima = Aima(data, project)  # no units of the tests: they write where they are told
        aima.up()
        state = json.loads((data / "stack.json").read_text())
        url = f"http://127.0.0.1:{state['port']}"
        command = [
            *(str(Path(program).absolute()), "run", f"{url}/api/v2/openapi.json"),
            *("--phases", "examples,coverage,fuzzing"),
            *("--header", f"Authorization: Bearer {state['token']}"),
            *("--exclude-path-regex", LEFT_OUT, "--max-examples", examples),
            *("--checks", "not_a_server_error", "--continue-on-failure", "--workers", "2"),
            *("--request-timeout", "120", "--suppress-health-check", "all", *more),
        ]
        try:
            return subprocess.run(command, check=False, cwd=project).returncode
        finally:
            aima.call("down")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
