"""``aima signal``: send a run what one of its steps waits for."""

from __future__ import annotations

import click

from aima.gateway.cli.terminal import say


@click.command("signal")
@click.argument("run_id")
@click.argument("name")
@click.option("-d", "--data", default="null", metavar="JSON", help="What it carries.")
@click.option("--id", "message_id", default="", help="Sent twice with one id, it counts once.")
def command(*, run_id: str, name: str, data: str, message_id: str) -> None:
    """Send RUN_ID the signal NAME; one that no step can take is refused."""
    from urllib.parse import quote

    from aima.gateway.cli.inputs import read_json_or_text
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import run_path
    from aima.settings import load_settings

    body = {"data": read_json_or_text(data), "id": message_id}
    with stack(load_settings(), works=True) as client:
        client.post(run_path(run_id, f"signals/{quote(name, safe='')}"), body)
    say(f"{run_id} has it")
