"""Exit codes, and how an error is printed.

==== ==================================
0    it worked
1    it failed
2    usage: the call or its input is wrong
3    the named thing does not exist
4    conflict: it exists already or is in use
5    it took too long
6    not authorised
130  interrupted
==== ==================================
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aima.errors import is_retryable
from aima.gateway.cli.terminal import give_json, say, tint, wants_json

FAILED = 1
USAGE = 2
TIMEOUT = 5
INTERRUPTED = 130

_BY_STATUS = {400: USAGE, 413: USAGE, 415: USAGE, 404: 3, 409: 4, 504: TIMEOUT, 401: 6, 403: 6}


def exit_code(code: str, status: int) -> int:
    """Give the exit code of an error."""
    return INTERRUPTED if code == "CANCELLED" else _BY_STATUS.get(status, FAILED)


@contextmanager
def until_interrupted() -> Iterator[None]:
    """Do what has no end of its own; Ctrl-C is no mishap then, and nothing is said of it."""
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def tell(message: str, *, code: str, **more: object) -> None:
    """Print an error: as a JSON object where `--json` was asked for, else as a line."""
    from aima.dsl.render import escaped

    if wants_json():
        told = {"code": code, "message": message, "retryable": is_retryable(code)}
        give_json({"error": told, **more})
    else:
        lines = "\n".join(escaped(line) for line in message.splitlines())
        say(f"{tint('error:', 'red', bold=True)} {lines}")
