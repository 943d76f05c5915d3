"""Signing in with a key or a ticket, and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from aima.errors import RateLimited, Unauthorized, ValidationFailed
from aima.gateway.about import About
from aima.gateway.access.commanded import COMMANDED, Commanded
from aima.gateway.access.permission import Caller, Permission
from aima.gateway.access.rates import RATES, Rates
from aima.gateway.route import CALLER, Way, caller_of
from aima.gateway.web.look import Look
from aima.gateway.web.sessions import (
    TICKET_SECONDS,
    Sessions,
    cookie_of,
    give_cookie,
    require_own_page,
)

SIGN_IN = "/signin"
MOST_FORM_BYTES = 1 << 16
_MOST_FIELDS = 20
_WRONG = "This key opens nothing here. It may be mistyped, revoked or of another AIMA."
_LATE = "This link was used before, or is older than two minutes. `aima open` gives a new one."
_MANY = "Too many wrong keys came from here. Wait a minute."
_LESS = "This key may do other things, but not open the page."
_FOREIGN = "A provider's token opens the API, but not the page. Sign in with a key."


@dataclass(frozen=True)
class Signing:
    """Begins and ends sessions."""

    sessions: Sessions
    look: Look

    def ways(self) -> list[Way]:
        """Give the addresses."""
        may, most = Permission, MOST_FORM_BYTES
        refuse = self.look.refuse
        return [
            Way("GET", SIGN_IN, self.form, may.PUBLIC),
            Way("POST", SIGN_IN, self.sign_in, may.PUBLIC, most_bytes=most, looks=True),
            Way("POST", "/signout", self.sign_out, may.PAGE_OPEN, most_bytes=most, refuse=refuse),
        ]

    async def form(self, request: Request) -> Response:
        """Ask for a key."""
        return self.look.sign_in(request)

    async def sign_in(self, request: Request) -> Response:
        """Take a key, or the ticket of a link, and let the browser in."""
        require_own_page(request)
        given = await fields_of(request)
        caller, wrong = await self._caller(given)
        if caller is not None and not caller.may(Permission.PAGE_OPEN):
            caller, wrong = None, _LESS
        if caller is not None and not self.sessions.keys.still(caller):
            caller, wrong = None, _FOREIGN
        if caller is None:
            many = _are_many(request)
            status = RateLimited.status if many else Unauthorized.status
            return self.look.sign_in(request, wrong=_MANY if many else wrong, status=status)
        request.scope[CALLER] = caller  # only of who gets in is written down: strangers are many
        request.scope[COMMANDED] = Commanded(f"POST {SIGN_IN}")
        answer = RedirectResponse(_within(given.get("next", "/")), 303)
        give_cookie(request, answer, self.sessions.begin(caller))
        return answer

    async def _caller(self, given: Mapping[str, str]) -> tuple[Caller | None, str]:
        if ticket := given.get("ticket"):
            return self.sessions.redeem(ticket), _LATE
        key = given.get("key", "").strip().encode("latin-1", "replace")
        return await self.sessions.keys.caller(key) if key else None, _WRONG

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        self.sessions.end(request)
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(cookie_of(request), path="/", httponly=True, samesite="strict")
        return answer


@dataclass(frozen=True)
class TicketRoutes:
    """Lets programs of somebody open the page as them."""

    sessions: Sessions

    def ways(self) -> list[Way]:
        """Give the address."""
        shown = {"path": f"{SIGN_IN}#xyz", "seconds": TICKET_SECONDS}
        about = About(answer=shown, statuses=(201,))
        return [Way("POST", "/api/v2/tickets", self.ticket, Permission.PAGE_OPEN, about=about)]

    async def ticket(self, request: Request) -> Response:
        """Make a ticket that lets one browser in as the caller, once and soon."""
        ticket = self.sessions.ticket(caller_of(request.scope))
        # Behind `#` a browser keeps it to itself: no log has it, and no preview uses it up.
        told = {"path": f"{SIGN_IN}#{ticket}", "seconds": TICKET_SECONDS}
        return JSONResponse(told, 201, {"cache-control": "no-store"})


async def fields_of(request: Request) -> dict[str, str]:
    """Read a small form.

    Raises:
        ValidationFailed: it is none.
    """
    try:
        text = (await request.body()).decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise ValidationFailed(f"the request is no form: {error}") from error
    return dict(pairs)


def _are_many(request: Request) -> bool:
    """Count a wrong key against the address it came from; tell whether there were too many."""
    rates = request.scope.get(RATES)
    address = request.client.host if request.client else ""
    return isinstance(rates, Rates) and rates.failed(address) is not None


def _within(path: str) -> str:
    """Keep a redirect within the door: two slashes of either kind begin another machine."""
    inside = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return path if inside else "/"
