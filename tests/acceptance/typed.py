"""The command line as it is typed, in this process: many commands have no time for one each."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from aima.gateway.cli.main import main


def typed(folder: Path, environ: Mapping[str, str], *arguments: str | Path) -> tuple[int, str]:
    """Run a command to its end in a folder; give its exit code and what it prints."""
    printed, code = io.StringIO(), 0
    called = _called(folder, environ, ["aima", *map(str, arguments)])
    with called, contextlib.redirect_stdout(printed):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, printed.getvalue()


@contextmanager
def _called(folder: Path, environ: Mapping[str, str], arguments: list[str]) -> Iterator[None]:
    """Have this process be called as a user calls the command."""
    before, argv, had = Path.cwd(), sys.argv, dict(os.environ)
    os.chdir(folder)
    sys.argv = arguments
    os.environ.clear()
    os.environ.update(environ)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(had)
        sys.argv = argv
        os.chdir(before)
