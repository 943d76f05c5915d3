"""Workflows that answer chats as models of OpenAI's API, by its official client."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import openai
import pytest
import pytest_asyncio
from pydantic import BaseModel, Field
from temporalio.client import Client

from aima.errors import ExecutionFailed
from aima.gateway.access.permission import Role
from aima.ports.inference import Request, Usage
from aima.ports.inference.request import SHOWN
from aima.unit import Context, Domain, Unit
from tests.integration.board import QUICK, Board
from tests.integration.door import Door, door_on
from tests.integration.lab import lab_on

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORKFLOWS = {
    "oracle": """\
name: oracle
inputs: {type: object, required: [question], properties: {question: {type: string}}}
steps: [{id: say, type: lab.echo, input: {text: "${input.question} Yes."}}]
output: {answer: "${steps.say.text}", sources: [book]}
""",
    "counter": """\
name: counter
inputs: {type: object, required: [messages], properties: {messages: {type: array}}}
steps: [{id: count, set: {said: "${size(input.messages)}"}}]
output: {content: "${string(steps.count.said)} said"}
""",
    "sad": """\
name: sad
inputs: {type: object, properties: {question: {type: string}}}
steps: [{id: no, raise: {code: QUOTA_EXCEEDED, message: no more}}]
output: {answer: never}
""",
    "slow": """\
name: slow
inputs: {type: object, properties: {question: {type: string}}}
steps: [{id: rest, wait: 1h}]
output: {answer: late}
""",
    "teller": """\
name: teller
inputs: {type: object, required: [question], properties: {question: {type: string}}}
steps:
  - {id: tell, type: story.tell, stream: true, input: {gate: "${input.question}"}}
  - {id: after, type: lab.echo, input: {text: "${steps.tell.text}"}}
output: {answer: "${steps.tell.text}", again: "${steps.after.text}"}
""",
    "editor": """\
name: editor
inputs: {type: object, required: [question], properties: {question: {type: string}}}
steps: [{id: tell, type: story.tell, stream: true, input: {gate: "${input.question}"}}]
output: {answer: "${steps.tell.text} Really."}
""",
    "deaf": "name: deaf\nsteps: [{id: a, set: {b: 1}}]\noutput: {answer: no}\n",
}
ONCE, THEN = "Once upon a time ", "there was an end. Ü"


class Tell(Request):
    """Which gate to wait at."""

    gate: str


class Told(BaseModel):
    """A story."""

    text: str = Field(json_schema_extra=SHOWN)
    usage: Usage = Usage(prompt_tokens=2, completion_tokens=3, total_tokens=5)


def story(board: Board) -> Unit:
    """Make the unit that tells one half, waits at a gate, and tells the other.

    At `again` it fails there the first time and begins anew; at `other` it then says otherwise.
    """
    domain = Domain("story")
    tried: Counter[str] = Counter()

    @domain.command(timeout=timedelta(minutes=1), retry=QUICK, idempotent=True)
    async def tell(request: Tell, ctx: Context) -> Told:
        """Tell a story."""
        tried[request.gate] += 1
        anew = tried[request.gate] > 1
        once = "There once " if anew and request.gate == "other" else ONCE
        ctx.pieces(once)
        board.seen(request.gate).set()
        if request.gate in ("again", "other"):
            await board.gates[f"{request.gate} {tried[request.gate]}"].wait()
            if not anew:
                raise ExecutionFailed("the first time it always fails")
        else:
            await board.gates[request.gate].wait()
        ctx.pieces(THEN)
        return Told(text=once + THEN)

    [unit] = domain.units.values()
    return unit


SAID: list[Any] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": [{"type": "text", "text": "Is it?"}]},
]


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def door(local: Client, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """Serve one door for the module, with the workflows stored."""
    board = Board()
    with lab_on(local, tmp_path_factory.mktemp("door"), more=(story(board),)) as lab:
        lab.board = board
        async with door_on(lab) as opened:
            for name, text in WORKFLOWS.items():
                stored = await opened.http.put(f"/api/v2/workflows/{name}", content=text)
                stored.raise_for_status()
            yield opened


def client(door: Door, role: Role = Role.OPERATOR) -> openai.AsyncOpenAI:
    """Make the official client, which must not try again by itself."""
    base = f"{door.http.base_url}/v1"
    return openai.AsyncOpenAI(base_url=base, api_key=role.value, max_retries=0)


async def test_those_that_answer_chats_are_listed(door: Door) -> None:
    """By their shape: what needs more than a question, or has no answer, is none."""
    async with client(door) as asks:
        names = {model.id async for model in await asks.models.list()}
        one = await asks.models.retrieve("workflow/oracle")
    own = {name for name in names if name.removeprefix("workflow/") in WORKFLOWS}
    assert own == {f"workflow/{name}" for name in WORKFLOWS if name != "deaf"}
    assert one.owned_by == "aima"


async def test_a_chat_is_a_run(door: Door) -> None:
    """The last question goes in, the answer comes out, and the run has the answer's id."""
    async with client(door) as asks:
        answer = await asks.chat.completions.create(model="workflow/oracle", messages=SAID)
        counted = await asks.chat.completions.create(model="workflow/counter", messages=SAID)
    assert answer.choices[0].message.content == "Is it? Yes."
    assert counted.choices[0].message.content == "2 said"
    assert answer.model_extra is not None
    assert answer.model_extra["workflow"]["sources"] == ["book"]
    assert (await door.lab.outcome(answer.id)).state == "completed"


