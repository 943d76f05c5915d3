"""``aima mcp``: AIMA's tools for an agent, over standard input and output."""

from __future__ import annotations

import click

from aima.gateway.mcp.profile import DEFAULT, PROFILES


@click.command("mcp")
@click.option(
    "--profile",
    type=click.Choice(list(PROFILES)),
    default=DEFAULT,
    help="Which units have a tool of their own; the others are found by `search_units`.",
)
@click.option(
    "--key",
    envvar="AIMA_KEY",
    default="",
    help="A key of `aima key create`, for an agent that may do less. Else as the command line.",
)
def command(*, profile: str, key: str) -> None:
    """Serve an agent over standard input and output, in front of the AIMA that runs.

    \b
    {"mcpServers": {"aima": {"command": "aima", "args": ["mcp"]}}}
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace
    import asyncio
    import logging

    from aima.errors import EngineNotRunning
    from aima.gateway.cli.stack import find_stack
    from aima.settings import load_settings

    logging.basicConfig(level=logging.WARNING)  # to standard error
    settings = load_settings()
    if find_stack(settings) is None:
        raise EngineNotRunning("no AIMA is up; `aima up` starts it")
    from aima.gateway.mcp.stdio import serve_stdio

    asyncio.run(serve_stdio(settings, key=key, profile=profile))
