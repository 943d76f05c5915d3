"""``aima check``: everything that is wrong with a workflow, before it runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aima.gateway.cli.exits import FAILED
from aima.gateway.cli.terminal import give_json, say

if TYPE_CHECKING:
    from aima.dsl.check import Checked

FORMATS = ("text", "json", "sarif", "github")


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    help="How to tell them: for people, programs, code scanning, or a GitHub runner.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(*, files: tuple[Path, ...], strict: bool, form: str, as_json: bool) -> None:
    """Find the mistakes in workflows; nothing is run.

    FILES are files, names of workflows, or folders with all in them; hidden folders and those
    called `invalid` are passed over. The exit code is 1 where there are errors; `aima explain
    CODE` tells what a code means.
    """
    from aima.gateway.cli.workflow_files import shown, workflow_files
    from aima.gateway.units.installed import units_of
    from aima.gateway.workflows.definitions import Definitions
    from aima.settings import load_settings

    settings = load_settings()
    definitions = Definitions(units_of(settings))
    workflows = workflow_files(files, settings.root, below=True)
    checked = [definitions.check(_read(file), shown(file), str(file)) for file in workflows]
    _give(checked, "json" if as_json else form)
    found = [one for each in checked for one in each.diagnostics]
    if any(strict or one.severity == "error" for one in found):
        raise SystemExit(FAILED)


def _give(checked: Sequence[Checked], form: str) -> None:
    """Print the findings: reports on stdout, what is for people on stderr."""
    from dataclasses import asdict

    from aima.gateway.cli import reports
    from aima.gateway.cli.diagnostics import counted, show_found
    from aima.gateway.explain import link_of

    found = [one for each in checked for one in each.diagnostics]
    told = [asdict(one) for one in found]
    if form == "sarif":
        give_json(reports.sarif(found))
    elif form == "json":
        give_json([{**one, "page": link_of(one["code"])} for one in told])
    else:
        if form == "github":
            click.echo(reports.github(found), nl=False)
        elif found:
            show_found(found, [each.source for each in checked])
        say(f"{counted(told)} in {len(checked)} workflow{'s' * (len(checked) != 1)}")


def _read(file: Path) -> bytes:
    from aima.disk import told

    with told(file):
        return file.read_bytes()
