"""The units of an installation, found without loading what a worker needs to run them."""

from __future__ import annotations

from aima.catalog import Catalog, discover
from aima.settings import Settings


def units_of(settings: Settings) -> Catalog:
    """Find the units; a project's own only where its settings say so.

    Raises:
        InvalidRequest: a module of units cannot be imported.
        Conflict: two modules declare the same unit.
    """
    return discover(settings.root if settings.project.activities else None)
