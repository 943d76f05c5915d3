"""Browsers that are signed in, and pages of others that would like to use it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from aima.errors import Conflict
from aima.gateway.access.keys import Keys, new_key
from aima.gateway.access.permission import Caller, Permission, Role
from aima.gateway.access.rates import Rates
from aima.gateway.chain import create_app
from aima.gateway.route import Way, caller_of
from aima.gateway.web.look import Look
from aima.gateway.web.sessions import LASTS_SECONDS, MOST_SESSIONS, TICKET_SECONDS, Sessions
from aima.gateway.web.signing import Signing, TicketRoutes
from aima.store import open_store

URL = "http://127.0.0.1:7700"
OWN = {"origin": URL, "sec-fetch-site": "same-origin", "accept": "text/html"}
VISIT = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "accept": "text/html"}


@dataclass
class Clock:
    """Time as a test wants it."""

    now: float = 0.0

    def __call__(self) -> float:
        """Tell it."""
        return self.now


@dataclass(frozen=True)
class Door:
    """A small door with sessions, and the keys to it."""

    browser: TestClient
    sessions: Sessions
    clock: Clock
    keys: dict[Role, str]

    def sign_in(self, role: Role = Role.VIEWER, **more: str) -> Response:
        """Send the form with the key of a role."""
        return self.post("/signin", {"key": self.keys[role], **more})

    def post(self, path: str, form: dict[str, str], **headers: str) -> Response:
        """Send a form as a page of the door does."""
        return self.browser.post(path, data=form, headers={**OWN, **headers})  # type: ignore[return-value] # a client's answer

    def status(self, **headers: str) -> int:
        """Look at a page."""
        return self.browser.get("/me", headers={**VISIT, **headers}).status_code


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """A door where everybody may learn their own name, and an operator do something."""
    store = partial(open_store, tmp_path / "aima.db")
    made = {role: new_key(role.value, role) for role in Role}
    with store() as opened:
        for one in made.values():
            opened.keys.add(one.row)
    keys, clock, look = Keys({}, store), Clock(), Look()
    sessions = Sessions(keys, clock)
    ways = [
        *Signing(sessions, look).ways(),
        *TicketRoutes(sessions).ways(),
        look.way("GET", "/me", _name, Permission.PAGE_OPEN),
        Way("POST", "/do", _name, Permission.RUN_CONTROL),
    ]
    browser = TestClient(
        create_app(ways, keys, sessions, rates=Rates(failures=3)),
        base_url=URL,
        follow_redirects=False,
    )
    return Door(browser, sessions, clock, {role: one.text for role, one in made.items()})


async def _name(request: Request) -> Response:
    """Tell who asks."""
    return JSONResponse(caller_of(request.scope).name)


def test_a_session_may_do_what_its_key_may(door: Door) -> None:
    """No more for a browser than for a program."""
    assert door.sign_in(Role.VIEWER).status_code == 303
    assert door.status() == 200
    assert door.browser.post("/do", headers=OWN).status_code == 403
    door.sign_in(Role.OPERATOR)
    assert door.browser.post("/do", headers=OWN).json() == "operator"


def test_a_key_that_opens_no_page_does_not_sign_in(door: Door) -> None:
    """A device has nothing to look at."""
    assert door.sign_in(Role.DEVICE).status_code == 401
    assert not door.browser.cookies


def test_wrong_keys_are_counted_here_as_well(door: Door) -> None:
    """The form is no way round the bound on guesses; whoever has the right key still comes in."""
    tried = [door.post("/signin", {"key": "aima_0_0"}).status_code for _ in range(4)]
    assert tried == [401, 401, 401, 429]
    assert door.sign_in().status_code == 303


def test_a_session_ends(door: Door) -> None:
    """After a working day, when its key is revoked, and when its browser signs out."""
    door.sign_in()
    door.clock.now = LASTS_SECONDS + 1
    assert door.status() == 401
    door.sign_in()
    stolen = dict(door.browser.cookies)
    assert door.post("/signout", {}).status_code == 303
    door.browser.cookies.update(stolen)
    assert door.status() == 401


async def test_a_session_ends_with_its_key(door: Door) -> None:
    """Whoever revokes a key means the browsers as well."""
    door.sign_in()
    assert door.status() == 200
    await door.sessions.keys.revoke("viewer")
    assert door.status() == 401


def test_a_ticket_lets_in_once_and_soon(door: Door) -> None:
    """What lies in a history is worth nothing."""
    bearer = {"authorization": f"Bearer {door.keys[Role.OPERATOR]}"}
    told = door.browser.post("/api/v2/tickets", headers=bearer)
    assert told.headers["cache-control"] == "no-store"
    path, _, ticket = told.json()["path"].partition("#")
    assert path == "/signin"
    assert door.post("/signin", {"ticket": ticket}).status_code == 303
    assert door.browser.get("/me", headers=VISIT).json() == "operator"
    assert door.post("/signin", {"ticket": ticket}).status_code == 401
    late = door.browser.post("/api/v2/tickets", headers=bearer).json()["path"].partition("#")[2]
    door.clock.now = TICKET_SECONDS + 1
    assert door.post("/signin", {"ticket": late}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OWN, 200),
        ({"origin": URL}, 200),
        ({}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:8233"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": f"{URL}.evil.example"}, 403),
        ({"origin": "http://evil.example@127.0.0.1:7700"}, 403),
        ({"origin": URL, "sec-fetch-site": "same-site"}, 403),
        ({"origin": URL, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 403),
    ],
)
def test_only_a_page_of_the_door_uses_the_cookie(
    door: Door, headers: dict[str, str], status: int
) -> None:
    """Another program of this machine is the same site for a browser, and sends the cookie."""
    door.sign_in(Role.OPERATOR)
    assert door.browser.post("/do", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-site"}, 200),  # a link of the Temporal UI
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-dest": "iframe"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}, 403),
    ],
)
def test_others_may_link_to_a_page_but_not_load_it(
    door: Door, headers: dict[str, str], status: int
) -> None:
    """What is loaded into another page can be measured there."""
    door.sign_in()
    assert door.status(**headers) == status


def test_nobody_is_signed_in_by_another_page(door: Door) -> None:
    """Who works in somebody else's name gives that one what was meant for nobody."""
    assert door.post("/signin", {"key": "x"}, origin="http://evil.example").status_code == 403


