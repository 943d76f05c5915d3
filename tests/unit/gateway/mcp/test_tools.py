"""What agents are offered, and how its answers and failures are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from httpx2 import AsyncClient, ConnectError, MockTransport, Request, Response
from pydantic import Field

from aima.catalog import discover
from aima.errors import EngineNotRunning, NotFound
from aima.gateway.access.permission import Permission
from aima.gateway.mcp.authoring import authoring_tools
from aima.gateway.mcp.finding import finding_tools
from aima.gateway.mcp.profile import PROFILES, chosen
from aima.gateway.mcp.rest import Reached, Refused, Rest
from aima.gateway.mcp.run_tools import run_tools
from aima.gateway.mcp.tool import Arguments, Call, Told, own_tool
from aima.gateway.mcp.unit_tools import tool_name, unit_tool
from aima.gateway.mcp.workflow_tools import workflow_finding_tools

OWN = [*finding_tools(), *workflow_finding_tools(), *run_tools(), *authoring_tools()]
UNITS = [unit.name for unit in discover()]

Answers = Callable[[Request], Response]


def rest_of(answers: Answers) -> Rest:
    """Give an API that answers so."""
    http = AsyncClient(transport=MockTransport(answers))
    return Rest(http, lambda: Reached("http://api", {"authorization": "Bearer k"}))


def unit(**told: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Give a unit as the API describes it."""
    return {
        "name": "acme.do",
        "kind": "command",
        "description": "Do it.",
        "permission": "unit:run",
        "input": {"type": "object", "properties": {}},
        "output": {"type": "object", "properties": {}},
        "repeatable": False,
        "destructive": False,
        "examples": [],
        **told,
    }


def test_own_tools_have_names_that_no_unit_can_have() -> None:
    """Units are named `domain_verb`; a domain of these words would hide a tool."""
    domains = {name.partition(".")[0] for name in UNITS}
    names = [tool.name for tool in OWN]
    assert len(names) == len(set(names))
    assert not {name.partition("_")[0] for name in names} & domains


def test_no_two_units_share_a_tool() -> None:
    """A dot becomes a bar; `a_b.c` and `a.b_c` would be one tool."""
    assert len({tool_name(name) for name in UNITS}) == len(UNITS)


def test_a_profile_is_chosen_by_name() -> None:
    """A word that is no profile names the nearest."""
    assert chosen(["b.x", "inference.chat", "template.render"], "inference") == [
        "inference.chat",
        "template.render",
    ]
    assert chosen(UNITS, "all") == sorted(UNITS)
    with pytest.raises(NotFound, match="did you mean 'inference'"):
        chosen(UNITS, "inferense")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_offers_something(profile: str) -> None:
    """An empty one would be a promise."""
    assert chosen(UNITS, profile)


def test_the_default_profile_stays_short() -> None:
    """A model chooses worse among many; also once all units of the design are there."""
    assert len(OWN) + len(PROFILES["default"]) <= 25


@pytest.mark.parametrize(("text", "shown"), [("a cat", True), ("a" * 301, False)])
def test_a_tool_shows_how_it_is_asked(text: str, shown: bool) -> None:  # noqa: FBT001
    """By the unit's own first example, which a test runs; a long one would cost every list."""
    examples = [{"title": "One", "input": {"text": text}, "output": {}}]
    schema = unit_tool(unit(examples=examples)).input
    assert ("examples" in schema) is shown
    assert not shown or schema["examples"] == [{"text": text}]


async def test_a_long_command_may_answer_with_an_operation() -> None:
    """Its schema says both, so that clients which check answers accept both."""
    output = {
        "type": "object",
        "properties": {"one": {"$ref": "#/$defs/One"}},
        "required": ["one"],
        "$defs": {"One": {"type": "integer"}},
    }
    told = unit_tool(unit(output=output)).output
    assert told is not None
    assert told["type"] == "object"
    assert told["$defs"] == {"One": {"type": "integer"}}
    assert [one.get("title") for one in told["anyOf"]] == [None, "Operation"]


async def test_a_command_is_started_and_waited_for() -> None:
    """One request starts it, one waits for its end."""
    asked: list[tuple[str, str, str | None]] = []

    def answers(request: Request) -> Response:
        asked.append((request.method, request.url.path, request.headers.get("prefer")))
        done = request.method == "GET"
        told: dict[str, Any] = {
            "id": "r1",
            "state": "succeeded" if done else "running",
            "links": {},
        }
        return Response(200, json={**told, **({"result": {"one": 1}} if done else {})})

    told = await unit_tool(unit()).run(Call(rest_of(answers), {}))
    assert told == {"one": 1}
    assert asked == [
        ("POST", "/api/v2/command/acme.do", None),
        ("GET", "/api/v2/operations/r1", "wait=45"),
    ]


