"""``aima watch asms://…``: the changes of a resource, as they come."""

from __future__ import annotations

from typing import Any

import click

from aima.gateway.cli.get_command import resource_path
from aima.gateway.cli.resource_view import Changes
from aima.gateway.cli.terminal import give_json, say


def watch_resource(uri: str, *, since: str, as_json: bool) -> None:
    """Print the changes of a resource until interrupted.

    Raises:
        AimaError: it cannot be watched; the error is the door's.
    """
    from aima.gateway.cli.stack import stack
    from aima.settings import load_settings

    path = resource_path(uri, "/watch") + (f"&since={since}" if since else "")
    shown = Changes()
    with stack(load_settings()) as client:
        for event in client.events(path):
            _tell(event, shown, as_json=as_json)


def _tell(change: dict[str, Any], shown: Changes, *, as_json: bool) -> None:
    if as_json:
        give_json(change)
    elif line := shown.line(change):
        (say if change["type"] == "ERROR" else click.echo)(line)
