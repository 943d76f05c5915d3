"""``aima runs``: the latest runs."""

from __future__ import annotations

import json
from datetime import datetime

import click


@click.command("runs")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--query", default="", help="A Temporal visibility query.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, limit: int, query: str, as_json: bool) -> None:
    """List the latest runs."""
    from urllib.parse import urlencode

    from aima.gateway.cli.run_command import stack
    from aima.settings import load_settings

    with stack(load_settings()) as client:
        told = client.get("/api/v2/runs?" + urlencode({"limit": limit, "query": query}))
    if as_json:
        click.echo(json.dumps(told))
        return
    for run in told["runs"]:
        started = datetime.fromisoformat(run["started"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        seconds = f"{run['seconds']:8.1f} s" if run["seconds"] is not None else " " * 10
        click.echo(f"{started}  {run['state']:<10} {seconds}  {run['id']}")
    if not told["runs"]:
        click.echo("no runs yet; `aima run voice-assistant --example` makes one", err=True)
