"""The door of a stack, put together: its addresses, who may come in, and what serves them."""

from __future__ import annotations

import socket
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from httpx2 import AsyncClient
from temporalio.client import Client

from aima.blocking import in_thread
from aima.engines import EMBEDDED, engine_client, engines_of, products_of_engines
from aima.gateway.access.audit import StoredJournal
from aima.gateway.access.audit_routes import AuditRoutes
from aima.gateway.access.key_routes import KeyRoutes
from aima.gateway.access.keys import ADMIN_KEY, Keys
from aima.gateway.access.permission import Caller, Permission, Role
from aima.gateway.access.rates import Rates
from aima.gateway.access.tokens import Tokens
from aima.gateway.chain import LOOPBACK, create_app
from aima.gateway.draining import Drain
from aima.gateway.events.feed import EventFeed
from aima.gateway.events.resource_routes import ResourceRoutes
from aima.gateway.events.routes import EventRoutes
from aima.gateway.mcp.routes import McpRoutes
from aima.gateway.messages.routes import MessagesRoutes
from aima.gateway.metrics import Metrics
from aima.gateway.openai.routes import OpenAIRoutes
from aima.gateway.openai.translation.translated import Translated
from aima.gateway.openai.videos import VideoRoutes
from aima.gateway.openai.workflow_models import WorkflowModels
from aima.gateway.openapi import Described
from aima.gateway.request_meter import RequestMeter
from aima.gateway.responses.kept import Kept
from aima.gateway.responses.routes import ResponsesRoutes
from aima.gateway.route import Way
from aima.gateway.runs.starting import Starter
from aima.gateway.serve import serve_door
from aima.gateway.stack_routes import StackRoutes
from aima.gateway.units.domain_routes import DomainRoutes
from aima.gateway.units.execute_routes import ExecuteRoutes
from aima.gateway.units.operations import Operations
from aima.gateway.units.query import Outside
from aima.gateway.units.routes import UnitRoutes
from aima.gateway.web.pages import page_ways
from aima.gateway.web.sessions import Sessions
from aima.gateway.web.signing import TicketRoutes
from aima.gateway.workflows.definitions import Definitions
from aima.gateway.workflows.parts import WorkflowParts
from aima.gateway.workflows.pipelines import Pipelines
from aima.meters import shared_folder
from aima.outbound import Outbound
from aima.resources.models import model_resources
from aima.resources.registry import Resources
from aima.resources.units import shown_by
from aima.routing.router import Router
from aima.settings import Settings
from aima.stack.lock import PYTHON, StackState
from aima.stores import artifacts_of, kept_store_of, models_of
from aima.temporal.runs import Runs

if TYPE_CHECKING:
    from aima.catalog import Catalog
    from aima.stack.supervisor import Supervisor
    from aima.store.kept import KeptStore


