"""``aima open``: the page in a browser, signed in."""

from __future__ import annotations

import os
import sys

import click


@click.command("open")
@click.option("--print", "only_print", is_flag=True, help="Print the link and open nothing.")
def command(*, only_print: bool) -> None:
    """Open AIMA's page in a browser.

    The link signs one browser in, once, and ends after two minutes. Without a browser on this
    machine it is printed, for one that reaches it through a tunnel.
    """
    import webbrowser

    from aima.errors import EngineNotRunning
    from aima.gateway.cli.stack import find_stack
    from aima.gateway.cli.terminal import say
    from aima.settings import load_settings

    client = find_stack(load_settings())
    if client is None:
        raise EngineNotRunning("nothing runs; `aima up` starts it")
    path = client.post("/api/v2/tickets")["path"]
    link = f"http://127.0.0.1:{client.state.port}{path}"
    if only_print or not _has_screen() or not webbrowser.open(link):
        click.echo(link)
    else:
        say(f"the page opens at http://127.0.0.1:{client.state.port}/")


def _has_screen() -> bool:
    """Tell whether a browser with windows can be opened: one of a terminal runs no script."""
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))
