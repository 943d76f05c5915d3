"""``aima rerun``: repeat a run."""

from __future__ import annotations

import click


@click.command("rerun")
@click.argument("run_id")
@click.option("--detach", is_flag=True, help="Start it and return at once.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(*, run_id: str, detach: bool, as_json: bool) -> None:
    """Start a new run with the recorded input and plan of RUN_ID."""
    from aima.gateway.cli.again import again

    raise SystemExit(again(run_id, "rerun", {}, detach=detach, as_json=as_json))
