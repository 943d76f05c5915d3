"""``aima unit``: all about one unit."""

from __future__ import annotations

import click

from aima.gateway.cli.terminal import give_json


@click.command("unit")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print its schemas as JSON.")
def command(*, name: str, as_json: bool) -> None:
    """Show what the unit NAME takes, gives, and may fail with."""
    from aima.gateway.reference.unit_pages import page, schema
    from aima.gateway.units.installed import units_of
    from aima.settings import load_settings

    unit = units_of(load_settings()).get(name)
    if as_json:
        give_json(schema(unit))
    else:
        click.echo(page(unit))
