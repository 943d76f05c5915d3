"""What is true outside, as far as it was told: a change of it and its event are one transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aima.store.events import MOMENT, CloudEvent, write

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class Facts:
    """A number for each fact, such as whether an engine runs. Its methods block.

    Attributes:
        begin: gives a connection in a transaction of the store.
    """

    begin: Callable[[], AbstractContextManager[Connection]]

    def turn(
        self, fact: str, now: int, tell: Callable[[int | None], CloudEvent | None]
    ) -> CloudEvent | None:
        """Note what a fact is now; give the event of that where it was told otherwise, or never.

        Args:
            fact: names it.
            now: what it is.
            tell: makes the event out of what it was before; None is nothing to tell.
        """
        from sqlalchemy import select
        from sqlalchemy.dialects.sqlite import insert

        from aima.store.tables import cursors

        name = MOMENT + fact
        row = insert(cursors).values(name=name, seq=now)
        put = row.on_conflict_do_update(index_elements=[cursors.c.name], set_={"seq": now})
        with self.begin() as connection:
            before = connection.scalar(select(cursors.c.seq).where(cursors.c.name == name))
            if before == now:
                return None
            connection.execute(put)
            event = tell(before)
            if event is not None:
                write(connection, event)
        return event
