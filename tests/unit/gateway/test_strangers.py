"""Whoever has no key reaches nothing, however the address and the host are spelled.

Requests are given to the door as a server would give them: no client library tidies them first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import quote, unquote

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message

from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Permission, Role
from aima.gateway.chain import create_app
from aima.gateway.route import Way
from aima.store import open_store
from tests.door import door_in

KEY = "the key"
OPEN = 299
"""What an address answers that is open to everybody."""
GOOD_HOST = ("host", "127.0.0.1:7700")
GOOD_KEY = ("authorization", f"Bearer {KEY}")


def noted(way: Way) -> Way:
    """Make a way that only tells whether it is open to everybody."""

    async def done(_: Request) -> Response:
        return Response(status_code=OPEN if way.permission is Permission.PUBLIC else 204)

    return replace(way, call=done)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> list[Way]:
    """Every address of the door that `aima up` serves."""
    return door_in(tmp_path_factory.mktemp("door")).ways


@pytest.fixture(scope="module")
def door(ways: list[Way]) -> ASGIApp:
    """The door with all its addresses, none of which does anything."""
    keys = Keys({KEY: Caller("t", Role.ADMIN)}, partial(open_store, "nowhere"))
    return create_app(map(noted, ways), keys)


async def ask(door: ASGIApp, method: str, raw: str, *headers: tuple[str, str]) -> int:
    """Give the door a request, its address as it came over the line; give the status."""
    status = 0

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        status = message.get("status", status)

    path, _, query = raw.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [(n.encode(), v.encode("latin-1", "replace")) for n, v in headers],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 7700),
    }
    await door(scope, receive, send)
    return status


def spellings(path: str) -> Iterator[str]:
    """Spell an address in the ways that have opened doors elsewhere."""
    yield from (
        path,
        f"{path}/",
        f"/{path}",
        f"{path}//",
        f"{path};x",
        f"{path};/livez",
        f"{path}.",
    )
    yield from (f"{path}?x=/livez", f"{path}?/livez", f"{path}%3f/livez", f"{path}%23/livez")
    yield from (f"{path}%00", f"{path}%00/livez", f"{path}%0a", f"{path}%20", f"{path}%2f")
    yield from (f"{path}/livez", f"{path}/../livez/..", f"{path}/%2e%2e/livez", f"{path}.json")
    yield from (f"/livez{path}", f"/livez/..{path}", f"/livez/%2e%2e{path}", f"/livez/..;{path}")
    yield from (
        f"/livez%2f..{path}",
        f"/livez/%2e%2e%2f{path[1:]}",
        f"/livez\\..{path}",
        f"/.{path}",
    )
    yield from (
        f"/x/..{path}",
        f"/%2e{path}",
        path.upper(),
        path.title(),
        f"/{quote(path, safe='')}",
    )
    yield from (f"/livez?{path}", f"@127.0.0.1{path}", f"http://127.0.0.1{path}", f"\\{path[1:]}")
    yield from (path.replace("/", "//"), path.replace("/", "/./"), path.replace("/", "\\"))
    yield from (quote(path[1:], safe="").join(("/", "")), path.replace("a", "%61"), f"{path}\u212a")


async def test_no_spelling_of_an_address_opens_it(ways: list[Way], door: ASGIApp) -> None:
    """Only what is open to everybody, spelled as it is; not even that there is more is told."""
    opened: list[tuple[str, str, int]] = []
    for way in ways:
        path = sample(way)
        others = [(method, path) for method in ("HEAD", "OPTIONS", "TRACE", "PROPFIND", "get")]
        for method, raw in (*((way.method, raw) for raw in spellings(path)), *others):
            status = await ask(door, method, raw, GOOD_HOST)
            if status not in (400, 401, OPEN):
                opened.append((method, raw, status))
    # An address that is open to everybody says which methods it has.
    public = {sample(way) for way in ways if way.permission is Permission.PUBLIC}
    told = [found for found in opened if found[2] != 405 or found[1].split("?")[0] not in public]
    assert told == []


def sample(way: Way) -> str:
    """Give an address that leads this way."""
    return re.sub(r"{\w+(:\w+)?}", "x", way.path)


HOSTS = (
    "", " ", "evil.test", "evil.test:7700", "127.0.0.1.evil.test", "127.0.0.1.nip.io", "evil.test.",
    "localhost.", "localhost.evil.test", "evil-localhost", "xlocalhost", "127.0.0.1x", "127.0.0.10",
    "127.0.0.1/livez", "127.0.0.1/livez?x=", "a/livez?x=", "127.0.0.1?x", "127.0.0.1#x",
    "127.0.0.1 evil.test", "127.0.0.1,evil.test", "127.0.0.1;evil.test", "127.0.0.1@evil.test",
    "evil.test@127.0.0.1", "user:pass@127.0.0.1", "@127.0.0.1", "127.0.0.1\\evil.test",
    "127.0.0.1%00", "127.0.0.1\x00", "127.0.0.1\t", "127.0.0.1%2eevil.test", "127.1", "2130706433",
    "0x7f.0.0.1", "0177.0.0.1", "0.0.0", "[::1", "::1]", "[::1]evil.test", "[::ffff:127.0.0.1]",
    "[::1%25lo]", "[0:0:0:0:0:0:0:1]", "http://127.0.0.1", "//127.0.0.1", "127.0.0.1:7700:80",
    "127.0.0.1:http", "127.0.0.1:-1", "127.0.0.1:99999999", "\xb9\xb2\xb7.0.0.1", "l\xf3calhost",
)  # fmt: skip


@pytest.mark.parametrize("host", HOSTS, ids=repr)
async def test_a_key_does_not_help_whoever_calls_by_another_name(door: ASGIApp, host: str) -> None:
    """A page of the web that has its name lead here (DNS rebinding) is refused before its key."""
    told = ("host", host)
    assert await ask(door, "GET", "/health", told, GOOD_KEY) == 403
    assert await ask(door, "GET", "/health", told) == 403
    assert await ask(door, "GET", "/livez", told) == 403


FORWARDED = (
    ("x-forwarded-host", "127.0.0.1"), ("x-host", "127.0.0.1"), ("forwarded", "host=127.0.0.1"),
    ("x-forwarded-server", "localhost"), ("x-original-url", "/livez"), ("x-rewrite-url", "/livez"),
    ("x-http-method-override", "OPTIONS"), ("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "::1"),
    ("x-forwarded-prefix", "/livez"), ("x-remote-user", "admin"), ("x-forwarded-user", "admin"),
)  # fmt: skip


@pytest.mark.parametrize("header", FORWARDED, ids=str)
async def test_what_a_proxy_would_say_is_believed_of_nobody(
    door: ASGIApp, header: tuple[str, str]
) -> None:
    """It is neither a name, nor an address, nor a key."""
    assert await ask(door, "GET", "/health", ("host", "evil.test"), header, GOOD_KEY) == 403
    assert await ask(door, "GET", "/health", GOOD_HOST, header) == 401


KEYS = (
    "", "Bearer", "Bearer ", "Bearer nothing", f"Basic {KEY}", f"Bearer  {KEY}", f"Bearer {KEY} ",
    f"Bearer\t{KEY}", f"Bearer {KEY},x", f"Bearer {KEY}\x00", f"Bearer {KEY[:-1]}", KEY, "null",
    f"Bearer {KEY.upper()}", "Bearer null", "Bearer undefined", "Bearer ' OR '1'='1", "Bearer *",
    "Bearer aima__", "Bearer aima_0_0", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "Bearer é",
)  # fmt: skip


@pytest.mark.parametrize("given", KEYS, ids=repr)
async def test_what_is_no_key_opens_nothing(ways: list[Way], given: str, tmp_path: object) -> None:
    """Also where the store has to be asked."""
    store = partial(open_store, f"{tmp_path}/aima.db")
    app = create_app(map(noted, ways), Keys({KEY: _ADMIN}, store))
    assert await ask(app, "GET", "/health", GOOD_HOST, ("authorization", given)) == 401


_ADMIN = Caller("t", Role.ADMIN)


async def test_two_hosts_or_two_keys_are_none(door: ASGIApp) -> None:
    """Two readers of such a request might each take another one."""
    assert await ask(door, "GET", "/health", GOOD_HOST, GOOD_KEY) == 204
    assert await ask(door, "GET", "/health", GOOD_HOST, ("host", "evil.test"), GOOD_KEY) == 403
    assert await ask(door, "GET", "/health", GOOD_HOST, GOOD_HOST, GOOD_KEY) == 403
    assert await ask(door, "GET", "/health", GOOD_KEY) == 403
    assert await ask(door, "GET", "/health", GOOD_HOST, GOOD_KEY, GOOD_KEY) == 401
    other = ("authorization", "Bearer x")
    assert await ask(door, "GET", "/health", GOOD_HOST, GOOD_KEY, other) == 401
