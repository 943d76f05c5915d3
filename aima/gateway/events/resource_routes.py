"""The door's routes for resources: what there are, reading one, and watching it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.errors import Gone, InvalidRequest, NotFound
from aima.gateway.about import About
from aima.gateway.access.permission import Permission
from aima.gateway.route import Way, admit, caller_of
from aima.gateway.sse import EVENTS, Brief, event, since, streamed, within
from aima.mistakes import accept
from aima.resources.registry import Resources
from aima.resources.resource import MEDIA_TYPE, Change, Resource
from aima.resources.uri import SCHEME

PREFIX = "/api/v2"
OLDER = f"{PREFIX}/resource/"
NOT_MODIFIED = 304


class Named(BaseModel):
    """Which resource."""

    uri: str = Field(default="", description="Its address; empty: list what there are.")


class Watched(Brief):
    """What to watch, and how closely."""

    model_config = ConfigDict(extra="ignore")

    uri: str = Field(default="", description="The address of a resource.")
    since: str = Field(default="", description="A `resource_version`; empty: all there is first.")
    interval: float = Field(default=0, ge=0, le=3600, description="Seconds between two tellings.")


@dataclass(frozen=True)
class ResourceRoutes:
    """Reads resources for whoever may ask what they show."""

    resources: Resources

    def ways(self) -> list[Way]:
        """Give the addresses; the older ones name the resource in the path."""
        may, older = Permission.RESOURCE_READ, f"{OLDER}{{uri:path}}"
        told = About(errors=(InvalidRequest, NotFound), passes_on=True)  # as the unit behind says
        read = replace(told, query=Named, statuses=(200, 304))
        streamed = replace(told, query=Watched, gives=(EVENTS,), errors=(*told.errors, Gone))
        return [
            Way("GET", f"{PREFIX}/resources", self.get, may, about=read),
            Way("GET", f"{PREFIX}/resources/watch", self.watch, may, about=streamed),
            Way("GET", f"{older}/watch", self.watch, may, about=streamed),
            Way("GET", older, self.get, may, about=read),
        ]

    async def get(self, request: Request) -> Response:
        """Read the resource at `uri`; without one, list what there are."""
        uri = _uri(request)
        if not uri:
            return self._list(request)
        self._admit(request, uri)
        snapshot = await self.resources.read(uri)
        tag = f'"{snapshot.version}"'
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=NOT_MODIFIED, headers={"etag": tag})
        return JSONResponse(snapshot.to_json(), headers={"etag": tag})

    async def watch(self, request: Request) -> Response:
        """Stream the changes of the resource at `uri` after `since`; without it, all first."""
        uri = _uri(request)
        self._admit(request, uri)
        asked = accept(Watched.model_validate, dict(request.query_params), what="the query")
        changes = self.resources.watch(uri, since(request), pause_seconds=asked.interval)
        return await streamed(within(changes, asked.seconds), _event)

    def _admit(self, request: Request, uri: str) -> None:
        """Let those pass who may ask what the resource shows.

        Raises:
            BadAddress, NotFound: there is none.
            Forbidden: the caller may not.
        """
        resource, _, _ = self.resources.find(uri)
        for permission in resource.permissions():
            admit(request.scope, Permission(permission))

    def _list(self, request: Request) -> Response:
        caller = caller_of(request.scope)
        may = [r for r in self.resources.all() if caller.may(Permission(r.permission))]
        return JSONResponse(
            {
                "resources": [{"uri": r.uri, **_told(r)} for r in may if not r.is_template],
                "templates": [{"uri_template": r.uri, **_told(r)} for r in may if r.is_template],
            }
        )


def _told(resource: Resource) -> dict[str, str]:
    return {
        "title": resource.title,
        "mime_type": MEDIA_TYPE,
        "permission": resource.permission,
    }


def _event(change: Change) -> bytes:
    return event(change.type, change.to_json(), number=change.version)


def _uri(request: Request) -> str:
    """Give the address that a request names: in its query or, as it used to be, in its path."""
    if "uri" not in request.path_params:
        return request.query_params.get("uri", "")
    # As it was sent: decoded, an encoded `/` within an identifier looks like one between parts.
    raw = bytes(request.scope.get("raw_path") or request.scope["path"].encode())
    given = raw.decode("latin-1").partition("?")[0].removeprefix(OLDER).removesuffix("/watch")
    given = given if SCHEME in given else unquote(given)
    return given if given.startswith(SCHEME) else SCHEME + given
