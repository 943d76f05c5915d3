"""``aima check``: everything that is wrong with a workflow, before it runs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("check")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, files: tuple[Path, ...], strict: bool, as_json: bool) -> None:
    """Check workflow FILES, or all in a folder, without running anything."""
    import json
    from dataclasses import asdict

    from aima.errors import NotFound
    from aima.gateway.cli.diagnostics import show
    from aima.gateway.definitions import Definitions
    from aima.settings import load_settings
    from aima.worker import units_of

    definitions = Definitions(units_of(load_settings()))
    found = []
    for file in _workflows(files):
        if not file.is_file():
            raise NotFound(f"there is no file {str(file)!r}")
        text = file.read_bytes()
        checked = definitions.check(text, str(file))
        here = [asdict(d) for d in checked.diagnostics]
        if here and not as_json:
            show(here, text=text, file=str(file))
        found += here
    if as_json:
        click.echo(json.dumps(found, indent=2))
    if any(strict or d["severity"] == "error" for d in found):
        raise SystemExit(1)


def _workflows(paths: tuple[Path, ...]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    return files
