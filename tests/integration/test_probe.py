"""probe"""

import pytest
from tests.integration.lab import Lab

pytestmark = pytest.mark.asyncio(loop_scope="session")
FLOW = """
name: probe
labels: {team: home}
inputs: {type: object, properties: {x: {type: integer}}, required: [x]}
steps:
  - {id: a, type: lab.echo, input: {name: a, x: "${input.x}"}}
  - {id: b, type: lab.echo, input: {name: b, y: "${steps.a.x + 1}"}}
"""


async def test_lab(lab: Lab) -> None:
    print(await lab.run(FLOW, {"x": 1}))


async def test_fast(fast: Lab) -> None:
    print(await fast.run(FLOW, {"x": 1}))


TMO = """
name: probe
steps:
  - {id: a, type: lab.hang, timeout: 1s, input: {name: a}}
"""
DL = """
name: probe
steps:
  - {id: a, type: lab.fail, deadline: 3s, retry: {max_attempts: 50, delay: 1s, backoff: 1}, input: {name: a}}
"""
DL2 = """
name: probe
steps:
  - {id: a, type: lab.hang, deadline: 3s, timeout: 1s, retry: {max_attempts: 50}, input: {name: a}}
"""
UNK = """
name: probe
steps:
  - {id: a, type: lab.echo, input: {name: a}}
"""


@pytest.mark.parametrize("text", [TMO, DL, DL2])
async def test_t_lab(lab: Lab, text) -> None:
    print(await lab.run(text), lab.board.attempts)


@pytest.mark.parametrize("text", [TMO, DL, DL2])
async def test_t_fast(fast: Lab, text) -> None:
    print(await fast.run(text), fast.board.attempts)


async def test_unk(idle: Lab) -> None:
    rid = await idle.start(UNK)
    async with idle.worker(units=[u for u in idle.catalog if u.name != "lab.echo"]):
        print(await idle.outcome(rid))
