"""Workflows that are applied: their triggers are active, with the plan as it was then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

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

    begin: Callable[[], AbstractContextManager[Connection]]

    def put(self, workflow: AppliedWorkflow) -> None:
        """Apply a workflow, in place of the one of its name."""
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
        with self.begin() as connection:
            connection.execute(newer)

    def get(self, name: str) -> AppliedWorkflow | None:
        """Give a workflow by its name; None where none is applied."""
        from sqlalchemy import select

        from aima.store.tables import applied

        with self.begin() as connection:
            row = connection.execute(select(applied).where(applied.c.name == name)).one_or_none()
        return None if row is None else _workflow(row)

    def all(self) -> list[AppliedWorkflow]:
        """List them by name."""
        from sqlalchemy import select

        from aima.store.tables import applied

        with self.begin() as connection:
            rows = connection.execute(select(applied).order_by(applied.c.name)).all()
        return [_workflow(row) for row in rows]

    def remove(self, name: str) -> bool:
        """End a workflow's triggers; False where it was not applied."""
        from sqlalchemy import delete

        from aima.store.tables import applied

        with self.begin() as connection:
            return connection.execute(delete(applied).where(applied.c.name == name)).rowcount == 1


def _workflow(row: Row[tuple[object, ...]]) -> AppliedWorkflow:
    return AppliedWorkflow(
        name=row.name,
        plan=row.plan,
        hash=row.hash,
        source=row.source,
        text=row.text,
        applied_at=row.applied_at.replace(tzinfo=UTC),  # SQLite keeps no zone; it is UTC
    )
