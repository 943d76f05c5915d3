"""Addresses by what is managed, `/api/v2/engines/NAME`: made from the catalogue, none by hand.

A domain with things in it has a noun and the field that names one of them. From those and the
units' names follow the addresses: `list` is `GET /nouns`, `get` is `GET /nouns/ID`, `create` is
`POST /nouns`, `delete` is `DELETE /nouns/ID`, and any other is `/nouns/ID/VERB`, or `/nouns/VERB`
where it needs no one of them. Behind each is the unit, as at `/api/v2/query` and
`/api/v2/command`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aima.catalog import Catalog
from aima.gateway.about import IDEMPOTENT, About
from aima.gateway.access.permission import needed
from aima.gateway.route import Way
from aima.gateway.units.routes import UnitRoutes
from aima.unit import Kind, Unit

PREFIX = "/api/v2"
NOUNS = {
    "app": ("apps", "app_id"),
    "device": ("devices", "device_id"),
    "engine": ("engines", "name"),
    "model": ("models", "model_id"),
    "service": ("services", "service_id"),
}
"""What a domain manages, and the field of its units that names one."""

_MADE = frozenset({"create", "install", "register"})
_REMOVED = frozenset({"delete", "uninstall"})


@dataclass(frozen=True)
class Place:
    """Where a unit is asked.

    Attributes:
        fixed: what the address itself says of the input.
    """

    method: str
    path: str
    unit: str
    fixed: Mapping[str, object] = field(default_factory=dict)


OTHERS = (
    Place("GET", "/models", "inference.models"),
    Place("GET", "/voices", "inference.voices"),
    Place("GET", "/collections", "retrieval.collections"),
    Place("POST", "/collections/{collection}/documents", "retrieval.index"),
    Place("POST", "/collections/{collection}/search", "retrieval.search"),
    Place("DELETE", "/collections/{collection}", "retrieval.delete", {"everything": True}),
)
"""Those of domains whose units manage several kinds of things, or nothing that has a name."""


@dataclass(frozen=True)
class DomainRoutes:
    """Asks units at addresses of what they manage."""

    units: UnitRoutes

    def ways(self) -> list[Way]:
        """Give the addresses, those that say more first."""
        catalog = self.units.definitions.catalog
        return [self._way(place, catalog.get(place.unit)) for place in places(catalog)]

    def _way(self, place: Place, unit: Unit) -> Way:
        return Way(
            place.method,
            PREFIX + place.path,
            partial(self.ask, unit, place.fixed),
            needed(unit),
            about=About(
                unit=unit,
                headers=IDEMPOTENT if unit.kind is Kind.COMMAND else None,
                fixed=tuple(place.fixed),
            ),
        )

    async def ask(self, unit: Unit, fixed: Mapping[str, object], request: Request) -> Response:
        """Ask the unit of this address."""
        given: dict[str, Any] = {**fixed, **request.path_params}
        return await self.units.answer(request, unit, given)


def places(catalog: Catalog) -> list[Place]:
    """Name the places of all units that have one, those that say more first."""
    found = {(place.method, place.path): place for place in _others(catalog)}
    for unit in catalog:
        domain, _, verb = unit.name.partition(".")
        if domain in NOUNS:
            place = _managing(unit, verb, *NOUNS[domain])
            found[place.method, place.path] = place
        elif domain == "inference" and unit.kind is Kind.COMMAND:
            place = Place("POST", f"/inference/{verb}", unit.name)
            found[place.method, place.path] = place
    return sorted(found.values(), key=_says_less)


def _others(catalog: Iterable[Unit]) -> Iterator[Place]:
    names = {unit.name for unit in catalog}
    return (place for place in OTHERS if place.unit in names)


def _managing(unit: Unit, verb: str, noun: str, key: str) -> Place:
    one = f"/{noun}/{{{key}:path}}"  # an id such as `Qwen/Qwen3-8B` has parts
    looks = unit.kind is Kind.QUERY
    if key not in unit.input.model_fields:
        if (looks and verb == "list") or verb in _MADE:
            return Place("GET" if looks else "POST", f"/{noun}", unit.name)
        return Place("GET" if looks else "POST", f"/{noun}/{verb}", unit.name)
    if looks and verb == "get":
        return Place("GET", one, unit.name)
    if verb in _REMOVED:
        return Place("DELETE", one, unit.name)
    return Place("GET" if looks else "POST", f"{one}/{verb}", unit.name)


def _says_less(place: Place) -> tuple[int, bool, str]:
    """Sort by how little a path says: of parts, and at its end."""
    return -place.path.count("/"), place.path.endswith("}"), place.path
