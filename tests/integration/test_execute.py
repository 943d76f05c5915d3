"""The envelopes of the earlier system, and one unit streamed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from aima.gateway.access.permission import Role
from tests.integration.door import Door, door_on, key
from tests.integration.lab import lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXECUTE = "/api/v2/execute"
SLOW = "name: slow\nsteps:\n  - {id: wait, type: lab.hang, input: {name: NAME}}\n"
TWICE = """\
name: twice
inputs: {type: object, required: [word], properties: {word: {type: string}}}
steps:
  - {id: say, type: lab.echo, input: {text: "${input.word} ${input.word}"}}
output: "${steps.say.text}"
"""


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def door(local: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Serve one door for the module."""
    with lab_on(local, tmp_path_factory.mktemp("execute")) as lab:
        async with door_on(lab) as opened:
            for text in (TWICE, SLOW.replace("NAME", "gate")):
                await opened.http.post("/api/v2/workflows", content=text)
            yield opened


@pytest.mark.parametrize(
    ("asked", "data"),
    [
        ({"type": "query", "unit": "lab.echo", "input": {"a": 1}}, {"a": 1}),
        (
            {"type": "command", "unit": "lab.pay", "input": {"name": "a", "times": 0}},
            {"name": "a"},
        ),
        ({"type": "workflow", "unit": "twice", "input": {"word": "ho"}}, "ho ho"),
        ({"unit": "lab.echo"}, {}),
        ({"type": "query", "unit": "lab.echo", "input": None, "options": {"later": 1}}, {}),
    ],
)
async def test_what_succeeds_comes_in_its_envelope(
    door: Door, asked: dict[str, Any], data: object
) -> None:
    """Programs of the earlier system read `success`, `data` and `meta`."""
    options = {"trace_id": "trace-1", "timeout": 30_000_000_000, **asked.get("options", {})}
    answer = await door.http.post(EXECUTE, json={**asked, "options": options})
    told = answer.json()
    meta = told.pop("meta")
    assert (answer.status_code, told) == (200, {"success": True, "data": data})
    assert (meta["trace_id"], answer.headers["x-trace-id"]) == ("trace-1", "trace-1")
    assert meta["request_id"] == answer.headers["x-request-id"]
    assert isinstance(meta["duration_ms"], int)


FAIL = {"name": "broke", "code": "QUOTA_EXCEEDED"}


@pytest.mark.parametrize(
    ("asked", "status", "code", "message"),
    [
        ({"type": "command", "unit": "no.such"}, 404, "UNIT_NOT_FOUND", "'no.such'"),
        ({"type": "command", "unit": "lab.echo"}, 404, "UNIT_NOT_FOUND", "it is a query"),
        ({"type": "dream", "unit": "lab.echo"}, 400, "VALIDATION_ERROR", "'type'"),
        ({"type": "query"}, 400, "VALIDATION_ERROR", "'unit'"),
        ({"unit": "lab.fail", "input": {"x": 1}}, 400, "VALIDATION_ERROR", "the input of lab.fail"),
        ({"type": "command", "unit": "lab.pay", "input": FAIL}, 403, "QUOTA_EXCEEDED", "not yet"),
        ({"type": "workflow", "unit": "none"}, 404, "RESOURCE_NOT_FOUND", "no workflow 'none'"),
        ({"type": "workflow", "unit": "twice"}, 400, "VALIDATION_ERROR", "'word'"),
        ({"type": "resource", "unit": "asms://no/such"}, 404, "RESOURCE_NOT_FOUND", "asms://no"),
        ({"type": "resource", "unit": "plain"}, 400, "INVALID_REQUEST", "plain"),
        ({"unit": "lab.hang", "options": {"timeout": "20ms"}}, 504, "TIMEOUT", "within 0.02 s"),
        ({"unit": "lab.echo", "options": {"timeout": "soon"}}, 400, "VALIDATION_ERROR", "timeout"),
    ],
)
async def test_what_fails_is_an_envelope_and_a_problem(
    door: Door, asked: dict[str, Any], status: int, code: str, message: str
) -> None:
    """Old programs read `error`, new ones what they read everywhere."""
    answer = await door.http.post(EXECUTE, json=asked)
    told = answer.json()
    assert (answer.status_code, told["success"]) == (status, False)
    assert told["error"]["code"] == told["code"] == code
    assert message in told["error"]["message"]
    assert told["error"]["message"] == told["detail"]
    assert told["meta"]["request_id"] == told["request_id"]
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_no_json_is_an_envelope_too(door: Door) -> None:
    """The earlier system took it for an empty request."""
    answer = await door.http.post(EXECUTE, content=b"{")
    assert (answer.status_code, answer.json()["success"]) == (400, False)


async def test_what_takes_too_long_is_stopped(door: Door) -> None:
    """In nanoseconds, as the earlier system wrote durations."""
    asked = {"type": "workflow", "unit": "slow", "options": {"timeout": 1_000_000}}
    answer = await door.http.post(EXECUTE, json=asked, headers={"idempotency-key": "slow-1"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "TIMEOUT")
    again = {**asked, "options": {"async": True}}
    same = await door.http.post(EXECUTE, json=again, headers={"idempotency-key": "slow-1"})
    assert (await door.lab.outcome(same.json()["data"]["id"])).state == "canceled"


async def test_what_is_begun_is_followed_elsewhere(door: Door) -> None:
    """`async` answers at once with where it is."""
    asked = {"unit": "lab.pay", "input": {"name": "b", "times": 0}, "options": {"async": True}}
    data = (await door.http.post(EXECUTE, json=asked)).json()["data"]
    await door.lab.outcome(data["id"])
    assert (await door.http.get(data["links"]["self"])).json()["output"]["name"] == "b"


async def test_one_unit_is_streamed(door: Door) -> None:
    """Where it is, what happens, and its outcome."""
    asked = {"unit": "lab.pay", "input": {"name": "c", "times": 0}}
    answer = await door.http.post("/api/v2/stream", json=asked)
    events = [line.partition(": ")[2] for line in answer.text.splitlines() if "event: " in line]
    data = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert (events[0], events[-1]) == ("start", "end")
    assert data[0]["id"] == data[-1]["id"]
    assert data[-1]["output"]["name"] == "c"
    refused = await door.http.post("/api/v2/stream", json={"unit": "lab.echo"})
    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_REQUEST")


async def test_a_key_executes_what_it_may(door: Door) -> None:
    """One address for all is no way around the permission of each."""
    asked = {"unit": "lab.echo"}
    assert (await door.http.post(EXECUTE, json=asked, headers=key(Role.VIEWER))).status_code == 403
    operator = await door.http.post(EXECUTE, json=asked, headers=key(Role.OPERATOR))
    assert operator.status_code == 200
