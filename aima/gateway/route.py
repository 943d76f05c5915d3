"""Routes that say who may use them; one that does not say it lets nobody in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from aima.errors import AimaError, Forbidden, NotFound, TooLarge, Unauthorized
from aima.gateway import MOST_BODY_BYTES
from aima.gateway.about import About
from aima.gateway.access.commanded import COMMANDED, Commanded
from aima.gateway.access.permission import Caller, Permission
from aima.gateway.request_meter import ROUTE

Endpoint = Callable[[Request], Awaitable[Response]]
CALLER = "aima.caller"
"""Where the scope of a request has its :class:`Caller`, or None."""
NOTHING = About()
_LOOK = frozenset({"GET", "HEAD"})
_NO_COMMANDS = {
    Permission.UNIT_VIEW,
    Permission.UNIT_QUERY,
    Permission.INFERENCE_USE,
    Permission.STREAM_SHARE,
}
"""Asked for by `POST` too, and change nothing that is kept; the access log tells of them."""


@dataclass(frozen=True)
class Way:
    """An address of the door.

    Attributes:
        permission: what the caller must be allowed to do.
        most_bytes: largest body that is taken.
        most_form_bytes: the same of a form with files; None: no larger than others.
        looks: it changes nothing, whatever its method says; None: its body tells, and what only
            looks says so (:func:`~aima.gateway.access.commanded.looked`).
        refuse: tells somebody who may not use it, where that is no program.
        about: what programs are told of it.
    """

    method: str
    path: str
    call: Endpoint
    permission: Permission
    most_bytes: int = MOST_BODY_BYTES
    most_form_bytes: int | None = None
    looks: bool | None = False
    refuse: Callable[[Request, AimaError], Response] | None = None
    about: About = NOTHING

    def bound(self, request: Request) -> int:
        """Tell the largest body of a request."""
        kind = request.headers.get("content-type", "").lower()
        form = self.most_form_bytes if kind.startswith("multipart/") else None
        return self.most_bytes if form is None else form

    @property
    def commands(self) -> bool:
        """Tell whether it may change something, so that the audit log tells of it."""
        if self.looks is None:
            return True
        looks = self.looks or self.method in _LOOK
        return not looks and self.permission not in _NO_COMMANDS

    def route(self) -> Route:
        """Make the route, which checks the permission before anything else."""
        return Guarded(self)


class Guarded(Route):
    """A route for those who may use it."""

    def __init__(self, way: Way) -> None:
        """Guard a way."""
        super().__init__(way.path, way.call, methods=[way.method])
        self.way = way

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, of a caller who may ask it."""
        scope[ROUTE] = self.way.path
        caller = scope.get(CALLER)
        # Strangers are refused unwritten: they could fill the disk.
        known = caller or self.way.permission is Permission.PUBLIC
        commanded = known and self.way.commands and scope["method"] == self.way.method
        if commanded:
            subject = scope["path_params"].get("unit", "")
            scope[COMMANDED] = Commanded(f"{self.way.method} {self.way.path}", subject)
        request = Request(scope)
        try:
            admit(scope, self.way.permission)
        except AimaError as error:
            if self.way.refuse is None:
                raise
            await self.way.refuse(request, error)(scope, receive, send)
            return
        if scope["method"] not in (self.methods or ()):
            raise HTTPException(405, headers={"allow": ", ".join(_allowed(scope))})
        bounded = _bounded(receive, request, self.way.bound(request))
        await super().handle(scope, _digested(bounded, scope) if commanded else bounded, send)


def _allowed(scope: Scope) -> list[str]:
    """Give the methods of all routes at an address."""
    routes = [route for route in scope["app"].routes if route.path == scope[ROUTE]]
    return sorted({method for route in routes for method in route.methods})


def admit(scope: Scope, permission: Permission) -> None:
    """Let the caller of a request pass.

    Raises:
        Unauthorized: nobody knows it.
        Forbidden: it may not do this.
    """
    if permission is Permission.PUBLIC:
        return
    caller = caller_of(scope)
    if not caller.may(permission):
        raise Forbidden(
            f"the key {caller.name!r} has the role {caller.role.value!r}, which does not allow "
            f"{permission.value!r}; `aima key create --role` makes one that may"
            if caller.scopes is None
            else f"the key {caller.name!r} does not allow {permission.value!r}"
        )


def caller_of(scope: Scope) -> Caller:
    """Tell who asks.

    Raises:
        Unauthorized: nobody knows it.
    """
    caller = scope.get(CALLER)
    if not isinstance(caller, Caller):
        raise Unauthorized("this AIMA asks for a key: the one in `admin.key` of its data folder")
    return caller


async def nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer at an address that there is not; strangers do not learn that."""
    del receive, send
    caller_of(scope)
    raise NotFound("the door has no such address")


def _bounded(receive: Receive, request: Request, most_bytes: int) -> Receive:
    """Refuse a body that is too large: at once if it says so, else where it passes the bound."""
    refusal = TooLarge(
        f"the request has more than {most_bytes >> 20} MiB; give large values as files"
    )
    stated = request.headers.get("content-length", "0")
    if stated.isdecimal() and int(stated) > most_bytes:
        raise refusal
    arrived = 0

    async def counted() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > most_bytes:
            raise refusal
        return message

    return counted


def _digested(receive: Receive, scope: Scope) -> Receive:
    """Keep a digest of what is read."""
    body = scope[COMMANDED].body

    async def digested() -> Message:
        message = await receive()
        body.update(message.get("body", b""))
        return message

    return digested
