"""``aima units``: everything AIMA can do."""

from __future__ import annotations

import click

from aima.gateway.cli.terminal import give_json


@click.command("units")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """List every atomic unit."""
    from aima.gateway.units.installed import units_of
    from aima.settings import load_settings

    units = list(units_of(load_settings()))
    if as_json:
        rows = [{"name": u.name, "kind": u.kind, "summary": u.summary} for u in units]
        give_json(rows)
        return
    width = max(len(unit.name) for unit in units)
    for unit in units:
        click.echo(f"  {unit.name:<{width}}  {unit.kind:<8} {unit.summary}")
