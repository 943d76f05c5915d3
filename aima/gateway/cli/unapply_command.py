"""``aima unapply``: end a workflow's triggers."""

from __future__ import annotations

import click


@click.command("unapply")
@click.argument("name")
def command(*, name: str) -> None:
    """End the triggers of the workflow NAME.

    Runs that they have started go on.
    """
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import workflow_path
    from aima.settings import load_settings

    with stack(load_settings()) as client:
        client.delete(workflow_path(name))
    click.echo(f"{name}  unapplied")