async def test_a_stream_has_the_answer(door: Door) -> None:
    """Clients that always stream read it too."""
    async with client(door) as asks:
        stream = await asks.chat.completions.create(
            model="workflow/oracle", messages=SAID, stream=True
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Is it? Yes."
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_words_are_sent_while_a_step_says_them(door: Door) -> None:
    """The first half is there before the second is made; the cost comes last, if it is wanted."""
    async with client(door) as asks:
        stream = await asks.chat.completions.create(
            **teller("half"), stream=True, stream_options={"include_usage": True}
        )
        heard: list[str] = []
        chunks = []
        async for chunk in stream:
            chunks.append(chunk)
            heard += [choice.delta.content or "" for choice in chunk.choices]
            if "".join(heard) == ONCE:
                door.lab.board.gates["half"].set()
    assert "".join(heard) == ONCE + THEN
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:-1]] == ["stop"]
    assert chunks[-1].usage is not None
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 5)


async def test_a_whole_answer_tells_its_cost(door: Door) -> None:
    """What the run's steps cost together."""
    door.lab.board.gates["whole"].set()
    async with client(door) as asks:
        answer = await asks.chat.completions.create(**teller("whole"))
    assert answer.choices[0].message.content == ONCE + THEN
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 3)


async def test_what_a_later_step_changes_is_sent_at_the_end(door: Door) -> None:
    """In one piece, however many the step showed."""
    door.lab.board.gates["edit"].set()
    async with client(door) as asks:
        stream = await asks.chat.completions.create(**teller("edit", "editor"), stream=True)
        parts = [part.choices[0].delta.content async for part in stream]
    assert [part for part in parts if part] == [f"{ONCE}{THEN} Really."]


async def test_an_attempt_that_says_the_same_again_is_not_heard_twice(door: Door) -> None:
    """The client hears the rest, and nothing of the failure."""
    for attempt in (1, 2):
        door.lab.board.gates[f"again {attempt}"].set()
    async with client(door) as asks:
        stream = await asks.chat.completions.create(**teller("again"), stream=True)
        parts = [part.choices[0].delta.content or "" async for part in stream]
    assert "".join(parts) == ONCE + THEN


async def test_an_attempt_that_says_something_else_ends_the_answer(door: Door) -> None:
    """What was heard cannot be taken back: it is an error, and the run is stopped."""
    heard: list[Any] = []
    with pytest.raises(openai.APIError, match="begun again"):
        await hear_other(door, heard)
    assert "".join(part.choices[0].delta.content or "" for part in heard) == ONCE
    async with asyncio.timeout(60):
        assert (await door.lab.outcome(heard[0].id)).state == "canceled"


