"""Events: what happened, kept in order until everybody concerned has been told.

Publishing writes one row; somebody else, :mod:`aima.temporal.dispatcher`, reads the rows after a
cursor and passes them on. So an event outlives the process that told it, and whoever is down
hears of it later. A row's number grows with each commit, since SQLite lets one writer in at a
time: a reader that has seen number 7 has missed nothing before it.

A step that waits for an event must neither miss one nor depend on when it began to wait. So
:meth:`Outbox.wait` registers it and gives what is there in one transaction: each event is either
in that answer, or has a number above the wait's and is delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Row, Select

_ANY_BELOW = ".*"
MOMENT = "time:"
"""How the name of a cursor begins that counts something else than events: moments, or facts."""


@dataclass(frozen=True)
class CloudEvent:
    """Something that happened, with the attributes of CloudEvents 1.0.

    Attributes:
        id: unique among all events; the same event told twice has the same id.
        type: what kind of thing happened, such as ``model.pulled``.
        source: who tells it, such as ``aima/WORKFLOW/RUN``.
        data: plain JSON.
        time: when it happened, with its time zone.
        subject: the thing it happened to, where the source has several.
        extensions: what else is known: ``correlationid`` names the run that it belongs to,
            ``causationid`` the event that started that run, ``traceparent`` the trace of both.
    """

    id: str
    type: str
    source: str
    data: object = field(default_factory=dict)
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    subject: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Give it in the JSON event format, as expressions see it under ``event``."""
        told: dict[str, object] = {
            "specversion": "1.0",
            "id": self.id,
            "type": self.type,
            "source": self.source,
            "time": self.time.astimezone(UTC).isoformat(),
            "datacontenttype": "application/json",
            "data": self.data,
            "partitionkey": self.subject or self.source,
            **self.extensions,
        }
        return told if self.subject is None else {**told, "subject": self.subject}


@dataclass(frozen=True)
class Entry:
    """An event and its number in the outbox."""

    seq: int
    event: CloudEvent

    def to_json(self) -> dict[str, object]:
        """Give the event with its number, as text that sorts like it."""
        return {**self.event.to_json(), "sequence": f"{self.seq:020}"}


@dataclass(frozen=True)
class Wait:
    """A step that waits for events of a type.

    Attributes:
        run: the run's id.
        step: names the wait within its run.
        type: a type, or the beginning of types: ``model.*``.
        from_seq: events up to this number were told when the wait began.
    """

    run: str
    step: str
    type: str
    from_seq: int


def matches(pattern: str, type_: str) -> bool:
    """Tell whether a type is the pattern, or begins like one that ends with ``.*``."""
    if pattern.endswith(_ANY_BELOW):
        return type_.startswith(pattern[:-1])
    return type_ == pattern