@pytest.mark.parametrize(
    ("wanted", "led"),
    [
        ("/runs?state=failed", "/runs?state=failed"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\nx", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_within_the_door(door: Door, wanted: str, led: str) -> None:
    """A link to the form with an address of another machine in it leads nowhere."""
    assert door.sign_in(next=wanted).headers["location"] == led


def test_the_oldest_of_very_many_sessions_ends(door: Door) -> None:
    """Memory is not for whoever signs in again and again."""
    door.sign_in()
    for _ in range(MOST_SESSIONS - 1):
        door.sessions.begin(Caller("somebody", Role.VIEWER))
    assert door.status() == 200
    door.sessions.begin(Caller("somebody", Role.VIEWER))
    assert door.status() == 401


def test_a_browser_reads_a_refusal_and_a_program_a_problem(door: Door) -> None:
    """A person gets the form; a program gets what it can act on."""
    page = door.browser.get("/me", headers=VISIT)
    assert page.headers["content-type"].startswith("text/html")
    assert 'name="key"' in page.text
    problem = door.browser.get("/me", headers={"accept": "application/json"})
    assert problem.json()["code"] == "UNAUTHORIZED"


def test_a_refusal_leads_back_to_the_run_that_it_is_about() -> None:
    """Also one whose id holds a slash, as a child's does."""

    async def refused(_: Request) -> Response:
        raise Conflict("it has ended")

    way = Look().way("POST", "/runs/{id:path}/cancel", refused, Permission.PUBLIC)
    client = TestClient(create_app([way], Keys({}, partial(open_store, ":memory:"))), base_url=URL)
    page = client.post("/runs/a%2Fb/cancel", headers=OWN)
    assert page.status_code == 409
    assert 'href="/runs/a%2Fb"' in page.text


def test_every_page_forbids_what_is_not_its_own(door: Door) -> None:
    """If something hostile came into a page it could not run, frame it, or send anything out."""
    headers = door.browser.get("/signin").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
