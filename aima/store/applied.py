"""Workflows that are applied: their triggers are active, with the plan as it was then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from aima.store.events import CloudEvent, write

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row


@dataclass(frozen=True)
class AppliedWorkflow:
    """A workflow whose triggers start the plan that was compiled when it was applied.

    Attributes:
        plan: the plan's canonical JSON.
        hash: the plan's hash.
        source: the file it came from, for people.
        text: what the file said.
    """

    name: str
    plan: str
    hash: str
    source: str
    text: str
    applied_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Applied:
    """All of them. Its methods block.

    Attributes:
        begin: gives a connection in a transaction of the store.
    """

    begin: Callable[..., AbstractContextManager[Connection]]

    def put(self, workflow: AppliedWorkflow) -> None:
        """Apply a workflow, in place of the one of its name, and tell it if its plan is new."""
        from sqlalchemy import select
        from sqlalchemy.dialects.sqlite import insert

        from aima.store.tables import applied

        said = {
            "plan": workflow.plan,
            "hash": workflow.hash,
            "source": workflow.source,
            "text": workflow.text,
            "applied_at": workflow.applied_at.astimezone(UTC),
        }
        row = insert(applied).values(name=workflow.name, **said)
        newer = row.on_conflict_do_update(index_elements=[applied.c.name], set_=said)
        plan = select(applied.c.hash).where(applied.c.name == workflow.name)
        with self.begin() as connection:
            before = connection.scalar(plan)
            connection.execute(newer)
            if before != workflow.hash:
                told = {"plan": workflow.hash, "source": workflow.source, "replaces": before}
                write(connection, _event("applied", workflow.name, told))

    def get(self, name: str) -> AppliedWorkflow | None:
        """Give a workflow by its name; None where none is applied."""
        from sqlalchemy import select

        from aima.store.tables import applied

        with self.begin(reads=True) as connection:
            row = connection.execute(select(applied).where(applied.c.name == name)).one_or_none()
        return None if row is None else _workflow(row)

    def all(self) -> list[AppliedWorkflow]:
        """List them by name."""
        from sqlalchemy import select

        from aima.store.tables import applied

        with self.begin(reads=True) as connection:
            rows = connection.execute(select(applied).order_by(applied.c.name)).all()
        return [_workflow(row) for row in rows]

    def remove(self, name: str) -> bool:
        """End a workflow's triggers, and tell it; False where it was not applied."""
        from sqlalchemy import delete

        from aima.store.tables import applied

        with self.begin() as connection:
            gone = connection.execute(delete(applied).where(applied.c.name == name)).rowcount == 1
            if gone:
                write(connection, _event("unapplied", name, {}))
        return gone


def _event(kind: str, name: str, more: dict[str, object]) -> CloudEvent:
    """Tell a change; it is written with the change, so its id needs to be no one's but its own."""
    return CloudEvent(
        id=str(uuid4()),
        type=f"workflow.{kind}",
        source="aima/workflows",
        subject=f"workflow/{name}",
        data={"name": name, **more},
    )


def _workflow(row: Row[tuple[object, ...]]) -> AppliedWorkflow:
    return AppliedWorkflow(
        name=row.name,
        plan=row.plan,
        hash=row.hash,
        source=row.source,
        text=row.text,
        applied_at=row.applied_at.replace(tzinfo=UTC),  # SQLite keeps no zone; it is UTC
    )