async def hear_other(door: Door, heard: list[Any]) -> None:
    """Listen, and let the first attempt fail once it was heard."""
    async with client(door) as asks:
        stream = await asks.chat.completions.create(**teller("other"), stream=True)
        async for part in stream:
            heard.append(part)
            if part.choices[0].delta.content:
                door.lab.board.gates["other 1"].set()


def teller(gate: str, workflow: str = "teller") -> dict[str, Any]:
    """Ask for a story that waits at a gate."""
    return {"model": f"workflow/{workflow}", "messages": [{"role": "user", "content": gate}]}


async def test_the_responses_api_asks_workflows_too(door: Door) -> None:
    """Whole, and word by word as a step says them; a later request goes on from it."""
    async with client(door) as asks:
        said = await asks.responses.create(model="workflow/oracle", input="Is it?")
        asked: dict[str, Any] = {"model": "workflow/counter", "input": "Sure?"}
        counted = await asks.responses.create(**asked, previous_response_id=said.id)
        heard = ""
        async with asks.responses.stream(model="workflow/teller", input="third") as stream:
            async for event in stream:
                if event.type == "response.output_text.delta":
                    heard += event.delta
                    if heard == ONCE:
                        door.lab.board.gates["third"].set()
            told = await stream.get_final_response()
        with pytest.raises(openai.APIStatusError, match="no more"):
            await asks.responses.create(model="workflow/sad", input="Why?")
    assert (said.output_text, counted.output_text) == ("Is it? Yes.", "3 said")
    assert heard == told.output_text == ONCE + THEN
    assert told.usage is not None
    assert told.usage.total_tokens == 5


async def test_what_fails_is_told_with_its_code(door: Door) -> None:
    """A failed run, a workflow that answers no chats, one that is not there, a stranger's role."""
    async with client(door) as asks:
        with pytest.raises(openai.APIStatusError) as failed:
            await asks.chat.completions.create(model="workflow/sad", messages=SAID)
        with pytest.raises(openai.APIError, match="no more"):
            async for _ in await asks.chat.completions.create(
                model="workflow/sad", messages=SAID, stream=True
            ):
                pass
        with pytest.raises(openai.APIStatusError, match="answers no chats"):
            await asks.chat.completions.create(model="workflow/deaf", messages=SAID)
        with pytest.raises(openai.NotFoundError, match="did you mean 'oracle'"):
            await asks.chat.completions.create(model="workflow/oracel", messages=SAID)
    assert failed.value.code == "insufficient_quota"
    async with client(door, Role.VIEWER) as asks:
        with pytest.raises(openai.PermissionDeniedError):
            await asks.chat.completions.create(model="workflow/oracle", messages=SAID)


@pytest.mark.parametrize("stream", [True, False])
async def test_who_leaves_stops_the_run(door: Door, stream: bool) -> None:  # noqa: FBT001
    """Nobody pays for an answer that nobody reads."""
    async with client(door) as asks:
        asking = asyncio.ensure_future(left_at_once(asks, stream=stream))
        run = await started(door)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(60):
            assert (await door.lab.outcome(run)).state == "canceled"


async def left_at_once(asks: openai.AsyncOpenAI, *, stream: bool) -> None:
    """Ask what takes an hour to answer."""
    asked: Any = {"model": "workflow/slow", "messages": SAID, "stream": stream}
    answer = await asks.chat.completions.create(**asked)
    async for _ in answer:
        pass


async def started(door: Door) -> str:
    """Give the run of `slow` that goes on, once there is one."""
    async with asyncio.timeout(60):
        while True:
            asked = {"workflow": "slow", "state": "running"}
            found = (await door.http.get("/api/v2/runs", params=asked)).json()["items"]
            if found:
                return str(found[0]["id"])
            await asyncio.sleep(0.05)
