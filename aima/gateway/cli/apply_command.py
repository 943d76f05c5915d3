"""``aima apply``: let a workflow's triggers take effect."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aima.gateway.cli.terminal import give_json

if TYPE_CHECKING:
    from aima.gateway.cli.stack_client import StackClient
    from aima.settings import Settings


@click.command("apply")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--prune",
    is_flag=True,
    help="Unapply what was applied from these folders before and is no longer in them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what is applied as JSON.")
def command(*, files: tuple[Path, ...], prune: bool, as_json: bool) -> None:
    """Let the triggers of workflows take effect.

    FILES are files, names of workflows, or folders of them, without the folders inside; either
    all are applied or, where one has errors, none. Each is pinned as it is now: to change it,
    apply it again. AIMA stays up for the triggers until `aima down`.
    """
    from aima.gateway.cli.applied_command import show
    from aima.gateway.cli.models_command import fetch_for
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import WORKFLOWS
    from aima.gateway.cli.workflow_files import read_workflow, shown, workflow_files
    from aima.settings import load_settings

    if prune and not all(file.is_dir() for file in files):
        raise click.UsageError("--prune compares folders with what is applied; name folders only")
    settings = load_settings()
    requests = [
        {"text": read_workflow(file), "file": shown(file), "source": str(file.resolve())}
        for file in workflow_files(files, settings.root)
    ]
    for request in requests:
        fetch_for(request["text"], settings)
    with stack(settings, works=True, stays=not settings.temporal.address) as client:
        _check(client, requests, settings)
        applied = [client.post(WORKFLOWS, request) for request in requests]
        folders = [file.resolve() for file in files]
        pruned = _prune(client, folders, applied) if prune else []
    if as_json:
        give_json({"applied": applied, "pruned": pruned})
        return
    for workflow in applied:
        show(workflow, said=f"applied, {workflow['state']}")
    for name in pruned:
        click.echo(f"{name}  unapplied")


def _check(client: StackClient, requests: list[dict[str, str]], settings: Settings) -> None:
    """Find what is wrong before anything is applied.

    Raises:
        Refused: a workflow has errors.
        Conflict: two have one name.
    """
    from aima.errors import Conflict
    from aima.gateway.cli.diagnostics import show
    from aima.gateway.cli.stack import other_project
    from aima.gateway.cli.stack_client import WORKFLOWS, Refused

    files: dict[str, str] = {}
    found: list[dict[str, Any]] = []
    refused = False
    for request in requests:
        told = client.post(f"{WORKFLOWS}/check", request)
        found += told["diagnostics"]
        refused |= not told["ok"]
        other = files.setdefault(told["name"] or request["file"], request["file"])
        if other != request["file"]:
            raise Conflict(
                f"{other!r} and {request['file']!r} are both named {told['name']!r}; rename one"
            )
    if refused:
        message = "nothing was applied: a workflow has errors"
        raise Refused(message + other_project(client, settings), found)
    if found:
        show(found)


def _prune(client: StackClient, folders: list[Path], applied: list[dict[str, Any]]) -> list[str]:
    """Unapply what came from these folders and is not among what was applied now."""
    from aima.gateway.cli.stack_client import STORED, workflow_path

    kept = {workflow["name"] for workflow in applied}
    gone = [
        workflow["name"]
        for workflow in client.items(STORED)
        if Path(workflow["source"]).parent in folders and workflow["name"] not in kept
    ]
    for name in gone:
        client.delete(workflow_path(name))
    return gone
