"""The door pressed: the same sent again and again (F14, F15), and more than it takes (F23).

What a door does that is killed in between (F12), asked at once (F13) or given too much (F16) is
in ``acceptance/test_door_faults.py`` and ``integration/test_execute.py``.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from temporalio.client import Client

from tests.integration.door import Door, door_on
from tests.integration.lab import PATIENCE, lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")

SECRET = "open sesame"  # noqa: S105 - of a door that leads nowhere
WORKFLOWS = {
    "paid": """\
name: paid
secrets: {caller: "file:SECRET"}
inputs: {type: object, required: [order], properties: {order: {type: integer}}}
triggers: [{webhook: {name: shop, secret: caller}, input: {order: "${event.data.order}"}}]
steps: [{id: note, type: lab.echo, input: {name: "order-${input.order}"}}]
output: {order: "${input.order}"}
""",
    "asking": """\
name: asking
steps:
  - {id: first, wait_for: {signal: go}}
  - {id: second, depends_on: [first], wait_for: {signal: go}}
  - {id: agree, depends_on: [second], wait_for: {approval: {message: Really?}}}
output: {first: "${steps.first.data}", second: "${steps.second.data}", by: "${steps.agree.by}"}
""",
    "patient": """\
name: patient
secrets: {caller: "file:SECRET"}
inputs: {type: object, properties: {question: {type: string}}}
triggers: [{webhook: {name: shop, secret: caller}}]
steps: [{id: rest, wait_for: {signal: go}}]
output: {answer: rested}
""",
}


@asynccontextmanager
async def door_in(local: Client, folder: Path, *, open_runs: int = 0) -> AsyncIterator[Door]:
    """Serve a door with the workflows stored."""
    (folder / "secret").write_text(SECRET)
    with lab_on(local, folder) as lab:
        async with door_on(lab, open_runs=open_runs) as opened:
            for name, text in WORKFLOWS.items():
                given = text.replace("SECRET", str(folder / "secret"))
                made = await opened.http.put(f"/api/v2/workflows/{name}", content=given)
                assert made.status_code == 201, made.text
            yield opened


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def door(local: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Serve one door for those who repeat themselves."""
    async with door_in(local, tmp_path_factory.mktemp("repeated")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def full(local: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Serve one for those who want too much: behind it two runs wait, and there is no more room."""
    async with door_in(local, tmp_path_factory.mktemp("full"), open_runs=2) as opened:
        started = await start(opened, "run-0")
        delivered = await deliver(opened, 0, to="patient")
        assert (started.status_code, delivered.status_code) == (202, 202)
        runs = started.json()["id"], delivered.json()["id"]
        async with asyncio.timeout(PATIENCE):
            while await opened.lab.runs.count(f"WorkflowId IN {runs}") < 2:  # noqa: ASYNC110 - no bell
                await asyncio.sleep(0.02)
        yield opened
        for run in runs:
            await opened.lab.runs.cancel(run)


async def deliver(door: Door, order: int, *, age: int = 0, to: str = "paid") -> httpx2.Response:
    """Deliver the message of an order, signed so many seconds ago, without a key of the door."""
    body, moment = b'{"order": %d}' % order, str(int(time.time()) - age)
    signed = f"msg-{order}.{moment}.".encode() + body
    made = base64.b64encode(hmac.digest(SECRET.encode(), signed, "sha256")).decode()
    headers = {
        "authorization": "",
        "webhook-id": f"msg-{order}",
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{made}",
    }
    return await door.http.post(f"/hooks/{to}/shop", content=body, headers=headers)


async def test_f14_a_webhook_delivered_ten_times_out_of_order_starts_one_run(door: Door) -> None:
    """Two messages, ten times each, in disorder, at once and one by one, with other times."""
    orders = random.Random(14).sample([1, 2] * 10, 20)  # noqa: S311 - disorder is no secret
    answers = await asyncio.gather(*(deliver(door, order) for order in orders[:10]))
    for number, order in enumerate(orders[10:]):
        answers.append(await deliver(door, order, age=10 * number))
    assert {answer.status_code for answer in answers} == {202}
    told = {(order, answer.json()["id"]) for order, answer in zip(orders, answers, strict=True)}
    assert len(told) == 2
    for order, run in told:
        assert (await door.lab.outcome(run)).output == {"order": order}
        assert door.lab.board.calls.count(f"order-{order}") == 1


async def test_f14_a_webhook_delivered_after_six_minutes_is_refused(door: Door) -> None:
    """A message that somebody has caught is of no use to him, whether it was delivered or not."""
    assert (await deliver(door, 3)).status_code == 202
    for order in (3, 4):
        assert (await deliver(door, order, age=360)).status_code == 401
    listed = await door.lab.runs.latest(query="WorkflowType = 'paid'")
    assert not [run for run in listed if run.id.endswith("msg-4")]


async def test_f15_what_is_sent_five_times_under_one_id_counts_once(door: Door) -> None:
    """The second wait for the same signal is not over, and the first answer to a question stays."""
    run = (await door.http.post("/api/v2/workflows/asking/runs", json={"input": {}})).json()["id"]
    at = f"/api/v2/runs/{run}"
    for name in ("one", "two"):
        sent = {"data": name, "id": f"signal-{name}"}
        answers = await asyncio.gather(
            *(door.http.post(f"{at}/signals/go", json=sent) for _ in range(5))
        )
        assert {answer.status_code for answer in answers} == {202}
        [wait] = (await door.http.get(at)).json()["waits"]
        assert wait["step"] == {"one": "second", "two": "agree"}[name]
    for by in ("Ann", "Bob", "Ann", "Bob", "Ann"):  # whoever comes later with the same id
        answer = {"approved": True, "by": by, "id": "approval-1"}
        assert (await door.http.post(f"{at}/approvals/agree", json=answer)).status_code == 202
    outcome = await door.lab.outcome(run)
    assert outcome.output == {"first": "one", "second": "two", "by": "Ann"}


async def start(door: Door, key: str) -> httpx2.Response:
    """Start a run that waits, once for each key."""
    headers = {"idempotency-key": key}
    return await door.http.post("/api/v2/workflows/patient/runs", json={}, headers=headers)


PATIENT = "name: more\nsteps: [{id: rest, wait: 1h}]\n"
CHAT = {"model": "workflow/patient", "messages": [{"role": "user", "content": "Are you?"}]}
DOORS: dict[str, tuple[str, Any]] = {
    "workflow": ("/api/v2/workflows/patient/runs", {}),
    "text": ("/api/v2/runs", {"text": PATIENT, "file": "more.yaml"}),
    "unit": ("/api/v2/command/lab.pay", {"name": "more"}),
    "older": (
        "/api/v2/execute",
        {"type": "command", "unit": "lab.pay", "input": {"name": "more"}},
    ),
    "openai": ("/v1/chat/completions", CHAT),
}


@pytest.mark.parametrize("name", DOORS)
async def test_f23_whoever_starts_more_than_there_is_room_for_is_told_to_wait(
    full: Door, name: str
) -> None:
    """By whatever door: 429, a code of its own, and when to come again."""
    path, body = DOORS[name]
    answer = await full.http.post(path, json=body)
    assert answer.status_code == 429, answer.text
    assert int(answer.headers["retry-after"]) > 0
    told = answer.json()
    code = told["error"]["code"] if name == "openai" else told["code"]
    assert code == {"openai": "rate_limit_exceeded"}.get(name, "TOO_MANY_RUNS"), told


async def test_f23_a_webhook_and_a_run_again_wait_for_room_too(full: Door) -> None:
    """Senders of webhooks come again by themselves."""
    assert (await deliver(full, 5)).status_code == 429
    run = (await start(full, "run-0")).json()["id"]
    assert (await full.http.post(f"/api/v2/runs/{run}/rerun")).status_code == 429


async def test_f23_what_was_acknowledged_is_not_refused_when_asked_again(full: Door) -> None:
    """Neither under its key nor by its message."""
    assert (await start(full, "run-0")).status_code == 202
    assert (await deliver(full, 0, to="patient")).status_code == 202
