"""The five doors to a unit: each asks it as its users do, and tells alike what it heard."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from mcp.client import Client

from aima.client import Connection
from aima.errors import AimaError
from aima.gateway.mcp.unit_tools import tool_name
from aima.gateway.units.routes import way_of
from aima.unit import Kind, Unit
from tests.acceptance.agent import Agent
from tests.acceptance.command import AIMA
from tests.acceptance.typed import typed

Given = Mapping[str, Any]
STEP = "only"


@dataclass(frozen=True)
class Said:
    """What a door answered: an output, or an error."""

    output: Any = None
    code: str = ""
    message: str = ""
    retryable: bool | None = None

    @classmethod
    def of_error(cls, error: Mapping[str, Any]) -> Said:
        """Take an error as a run or a problem tells it."""
        message = error["detail"] if "detail" in error else error["message"]
        return cls(None, error["code"], message, error["retryable"])

    @classmethod
    def of_outcome(cls, told: Mapping[str, Any], output: str) -> Said:
        """Take the end of something, whose output is at a key."""
        return cls.of_error(told["error"]) if told.get("error") else cls(told[output])


@dataclass(frozen=True)
class Door:
    """A way to ask a unit.

    Attributes:
        caller: whom the audit log names.
        runs: whether a run stands behind whatever is asked, also behind a query.
    """

    http: httpx2.AsyncClient
    caller: str = "admin"
    runs: bool = False

    async def ask(self, unit: Unit, given: Given) -> Said:
        """Ask a unit."""
        raise NotImplementedError


class Rest(Door):
    """By `POST /api/v2/query` and `/command`."""

    async def ask(self, unit: Unit, given: Given) -> Said:
        """Ask a unit."""
        answer = await self.http.post(way_of(unit), json=given, headers={"prefer": "wait=60"})
        told = answer.json()
        if answer.is_error:
            return Said.of_error(told)
        return Said(told) if unit.kind is Kind.QUERY else Said.of_outcome(told, "result")


@dataclass(frozen=True)
class Mcp(Door):
    """By the tool of the unit."""

    client: Client | None = None

    async def ask(self, unit: Unit, given: Given) -> Said:
        """Ask a unit."""
        assert self.client is not None
        answer = await self.client.call_tool(tool_name(unit.name), dict(given))
        told = answer.structured_content
        return Said.of_error(told) if answer.is_error else Said(told)


@dataclass(frozen=True)
class Python(Door):
    """By `aima.client`."""

    connection: Connection | None = None

    async def ask(self, unit: Unit, given: Given) -> Said:
        """Ask a unit."""
        assert self.connection is not None
        try:
            return Said(await asyncio.to_thread(self.connection.ask, unit.name, given))
        except AimaError as error:
            return Said(None, error.code, error.message, error.retryable)


@dataclass(frozen=True)
class CommandLine(Door):
    """By `aima exec`, in this process: what a user types reaches the same function."""

    folder: Path = Path()
    environ: Mapping[str, str] | None = None

    async def ask(self, unit: Unit, given: Given) -> Said:
        """Ask a unit."""
        file = self.folder / "input.json"
        file.write_text(json.dumps(given))
        environ = self.environ or {}
        asked = ("exec", unit.name, "--input-file", file, "--json")
        _, told = await asyncio.to_thread(typed, self.folder, environ, *asked)
        return Said.of_outcome(json.loads(told), "output")

    def installed(self, unit: Unit, given: Given) -> Said:
        """Ask a unit with the installed program."""
        file = self.folder / "input.json"
        file.write_text(json.dumps(given))
        done = subprocess.run(
            [AIMA, "exec", unit.name, "--input-file", file, "--json"],
            cwd=self.folder,
            env=dict(self.environ or {}),
            capture_output=True,
            timeout=90,
            check=False,
        )
        return Said.of_outcome(json.loads(done.stdout), "output")


class Workflow(Door):
    """By a workflow of one step."""

    async def ask(self, unit: Unit, given: Given) -> Said:
        """Ask a unit."""
        asked = {"text": text_of(unit, given), "file": "one.yaml", "input": {}}
        begun = await self.http.post("/api/v2/runs", json=asked)
        if begun.is_error:
            return Said.of_error(begun.json())
        lines = {"accept": "application/jsonl"}
        events = await self.http.get(f"/api/v2/runs/{begun.json()['id']}/events", headers=lines)
        said = Said.of_outcome(json.loads(events.text.splitlines()[-1]), "output")
        place = f"line 1, step {STEP!r} ({unit.name}): "
        assert said.message[: len(place)] in ("", place)
        return Said(said.output, said.code, said.message[len(place) :], said.retryable)


def text_of(unit: Unit, given: Given) -> str:
    """Write a workflow of one step; JSON is YAML."""
    step = {"id": STEP, "type": unit.name, "input": dict(given)}
    whole = {"name": "one", "inputs": {"type": "object"}, "steps": [step]}
    return json.dumps({**whole, "output": f"${{steps.{STEP}}}"})


async def doors_of(agent: Agent, folder: Path, open_: AsyncExitStack) -> dict[str, Door]:
    """Open every door of an AIMA that is up."""
    from aima.client import connect
    from aima.settings import load_settings

    url = f"http://127.0.0.1:{agent.port}"
    client = httpx2.AsyncClient(base_url=url, headers=agent.headers, timeout=90)
    http = await open_.enter_async_context(client)
    mcp = await open_.enter_async_context(_held(agent.over_http(query="?profile=all")))
    settings = load_settings(environ=agent.aima.environ, start=folder)
    connection = open_.enter_context(connect(settings))
    return {
        "python": Python(http, "a Python program", connection=connection),
        "cli": CommandLine(
            http, "the command line", runs=True, folder=folder, environ=agent.aima.environ
        ),
        "rest": Rest(http),
        "mcp": Mcp(http, client=mcp),
        "workflow": Workflow(http, runs=True),
    }


@asynccontextmanager
async def _held(opening: AbstractAsyncContextManager[Client]) -> AsyncIterator[Client]:
    """Hold a client in a task of its own: it must be closed by whom it was opened."""
    opened: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def hold() -> None:
        async with opening as client:
            opened.set_result(client)
            await done.wait()

    holding = asyncio.create_task(hold())
    holding.add_done_callback(lambda _: opened.cancel())  # it could not be opened
    yield await opened
    done.set()
    await holding
