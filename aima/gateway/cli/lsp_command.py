"""``aima lsp``: a language server for editors."""

from __future__ import annotations

import click


@click.command("lsp")
def command() -> None:
    """Serve an editor over standard input and output: mistakes, completion, hover, definition."""
    import logging

    from aima.gateway.units.installed import units_of
    from aima.gateway.workflows.definitions import Definitions
    from aima.lsp.server import make_server
    from aima.settings import load_settings

    logging.disable(logging.INFO)  # what goes to standard error some editors show as a mistake
    settings = load_settings()
    make_server(Definitions(units_of(settings), settings.root)).start_io()
