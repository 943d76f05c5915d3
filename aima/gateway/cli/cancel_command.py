"""``aima cancel``: stop a run."""

from __future__ import annotations

import click


@click.command("cancel")
@click.argument("run_id")
def command(*, run_id: str) -> None:
    """Stop RUN_ID: its running steps are cancelled, and it ends Canceled."""
    from aima.gateway.cli.run_command import stack
    from aima.settings import load_settings

    with stack(load_settings()) as client:
        client.post(f"/api/v2/runs/{run_id}/cancel")
        for line in client.lines(f"/api/v2/runs/{run_id}/events"):
            if line["type"] == "run":
                click.echo(f"{run_id} is {line['state']}")
