"""What the door refuses before it routes anything: strangers, and pages of the web."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from aima.errors import Forbidden, Unauthorized
from aima.gateway.problem import problem

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Guard:
    """Lets in who knows the token and calls this machine by a name of its own.

    A page of the web can call loopback under a name that its owner lets point there (DNS
    rebinding); the browser then sends that name as the host.
    """

    def __init__(self, app: ASGIApp, *, token: str, lesser: Mapping[str, str]) -> None:
        """Guard ``app``; a lesser token opens one address only, and is named by it."""
        self._app = app
        self._token = token.encode()
        self._lesser = {path: known.encode() for path, known in lesser.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a refusal."""
        request = Request(scope)
        app: ASGIApp = self._app
        if not _is_local(request.headers.get("host", "")):
            app = problem(Forbidden("AIMA answers to 127.0.0.1 and localhost only"))
        elif not self._knows_token(request.headers.get("authorization", ""), scope["path"]):
            app = problem(Unauthorized("this AIMA asks for the token of its stack.json"))
        await app(scope, receive, send)

    def _knows_token(self, authorization: str, path: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        secret = given.encode("latin-1")
        known = hmac.compare_digest(secret, self._token)
        known |= hmac.compare_digest(secret, self._lesser.get(path, self._token))
        return known and scheme.lower() == "bearer"


def _is_local(host: str) -> bool:
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:  # such as an unclosed bracket
        return False
