"""Signing in: whoever has a key gets a session for a browser, kept in memory and in a cookie.

A session may do what its key may, ends with it, after twelve hours, or with the stack. A browser
without a key gets in by a ticket that somebody with one has made: it counts once, and soon ends.

Cookies know no ports: a browser sends those of ``127.0.0.1`` to every program there, and calls
its pages the same site. So a cookie counts only in requests from the door's own origin.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from aima.errors import Forbidden
from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller

LASTS_SECONDS = 12 * 3600
TICKET_SECONDS = 120
MOST_SESSIONS = 200
_SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class _Let:
    """Somebody who is let in, until then."""

    caller: Caller
    until: float


@dataclass(frozen=True)
class Sessions:
    """The browsers that are signed in, by a digest of what their cookies hold."""

    keys: Keys
    clock: Callable[[], float] = monotonic
    _open: dict[str, _Let] = field(default_factory=dict, repr=False)
    _tickets: dict[str, _Let] = field(default_factory=dict, repr=False)

    def begin(self, caller: Caller) -> str:
        """Let a browser in as somebody; give what its cookie holds."""
        return self._add(self._open, caller, LASTS_SECONDS)

    def caller(self, request: Request) -> Caller | None:
        """Tell whose browser asks; None for nobody's.

        Raises:
            Forbidden: it does so for a page that is not the door's own.
        """
        token = request.cookies.get(cookie_of(request), "")
        let = self._open.get(_digest(token)) if token else None
        if let is None or let.until < self.clock() or not self.keys.still(let.caller):
            return None
        require_own_page(request)
        return let.caller

    def end(self, request: Request) -> None:
        """Sign a browser out."""
        self._open.pop(_digest(request.cookies.get(cookie_of(request), "")), None)

    def ticket(self, caller: Caller) -> str:
        """Make what lets one browser in as somebody, once."""
        return self._add(self._tickets, caller, TICKET_SECONDS)

    def redeem(self, ticket: str) -> Caller | None:
        """Tell who made a ticket; None if it has ended, was used, or is none."""
        let = self._tickets.pop(_digest(ticket), None)
        if let is None or let.until < self.clock() or not self.keys.still(let.caller):
            return None
        return let.caller

    def _add(self, kept: dict[str, _Let], caller: Caller, seconds: float) -> str:
        now = self.clock()
        for name in [name for name, let in kept.items() if let.until < now]:
            del kept[name]
        if len(kept) >= MOST_SESSIONS:
            del kept[next(iter(kept))]  # the oldest
        token = secrets.token_urlsafe(32)
        kept[_digest(token)] = _Let(caller, now + seconds)
        return token


def require_own_page(request: Request) -> None:
    """Let pass what a page of the door's own asks, and a visit that only looks.

    Raises:
        Forbidden: another page asks.
    """
    headers, method = request.headers, request.method
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
    own = origin is not None and urlsplit(origin).netloc == headers.get("host")
    visit = method in _SAFE and headers.get("sec-fetch-mode") == "navigate"
    framed = headers.get("sec-fetch-dest") in ("iframe", "frame", "embed", "object")
    if method not in _SAFE and not own:
        raise Forbidden("another page sent this; open AIMA's own and send it from there")
    if site not in ("same-origin", "none") and (not visit or framed):
        raise Forbidden("another page asks for this with the cookie of yours")


def cookie_of(request: Request) -> str:
    """Name the cookie; two stacks on one machine have two."""
    server = request.scope.get("server") or ("", 0)
    return f"aima-{server[1]}"


def give_cookie(request: Request, answer: Response, token: str) -> None:
    """Have a browser keep a session, out of reach of scripts and other sites."""
    name, lasts = cookie_of(request), LASTS_SECONDS
    answer.set_cookie(name, token, max_age=lasts, path="/", httponly=True, samesite="strict")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
