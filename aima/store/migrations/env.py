"""Run by Alembic: applies the steps over the connection that ``aima.store.schema`` hands in."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
