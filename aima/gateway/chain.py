"""What every request passes before it is routed: a name and a line in the log, limits, the guard.

The order matters. Whatever is refused, and by whom, has a request id and a line in the log;
what is too large or comes under a strange name is refused before anybody looks at its key.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from time import perf_counter

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from temporalio.service import RPCError

from aima.errors import (
    AimaError,
    Forbidden,
    InvalidRequest,
    RateLimited,
    TooLarge,
    UnsupportedMedia,
)
from aima.gateway.access.audit import WITNESS, Audited, Journal
from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller
from aima.gateway.access.rates import RATES, Left, Rates
from aima.gateway.accounts import SPENT, Spent
from aima.gateway.draining import Drain, Drained
from aima.gateway.problem import tell
from aima.gateway.request_meter import RequestMeter
from aima.gateway.route import CALLER, Way, nowhere
from aima.gateway.web.sessions import Sessions
from aima.trace import TRACEPARENT, accepted, traced

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MOST_HEADERS = 64
MOST_HEADER_BYTES = 16 << 10
REQUEST_ID = b"x-request-id"
TRACE = "aima.traceparent"
"""Where the scope of a request has the trace that it belongs to."""
HEADERS_TOO_LARGE = 431
_HOST = re.compile(  # whatever is more than a name and a port is read otherwise elsewhere
    r"(?:\[(?P<six>[0-9a-f:]+)\]|(?P<name>[\w.-]+))(?::\d{1,5})?", re.ASCII | re.IGNORECASE
)
_GOOD_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)

access_log = logging.getLogger("aima.access")


def create_app(  # noqa: PLR0913 - one for each link of the chain
    ways: Iterable[Way],
    keys: Keys,
    sessions: Sessions | None = None,
    *,
    hosts: Collection[str] = LOOPBACK,
    journal: Journal | None = None,
    rates: Rates | None = None,
    drain: Drain | None = None,
    meter: RequestMeter | None = None,
) -> ASGIApp:
    """Make the web application of a door: the ways, behind the chain.

    Args:
        ways: its addresses.
        keys: who may come in.
        sessions: the browsers that are signed in; None: none ever is.
        hosts: the names it may be called by.
        journal: where commands are written down; None: nowhere.
        rates: how often a key may ask; None: as often as it likes.
        drain: ends its streams when it ends; None: nobody does.
        meter: counts the requests; None: nobody does.
    """
    app = Starlette(
        routes=[way.route() for way in ways],
        exception_handlers=dict.fromkeys(
            (AimaError, RPCError, HTTPException, ClientDisconnect, Exception), tell
        ),
    )
    app.router.redirect_slashes = False  # its redirect would tell strangers what there is
    app.router.default = nowhere
    audited: ASGIApp = Audited(app, journal) if journal else app
    audited = Drained(audited, drain, ended=keys.has_ended) if drain else audited
    guard = Guard(audited, keys, sessions, hosts=hosts, rates=rates or Rates())
    return Named(Limits(guard), meter)


class Named:
    """Gives each request an id, its own or a new one, and writes a line about it."""

    def __init__(
        self,
        app: ASGIApp,
        meter: RequestMeter | None = None,
        *,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """Name the requests of ``app``, and count them."""
        self._app = app
        self._meter = meter
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and tell of it."""
        begun, status, sent = self._clock(), 0, 0
        headers = Request(scope).headers
        given = headers.get("x-request-id", "")
        name = given if _GOOD_ID.fullmatch(given) else secrets.token_hex(16)
        trace = scope[TRACE] = accepted(headers.get(TRACEPARENT))
        scope["aima.request_id"] = name

        async def told(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
                kept = [pair for pair in message["headers"] if pair[0].lower() != REQUEST_ID]
                message = {**message, "headers": [*kept, (REQUEST_ID, name.encode())]}
            sent += len(message.get("body", b""))
            await send(message)

        try:
            with traced(trace):
                await self._app(scope, receive, told)
        finally:
            if self._meter is not None:
                self._meter.ended(scope, status, self._clock() - begun)
            caller = scope.get(CALLER)
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "request_id": name,
                "traceparent": trace,
                "caller": caller.name if isinstance(caller, Caller) else None,
                "method": scope["method"],
                "path": scope["path"],  # without its query, which may hold what is private
                "status": status,
                "bytes": sent,
                "ms": round((self._clock() - begun) * 1000, 1),
            }
            if WITNESS in scope:  # of its row in the audit log, which cannot be rewritten unseen
                line["audit"] = scope[WITNESS]
            if isinstance(spent := scope.get(SPENT), Spent):
                line |= asdict(spent)
            access_log.info("%s", json.dumps(line))


