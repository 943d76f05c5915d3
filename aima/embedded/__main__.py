"""The engine's process: ``python -m aima.embedded FD``, settings as JSON on standard input."""

from __future__ import annotations

import sys

from aima.embedded.serve import serve
from aima.settings import Settings


def main() -> None:
    """Serve the inherited socket."""
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    serve(settings, fd=int(sys.argv[1]))


if __name__ == "__main__":
    main()
