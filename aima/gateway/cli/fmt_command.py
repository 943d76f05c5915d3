"""``aima fmt``: the usual layout for workflow files."""

from __future__ import annotations

from pathlib import Path

import click

from aima.gateway.cli.exits import FAILED
from aima.gateway.cli.terminal import say


@click.command("fmt")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Change nothing; fail if one would.")
def command(*, files: tuple[Path, ...], only_check: bool) -> None:
    """Lay workflow files out in the usual way.

    FILES are files, names of workflows, or folders with all in them. Values, comments and quotes
    stay as they are; a file that cannot be read is told and left alone.
    """
    from dataclasses import asdict

    from aima.dsl.layout import formatted
    from aima.dsl.load import load
    from aima.gateway.cli.diagnostics import show
    from aima.gateway.cli.rewriting import like, replace_text
    from aima.gateway.cli.workflow_files import read_workflow, workflow_files
    from aima.settings import load_settings

    failed = False
    for file in workflow_files(files, load_settings().root, below=True):
        text = read_workflow(file)
        after = formatted(text, str(file))
        if after is None:
            show([asdict(one) for one in load(text, str(file))[2]])
            failed = True
            continue
        after = like(text, after)
        if after == text:
            continue
        click.echo(file)
        failed |= only_check
        if not only_check:
            replace_text(file, after)
    if failed:
        if only_check:
            say("`aima fmt` changes these; nothing is changed now")
        raise SystemExit(FAILED)
