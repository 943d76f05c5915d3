"""``aima models``: the models on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from aima.gateway.cli.terminal import give_json, is_live, say

if TYPE_CHECKING:
    from aima.settings import Settings


@click.group("models", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """List the models that AIMA can fetch, and whether they are here."""
    if ctx.invoked_subcommand is not None:
        return
    from aima.settings import load_settings
    from aima.stores import models_of

    found = models_of(load_settings()).list()
    if as_json:
        rows = [
            {
                "name": m.model.name,
                "type": m.model.type,
                "licence": m.model.licence,
                "bytes": m.model.bytes,
                "present": m.present,
            }
            for m in found
        ]
        give_json(rows)
        return
    for m in found:
        here = "here" if m.present else "not here"
        size = f"{m.model.bytes / 1e6:7.1f} MB"
        click.echo(f"  {m.model.name:<24} {m.model.type:<9} {size}  {m.model.licence:<12} {here}")


@command.command("pull")
@click.argument("name")
def pull(*, name: str) -> None:
    """Fetch the model NAME, or all of `embedded`."""
    from aima.settings import load_settings

    fetch(name, load_settings())
    say(f"{name} is here")


def fetch(name: str, settings: Settings) -> None:
    """Fetch a model or a group and show how far it is; what is here is left alone."""
    from aima.stores import models_of

    store = models_of(settings)
    group = [model.name for model in store.manifest.models if name in model.groups] or [name]
    missing = [model for model in group if not store.present(model)]
    if not missing:
        return
    say(f"fetching {', '.join(missing)}")
    meter = _Meter()
    for model in missing:
        store.pull(model, progress=meter.show)
    meter.end()


def fetch_for(text: str, settings: Settings) -> None:
    """Bring the embedded models in before a workflow or unit first needs them, for all to see."""
    if "inference." in text and settings.embedded.enabled and not settings.embedded.url:
        fetch("embedded", settings)


class _Meter:
    """One line that tells how far a download is; silent where nobody would see it move."""

    def __init__(self) -> None:
        self._live = is_live()
        self._last = ""

    def show(self, name: str, done: int, total: int) -> None:
        if not self._live:
            return
        text = f"  {name}  {done / 1e6:.1f} of {total / 1e6:.1f} MB"
        if text != self._last:
            self._last = text
            click.echo(f"\r\x1b[2K{text}", err=True, nl=False)

    def end(self) -> None:
        if self._last:
            click.echo("\r\x1b[2K", err=True, nl=False)
