"""``aima up``: keep Temporal, a worker and the engine running in the background."""

from __future__ import annotations

import click


@click.command("up")
@click.option("--foreground", is_flag=True, help="Stay in this terminal; Ctrl-C ends it.")
@click.option("--while-attached", is_flag=True, hidden=True, help="End with the last client.")
@click.option("--json", "as_json", is_flag=True, help="Print where everything is as JSON.")
def command(*, foreground: bool, while_attached: bool, as_json: bool) -> None:
    """Keep Temporal, a worker and the engine running in the background.

    Models stay warm between runs. `aima down` ends it.
    """
    from aima.settings import load_settings

    settings = load_settings()
    if foreground:
        from aima.stack.supervisor import own_stack

        own_stack(settings, stays=not while_attached)
        return
    from aima.gateway.cli.ps_command import show
    from aima.gateway.cli.stack_client import find_stack, start_stack

    client = find_stack(settings) or start_stack(settings, stays=True)
    client.post("/stack/stay")
    show(client.get("/health"), as_json=as_json)
