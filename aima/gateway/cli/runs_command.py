"""``aima runs``: the latest runs."""

from __future__ import annotations

from datetime import datetime

import click

from aima.gateway.cli.terminal import give_json, say


@click.command("runs")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--query", default="", help="A Temporal visibility query.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, limit: int, query: str, as_json: bool) -> None:
    """List the latest runs."""
    from urllib.parse import urlencode

    from aima.dsl.render import escaped
    from aima.gateway.cli.stack import stack
    from aima.settings import load_settings

    with stack(load_settings()) as client:
        asked = urlencode({"limit": limit, "query": query, "offset": 0})
        found = client.get(f"/api/v2/runs?{asked}")["items"]
    runs = sorted(found, key=lambda run: run["started"], reverse=True)
    if as_json:
        give_json({"runs": runs})
        return
    for run in runs:
        started = datetime.fromisoformat(run["started"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        seconds = f"{run['seconds']:8.1f} s" if run["seconds"] is not None else " " * 10
        # A unit alone is a run of one step, and all of those have the same name.
        unit = "".join(f"  {name[5:]}" for name in run["labels"] if name.startswith("unit="))
        click.echo(f"{started}  {run['state']:<10} {seconds}  {escaped(run['id'] + unit)}")
    if not runs:
        say("no such run" if query else "no runs yet; `aima run voice-assistant --example`")
