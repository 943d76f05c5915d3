"""The engines: how each is, what it can do, and its models with the memory they take."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aima.errors import AimaError
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way
from aima.gateway.units.routes import UnitRoutes
from aima.gateway.web.look import Look

PATIENCE_SECONDS = 5.0
"""How long an engine may take to tell of itself, before the page goes without."""


@dataclass(frozen=True)
class EnginesPage:
    """Shows engines and models."""

    look: Look
    units: UnitRoutes

    def ways(self) -> list[Way]:
        """Give the address."""
        return [self.look.way("GET", "/engines", self.show, Permission.UNIT_VIEW)]

    async def show(self, request: Request) -> Response:
        """Show them, each with what it tells in time."""
        listed = await self._ask("engine.list", {})
        cards = await asyncio.gather(*map(self._report, listed["items"]))
        return self.look.page(request, "engines", engines=cards)

    async def _report(self, card: dict[str, Any]) -> dict[str, Any]:
        """Give all that an engine tells of itself; of one that does not run, why."""
        silent: dict[str, Any] = {"capabilities": [], "models": [], **card}
        if card["status"] not in {"running", "sleeping"}:
            return silent
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return {**silent, **await self._ask("engine.get", {"name": card["name"]})}
        except TimeoutError:
            return {**silent, "reason": f"it said nothing of itself in {PATIENCE_SECONDS:g} s"}
        except AimaError as error:
            return {**silent, "reason": error.message}

    async def _ask(self, name: str, given: dict[str, str]) -> dict[str, Any]:
        unit = self.units.definitions.catalog.get(name)
        return await self.units.ask(unit, given, "page")
