"""What else is known of an event: the run it belongs to, and what started that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column."""
    op.add_column("events", sa.Column("extensions", sa.JSON))
