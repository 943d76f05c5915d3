"""Commands are written down before they are answered; what only looks is not."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx2
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.testclient import TestClient

from aima.errors import Conflict, InsufficientResources
from aima.gateway.access.audit import StoredJournal
from aima.gateway.access.audit_routes import AuditRoutes
from aima.gateway.access.commanded import note
from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Permission, Role
from aima.gateway.chain import access_log, create_app
from aima.gateway.route import Way
from aima.store import open_store
from aima.store.audit import GENESIS, AuditRow, Command

PATH = "/things/{id}"


class Kept:
    """A journal in memory, and what had been answered when each command was written."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.commands: list[Command] = []
        self.full = False

    async def write(self, command: Command) -> AuditRow:
        """Keep a command."""
        if self.full:
            raise InsufficientResources("the disk is full")
        self.commands.append(command)
        return AuditRow(len(self.commands), command, GENESIS, "f" * 64)


async def change(request: Request) -> Response:
    """Change a thing, as its body says."""
    said = await request.body()
    match said:
        case b"taken":
            raise Conflict("it is taken")
        case b"bug":
            raise ZeroDivisionError
        case b"gone":
            raise ClientDisconnect
    note(request.scope, subject="thing", run="run-1")
    return JSONResponse({})


async def look(_: Request) -> Response:
    """Look at a thing."""
    return JSONResponse({})


@pytest.fixture
def kept() -> Kept:
    """An empty journal."""
    return Kept()


@pytest.fixture
def door(kept: Kept) -> TestClient:
    """A door that writes its commands down."""
    own = {"operator": Caller("ci", Role.OPERATOR, id="k1"), "viewer": Caller("v", Role.VIEWER)}
    ways = [
        Way("POST", PATH, change, Permission.RUN_CONTROL),
        Way("GET", PATH, look, Permission.RUN_READ),
        Way("POST", "/hook", change, Permission.PUBLIC),
        Way("POST", "/check", look, Permission.RUN_READ, looks=True),
        Way("POST", "/query", look, Permission.UNIT_QUERY),
        Way("POST", "/v1/chat", look, Permission.INFERENCE_USE),
    ]
    app = create_app(ways, Keys(own, partial(open_store, "nowhere")), journal=kept)
    headers = {"authorization": "Bearer operator", "x-request-id": "r-1"}
    base = "http://localhost"
    return TestClient(app, base_url=base, headers=headers, raise_server_exceptions=False)


def test_a_command_is_written_with_who_what_and_the_outcome(door: TestClient, kept: Kept) -> None:
    """And with a digest of the body, of which nothing is kept."""
    assert door.post("/things/7?token=private", content=b"password").status_code == 200
    [command] = kept.commands
    assert command == Command(
        time=command.time,
        request="r-1",
        key="k1",
        caller="ci",
        action="POST /things/{id}",
        target="/things/7",
        subject="thing",
        run="run-1",
        input=hashlib.sha256(b"password").hexdigest(),
        status=200,
    )


@pytest.mark.parametrize(("body", "status"), [(b"taken", 409), (b"bug", 500), (b"gone", 400)])
def test_a_command_that_fails_is_written_too(
    door: TestClient, kept: Kept, body: bytes, status: int
) -> None:
    """Once, with how it ended: it may have changed something before."""
    assert door.post("/things/7", content=body).status_code == status
    assert [c.status for c in kept.commands] == [status]


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "written"),
    [
        ("POST", "/things/7", "viewer", 403, ["v"]),
        ("POST", "/things/7", "nothing", 401, []),
        ("POST", "/hook", "nothing", 200, [""]),
        ("GET", "/things/7", "operator", 200, []),
        ("POST", "/check", "operator", 200, []),
        ("POST", "/query", "operator", 200, []),
        ("POST", "/v1/chat", "operator", 200, []),
        ("PUT", "/things/7", "operator", 405, []),
        ("POST", "/nowhere", "operator", 404, []),
    ],
)
def test_what_is_written(  # noqa: PLR0913, PLR0917 - one row of the table
    door: TestClient, kept: Kept, method: str, path: str, key: str, status: int, written: list[str]
) -> None:
    """Attempts of callers that are known; strangers cannot fill the disk with theirs."""
    answer = door.request(method, path, headers={"authorization": f"Bearer {key}"})
    assert (answer.status_code, [c.caller for c in kept.commands]) == (status, written)


def test_a_command_that_cannot_be_written_is_not_acknowledged(door: TestClient, kept: Kept) -> None:
    """Its caller learns that something is wrong, and may ask again."""
    kept.full = True
    answer = door.post("/things/7")
    assert (answer.status_code, answer.json()["code"]) == (503, "INSUFFICIENT_RESOURCES")
    assert door.get("/things/7").status_code == 200


async def test_commands_that_come_at_once_are_all_in_the_chain(tmp_path: Path) -> None:
    """Each gets its own row, in one piece with the others."""
    command = Command("t", "r", "k", "c", "a", "/", "", "", "", 200)
    async with StoredJournal(partial(open_store, tmp_path / "aima.db")) as journal:
        many = [journal.write(replace(command, request=str(n))) for n in range(100)]
        rows = await asyncio.gather(*many)
    assert [row.command.request for row in rows] == [str(n) for n in range(100)]
    with open_store(tmp_path / "aima.db") as store:
        assert store.audit.verify({row.seq: row.hash for row in rows}).faults == ()


# --- the routes ------------------------------------------------------------------------------


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Path]:
    """Write the access log into a file, as the door does."""
    file = tmp_path / "access.log"
    handler = logging.FileHandler(file)
    access_log.addHandler(handler)
    access_log.setLevel(logging.INFO)
    yield file
    access_log.removeHandler(handler)
    handler.close()


async def test_the_access_log_is_a_witness(tmp_path: Path, logged: Path) -> None:
    """An audit log whose end was cut off, or that was put back, is found out by it."""
    store = partial(open_store, tmp_path / "aima.db")
    routes = AuditRoutes(store, logged)
    ways = [*routes.ways(), Way("POST", PATH, change, Permission.RUN_CONTROL)]
    keys = Keys({"admin": Caller("a", Role.ADMIN)}, store)
    async with (
        StoredJournal(store) as journal,
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(create_app(ways, keys, journal=journal)),
            base_url="http://localhost",
            headers={"authorization": "Bearer admin"},
        ) as door,
    ):
        for n in range(3):
            assert (await door.post(f"/things/{n}")).status_code == 200
        listed = (await door.get("/api/v2/audit?limit=2")).json()["commands"]
        verdict = (await door.get("/api/v2/audit/verify")).json()
        assert verdict == {"ok": True, "rows": 3, "head": verdict["head"], "faults": []}
        assert [row["target"] for row in listed] == ["/things/2", "/things/1"]
        assert listed[0]["hash"].startswith(verdict["head"].removeprefix("3:"))
        access_log.info('{"audit": "%s"}', f"4:{'0' * 16}")
        assert (await door.get("/api/v2/audit/verify")).json()["faults"] == [
            "the rows after 3 are missing, up to 4 at least"
        ]
        noted = {"head": "2:" + "0" * 16}
        assert "row 2 is not the one" in str(
            (await door.get("/api/v2/audit/verify", params=noted)).json()
        )
        assert (await door.get("/api/v2/audit/verify", params={"head": "2:x"})).status_code == 400
