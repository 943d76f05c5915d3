"""``aima status``: where a run is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from aima.gateway.cli.terminal import give_json, tint

if TYPE_CHECKING:
    from pathlib import Path

    from aima.settings import Settings

MOST_LINES = 200
"""A run with more to tell is folded to so many lines."""


@click.command("status")
@click.argument("run_id")
@click.option("--watch", is_flag=True, help="Follow it until it ends.")
@click.option("-o", "outputs", multiple=True, metavar="KEY=FILE", help="Write an output to a file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, run_id: str, watch: bool, outputs: tuple[str, ...], as_json: bool) -> None:
    """Show where RUN_ID is, step by step, and how it ended."""
    from aima.errors import Conflict
    from aima.gateway.cli.follow import Follower
    from aima.gateway.cli.outputs import check_targets
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import run_path
    from aima.settings import load_settings

    settings = load_settings()
    targets = check_targets(outputs)
    with stack(settings, works=watch) as client:
        run = client.get(run_path(run_id))
        if watch and run["state"] == "running":
            follower = Follower(client, settings, as_json=as_json, watch=True)
            raise SystemExit(follower.follow(run, targets))
    if targets and run["state"] != "completed":
        raise Conflict(f"run {run_id!r} is {run['state']} and has no output; --watch waits for it")
    _write(run, targets, settings)
    if as_json:
        give_json(run)
    else:
        _show(run, targets)


def _write(run: dict[str, Any], targets: dict[str, Path], settings: Settings) -> None:
    from aima.gateway.cli.outputs import write

    for failure in write(run.get("output"), targets, settings).values():
        raise failure


def _show(run: dict[str, Any], written: dict[str, Path]) -> None:
    from aima.dsl.render import escaped
    from aima.gateway.cli import outputs
    from aima.gateway.cli.steps import show_error
    from aima.gateway.cli.tree import SIGNS, Tree

    click.echo(f"{tint(escaped(run['workflow']), bold=True)}  {escaped(run['id'])}  {run['state']}")
    tree = Tree(run["id"], run)
    if run["state"] != "running":
        tree = tree.ended(run["state"])
    words = {step["step"]: step["message"] for step in run["steps"] if step["message"]}
    tree.words = words
    for line in tree.lines(MOST_LINES):
        sign, colour = SIGNS.get(line.sign, (" ", None))
        click.echo(f"  {tint(sign, colour)} {escaped(line.text)}".rstrip())
    if run["state"] == "completed":
        outputs.show(run["output"], written)
    elif run["state"] != "running":
        show_error(run)
