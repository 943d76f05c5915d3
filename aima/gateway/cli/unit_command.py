"""``aima unit``: all about one unit."""

from __future__ import annotations

import json

import click


@click.command("unit")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print its schemas as JSON.")
def command(*, name: str, as_json: bool) -> None:
    """Show what the unit NAME takes, gives, and may fail with."""
    from aima.gateway.unit_pages import page, schema
    from aima.settings import load_settings
    from aima.worker import units_of

    unit = units_of(load_settings()).get(name)
    click.echo(json.dumps(schema(unit), indent=2) if as_json else page(unit))
