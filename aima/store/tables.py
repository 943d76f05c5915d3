"""The tables as the newest migration leaves them; a test compares the two."""

from __future__ import annotations

from sqlalchemy import JSON, CheckConstraint, Column, DateTime, Integer, MetaData, Table, Text

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
