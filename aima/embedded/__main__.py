"""The engine's process: ``python -m aima.embedded FD``, settings as JSON on standard input."""

from __future__ import annotations

import logging
import sys

from aima.embedded.serve import serve
from aima.settings import Settings


def main() -> None:
    """Serve the inherited socket."""
    settings = Settings.model_validate_json(sys.stdin.buffer.read())
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for chatty in "httpx2", "faster_whisper", "uvicorn.error":
        logging.getLogger(chatty).setLevel(logging.WARNING)
    serve(settings, fd=int(sys.argv[1]))


if __name__ == "__main__":
    main()
