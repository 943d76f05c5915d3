"""``aima new``: a workflow to begin with, and its test."""

from __future__ import annotations

import re
from pathlib import Path

import click

from aima.gateway.cli.terminal import say

KINDS = ("blank", "approval", "voice-assistant")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@click.command("new")
@click.argument("name")
@click.option(
    "--from", "kind", type=click.Choice(KINDS), default="blank", help="What to begin with."
)
def command(*, name: str, kind: str) -> None:
    """Write NAME.yaml, a small workflow that runs, and NAME.test.yaml beside it.

    A file that is there already is left alone.
    """
    from aima.disk import told
    from aima.errors import Conflict, ValidationFailed

    if not _NAME.fullmatch(name):
        hint = "write lower-case letters, digits, `-` and `_`, a letter first"
        raise ValidationFailed(f"{name!r} is no name for a workflow; {hint}")
    files = scaffold(name, kind)
    for file in files:
        if file.exists():
            raise Conflict(f"{str(file)!r} exists already; choose another name")
    for file, text in files.items():
        with told(file), file.open("x", encoding="utf-8") as out:
            out.write(text)
        click.echo(file)
    say(f"`aima check {name}.yaml` looks for mistakes, `aima test {name}.yaml` tries it.")


def scaffold(name: str, kind: str) -> dict[Path, str]:
    """Give the files of a new workflow and their texts."""
    from aima.prompts import render_file
    from aima.shipped import shipped

    folder = shipped("templates") / "scaffold"
    endings = ("yaml", "test.yaml")
    return {
        Path(f"{name}.{ending}"): render_file(f"{kind}.{ending}.j2", {"name": name}, (folder,))
        for ending in endings
    }
