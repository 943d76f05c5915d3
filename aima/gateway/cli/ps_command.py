"""``aima ps``: the processes of the stack."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command("ps")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """Show the processes of the stack and what they use."""
    from aima.gateway.cli.stack_client import find_stack
    from aima.settings import load_settings

    client = find_stack(load_settings())
    if client is None:
        click.echo(json.dumps({"pids": {}}) if as_json else "nothing runs; `aima up` starts it")
        return
    show(client.get("/health"), as_json=as_json)


def show(health: dict[str, Any], *, as_json: bool) -> None:
    """Print where a stack's things are."""
    if as_json:
        click.echo(json.dumps(health))
        return
    import psutil

    for name, pid in health["pids"].items():
        try:
            process = psutil.Process(pid)
            used = f"{process.memory_info().rss / 2**20:6.0f} MB"
        except psutil.Error:
            used = "    gone"
        click.echo(f"  {name:<10} {pid:>8}  {used}")
    if "engine" not in health["pids"]:
        click.echo(f"  {'engine':<10} {'-':>8}  starts with the first request")
    click.echo(
        f"  Temporal at {health['temporal']}"
        + (f", its page at {health['ui']}" * bool(health["ui"]))
    )
