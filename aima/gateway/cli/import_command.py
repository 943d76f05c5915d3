"""``aima import``: pipeline files of the earlier system in today's style."""

from __future__ import annotations

from pathlib import Path

import click

from aima.gateway.cli.terminal import say

_SCHEMA = "# yaml-language-server: $schema="


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "out", type=click.Path(path_type=Path), help="Write it to a file.")
@click.option("--in-place", is_flag=True, help="Write it into FILE itself.")
@click.option("--schema", metavar="URL", help="Name the schema that editors complete it with.")
def command(*, file: Path, out: Path | None, in_place: bool, schema: str | None) -> None:
    """Write an older pipeline FILE in today's style; comments and quotes stay.

    It runs without this, too. What was changed is told line by line. Without `-o` the result
    goes to the standard output.
    """
    from dataclasses import asdict

    from aima.dsl.load import load
    from aima.dsl.older import Change, import_older
    from aima.gateway.cli.rewriting import like
    from aima.gateway.cli.stack_client import Refused
    from aima.gateway.cli.workflow_files import read_workflow, shown

    if in_place and out is not None:
        raise click.UsageError("give either -o or --in-place")
    text = read_workflow(file)
    if found := load(text, shown(file))[2]:
        raise Refused(f"{str(file)!r} cannot be read", [asdict(one) for one in found])
    after, changes = import_older(text, shown(file))
    if schema and not after.startswith(_SCHEMA):
        after = f"{_SCHEMA}{schema}\n{after}"
        changes = [Change(1, "the schema for editors is named"), *changes]
    _give(like(text, after), file if in_place else out, changed=bool(changes))
    for change in changes:
        say(f"{shown(file)}:{change.line}: {change.what}")
    if not changes:
        say(f"{shown(file)}: nothing to change")


def _give(text: str, target: Path | None, *, changed: bool) -> None:
    """Write the result where it belongs; a file that is there is replaced only by its own.

    Raises:
        Conflict: the file given with `-o` exists.
    """
    from aima.disk import told
    from aima.gateway.cli.rewriting import replace_text

    if target is None:
        click.echo(text.encode(), nl=False)
    elif target.exists() and changed:
        replace_text(target, text)
    elif not target.exists():
        with told(target):
            target.write_bytes(text.encode())