@dataclass(frozen=True)
class Door:
    """Everything that is asked over HTTP.

    Attributes:
        settings: with the address of the stack's own engine.
        client: of the Temporal server.
        worker_token: lets the stack's worker in.
        access_log: gets a line for each request.
    """

    settings: Settings
    definitions: Definitions
    supervisor: Supervisor
    state: StackState
    client: Client
    worker_token: str
    access_log: Path

    def services(self, listeners: Sequence[socket.socket]) -> tuple[Coroutine[Any, Any, None], ...]:
        """Give what must be kept running."""
        door = self.settings.door
        journal = StoredJournal(self._store)
        drain = Drain(door.shutdown_seconds)
        app = create_app(
            self.ways,
            self._keys,
            self._sessions,
            hosts=LOOPBACK | set(door.hosts),
            journal=journal,
            meter=self._meter,
            rates=Rates(
                {Role(role): most for role, most in door.per_minute.items()},
                door.failures_per_minute,
            ),
            drain=drain,
        )
        return self._mcp.serve(app), serve_door(
            app, listeners, (self._store, self._http, journal), self.access_log, drain
        )

    @property
    def description(self) -> dict[str, Any]:
        """What programs are told of all addresses (OpenAPI 3.1)."""
        return self._described.description

    @cached_property
    def ways(self) -> list[Way]:
        """All addresses."""
        ways = [*self._described.ways, self._described.way()]  # pages are for people
        return ways + page_ways(
            self.settings, self._units, self._store, self._sessions, temporal=self.state.ui
        )

    @cached_property
    def _described(self) -> Described:
        outbound, artifacts = Outbound(self.settings.outbound), artifacts_of(self.settings)
        chats = Translated(self._engines, artifacts)
        models = WorkflowModels(self._workflows.known, self._starter, self._workflows.hub)
        parts = (
            StackRoutes(self.settings.data / ADMIN_KEY, self.supervisor, self.state, self.client),
            KeyRoutes(self._keys),
            TicketRoutes(self._sessions),
            AuditRoutes(self._store, self.access_log),
            OpenAIRoutes(self._engines, outbound, artifacts, models),
            VideoRoutes(
                self.definitions, self._engines, outbound, self._starter, self._workflows.files
            ),
            MessagesRoutes(chats, outbound),
            ResponsesRoutes(
                self._engines,
                chats,
                outbound,
                Kept(self._store, timedelta(hours=self.settings.door.responses_hours)),
                models,
            ),
            self._operations,
            self._units,
            ResourceRoutes(self.resources),
            ExecuteRoutes(self._units, self.resources, self._workflows),
            DomainRoutes(self._units),
            self._workflows,
            EventRoutes(self._events),
            self._metrics(),
            self._mcp,
        )
        ways = [way for part in parts for way in part.ways()]
        return Described(ways, self.definitions.catalog)

    def _metrics(self) -> Metrics:
        public = not self.settings.door.address
        return Metrics(
            permission=Permission.PUBLIC if public else Permission.HEALTH_READ,
            meter=self._meter,
            shared=shared_folder(self.settings.data),
            runs=self._starter.runs,
            engines=self._engines,
            store=self._store,
            resources=self.resources,
            events=self._events,
            awake=lambda name: name != EMBEDDED or self._engine_is_awake(),
        )

    @cached_property
    def _store(self) -> KeptStore:
        return kept_store_of(self.settings)

    @cached_property
    def _http(self) -> AsyncClient:
        return engine_client()

    @cached_property
    def _engines(self) -> Router:
        kept = artifacts_of(self.settings)
        return engines_of(self.settings, self._http, kept, awake=self._engine_is_awake)

    def _engine_is_awake(self) -> bool:
        return self.supervisor.engine_is_awake

    @cached_property
    def _keys(self) -> Keys:
        own = {
            self.state.token: Caller("the command line", Role.ADMIN),
            self.state.token_of(PYTHON): Caller("a Python program", Role.ADMIN),
            self.worker_token: Caller("a worker", Role.DEVICE),
        }
        oidc = self.settings.oidc
        return Keys(own, self._store, Tokens(oidc) if oidc.issuer else None)

    @cached_property
    def _sessions(self) -> Sessions:
        return Sessions(self._keys)

    @cached_property
    def _starter(self) -> Starter:
        runs = Runs(self.client, self.settings.temporal.task_queue)
        return Starter(runs.bounded(self.settings.door.open_runs))

    @cached_property
    def _operations(self) -> Operations:
        return Operations(self._starter)

    @cached_property
    def _workflows(self) -> WorkflowParts:
        return WorkflowParts.of(self.settings, self.definitions, self._starter, self._store)

    @cached_property
    def _units(self) -> UnitRoutes:
        return UnitRoutes(self.definitions, self._operations, self._opened)

    async def _opened(self) -> Outside:
        """Give what queries may ask of the outside; the first of them waits for the imports."""
        if "_outside" not in vars(self):
            await in_thread(lambda: self._outside)
        return self._outside

    @cached_property
    def _outside(self) -> Outside:
        """Open what queries may ask of the outside."""
        from aima.worker import files_of, frames_of, vectors_of

        return Outside(
            engines=self._engines,
            artifacts=artifacts_of(self.settings),
            vectors=vectors_of(self.settings),
            files=files_of(self.settings),
            frames=frames_of(self.settings),
        )

    @cached_property
    def resources(self) -> Resources:
        """What can be read and watched."""
        return Resources(
            shown_by(self.definitions.catalog.resources, self._units.show),
            model_resources(models_of(self.settings), products_of_engines()),
            Pipelines(self.definitions, self._starter.runs, self._store).resources(),
        )

    @cached_property
    def _events(self) -> EventFeed:
        return EventFeed(self._store)

    @cached_property
    def _mcp(self) -> McpRoutes:
        return McpRoutes((*self.settings.door.hosts, *LOOPBACK), self.settings.root)

    @cached_property
    def _meter(self) -> RequestMeter:
        return RequestMeter()


def unattended(catalog: Catalog, folder: Path) -> Door:
    """Put a door together with nobody behind it, for whoever asks what it is made of."""
    settings = Settings(data=folder)
    return Door(
        settings=settings,
        definitions=Definitions(catalog),
        supervisor=cast("Supervisor", None),
        state=StackState(pid=1, port=1, token="t", temporal="", ui="", project=""),  # noqa: S106
        client=cast("Client", None),
        worker_token="w",  # noqa: S106
        access_log=folder / "access.log",
    )
