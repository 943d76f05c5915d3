"""``aima down``: end what `aima up` started."""

from __future__ import annotations

import click


@click.command("down")
def command() -> None:
    """End what `aima up` started; open runs go on with the next `aima up`."""
    from aima.gateway.cli.stack_client import find_stack
    from aima.settings import load_settings

    client = find_stack(load_settings())
    if client is None:
        click.echo("nothing runs", err=True)
        return
    client.post("/stack/stop")
    client.wait_until_gone()
    click.echo("AIMA is down", err=True)