class Limits:
    """Refuses headers that are too many or too large, and bodies that somebody packed."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        headers = scope["headers"]
        size = sum(len(name) + len(value) for name, value in headers)
        packed = Request(scope).headers.get("content-encoding", "identity").lower()
        if len(headers) > MOST_HEADERS or size > MOST_HEADER_BYTES:
            answer = tell(
                Request(scope),
                TooLarge(
                    f"the request has more than {MOST_HEADERS} headers, or more than "
                    f"{MOST_HEADER_BYTES >> 10} KiB of them; leave some out"
                ),
                status=HEADERS_TOO_LARGE,
            )
            await answer(scope, receive, send)
        elif packed != "identity":
            refused = UnsupportedMedia("send the body as it is, without a `content-encoding`")
            await tell(Request(scope), refused)(scope, receive, send)
        elif not scope["path"].isprintable():
            refusal = InvalidRequest("the address has characters in it that nobody can see")
            await tell(Request(scope), refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Guard:
    """Lets in what calls this machine by a name of its own, and finds out whose key it carries.

    A page of the web can call loopback under a name that its owner lets point there (DNS
    rebinding); the browser then sends that name as the host. What a caller may do is for the
    routes to decide.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Keys,
        sessions: Sessions | None,
        *,
        hosts: Collection[str],
        rates: Rates,
    ) -> None:
        """Guard ``app``; ``hosts`` are the names it may be called by."""
        self._app = app
        self._rates = rates
        self._keys = keys
        self._sessions = sessions
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller, or refuse it."""
        request = Request(scope)
        if not self._is_called(request.headers.getlist("host")):
            refusal = Forbidden(
                "AIMA answers to 127.0.0.1 and localhost only, and to the names in `door.hosts`"
            )
            await tell(request, refusal)(scope, receive, send)
            return
        try:
            caller = await self._caller(request)
        except AimaError as error:  # the store cannot be read, or another page uses a cookie
            await tell(request, error)(scope, receive, send)
            return
        scope[CALLER], scope[RATES] = caller, self._rates
        refused, left = self._counted(request, caller)
        if left is not None and caller is not None:
            send = _telling(left, send)
        if refused is not None:
            await tell(request, refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _counted(
        self, request: Request, caller: Caller | None
    ) -> tuple[RateLimited | None, Left | None]:
        """Count a request: of its key, or against the address that sent a wrong one.

        Only wrong keys of an address are refused: a right one opens, whoever else sits there.
        """
        if caller is not None:
            may, left = self._rates.asked(caller)
            if may or left is None:
                return None, left
            said = f"the key {caller.name!r} may ask {left.quota} times a minute; wait"
            return RateLimited(said, retry_after=left.wait), left
        if not _secrets(request):
            return None, None
        address = request.client.host if request.client else ""
        left = self._rates.failed(address)
        if left is None:
            return None, None
        return RateLimited("too many wrong keys; wait", retry_after=left.wait), left

    def _is_called(self, hosts: list[str]) -> bool:
        """Tell whether a request names one host, and one of ours."""
        found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        return found is not None and (found["six"] or found["name"]).lower() in self._hosts

    async def _caller(self, request: Request) -> Caller | None:
        given = _secrets(request)
        if not given and self._sessions is not None:
            return self._sessions.caller(request)
        if len(given) != 1 or not given[0]:
            return None
        return await self._keys.caller(given[0].encode("latin-1"))


def _secrets(request: Request) -> list[str]:
    """Give the keys that a request carries: as all clients do, or as Anthropic's do."""
    bearers = [text.partition(" ") for text in request.headers.getlist("authorization")]
    told = [secret if scheme.lower() == "bearer" else "" for scheme, _, secret in bearers]
    return told + request.headers.getlist("x-api-key")


def _telling(left: Left, send: Send) -> Send:
    """Tell how often the caller may still ask."""

    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *left.headers()]}
        await send(message)

    return telling
