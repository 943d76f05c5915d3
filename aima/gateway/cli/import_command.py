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
    from aima.gateway.cli.rewriting import like, replace_text
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
    after = like(text, after)
    if in_place:
        replace_text(file, after)
    elif out is not None:
        _write_new(out, after)
    else:
        click.echo(after.encode(), nl=False)
    for change in changes:
        say(f"{shown(file)}:{change.line}: {change.what}")
    if not changes:
        say(f"{shown(file)}: nothing to change")


def _write_new(file: Path, text: str) -> None:
    """Write a file.

    Raises:
        Conflict: it is there already.
    """
    from aima.disk import told

    with told(file), file.open("xb") as out:
        out.write(text.encode())
