"""The page put together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from aima.gateway.route import Way
from aima.gateway.runs.inputs import RunInput
from aima.gateway.units.routes import UnitRoutes
from aima.gateway.web.engines_page import EnginesPage
from aima.gateway.web.look import Look
from aima.gateway.web.run_page import RunPage
from aima.gateway.web.runs_page import RunsPage
from aima.gateway.web.sessions import Sessions
from aima.gateway.web.signing import Signing
from aima.gateway.web.workflow_page import WorkflowPage
from aima.gateway.web.workflows_page import WorkflowsPage
from aima.gateway.workflows.parts import known_of
from aima.settings import Settings
from aima.stores import artifacts_of

if TYPE_CHECKING:
    from aima.store.database import Store


def page_ways(
    settings: Settings,
    units: UnitRoutes,
    store: Callable[[], AbstractContextManager[Store]],
    sessions: Sessions,
    *,
    temporal: str,
) -> list[Way]:
    """Give the addresses of the page; ``temporal`` is where the Temporal UI is, if it is."""
    shows = f"{temporal}/namespaces/{settings.temporal.namespace}/workflows" if temporal else ""
    look, runs = Look(shows), units.operations.starter.runs
    known = known_of(units.definitions, runs, store)
    files = RunInput(artifacts_of(settings))
    parts = (
        look.assets,
        Signing(sessions, look),
        WorkflowsPage(look, known, runs),
        WorkflowPage(look, known, runs, files, settings.artifacts.max_bytes),
        RunsPage(look, runs),
        RunPage(look, known, runs),
        EnginesPage(look, units),
    )
    return [way for part in parts for way in part.ways()]
