"""Keys: who they let in, for how long, and what is kept of them."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeAlias

import httpx2
import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import compile_path
from starlette.testclient import TestClient

from aima.errors import Conflict, NotFound
from aima.gateway.access.key_routes import CreateKey
from aima.gateway.access.keys import ADMIN_KEY, Keys, NewKey, first_key, new_key
from aima.gateway.access.permission import GRANTS, Permission, Role
from aima.gateway.chain import create_app
from aima.gateway.draining import Drain
from aima.gateway.route import Way
from aima.store import open_store
from aima.store.database import Store
from tests.door import door_in

OpenStore: TypeAlias = Callable[[], AbstractContextManager[Store]]


@pytest.fixture
def store(tmp_path: Path) -> OpenStore:
    """A store of its own."""
    return partial(open_store, tmp_path / "aima.db")


@pytest.fixture
def keys(store: OpenStore) -> Keys:
    """No keys yet."""
    return Keys({}, store)


async def test_a_key_opens_until_it_is_revoked(keys: Keys, store: OpenStore) -> None:
    """In this process and in the next one; a second name in use would be a riddle."""
    made = new_key("ci", Role.OPERATOR, scopes=("inference:use",))
    await keys.add(made)
    for known in (keys, Keys({}, store)):
        caller = await known.caller(made.text.encode())
        assert caller is not None
        assert (caller.name, caller.role) == ("ci", Role.OPERATOR)
        assert caller.may(Permission.INFERENCE_USE)
        assert not caller.may(Permission.RUN_READ), "its scope leaves the rest of the role out"
    with pytest.raises(Conflict, match="there is a key 'ci'"):
        await keys.add(new_key("ci", Role.VIEWER))
    await keys.revoke("ci")
    for known in (keys, Keys({}, store)):
        assert await known.caller(made.text.encode()) is None
    with pytest.raises(NotFound, match="no key 'ci' in use"):
        await keys.revoke("ci")
    await keys.add(new_key("ci", Role.VIEWER))


async def test_a_scope_gives_nothing_that_the_role_has_not(keys: Keys) -> None:
    """It narrows; whoever may make viewers cannot make administrators of them."""
    made = new_key("v", Role.VIEWER, scopes=("key:manage", "run:read"))
    await keys.add(made)
    caller = await keys.caller(made.text.encode())
    assert caller is not None
    assert [p for p in Permission if caller.may(p)] == [Permission.RUN_READ]


def test_a_key_is_not_made_for_what_its_role_may_not() -> None:
    """Its maker would learn of it from whoever stands before a closed door."""
    CreateKey(name="ci", role=Role.OPERATOR, scopes=[Permission.RUN_START])
    with pytest.raises(ValidationError, match="viewer has no run:start; operator, author, admin"):
        CreateKey(name="ci", role=Role.VIEWER, scopes=[Permission.RUN_READ, Permission.RUN_START])


async def test_a_key_ends_when_it_was_told_to(keys: Keys) -> None:
    """Without anybody having to think of it."""
    short = new_key("short", Role.ADMIN, lasts=timedelta(microseconds=1))
    long = new_key("long", Role.ADMIN, lasts=timedelta(days=1))
    await keys.add(short)
    await keys.add(long)
    assert await keys.caller(short.text.encode()) is None
    assert await keys.caller(long.text.encode()) is not None


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key[:-1],
        lambda key: key + "x",
        lambda key: key.upper(),
        lambda key: key.replace("aima_", "aima_0"),
        lambda key: key.rpartition("_")[0] + "_",
        lambda key: key.split("_")[1],
        lambda _: "aima__",
        lambda _: "",
        lambda _: "nothing",
        lambda _: "' OR 1=1 --",
        lambda _: "aima_é_\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
    ],
)
async def test_what_only_looks_like_a_key_opens_nothing(keys: Keys, change: object) -> None:
    """A malformed key is no key, and no error either."""
    made = new_key("k", Role.ADMIN)
    await keys.add(made)
    assert callable(change)
    assert await keys.caller(change(made.text).encode("latin-1")) is None


async def test_the_store_holds_nothing_that_opens_the_door(keys: Keys, tmp_path: Path) -> None:
    """A stolen backup lets nobody in; a scanner of leaked texts knows a key when it sees one."""
    made = new_key("k", Role.ADMIN)
    await keys.add(made)
    secret = made.text.split("_", 2)[2]
    assert re.fullmatch(r"aima_[0-9a-f]{12}_[\w-]{43}[0-9a-f]{8}", made.text)
    assert made.row.digest == hashlib.sha256(secret.encode()).hexdigest()
    assert secret not in repr(made)
    assert not holding(secret, tmp_path)


def holding(secret: str, folder: Path) -> list[Path]:
    """Find the files that hold a secret."""
    return [file for file in folder.iterdir() if secret.encode() in file.read_bytes()]


async def test_the_last_use_of_a_key_is_kept(keys: Keys, store: OpenStore) -> None:
    """Keys that nobody uses are found, and ended."""
    made = new_key("k", Role.ADMIN)
    await keys.add(made)
    await keys.caller(made.text.encode())
    await keys.caller(made.text.encode())
    for noting in list(keys._noting):
        await noting
    with store() as opened:
        [row] = opened.keys.all()
    assert row.used_at is not None
    assert row.used_at >= row.created_at


async def test_the_first_key_is_left_where_its_owner_finds_it(
    keys: Keys, store: OpenStore, tmp_path: Path
) -> None:
    """Once: a second start makes no second one, also where the first was revoked."""
    first_key(tmp_path, store)
    text = (tmp_path / ADMIN_KEY).read_text().strip()
    assert (tmp_path / ADMIN_KEY).stat().st_mode & 0o777 == 0o600
    caller = await keys.caller(text.encode())
    assert caller is not None
    assert caller.role is Role.ADMIN
    await keys.revoke("admin")
    (tmp_path / ADMIN_KEY).unlink()
    first_key(tmp_path, store)
    assert not (tmp_path / ADMIN_KEY).exists()


# --- the routes of the door ------------------------------------------------------------------


async def done(_: Request) -> Response:
    """Stand in for what a route does: here only counts whether it is reached."""
    return Response(status_code=204)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> list[Way]:
    """Every address of the door that `aima up` serves."""
    return door_in(tmp_path_factory.mktemp("door")).ways


@pytest.fixture(scope="module")
def texts() -> dict[Role, NewKey]:
    """A key of each role."""
    return {role: new_key(role.value, role) for role in Role}


@pytest.fixture(scope="module")
def door(
    ways: list[Way], texts: dict[Role, NewKey], tmp_path_factory: pytest.TempPathFactory
) -> TestClient:
    """The door with all its addresses, none of which does anything."""
    store = partial(open_store, tmp_path_factory.mktemp("keys") / "aima.db")
    with store() as opened:
        for made in texts.values():
            opened.keys.add(made.row)
    reached = [replace(way, call=done) for way in ways]
    return TestClient(create_app(reached, Keys({}, store)), base_url="http://localhost")


def test_only_these_addresses_are_open_to_everybody(ways: list[Way]) -> None:
    """An addition to this list is a decision."""
    public = {(way.method, way.path) for way in ways if way.permission is Permission.PUBLIC}
    signing = {("GET", "/signin"), ("POST", "/signin"), ("GET", "/static/{version}/{file}")}
    health = {("GET", "/livez"), ("GET", "/readyz"), ("GET", "/metrics")}
    assert public == {*health, ("POST", "/hooks/{workflow}/{name}"), *signing}


def test_every_permission_is_asked_for_somewhere(ways: list[Way]) -> None:
    """One that no address asks for promises a protection that there is not."""
    asked = {way.permission for way in ways}
    assert asked == set(Permission)


def test_whatever_may_change_something_is_audited(ways: list[Way]) -> None:
    """An addition to this list of what is not is a decision."""
    unwritten = {way.path for way in ways if way.method != "GET" and not way.commands}
    unwritten -= {path for path in unwritten if path.startswith(("/v1/", "/v2/", "/rerank"))}
    assert unwritten == {
        "/api/v2/workflows/check",
        "/hooks/{workflow}/{name}",  # of strangers; of others it is written once they have signed
        "/api/v2/query/{unit}",
        "/api/v2/collections/{collection}/search",  # a query
        "/api/v2/streams",
        "/mcp",  # whose tools ask the others
        "/signin",  # writes down whom it lets in, not each attempt of strangers
    }
    others = [
        w for w in ways if w.method != "GET" and w.path.startswith(("/v1/", "/v2/", "/rerank"))
    ]
    written = {way.path for way in others if way.permission is not Permission.INFERENCE_USE}
    assert written == {"/v1/videos", "/v1/videos/{id}"}, "films are runs; the others leave nothing"
    assert all(way.commands for way in others if way.path in written)


def test_each_role_reaches_what_it_may_and_nothing_else(
    ways: list[Way], door: TestClient, texts: dict[Role, NewKey]
) -> None:
    """Route by route and role by role, without a key and with a wrong one."""
    wrong = []
    for way in ways:
        path = re.sub(r"{\w+(:\w+)?}", "x", way.path)
        assert compile_path(way.path)[0].fullmatch(path)
        public = way.permission is Permission.PUBLIC
        expected = {"": 401, "aima_0_0": 401, "nothing": 401}
        if public:
            expected = dict.fromkeys(expected, 204)
        expected |= {
            made.text: 204 if public or way.permission in GRANTS[role] else 403
            for role, made in texts.items()
        }
        for text, status in expected.items():
            headers = {"authorization": f"Bearer {text}"} if text else {}
            answer = door.request(way.method, path, headers=headers)
            if answer.status_code != status:
                wrong.append((way.method, way.path, text, answer.status_code))
    assert not wrong


async def test_a_stream_ends_with_the_key_it_was_asked_with(keys: Keys) -> None:
    """Whoever watches for hours hears no more, once the key is revoked."""
    made = new_key("ci", Role.OPERATOR)
    await keys.add(made)
    begun, go = asyncio.Event(), asyncio.Event()

    async def said() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"
        begun.set()
        await go.wait()
        while True:
            yield b"data: 2\n\n"

    async def stream(_: Request) -> Response:
        return StreamingResponse(said(), media_type="text/event-stream")

    ways = [Way("GET", "/stream", stream, Permission.RUN_READ)]
    transport = httpx2.ASGITransport(create_app(ways, keys, drain=Drain()))
    headers = {"authorization": f"Bearer {made.text}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        watching = asyncio.ensure_future(http.get("/stream", headers=headers))
        await begun.wait()
        await keys.revoke("ci")
        go.set()
        heard = (await watching).text
    assert heard.startswith("data: 1\n\nevent: error")
    assert '"code": "UNAUTHORIZED"' in heard
    assert heard.endswith("event: end\ndata: {}\n\n")
