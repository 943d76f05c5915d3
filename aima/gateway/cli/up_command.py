"""``aima up``: keep Temporal, a worker and the engine running in the background."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aima.stack.lock import StackState


@click.command("up")
@click.option("--foreground", is_flag=True, help="Stay in this terminal; Ctrl-C ends it.")
@click.option("--background", type=click.Choice(["stays", "ends"]), hidden=True)
@click.option("--json", "as_json", is_flag=True, help="Print where everything is as JSON.")
def command(*, foreground: bool, background: str | None, as_json: bool) -> None:
    """Start AIMA in the background and keep it there.

    Temporal, a worker and the engine run until `aima down`; models stay warm between runs.
    """
    from aima.settings import load_settings

    settings = load_settings()
    if foreground or background:
        from aima.stack.supervisor import own_stack

        def ready(state: StackState) -> None:
            if foreground:
                _tell(state, as_json=as_json)

        own_stack(settings, stays=background != "ends", ready=ready)
        # As in a worker: the interpreter's own end takes half a second and may abort in the SDK.
        os._exit(0)
    from aima.gateway.cli.ps_command import show
    from aima.gateway.cli.stack import stack

    with stack(settings, works=True, stays=True) as client:
        show(client.get("/health"), as_json=as_json)


def _tell(state: StackState, *, as_json: bool) -> None:
    from aima.gateway.cli.terminal import give_json, say

    if as_json:
        give_json({"temporal": state.temporal, "ui": state.ui, "pid": state.pid})
    else:
        page = f", its page at {state.ui}" if state.ui else ""
        say(f"AIMA is up: Temporal at {state.temporal}{page}; Ctrl-C ends it")
        say(f"the page is at http://127.0.0.1:{state.port}/, which `aima open` opens")
