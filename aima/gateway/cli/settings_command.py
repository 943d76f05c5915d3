"""``aima settings``: every setting and where it stands."""

from __future__ import annotations

import json

import click


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """List every setting, its value now, and the variable that sets it."""
    from aima.settings import fields, load_settings, variable

    settings = load_settings()
    rows = {}
    for path, _ in fields():
        value: object = settings
        for name in path:
            value = getattr(value, name)
        rows[".".join(path)] = (variable(path), value)
    if as_json:
        click.echo(json.dumps({name: str(value) for name, (_, value) in rows.items()}, indent=2))
        return
    for name, (told, value) in rows.items():
        click.echo(f"  {name:<28} {told:<32} {value}")
