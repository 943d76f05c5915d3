"""``aima models``: the models on this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from aima.gateway.cli.exits import FAILED
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
                "kind": m.model.kind or None,
                "licence": m.model.licence,
                "bytes": m.model.bytes,
                "memory_bytes": m.model.memory_bytes,
                "uses": list(m.model.uses),
                "present": m.present,
            }
            for m in found
        ]
        give_json(rows)
        return
    click.echo(_ROW.format("MODEL", "TYPE", "KIND", "DISK", "MEMORY", "LICENCE", ""))
    for m in found:
        model = m.model
        size = _megabytes(model.bytes) if model.bytes else f"as {model.uses[0]}"
        here = "here" if m.present else "not here"
        told = (model.name, model.type, model.kind, size, _megabytes(model.memory_bytes))
        click.echo(_ROW.format(*told, model.licence, here))


_ROW = "  {:<24} {:<10} {:<17} {:>19} {:>8}  {:<18} {}"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.0f} MB"


@command.command("pull")
@click.argument("name")
def pull(*, name: str) -> None:
    """Fetch the model NAME, or all of a group: `embedded`, or `voice` for the first run."""
    from aima.settings import load_settings

    fetch(name, load_settings())
    say(f"{name} is here")


@command.command("verify")
@click.argument("names", metavar="[NAME]…", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(*, names: tuple[str, ...], as_json: bool) -> None:
    """Compare the bytes of models with their checksums: of NAME, or of all that are here."""
    from aima.settings import load_settings
    from aima.stores import models_of

    store = models_of(load_settings())
    wanted = names or tuple(one.model.name for one in store.list() if one.present)
    found = {name: store.check(name) for name in wanted}
    if as_json:
        told = [{"model_id": n, "valid": not i, "issues": list(i)} for n, i in found.items()]
        give_json(told)
    else:
        for name, issues in found.items():
            click.echo(f"{name}: {'; '.join(issues) or 'as it should be'}")
        if not found:
            say("no model is here; `aima models pull NAME` fetches one")
        for name in (name for name, issues in found.items() if issues):
            say(f"`aima models pull {name}` mends it")
    if any(found.values()):
        raise SystemExit(FAILED)


def fetch(name: str, settings: Settings) -> None:
    """Fetch a model or a group and show how far it is; what is here is left alone."""
    from aima.stores import models_of

    store = models_of(settings)
    group = [model.name for model in store.manifest.models if name in model.groups] or [name]
    wanted = dict.fromkeys(m.name for name in group for m in store.manifest.closure(name))
    missing = [model for model in wanted if not store.present(model)]
    if not missing:
        return
    say(f"fetching {', '.join(missing)}")
    meter = _Meter()
    for model in missing:
        store.pull(model, progress=meter.show)
    meter.end()


def fetch_for(text: str, settings: Settings) -> None:
    """Bring in what a workflow or unit will need, before it runs and for all to see.

    What is missed here, such as a picture in a chat, is fetched when the engine is asked.
    """
    from aima.stores import models_of

    if not settings.embedded.enabled or settings.embedded.url:
        return
    types = {kind for unit, kind in _NEEDS.items() if re.search(rf"\b{unit}\b", text)}
    for model in models_of(settings).manifest.group("embedded"):
        if model.type in types:
            fetch(model.name, settings)


_NEEDS = {
    "inference.chat": "llm",
    "inference.complete": "llm",
    "inference.batch": "llm",
    "inference.embed": "embedding",
    "inference.rerank": "rerank",
    "inference.transcribe": "asr",
    "inference.synthesize": "tts",
    "inference.detect": "detection",
    "inference.describe": "vlm",
    "inference.batch_describe": "vlm",
    "inference.generate_image": "diffusion",
    "retrieval.index": "embedding",
}
"""The type of model behind each unit."""


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
