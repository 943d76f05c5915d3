"""``aima check``: everything that is wrong with a workflow, before it runs."""

from __future__ import annotations

from pathlib import Path

import click

from aima.gateway.cli.exits import FAILED
from aima.gateway.cli.terminal import give_json, say


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, files: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Find the mistakes in workflows; nothing is run.

    FILES are files, names of workflows, or folders of them.
    """
    from dataclasses import asdict

    from aima.gateway.cli.diagnostics import counted, show
    from aima.gateway.cli.workflow_files import workflow_files
    from aima.gateway.definitions import Definitions
    from aima.gateway.units import units_of
    from aima.settings import load_settings

    settings = load_settings()
    definitions = Definitions(units_of(settings))
    workflows = workflow_files(files, settings.root)
    checked = [definitions.check(_read(file), str(file)) for file in workflows]
    found = [asdict(diagnostic) for one in checked for diagnostic in one.diagnostics]
    if as_json:
        give_json(found)
    else:
        if found:
            show(found)
        say(f"{counted(found)} in {len(workflows)} workflow{'s' * (len(workflows) != 1)}")
    if any(strict or one["severity"] == "error" for one in found):
        raise SystemExit(FAILED)


def _read(file: Path) -> bytes:
    from aima.disk import told

    with told(file):
        return file.read_bytes()
