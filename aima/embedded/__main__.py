"""The engine's process: ``python -m aima.embedded FD PARENT``, settings as JSON on its input."""

from __future__ import annotations

import os
import sys

from aima.embedded.serve import serve
from aima.settings import Settings


def main() -> None:
    """Serve the inherited socket, unless the process that holds it has died meanwhile."""
    fd, parent = map(int, sys.argv[1:])
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    if os.getppid() == parent:
        serve(settings, fd=fd)


if __name__ == "__main__":
    main()
