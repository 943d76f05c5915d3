"""Publishing events from a worker: into the outbox, and a nudge to whoever passes them on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid5

from aima.blocking import in_thread
from aima.store.events import CloudEvent, Outbox
from aima.temporal.origin import Origin


@dataclass(frozen=True)
class Events:
    """The outbox, and a bell beside it.

    Attributes:
        published: set when this process has published something; its reader clears it.
    """

    outbox: Outbox
    published: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, *told: CloudEvent) -> int:
        """Publish events; give how many were not published before."""
        new = await in_thread(self.outbox.publish, *told)
        self.published.set()
        return new


def event_id(effect_key: str) -> str:
    """Name the event of an effect, the same for each attempt at it."""
    return str(uuid5(NAMESPACE_URL, f"aima:{effect_key}"))


def belonging(run: str, origin: Origin) -> dict[str, str]:
    """Say which run an event belongs to, those inside of it included, and what led to that."""
    return {"correlationid": run.partition("/")[0], **origin.extensions()}


def source_of(workflow: str, run: str) -> str:
    """Name a run as the source of events."""
    return f"aima/{workflow}/{run}"
