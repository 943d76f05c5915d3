"""What a run needs Temporal's client for besides slots: to be cancelled in its latest history."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from temporalio import activity
from temporalio.client import Client

CANCEL = "aima.cancel"


def run_activities(client: Client) -> list[Callable[..., Awaitable[None]]]:
    """Make the activities of one worker."""
    return [_RunActivities(client).cancel]


@dataclass(frozen=True)
class _RunActivities:
    client: Client

    @activity.defn(name=CANCEL)
    async def cancel(self) -> None:
        """Ask the run of this activity to end, as an earlier history of it was asked."""
        info = activity.info()
        run = self.client.get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
        await run.cancel()
