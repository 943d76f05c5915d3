"""``aima logs``: the lines of a run."""

from __future__ import annotations

import json
import os

import click


@click.command("logs")
@click.argument("run_id")
@click.option("--json", "as_json", is_flag=True, help="Print the lines as they are, JSON.")
def command(*, run_id: str, as_json: bool) -> None:
    """Show what RUN_ID wrote into its log."""
    from aima.dsl.render import escaped
    from aima.errors import NotFound
    from aima.settings import load_settings
    from aima.stores import logs_of

    file = logs_of(load_settings()).file(run_id)
    if not os.path.isfile(file):  # noqa: PTH113 - `is_file` raises for a name that is too long
        raise NotFound(f"there is no log of a run {run_id!r} here; `aima runs` lists the runs")
    with file.open(encoding="utf-8", errors="replace") as lines:
        for text in lines:
            click.echo(text.rstrip("\n") if as_json else escaped(_readable(text)))


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
