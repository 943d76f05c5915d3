"""``aima down``: end what `aima up` started."""

from __future__ import annotations

import click

from aima.gateway.cli.terminal import say


@click.command("down")
def command() -> None:
    """End what `aima up` started; open runs wait for the next."""
    from aima.gateway.cli.stack import find_stack
    from aima.gateway.cli.stack_client import GONE_SECONDS
    from aima.settings import load_settings

    settings = load_settings()
    client = find_stack(settings)
    if client is None:
        say("nothing runs")
        return
    client.post("/stack/stop")
    client.wait_until_gone(GONE_SECONDS + settings.worker.shutdown_seconds)
    say("AIMA is down")
