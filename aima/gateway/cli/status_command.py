"""``aima status``: where a run is."""

from __future__ import annotations

import json

import click


@click.command("status")
@click.argument("run_id")
@click.option("--watch", is_flag=True, help="Follow it until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, run_id: str, watch: bool, as_json: bool) -> None:
    """Show where RUN_ID is, step by step, and how it ended."""
    from aima.gateway.cli import outputs
    from aima.gateway.cli.follow import Follower, row, show_error
    from aima.gateway.cli.run_command import stack
    from aima.settings import load_settings

    settings = load_settings()
    with stack(settings) as client:
        run = client.get(f"/api/v2/runs/{run_id}")
        if watch and run["state"] == "running":
            follower = Follower(client, settings, as_json=as_json, watch=True)
            raise SystemExit(follower.follow({"id": run_id, "workflow": run["workflow"]}, {}))
    if as_json:
        click.echo(json.dumps(run, ensure_ascii=False))
        return
    click.echo(f"{click.style(run['workflow'], bold=True)}  {run_id}  {run['state']}")
    width = max((len(step["step"]) for step in run["steps"]), default=0)
    for step in run["steps"]:
        click.echo("  " + row(step, width))
    if run["state"] == "completed":
        outputs.show(run["output"], {})
    elif run["state"] != "running":
        show_error(run)
