"""``aima logs``: the lines of a run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import click

_POLL_SECONDS = 0.5


@click.command("logs")
@click.argument("run_id")
@click.option("-f", "--follow", is_flag=True, help="Go on until the run has ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they are, JSON.")
def command(*, run_id: str, follow: bool, as_json: bool) -> None:
    """Show what RUN_ID wrote into its log."""
    from aima.dsl.render import escaped
    from aima.settings import load_settings
    from aima.stores import logs_of

    file = logs_of(load_settings()).file(run_id)
    for text in _growing(file, run_id) if follow else _lines(file, run_id):
        click.echo(text.rstrip("\n") if as_json else escaped(_readable(text)))


def _lines(file: Path, run_id: str) -> Iterator[str]:
    from aima.errors import NotFound

    if not os.path.isfile(file):  # noqa: PTH113 - `is_file` raises for a name that is too long
        raise NotFound(f"there is no log of a run {run_id!r} here; `aima runs` lists the runs")
    with file.open(encoding="utf-8", errors="replace") as lines:
        yield from lines


def _growing(file: Path, run_id: str) -> Iterator[str]:
    """Read a file as it grows, to its end once the run has ended; half a line waits for more."""
    import time

    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import run_path
    from aima.settings import load_settings

    at, begun = 0, b""
    with stack(load_settings(), works=True) as client:
        while True:
            ended = client.get(run_path(run_id, "state"))["state"] != "running"
            part = _from(file, at)
            at += len(part)
            *whole, begun = (begun + part).split(b"\n")
            yield from (line.decode(errors="replace") for line in whole)
            if ended:
                break
            time.sleep(_POLL_SECONDS)
    if begun:
        yield begun.decode(errors="replace")


def _from(file: Path, at: int) -> bytes:
    """Read a file from a place on; one that nobody has begun yet holds nothing."""
    try:
        with file.open("rb") as lines:
            lines.seek(at)
            return lines.read()
    except FileNotFoundError:
        return b""


def _readable(text: str) -> str:
    """Lay a line out for people; one that was cut off by a crash is given as it is."""
    try:
        line = json.loads(text)
        time = line.pop("time")
    except (ValueError, KeyError, AttributeError):
        return text.rstrip()
    rest = (
        f"{key}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for key, value in line.items()
    )
    return f"{time}  {' '.join(rest)}"
