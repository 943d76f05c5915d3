"""``aima worker``: serve a Temporal task queue."""

from __future__ import annotations

import click


@click.command("worker")
def command() -> None:
    """Serve a task queue of a Temporal server.

    `aima up` starts a worker of its own; this one is for machines that share a server.
    """
    from aima.errors import InvalidRequest
    from aima.settings import load_settings
    from aima.worker import main

    if not load_settings().temporal.address:
        raise InvalidRequest(
            "no Temporal server is named: set AIMA_TEMPORAL_ADDRESS to its host:port; "
            "on one machine `aima up` starts a server and a worker together"
        )
    main()
