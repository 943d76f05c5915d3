"""The door that `aima up` serves, with nobody behind it: for tests of what it is made of."""

from pathlib import Path
from typing import cast

from temporalio.client import Client

from aima.gateway.units.installed import units_of
from aima.gateway.workflows.definitions import Definitions
from aima.settings import Settings
from aima.stack.door import Door
from aima.stack.lock import StackState
from aima.stack.supervisor import Supervisor


def door_in(folder: Path) -> Door:
    """Put a door together on a folder of its own; nothing is asked of Temporal."""
    settings = Settings(data=folder)
    return Door(
        settings=settings,
        definitions=Definitions(units_of(settings)),
        supervisor=Supervisor(settings, stays=True, ready=lambda _: None),
        state=StackState(pid=1, port=1, token="t", temporal="", ui="", project=""),  # noqa: S106
        client=cast("Client", None),
        worker_token="w",  # noqa: S106
        access_log=folder / "access.log",
    )
