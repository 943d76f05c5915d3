"""The door's routes for units: what there are, their schemas, and asking one by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.errors import (
    InternalError,
    InvalidRequest,
    NotFound,
    TimedOut,
    UnitNotFound,
)
from aima.gateway.about import IDEMPOTENT, About
from aima.gateway.access.commanded import note
from aima.gateway.access.permission import Permission, needed
from aima.gateway.incoming import json_of
from aima.gateway.reference.unit_pages import schema
from aima.gateway.relaying import while_heard
from aima.gateway.route import Way, admit
from aima.gateway.runs.starting import STARTING
from aima.gateway.units.operations import Operations
from aima.gateway.units.query import Outside, QueryContext
from aima.gateway.workflows.definitions import Definitions
from aima.mistakes import Mistakes, accept, accept_json
from aima.unit import Kind, Unit

PREFIX = "/api/v2"


@dataclass(frozen=True)
class UnitRoutes:
    """Tells of the units, and asks them.

    Attributes:
        outside: opens what queries may ask of the outside.
    """

    definitions: Definitions
    operations: Operations
    outside: Callable[[], Awaitable[Outside]]

    def ways(self) -> list[Way]:
        """Give the addresses."""
        query, may = f"{PREFIX}/query/{{unit}}", Permission.UNIT_RUN
        named = About(errors=(UnitNotFound,))
        example = {"name": "embedded"}
        asked = About(example=example, errors=(UnitNotFound, NotFound, TimedOut))
        starts = (UnitNotFound, *STARTING)
        done = About(example=example, headers=IDEMPOTENT, statuses=(200, 202), errors=starts)
        return [
            Way("GET", f"{PREFIX}/units", self.units, Permission.UNIT_READ),
            Way("GET", f"{PREFIX}/schema/{{unit}}", self.schema, Permission.UNIT_READ, about=named),
            # And what the unit needs:
            Way("GET", query, self.query, Permission.UNIT_VIEW, about=replace(asked, example=None)),
            Way("POST", query, self.query, Permission.UNIT_VIEW, about=asked),
            Way("POST", f"{PREFIX}/command/{{unit}}", self.command, may, about=done),
        ]

    async def units(self, request: Request) -> Response:
        """List the units; with `schemas=true` each as programs need to know it."""
        whole = request.query_params.get("schemas") == "true"
        return JSONResponse({"units": self._whole if whole else self._listed})

    @cached_property
    def _listed(self) -> list[dict[str, Any]]:
        return [
            {
                "name": unit.name,
                "kind": unit.kind.value,
                "summary": unit.summary,
                "permission": needed(unit).value,
                "links": {"self": way_of(unit), "schema": f"{PREFIX}/schema/{unit.name}"},
            }
            for unit in self.definitions.catalog
        ]

    @cached_property
    def _whole(self) -> list[dict[str, Any]]:
        return [
            {**listed, **schema(unit), "description": unit.description}
            for listed, unit in zip(self._listed, self.definitions.catalog, strict=True)
        ]

    async def schema(self, request: Request) -> Response:
        """Tell what a unit takes, gives and may fail with, with examples."""
        return JSONResponse(schema(self.definitions.catalog.get(request.path_params["unit"])))

    async def query(self, request: Request) -> Response:
        """Ask a unit that changes nothing, and answer with what it says."""
        return await self.answer(request, self._unit(request, Kind.QUERY), {})

    async def ask(self, unit: Unit, given: Mapping[str, object], name: str) -> dict[str, Any]:
        """Ask a query here and now; give what it says.

        Args:
            unit: the query.
            given: its input.
            name: who asks, where a unit wants to tell it the outside.
        """
        return await self.said(unit, _accepted(unit, given), name)

    async def said(self, unit: Unit, asked: BaseModel, name: str) -> dict[str, Any]:
        """Give what a query says of an input that was accepted; ``name`` as for :meth:`ask`."""
        context = QueryContext(await self.outside(), name)
        return _output(unit, await _within(unit, unit.run(asked, context)))

    async def show(self, unit: Unit, given: Mapping[str, str]) -> dict[str, Any]:
        """Ask a query for the resource that shows it."""
        return await self.ask(unit, given, "resource")

    async def command(self, request: Request) -> Response:
        """Have a unit do something: 202 with an operation, or its end with `Prefer: wait=10`."""
        return await self.answer(request, self._unit(request, Kind.COMMAND), {})

    async def answer(self, request: Request, unit: Unit, fixed: Mapping[str, Any]) -> Response:
        """Ask a unit with what a request brings, and with what its address fixes."""
        looks = request.method == "GET"
        asked: Mapping[str, Any] = request.query_params if looks else await _object(request)
        given = {**asked, **fixed}
        accepted = admitted(request, unit, given)
        if unit.kind is Kind.QUERY:
            asking = self.said(unit, accepted, request.scope["aima.request_id"])
            return JSONResponse(await while_heard(request, asking))
        return await self.operations.start(request, self.definitions.single(unit), given)

    def _unit(self, request: Request, kind: Kind) -> Unit:
        unit = self.definitions.catalog.get(request.path_params["unit"])
        if unit.kind is not kind:
            raise InvalidRequest(f"{unit.name!r} is a {unit.kind.value}; ask at {way_of(unit)}")
        return unit


def way_of(unit: Unit) -> str:
    """Give the address where a unit is asked."""
    return f"{PREFIX}/{unit.kind.value}/{unit.name}"


def admitted(request: Request, unit: Unit, given: Mapping[str, Any]) -> BaseModel:
    """Let a request ask a unit, wherever it came in; give the input as the unit takes it.

    Raises:
        Forbidden: the caller may not.
        ValidationFailed: the input does not fit.
    """
    note(request.scope, subject=unit.name)
    admit(request.scope, needed(unit))
    if request.method == "GET":  # texts of an address may mean numbers
        accepted = _accepted(unit, given)
    else:
        accepted = accept_json(unit.input, to_json(given), what=f"the input of {unit.name}")
    if unit.view and unit.has_work(accepted):
        admit(request.scope, Permission.UNIT_QUERY)
    return accepted


def _accepted(unit: Unit, given: Mapping[str, Any]) -> BaseModel:
    return accept(unit.input.model_validate, given, what=f"the input of {unit.name}")


async def _object(request: Request) -> dict[str, Any]:
    """Read the input of a unit; no body at all is an input without fields."""
    body = await json_of(request)
    try:
        given = from_json(body or b"{}", allow_inf_nan=False)
    except ValueError as error:
        raise Mistakes(f"the request: Invalid JSON: {error}") from error
    if not isinstance(given, dict):
        raise Mistakes("the request: Input should be an object")
    return given


async def _within(unit: Unit, work: Awaitable[BaseModel]) -> BaseModel:
    """Keep the unit's own bound.

    Raises:
        TimedOut: it is over.
    """
    seconds = unit.timeout.total_seconds()
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise TimedOut(f"{unit.name} did not answer within {seconds:g} s") from error


def _output(unit: Unit, reply: BaseModel) -> dict[str, Any]:
    try:
        return unit.output.model_validate(reply, from_attributes=True).model_dump(
            mode="json", exclude_none=True
        )
    except ValidationError as error:
        raise InternalError(f"{unit.name} answered something else than it declares") from error
