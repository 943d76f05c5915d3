"""``aima watch asms://…``: the changes of a resource, as they come."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import click

from aima.errors import Gone
from aima.gateway.cli.exits import until_interrupted
from aima.gateway.cli.get_command import PATH, SCHEME, resource_path
from aima.gateway.cli.resource_view import Changes
from aima.gateway.cli.terminal import give_json, say

if TYPE_CHECKING:
    from aima.gateway.cli.stack_client import StackClient


def watch_resource(uri: str, *, since: str, as_json: bool) -> None:
    """Print the changes of a resource until interrupted, which is how it ends.

    Raises:
        AimaError: it cannot be watched; the error is the door's.
    """
    from aima.gateway.cli.stack import stack
    from aima.settings import load_settings

    shown = Changes()
    with until_interrupted(), stack(load_settings()) as client:
        for change in changes(client, uri, since):
            _tell(change, shown, as_json=as_json)


def like_address(client: StackClient, given: str) -> str:
    """Say how an address is written that somebody may have meant; nothing for others."""
    listed = client.get(PATH)
    known = [row.get("uri") or row["uri_template"] for kind in listed.values() for row in kind]
    meant = [uri for uri in known if _domain(uri) == _domain(given)]
    return f"; a resource is watched at its address, such as {meant[0]}" if meant else ""


def changes(client: StackClient, uri: str, since: str) -> Generator[dict[str, Any]]:
    """Read the changes; where some were missed, all that there is once more.

    Raises:
        Gone: those after the version that was asked for are not known any more.
    """
    path, heard = resource_path(uri, "/watch"), False
    while True:
        try:
            for change in client.events(path + (f"&since={since}" if since else "")):
                heard = True
                yield change
        except Gone:
            if since and not heard:
                raise
            say("what changed meanwhile is not known any more; this is all that there is")
            since = ""
        else:
            return


def _tell(change: dict[str, Any], shown: Changes, *, as_json: bool) -> None:
    if as_json:
        give_json(change)
    elif line := shown.line(change):
        (say if change["type"] == "ERROR" else click.echo)(line)


def _domain(uri: str) -> str:
    return uri.removeprefix(SCHEME).partition("/")[0]
