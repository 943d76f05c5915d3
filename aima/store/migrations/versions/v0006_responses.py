"""Answers of the Responses API, kept for a time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make their table."""
    op.create_table(
        "responses",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("response", sa.JSON, nullable=False),
        sa.Column("input", sa.JSON, nullable=False),
    )
    op.create_index("responses_owner", "responses", ["owner", "expires_at"])
    op.create_index("responses_expires_at", "responses", ["expires_at"])
