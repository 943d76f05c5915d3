"""What is refused before anybody reads it: too large, or sent by a web page."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aima.embedded.failure import tell
from aima.errors import Forbidden, TooLarge

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class BodyLimit:
    """Refuses a body past its bound: at once if it states its size, else while it comes in."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        """Guard ``app``."""
        self._app = app
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and count its bytes."""
        stated = Request(scope).headers.get("content-length", "0")
        arrived = 0
        if stated.isdecimal() and int(stated) > self._most_bytes:
            await tell(Request(scope), self._refusal())(scope, receive, send)
            return

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._most_bytes:
                raise self._refusal()
            return message

        await self._app(scope, counted, send)

    def _refusal(self) -> TooLarge:
        return TooLarge(f"the body has more than {self._most_bytes >> 20} MiB; send it in parts")


class LocalOnly:
    """Refuses web pages, on an engine that listens on loopback without a key.

    A page of any site can send requests to loopback, also under a name of its own that resolves
    there; browsers then tell the page's origin or that name.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Guard ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it was meant for this machine."""
        request = Request(scope)
        origin = request.headers.get("origin")
        if request.url.hostname in LOOPBACK and (origin is None or _is_local(origin)):
            await self._app(scope, receive, send)
            return
        refusal = Forbidden("this engine answers programs on its own machine only, no web page")
        await tell(request, refusal)(scope, receive, send)


def _is_local(origin: str) -> bool:
    return urlsplit(origin).hostname in LOOPBACK
