"""``aima settings``: every setting and where it stands."""

from __future__ import annotations

from typing import Any

import click

from aima.gateway.cli.terminal import give_json


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """List every setting, its variable, and its value now."""
    from aima.settings import fields, load_settings, variable

    plain = load_settings().model_dump(mode="json")  # what is secret is not shown
    values: dict[tuple[str, ...], Any] = {}
    for path, _ in fields():
        value: Any = plain
        for name in path:
            value = value[name]
        values[path] = value
    if as_json:
        give_json({".".join(path): value for path, value in values.items()})
        return
    for path, value in values.items():
        shown = "" if value is None else value
        click.echo(f"  {'.'.join(path):<28} {variable(path):<32} {shown}".rstrip())
