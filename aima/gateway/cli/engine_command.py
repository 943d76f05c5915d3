"""``aima engine``: the engine that comes with AIMA."""

from __future__ import annotations

import click


@click.group("engine")
def command() -> None:
    """Run the engine that comes with AIMA."""


@command.command("serve")
@click.argument("name", type=click.Choice(["embedded"]))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=7711, show_default=True, type=click.IntRange(0, 65535))
@click.option("--fd", type=int, hidden=True, help="Serve a socket that the parent listens on.")
def serve(*, name: str, host: str, port: int, fd: int | None) -> None:
    """Serve the embedded models over the OpenAI-compatible protocol."""
    del name
    from aima.embedded.serve import serve as serve_embedded
    from aima.settings import load_settings

    def ready(url: str) -> None:
        click.echo(f"embedded engine at {url}", err=True)

    serve_embedded(load_settings(), host=host, port=port, fd=fd, ready=ready)
