"""How often a key may ask, and how often an address may be wrong."""

from __future__ import annotations

from functools import partial

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Permission, Role
from aima.gateway.access.rates import Buckets, Rates
from aima.gateway.chain import create_app
from aima.gateway.route import Way
from aima.store import open_store


class Clock:
    """Shows the time it is set to."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


async def done(_: Request) -> Response:
    """Do nothing."""
    return Response(status_code=204)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def door(clock: Clock) -> TestClient:
    """A door where operators may ask twice a minute, and an address may be wrong three times."""
    own = {
        "a": Caller("a", Role.OPERATOR, id="k-a"),
        "b": Caller("b", Role.OPERATOR, id="k-b"),
        "five": Caller("five", Role.OPERATOR, id="k-5", per_minute=5),
        "admin": Caller("admin", Role.ADMIN, id="k-admin"),
        "cli": Caller("the command line", Role.OPERATOR),
    }
    ways = [
        Way("GET", "/x", done, Permission.RUN_READ),
        Way("GET", "/v1/x", done, Permission.RUN_READ),
        Way("GET", "/livez", done, Permission.PUBLIC),
    ]
    rates = Rates({Role.OPERATOR: 2, Role.ADMIN: 0}, 3, Buckets(clock), Buckets(clock))
    app = create_app(ways, Keys(own, partial(open_store, "nowhere")), rates=rates)
    return TestClient(app, base_url="http://localhost", client=("10.0.0.7", 1))


def ask(door: TestClient, key: str, path: str = "/x", **headers: str) -> int:
    """Ask with a key, and give the status."""
    told = {"authorization": f"Bearer {key}", **headers} if key else headers
    return door.get(path, headers=told).status_code


def test_a_key_may_ask_as_often_as_its_role(door: TestClient, clock: Clock) -> None:
    """Then it waits; another key does not wait with it."""
    assert [ask(door, "a") for _ in range(3)] == [204, 204, 429]
    assert ask(door, "b") == 204
    clock.now += 30
    assert [ask(door, "a"), ask(door, "a")] == [204, 429]
    clock.now += 3600
    assert [ask(door, "a") for _ in range(3)] == [204, 204, 429]


def test_a_key_may_have_a_bound_of_its_own(door: TestClient) -> None:
    """And the stack's own processes have none, nor a role that is given none."""
    assert [ask(door, "five") for _ in range(6)] == [204] * 5 + [429]
    for unbounded in "admin", "cli":
        assert {ask(door, unbounded) for _ in range(20)} == {204}


def test_a_caller_is_told_how_often_it_may_still_ask(door: TestClient) -> None:
    """So that a good program slows down before it is refused, and waits no longer than it must."""
    headers = {"authorization": "Bearer a"}
    first = door.get("/x", headers=headers).headers
    assert first["ratelimit-policy"] == '"key";q=2;w=60'
    assert first["ratelimit"] == '"key";r=1;t=30'
    door.get("/x", headers=headers)
    refused = door.get("/v1/x", headers=headers)
    assert refused.headers["ratelimit"] == '"key";r=0;t=60'
    assert refused.headers["retry-after"] == "30"
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert "ratelimit" not in door.get("/livez").headers


def test_an_address_may_be_wrong_a_few_times(door: TestClient, clock: Clock) -> None:
    """Then it is not listened to for a while; who has a right key there is not locked out."""
    assert [ask(door, "wrong") for _ in range(4)] == [401, 401, 401, 429]
    spoofed = {"x-forwarded-for": "10.9.9.9", "forwarded": "for=10.9.9.9"}
    assert ask(door, "wrong", **spoofed) == 429
    assert ask(door, "a") == 204
    assert ask(door, "", "/livez") == 204
    clock.now += 20
    assert [ask(door, "wrong"), ask(door, "wrong")] == [401, 429]


def test_no_key_at_all_is_not_a_wrong_one(door: TestClient) -> None:
    """A browser that asks before it has a key does not use up anybody's tries."""
    assert {ask(door, "") for _ in range(10)} == {401}
    assert ask(door, "wrong") == 401


def test_buckets_of_strangers_do_not_fill_the_memory(clock: Clock) -> None:
    """Whoever comes from a million addresses meets a bound of the memory."""
    buckets = Buckets(clock, most=100)
    for address in range(1000):
        buckets.take(str(address), 1)
    assert len(buckets._filled) == 100
    assert buckets.take("999", 1)[0] is False, "those used last are kept"


def test_a_clock_that_jumps_gives_no_more_than_a_bucket(clock: Clock) -> None:
    """A machine that slept for a day does not let a day's requests in at once."""
    buckets = Buckets(clock)
    for _ in range(2):
        assert [buckets.take("a", 3)[0] for _ in range(4)] == [True, True, True, False]
        clock.now += 86_400