async def test_a_key_that_may_not_look_gets_the_operation() -> None:
    """It may start work, and somebody else looks after it."""

    def answers(request: Request) -> Response:
        if request.method == "GET":
            return Response(403, json={"code": "FORBIDDEN", "detail": "no"})
        return Response(202, json={"id": "r1", "state": "running", "links": {}})

    told = await unit_tool(unit()).run(Call(rest_of(answers), {}))
    assert told == {"id": "r1", "state": "running", "links": {}}


@pytest.mark.parametrize(
    ("ended", "problem"),
    [
        (
            {"state": "failed", "error": {"code": "TIMEOUT", "message": "late", "step": "unit"}},
            {"code": "TIMEOUT", "detail": "late", "step": "unit", "status": 504, "retryable": True},
        ),
        (
            {"state": "failed", "error": {"code": "MY_OWN", "message": "no"}},
            {"code": "MY_OWN", "detail": "no", "status": 500},
        ),
        ({"state": "cancelled"}, {"code": "CANCELLED", "status": 499}),
    ],
)
async def test_work_that_failed_is_a_problem(
    ended: dict[str, Any], problem: dict[str, Any]
) -> None:
    """With the code of what failed, and the operation to look into."""

    def answers(request: Request) -> Response:
        told = {"id": "r1", "state": "running", "links": {}}
        return Response(200, json={**told, **(ended if request.method == "GET" else {})})

    with pytest.raises(Refused) as caught:
        await unit_tool(unit()).run(Call(rest_of(answers), {}))
    assert caught.value.problem.items() >= {**problem, "operation": "r1"}.items()


async def test_an_api_that_is_away_is_a_problem_with_the_way_out() -> None:
    """An agent reads it and tells its person what to type."""

    def gone(request: Request) -> Response:
        raise ConnectError("refused", request=request)

    def nowhere() -> Reached:
        raise EngineNotRunning("no AIMA is up; `aima up` starts it")

    for rest in (rest_of(gone), Rest(AsyncClient(), nowhere)):
        with pytest.raises(Refused, match="`aima up` starts it") as caught:
            await rest.ask("GET", "/units")
        assert caught.value.problem["code"] == "ENGINE_NOT_RUNNING"
        assert caught.value.problem["retryable"]


class Count(Arguments):
    """How far."""

    to: int = Field(ge=0)


async def count_up(asked: Count, call: Call) -> Told:
    """Count."""
    del call
    return {"counted": asked.to}


@pytest.mark.parametrize(
    ("given", "pointer"), [({}, "/to"), ({"to": -1}, "/to"), ({"to": 1, "more": 1}, "/more")]
)
async def test_an_own_tool_tells_mistakes_as_a_unit_does(
    given: dict[str, Any], pointer: str
) -> None:
    """A model mends what it is told of by its place."""
    tool = own_tool(count_up, needs=Permission.UNIT_READ)
    assert (tool.name, tool.title, tool.description) == ("count_up", "Count up", "Count.")
    rest = rest_of(lambda _: Response(500))
    assert await tool.run(Call(rest, {"to": 2})) == {"counted": 2}
    with pytest.raises(Refused) as caught:
        await tool.run(Call(rest, given))
    assert caught.value.problem["code"] == "VALIDATION_ERROR"
    assert [mistake["pointer"] for mistake in caught.value.problem["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("put a picture into words", "inference.describe"),
        ("write down what is said in a recording", "inference.transcribe"),
        ("passages that fit a question", "retrieval.search"),
        ("template", "template.render"),
        ("", "engine.features"),
    ],
)
async def test_units_are_found_by_what_they_do(query: str, first: str) -> None:
    """An agent does not know their names yet."""
    units = [
        {
            **unit(),
            "name": one.name,
            "summary": one.summary,
            "description": one.description,
            "input": one.input.model_json_schema(),
            "output": one.output.model_json_schema(),
            "permission": "unit:run" if one.name != "inference.chat" else "key:manage",
        }
        for one in discover()
    ]

    def answers(request: Request) -> Response:
        mine = request.url.path.endswith("/mine")
        told = {"permissions": ["unit:run"]} if mine else {"units": units}
        return Response(200, content=json.dumps(told))

    [search, *_] = finding_tools()
    told = await search.run(Call(rest_of(answers), {"query": query, "limit": 100}))
    assert told["units"][0]["unit"] == first
    assert "inference.chat" not in {one["unit"] for one in told["units"]}
    assert told["total"] == len(told["units"])
