"""What the door counts has few labels, whatever strangers ask for."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from aima.gateway.access.keys import Keys
from aima.gateway.access.permission import Caller, Permission, Role
from aima.gateway.accounts import SPENT, Spent
from aima.gateway.chain import create_app
from aima.gateway.request_meter import RequestMeter
from aima.gateway.route import Way
from aima.meters import DONE, UnitMeter
from tests.unit.gateway.test_door_parts import no_store


async def answer(request: Request) -> Response:
    """Answer as a model would, at some cost."""
    request.scope[SPENT] = Spent("vllm", "qwen", prompt_tokens=7, completion_tokens=None)
    return Response()


@pytest.fixture
def meter() -> RequestMeter:
    """A meter that has counted nothing."""
    return RequestMeter()


@pytest.fixture
def client(meter: RequestMeter) -> TestClient:
    """A door that counts."""
    ways = [Way("GET", "/things/{id}", answer, Permission.RUN_READ)]
    keys = Keys({"key": Caller("key", Role.VIEWER)}, no_store)
    return TestClient(create_app(ways, keys, meter=meter), base_url="http://127.0.0.1")


def counted(meter: RequestMeter, name: str) -> dict[tuple[str, ...], float]:
    """Give the samples of a name by their labels."""
    return {
        tuple(sample.labels.values()): sample.value
        for family in meter.registry.collect()
        for sample in family.samples
        if sample.name == name
    }


def test_a_request_counts_under_its_template(meter: RequestMeter, client: TestClient) -> None:
    """A thousand ids are one line, and a thousand made-up addresses another."""
    for n in range(3):
        client.get(f"/things/{n}", headers={"authorization": "Bearer key"})
        client.get(f"/made/up/{n}", headers={"authorization": "Bearer key"})
    client.get("/things/1")
    client.request("BREW", "/things/1", headers={"authorization": "Bearer key"})
    assert counted(meter, "aima_http_requests_total") == {
        ("GET", "/things/{id}", "200"): 3,
        ("GET", "none", "404"): 3,
        ("GET", "/things/{id}", "401"): 1,
        ("OTHER", "/things/{id}", "405"): 1,
    }
    assert counted(meter, "aima_http_request_duration_seconds_count")["GET", "/things/{id}"] == 4


def test_tokens_count_where_an_engine_told_them(meter: RequestMeter, client: TestClient) -> None:
    """By engine, model and kind; what was not told is nothing."""
    client.get("/things/1", headers={"authorization": "Bearer key"})
    told = counted(meter, "aima_gateway_tokens_total")
    assert {(key[0], *key[1:]): value for key, value in told.items()} == {
        ("vllm", "qwen", "prompt"): 7,
        ("vllm", "qwen", "completion"): 0,
    }


def test_an_outcome_of_a_units_own_making_is_other() -> None:
    """A unit of somebody's may raise any code; each new one would be a line for ever."""
    meter = UnitMeter()
    for outcome in (DONE, "MODEL_NOT_FOUND", "made up 1", "made up 2"):
        meter.ended("acme.count", outcome, 0.5)
    [family] = meter._attempts.collect()
    assert {s.labels["outcome"]: s.value for s in family.samples if s.name.endswith("_total")} == {
        DONE: 1,
        "MODEL_NOT_FOUND": 1,
        "OTHER": 2,
    }