@dataclass(frozen=True)
class Outbox:
    """The events and the waits for them. Its methods block.

    Attributes:
        begin: gives a connection in a transaction of the store.
    """

    begin: Callable[..., AbstractContextManager[Connection]]

    def publish(self, *told: CloudEvent) -> int:
        """Write events; give how many are new: one whose id is there already stays as it is."""
        with self.begin() as connection:
            return sum(write(connection, event) for event in told)

    def after(self, seq: int, *, limit: int, types: Sequence[str] = ()) -> list[Entry]:
        """Give the next events after a number, oldest first; of some types, or of all."""
        from sqlalchemy import select

        from aima.store.tables import events

        wanted = select(events).where(events.c.seq > seq, _is_of_one(types))
        return self._entries(wanted.order_by(events.c.seq).limit(limit))

    def latest(self, *, limit: int, types: Sequence[str] = ()) -> list[Entry]:
        """Give the newest events, oldest first; of some types, or of all."""
        from sqlalchemy import select

        from aima.store.tables import events

        wanted = select(events).where(_is_of_one(types))
        return self._entries(wanted.order_by(events.c.seq.desc()).limit(limit))[::-1]

    def _entries(self, wanted: Select[tuple[object, ...]]) -> list[Entry]:
        with self.begin(reads=True) as connection:
            rows = connection.execute(wanted).all()
        return [Entry(row.seq, _event(row)) for row in rows]

    def bounds(self) -> tuple[int, int]:
        """Tell the number before the oldest event that is kept, and that of the newest ever."""
        from sqlalchemy import func, select, text

        from aima.store.tables import events

        ever = text("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
        with self.begin(reads=True) as connection:
            newest = connection.scalar(ever) or 0
            oldest = connection.scalar(select(func.min(events.c.seq)))
        return (newest if oldest is None else oldest - 1), newest

    def cursor(self, name: str) -> int:
        """Tell how far a reader has come; 0 for one that never read."""
        from sqlalchemy import select

        from aima.store.tables import cursors

        with self.begin(reads=True) as connection:
            seq = connection.scalar(select(cursors.c.seq).where(cursors.c.name == name))
        return seq or 0

    def advance(self, name: str, seq: int) -> None:
        """Record that a reader has dealt with everything up to a number; it never goes back."""
        from sqlalchemy.dialects.sqlite import insert

        from aima.store.tables import cursors

        row = insert(cursors).values(name=name, seq=seq)
        onward = row.on_conflict_do_update(
            index_elements=[cursors.c.name], set_={"seq": seq}, where=cursors.c.seq < seq
        )
        with self.begin() as connection:
            connection.execute(onward)

    def wait(self, run: str, step: str, *, type: str, since: datetime) -> list[CloudEvent]:  # noqa: A002 - CloudEvents' own name
        """Register a wait and give the events since a time that it has missed, oldest first.

        Waiting again under the same name starts anew.
        """
        from sqlalchemy import func, select
        from sqlalchemy.dialects.sqlite import insert

        from aima.store.tables import events, waits

        wanted = (
            select(events)
            .where(_is_of(type), events.c.time >= since.astimezone(UTC))
            .order_by(events.c.seq)
        )
        with self.begin() as connection:
            newest = connection.scalar(select(func.max(events.c.seq))) or 0
            row = insert(waits).values(run=run, step=step, type=type, from_seq=newest)
            again = row.on_conflict_do_update(
                index_elements=[waits.c.run, waits.c.step],
                set_={"type": type, "from_seq": newest},
            )
            connection.execute(again)
            return [_event(found) for found in connection.execute(wanted)]

    def waits_for(self, entry: Entry) -> list[Wait]:
        """Give the waits that an event must be told to."""
        from sqlalchemy import select

        from aima.store.tables import waits

        with self.begin(reads=True) as connection:
            rows = connection.execute(
                select(waits)
                .where(waits.c.type.in_(_patterns(entry.event.type)), waits.c.from_seq < entry.seq)
                .order_by(waits.c.run, waits.c.step)
            ).all()
        return [Wait(row.run, row.step, row.type, row.from_seq) for row in rows]

    def forget(self, run: str, step: str) -> None:
        """End a wait; one that is not there is no error."""
        from sqlalchemy import delete

        from aima.store.tables import waits

        with self.begin() as connection:
            connection.execute(delete(waits).where(waits.c.run == run, waits.c.step == step))

    def prune(self, older_than: timedelta) -> int:
        """Forget events that happened longer ago than this; tell how many.

        Those that a reader has yet to deal with stay, however old they are.
        """
        from sqlalchemy import delete, func, select

        from aima.store.tables import cursors, events

        readers = ~cursors.c.name.startswith(MOMENT)
        dealt_with = select(func.coalesce(func.min(cursors.c.seq), 0)).where(readers)
        old = delete(events).where(
            events.c.time < datetime.now(UTC) - older_than,
            events.c.seq <= dealt_with.scalar_subquery(),
        )
        with self.begin() as connection:
            return connection.execute(old).rowcount


def write(connection: Connection, event: CloudEvent) -> bool:
    """Write an event in the transaction of what it tells: both happen, or neither does.

    Give False where one of this id is there already, which then stays.
    """
    from sqlalchemy.dialects.sqlite import insert

    from aima.store.tables import events

    row = insert(events).values(
        id=event.id,
        type=event.type,
        source=event.source,
        subject=event.subject,
        time=event.time.astimezone(UTC),
        data=event.data,
        extensions=dict(event.extensions),
    )
    return connection.execute(row.on_conflict_do_nothing()).rowcount == 1


def _is_of_one(patterns: Sequence[str]) -> ColumnElement[bool]:
    """Say in SQL that a type matches one of some patterns; without any, each does."""
    from sqlalchemy import or_, true

    return or_(*map(_is_of, patterns)) if patterns else true()


def _is_of(pattern: str) -> ColumnElement[bool]:
    """Say in SQL what :func:`matches` says, so that the index on the type is used."""
    from sqlalchemy import and_

    from aima.store.tables import events

    if not pattern.endswith(_ANY_BELOW):
        return events.c.type == pattern
    first = pattern[:-1]
    past = first[:-1] + chr(ord(".") + 1)  # sorts behind everything that begins with `first`
    return and_(events.c.type >= first, events.c.type < past)


def _patterns(type_: str) -> list[str]:
    """List every pattern that matches a type: ``a.b`` for itself, and ``a.*``."""
    words = type_.split(".")
    return [type_, *(".".join(words[:count]) + _ANY_BELOW for count in range(1, len(words)))]


def _event(row: Row[tuple[object, ...]]) -> CloudEvent:
    return CloudEvent(
        id=row.id,
        type=row.type,
        source=row.source,
        data=row.data,
        time=row.time.replace(tzinfo=UTC),  # SQLite keeps no zone; what is written is UTC
        subject=row.subject,
        extensions=row.extensions or {},
    )
