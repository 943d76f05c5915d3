"""Answers of the Responses API that a later request may go on from."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection

MOST_OF_AN_OWNER = 1_000
"""Answers that are kept for one key; the oldest go first."""


@dataclass(frozen=True)
class KeptResponse:
    """An answer, and all that was said before it.

    Attributes:
        owner: whose key asked; nobody else finds it.
    """

    owner: str
    response: dict[str, Any]
    input: list[Any]

    @property
    def id(self) -> str:
        """Its name."""
        return str(self.response["id"])


@dataclass(frozen=True)
class KeptResponses:
    """All of them. Its methods block.

    Attributes:
        begin: gives a connection in a transaction of the store.
    """

    begin: Callable[[], AbstractContextManager[Connection]]

    def keep(self, kept: KeptResponse, lasts: timedelta) -> None:
        """Keep an answer, in place of the owner's oldest where there are too many.

        An engine that gives two answers one name keeps the later one, and only for its owner.
        """
        from sqlalchemy import delete, select
        from sqlalchemy.dialects.sqlite import insert

        from aima.store.tables import responses

        said = {
            "expires_at": datetime.now(UTC) + lasts,
            "response": kept.response,
            "input": kept.input,
        }
        row = insert(responses).values(id=kept.id, owner=kept.owner, **said)
        newer = row.on_conflict_do_update(
            index_elements=[responses.c.id], set_=said, where=responses.c.owner == kept.owner
        )
        own = responses.c.owner == kept.owner
        ends = select(responses.c.expires_at).where(own).order_by(responses.c.expires_at.desc())
        oldest = ends.limit(1).offset(MOST_OF_AN_OWNER - 1).scalar_subquery()
        with self.begin() as connection:
            connection.execute(newer)
            connection.execute(delete(responses).where(own, responses.c.expires_at < oldest))

    def find(self, owner: str, name: str) -> KeptResponse | None:
        """Give an answer; None where the owner has none of this name, or its time is over."""
        from sqlalchemy import select

        from aima.store.tables import responses

        found = select(responses.c.response, responses.c.input).where(*_is(owner, name))
        with self.begin() as connection:
            row = connection.execute(found).one_or_none()
        return None if row is None else KeptResponse(owner, row.response, row.input)

    def drop(self, owner: str, name: str) -> bool:
        """Forget an answer; False where the owner has none of this name."""
        from sqlalchemy import delete

        from aima.store.tables import responses

        with self.begin() as connection:
            gone = connection.execute(delete(responses).where(*_is(owner, name)))
            return gone.rowcount == 1

    def prune(self) -> int:
        """Forget the answers whose time is over; tell how many."""
        from sqlalchemy import delete

        from aima.store.tables import responses

        with self.begin() as connection:
            over = responses.c.expires_at <= datetime.now(UTC)
            return connection.execute(delete(responses).where(over)).rowcount


def _is(owner: str, name: str) -> tuple[ColumnElement[bool], ...]:
    from aima.store.tables import responses

    columns = responses.c
    return columns.id == name, columns.owner == owner, columns.expires_at > datetime.now(UTC)
