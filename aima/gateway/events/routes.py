"""The door's route for what happened: CloudEvents, in pages or as they come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ConfigDict, Field, field_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.errors import Gone, InvalidRequest
from aima.gateway.about import JSON, About
from aima.gateway.access.permission import Permission
from aima.gateway.events.feed import EventFeed, Page
from aima.gateway.route import Way
from aima.gateway.sse import EVENTS, Brief, event, since, streamed, within
from aima.mistakes import accept

PATH = "/api/v2/events"
BATCH = "application/cloudevents-batch+json"
_TYPE = re.compile(r"[A-Za-z0-9][\w.-]{0,200}(?:\.\*)?")


class Wanted(Brief):
    """Which events."""

    model_config = ConfigDict(extra="ignore")

    since: str = Field(default="", description="A `sequence`; empty: the newest, or from now on.")
    limit: int = Field(default=100, ge=1, le=1000, description="How many on a page.")
    follow: bool = Field(default=False, description="Stream them as they come.")
    type: list[str] = Field(default=[], max_length=20, description="`model.created`, `model.*`.")

    @field_validator("type")
    @classmethod
    def _are_types(cls, types: list[str]) -> list[str]:
        for text in types:
            if not _TYPE.fullmatch(text):
                raise ValueError(f"{text[:40]!r} is no type of events, as model.created, model.*")
        return types


@dataclass(frozen=True)
class EventRoutes:
    """Tells what happened."""

    feed: EventFeed

    def ways(self) -> list[Way]:
        """Give the address."""
        about = About(query=Wanted, gives=(JSON, EVENTS, BATCH), errors=(InvalidRequest, Gone))
        return [Way("GET", PATH, self.get, Permission.EVENT_READ, about=about)]

    async def get(self, request: Request) -> Response:
        """Give the events after `since`, a page or, as server-sent events, as they come."""
        given = dict(request.query_params) | {"type": _types(request)}
        asked = accept(Wanted.model_validate, given, what="the query")
        accepts, after = request.headers.get("accept", ""), since(request)
        if asked.follow or EVENTS in accepts:
            return await streamed(
                within(self.feed.follow(after, types=asked.type), asked.seconds), _written
            )
        page = await self.feed.page(after, types=asked.type, limit=asked.limit)
        told = [entry.to_json() for entry in page.entries]
        if BATCH in accepts:
            return JSONResponse(told, media_type=BATCH)
        return JSONResponse({"events": told, "next": str(page.next)})


def _types(request: Request) -> list[str]:
    """Read the types: several, or several in one, with commas between."""
    given = ",".join(request.query_params.getlist("type"))
    return [text.strip() for text in given.split(",") if text.strip()]


def _written(page: Page) -> bytes:
    return b"".join(_events(page))


def _events(page: Page) -> Iterator[bytes]:
    for entry in page.entries:
        yield event(entry.event.type, entry.to_json(), number=entry.seq)
    if not page.entries:  # a sign of life, and the number to come again with
        yield f": {page.next}\nid: {page.next}\n\n".encode()
