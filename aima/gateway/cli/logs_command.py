"""``aima logs``: the lines of a run."""

from __future__ import annotations

import json

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
    if not file.is_file():
        raise NotFound(f"there is no log of a run {run_id!r} here; `aima runs` lists the runs")
    for text in file.read_text(encoding="utf-8").splitlines():
        if as_json:
            click.echo(text)
            continue
        line = json.loads(text)
        rest = " ".join(
            f"{k}={v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)}"
            for k, v in line.items()
            if k != "time"
        )
        click.echo(f"{line['time']}  {escaped(rest)}")
