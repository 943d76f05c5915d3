"""``aima worker``: serve a Temporal task queue."""

from __future__ import annotations

import click


@click.command("worker")
def command() -> None:
    """Serve the task queue of the Temporal server in the settings.

    `aima up` starts a worker of its own; this one is for machines that share a server.
    """
    from aima.worker import main

    main()
