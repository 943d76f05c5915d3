"""Webhooks: whoever knows the secret starts the applied workflow, once for each message."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.integration.door import Door, door_on
from tests.integration.lab import lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "open sesame"  # noqa: S105 - of a door that leads nowhere
HOOKED = """\
name: hooked
secrets: {caller: "file:SECRET", lost: "file:/nowhere/to/be/found"}
inputs: {type: object, required: [order], properties: {order: {type: integer}}}
triggers:
  - webhook: {name: paid, secret: caller, if: "${event.type == 'order.paid'}"}
    input: {order: "${event.data.order}"}
  - webhook: {name: hub, secret: caller, signature: hub}
    input: {order: "${event.data.order}"}
  - webhook: {name: lost, secret: lost}
    input: {order: 1}
steps:
  - {id: say, type: lab.echo, input: {order: "${input.order}"}}
output: {order: "${steps.say.order}"}
"""
PAID = b'{"type": "order.paid", "order": 7}'


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def door(local: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Serve one door for the module, with the workflow stored."""
    folder: Path = tmp_path_factory.mktemp("hooks")
    (folder / "secret").write_text(f"{SECRET}\n")
    text = HOOKED.replace("SECRET", str(folder / "secret"))
    (folder / "file.yaml").write_text(text.replace("name: hooked", "name: file"))
    with lab_on(local, folder) as lab:
        async with door_on(lab) as opened:
            made = await opened.http.put("/api/v2/workflows/hooked", content=text)
            assert made.status_code == 201, made.text
            yield opened


async def call(
    door: Door, message_id: str, body: bytes = PAID, *, to: str = "hooked/paid", late: int = 0
) -> Any:  # noqa: ANN401 - a response
    """Send a signed message, without any key of the door."""
    moment = str(int(time.time()) - late)
    signed = f"{message_id}.{moment}.".encode() + body
    made = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
    headers = {
        "authorization": "",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{made}",
    }
    return await door.http.post(f"/hooks/{to}", content=body, headers=headers)


async def test_a_message_starts_one_run_however_often_it_is_sent(door: Door) -> None:
    """Ten times at once, and again when the run is over."""
    before = door.lab.board.calls.count("")
    answers = await asyncio.gather(*(call(door, "msg-1") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {202}
    [run] = {answer.json()["id"] for answer in answers}
    assert (await door.lab.outcome(run)).output == {"order": 7}
    assert (await call(door, "msg-1")).json()["id"] == run
    assert door.lab.board.calls.count("") == before + 1
    assert (await call(door, "msg-2")).json()["id"] != run


async def test_github_starts_it_too(door: Door) -> None:
    """The same body under another delivery starts nothing new."""
    body = b'{"order": 8}'
    told = hmac.digest(SECRET.encode(), body, "sha256").hex()
    headers = {"authorization": "", "x-hub-signature-256": f"sha256={told}"}
    answers = [
        await door.http.post("/hooks/hooked/hub", content=body, headers=headers) for _ in range(2)
    ]
    [run] = {answer.json()["id"] for answer in answers}
    assert (await door.lab.outcome(run)).output == {"order": 8}


async def test_a_condition_that_is_not_true_starts_nothing(door: Door) -> None:
    """The sender has done its part, and is told so."""
    answer = await call(door, "msg-3", b'{"type": "order.lost", "order": 7}')
    assert (answer.status_code, answer.json()) == (200, {"id": None})


@pytest.mark.parametrize("to", ["hooked/none", "none/paid", "file/paid", "hooked/lost", "rag/x"])
async def test_what_is_not_there_looks_like_a_wrong_signature(door: Door, to: str) -> None:
    """A stranger learns neither names nor that a secret is missing; files start nothing."""
    wrong = await call(door, "msg-4", to="hooked/paid", late=360)
    absent = await call(door, "msg-4", to=to)
    assert wrong.status_code == absent.status_code == 401
    assert wrong.json()["detail"] == absent.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b'{"type": "order.paid", "order": "seven"}', 400, "does not fit workflow 'hooked'"),
        (b'{"type": "order.paid"}', 400, "order"),
        (b"\xff\xfe", 400, "neither JSON nor text"),
        (b" " * ((1 << 20) + 1), 413, "1 MiB"),
    ],
)
async def test_a_message_that_does_not_fit_is_told_why(
    door: Door, body: bytes, status: int, detail: str
) -> None:
    """It was signed, so its sender may know."""
    answer = await call(door, "msg-5", body)
    assert answer.status_code == status
    assert detail in answer.json()["detail"]


async def test_the_address_is_listed_and_the_secret_is_not(door: Door) -> None:
    """Whoever sets the sender up needs the one."""
    told = (await door.http.get("/api/v2/workflows/hooked")).json()
    assert told["triggers"][0] == {"webhook": "/hooks/hooked/paid", "signature": "standard"}
    assert SECRET not in str(told)
