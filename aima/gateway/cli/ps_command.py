"""``aima ps``: the processes of the stack."""

from __future__ import annotations

from typing import Any

import click

from aima.gateway.cli.terminal import give_json


@click.command("ps")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """Show the processes of the stack and what they use."""
    from aima.gateway.cli.stack import find_stack
    from aima.settings import load_settings

    client = find_stack(load_settings())
    if client is not None:
        show(client.get("/health"), as_json=as_json)
    elif as_json:
        give_json({"pids": {}})
    else:
        click.echo("nothing runs; `aima up` starts it")


def show(health: dict[str, Any], *, as_json: bool) -> None:
    """Print where a stack's things are."""
    if as_json:
        give_json(health)
        return
    for name, pid in health["pids"].items():
        click.echo(f"  {name:<10} {pid:>8}  {_memory(pid)}")
    if "engine" not in health["pids"]:
        click.echo(f"  {'engine':<10} {'-':>8}  starts with the first request")
    page = f", its page at {health['ui']}" if health["ui"] else ""
    click.echo(f"  Temporal at {health['temporal']}{page}")
    click.echo(f"  page at {health['door']}/, which `aima open` opens")
    if health.get("key"):
        click.echo(f"  API at {health['door']}, the key to it in {health['key']}")
    if not health["stays"]:
        click.echo("  it ends with the command that began it; `aima up` keeps it")


def _memory(pid: int) -> str:
    import psutil

    try:
        return f"{psutil.Process(pid).memory_info().rss / 2**20:6.0f} MB"
    except psutil.Error:
        return "gone"
