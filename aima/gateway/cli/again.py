"""Starting a run from another one, and following it: `aima retry` and `aima rerun`."""

from __future__ import annotations

from typing import Any

import click

from aima.gateway.cli.terminal import give_json, say


def again(run_id: str, way: str, body: dict[str, Any], *, detach: bool, as_json: bool) -> int:
    """Start the run and follow it; give the exit code."""
    from aima.gateway.cli.follow import Follower
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import run_path
    from aima.settings import load_settings

    settings = load_settings()
    stays = detach and not settings.temporal.address
    with stack(settings, works=True, stays=stays) as client:
        new = client.post(run_path(run_id, way), body)["id"]
        started = client.get(run_path(new))
        if detach:
            if as_json:
                give_json({"id": new})
            else:
                click.echo(new)
                say(f"Running on its own. `aima status {new}` tells how far it is.")
            return 0
        return Follower(client, settings, as_json=as_json, watch=False).follow(started, {})
