"""The tables as the newest migration leaves them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

effects = Table(
    "effects",
    metadata,
    Column("key", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("output", JSON),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("finished_at", DateTime(timezone=True)),
    CheckConstraint("state IN ('running', 'done')", name="effects_state"),
)
"""What commands have done, by effect key: see :mod:`aima.store.effects`."""

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("data", JSON, nullable=False),
    Column("extensions", JSON),
    Index("events_type_time", "type", "time"),
    Index("events_time", "time"),
    sqlite_autoincrement=True,  # a number that was pruned never comes back: cursors count on it
)
"""What happened, in the order in which it was written: see :mod:`aima.store.events`."""

waits = Table(
    "waits",
    metadata,
    Column("run", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("from_seq", Integer, nullable=False),
    Index("waits_type", "type"),
)
"""Which steps of runs wait for an event, and the last event that each was told at once."""

cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("seq", Integer, nullable=False),
)
"""How far each reader of the events has come."""

cache = Table(
    "cache",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),
    Column("output", JSON, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
)
"""Outputs that later runs use again: see :mod:`aima.store.cache`."""

applied = Table(
    "applied",
    metadata,
    Column("name", Text, primary_key=True),
    Column("plan", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("applied_at", DateTime(timezone=True), nullable=False),
)
"""Workflows whose triggers are active: see :mod:`aima.store.applied`."""

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("scopes", JSON),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("used_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("per_minute", Integer),
)
"""Who may come in at the door: see :mod:`aima.store.keys`."""

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("time", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    sqlite_autoincrement=True,  # it remembers the highest number, also of a row that is gone
)
"""Who commanded what; triggers let it only grow: see :mod:`aima.store.audit`."""

responses = Table(
    "responses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("response", JSON, nullable=False),
    Column("input", JSON, nullable=False),
    Index("responses_owner", "owner", "expires_at"),
    Index("responses_expires_at", "expires_at"),
)
"""Answers that a later request may go on from: see :mod:`aima.store.responses`."""
