"""A request's trace reaches the engines that it asks, and the line that is written of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aima.engines import engine_client
from aima.gateway.access.permission import Permission
from aima.gateway.chain import access_log
from aima.gateway.route import Way
from aima.trace import TRACEPARENT, made, read
from tests.unit.gateway.served import KEY, served


@pytest.fixture
def written(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What the door writes of its requests, wherever else that goes."""
    with caplog.at_level(logging.INFO, logger=access_log.name):
        access_log.addHandler(caplog.handler)
        yield caplog
        access_log.removeHandler(caplog.handler)


async def engine(request: Request) -> Response:
    """Answer as an engine would, with what it was told."""
    return JSONResponse(request.headers.get(TRACEPARENT))


@pytest.mark.parametrize("given", ["", "nonsense", made()], ids=["none", "nonsense", "a trace"])
async def test_an_engine_learns_of_the_trace(given: str, written: pytest.LogCaptureFixture) -> None:
    """The one that came with the request; where none came, one that is in the log as well."""
    behind = [Way("GET", "/", engine, Permission.PUBLIC)]
    async with served(behind) as url, engine_client() as engines:

        async def ask(_: Request) -> Response:
            return Response((await engines.get(url)).content)

        async with (
            served([Way("GET", "/ask", ask, Permission.RUN_READ)]) as door,
            httpx2.AsyncClient() as client,
        ):
            headers = {"authorization": f"Bearer {KEY}"} | ({TRACEPARENT: given} if given else {})
            told = (await client.get(f"{door}/ask", headers=headers)).json()
    lines = [json.loads(record.message) for record in written.records]
    assert {line["traceparent"] for line in lines if line["path"] == "/ask"} == {told}
    assert read(told) == told
    assert not read(given) or told == given


async def test_what_nobody_asked_for_belongs_to_no_trace() -> None:
    """Such as a look at whether an engine is there."""
    async with (
        served([Way("GET", "/", engine, Permission.PUBLIC)]) as url,
        httpx2.AsyncClient() as stranger,
        engine_client() as engines,
    ):
        assert read((await stranger.get(url)).json()) == ""
        assert (await engines.get(url)).json() is None
