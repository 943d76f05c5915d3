"""The door to workflows and their runs, served on a lab: real routes, a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import httpx2
import uvicorn

from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Role
from aima.gateway.chain import create_app
from aima.gateway.openai.routes import OpenAIRoutes
from aima.gateway.openai.translation.translated import Translated
from aima.gateway.openai.videos import VideoRoutes
from aima.gateway.openai.workflow_models import WorkflowModels
from aima.gateway.responses.kept import Kept
from aima.gateway.responses.routes import ResponsesRoutes
from aima.gateway.runs.starting import Starter
from aima.gateway.units.execute_routes import ExecuteRoutes
from aima.gateway.units.operations import Operations
from aima.gateway.units.query import Outside
from aima.gateway.units.routes import UnitRoutes
from aima.gateway.workflows.definitions import Definitions
from aima.gateway.workflows.parts import WorkflowParts
from aima.outbound import Outbound
from aima.resources.registry import Resources
from aima.resources.units import shown_by
from aima.routing.router import Router
from aima.settings import Models
from aima.stores import store_of
from aima.streams.publisher import HubClient
from aima.testing import FakeContext
from tests.integration.lab import Lab
from tests.unit.streams.hub_server import listen

PATIENCE = 60.0


@dataclass(frozen=True)
class Door:
    """A lab, and a client of its door.

    Attributes:
        http: comes as the admin, unless a request has a header of its own (:func:`key`).
    """

    lab: Lab
    http: httpx2.AsyncClient


def key(role: Role) -> dict[str, str]:
    """Come as somebody of a role."""
    return {"authorization": f"Bearer {role.value}"}


async def nothing() -> Outside:
    """Open nothing: the units of a lab ask nothing of the outside but artifacts."""
    fake = FakeContext()
    return Outside(fake.engines, fake.artifacts, fake.vectors, fake.files, fake.frames)


@asynccontextmanager
async def door_on(
    lab: Lab, *, open_runs: int = 0, engines: Router | None = None
) -> AsyncIterator[Door]:
    """Serve the door of a lab, whose worker runs; ``open_runs`` bounds what is started at it."""
    store = partial(store_of, lab.settings)
    starter, definitions = (
        Starter(lab.runs.bounded(open_runs)),
        Definitions(lab.catalog, lab.settings.data),
    )
    workflows = WorkflowParts.of(lab.settings, definitions, starter, store)
    units = UnitRoutes(definitions, Operations(starter), nothing)
    resources = Resources(shown_by(lab.catalog.resources, units.show))
    models = WorkflowModels(workflows.known, starter, workflows.hub)
    engines = engines or Router((), Models())
    outbound = Outbound(lab.settings.outbound)
    openai = OpenAIRoutes(engines, outbound, workflows.artifacts, models)
    kept = Kept(store, timedelta(hours=1))
    responses = ResponsesRoutes(
        engines, Translated(engines, workflows.artifacts), outbound, kept, models
    )
    films = VideoRoutes(definitions, engines, outbound, starter, workflows.files)
    execute = ExecuteRoutes(units, resources, workflows)
    parts = (units, execute, workflows, openai, responses, films)
    ways = [way for part in parts for way in part.ways()]
    own = {role.value: Caller(role.value, role) for role in Role}
    listener = listen()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = create_app(ways, Keys(own, store))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
    )
    async with httpx2.AsyncClient(base_url=url, headers=key(Role.ADMIN), timeout=PATIENCE) as http:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        shown = replace(lab.around, streams=HubClient(url, Role.DEVICE.value, http))
        try:
            async with replace(lab, around=shown).worker():
                yield Door(lab, http)
        finally:
            server.should_exit = True
            await serving
