"""A step that reads another one's answer while that is being made, on a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from pydantic import BaseModel, Field
from temporalio.client import Client

from aima.errors import ExecutionFailed
from aima.ports.inference import Incoming, Request
from aima.ports.inference.request import SHOWN
from aima.streams.hub import Hub
from aima.streams.publisher import HubClient, Nowhere
from aima.unit import Context, Domain, Retry, Unit
from tests.integration.lab import Lab, lab_on
from tests.unit.streams.hub_server import listen, serving

pytestmark = pytest.mark.asyncio(loop_scope="session")

STORY = """
name: story
steps:
  - {id: write, type: story.write, stream: true, input: {}}
  - {id: read, type: story.read, input: {text: "${steps.write.text}"}}
output: {read: "${steps.read.text}", written: "${steps.write.text}"}
"""
WORDS = ("Once upon ", "a time ", "there was.")
WHOLE = {"read": "Once upon a time there was.", "written": "Once upon a time there was."}


class Nothing(Request):
    """No input."""


class Told(Request):
    """A text, whole or as it comes."""

    text: str | Incoming = Field(json_schema_extra=SHOWN)


class Text(BaseModel):
    """A text."""

    text: str = Field(json_schema_extra=SHOWN)


@dataclass
class Stage:
    """What the two units of a test do.

    Attributes:
        waits: whether the writer waits after its first words until they were read.
        fails: attempts of the writer that fail after the first words.
        lies: whether what is shown differs from what the writer leaves behind.
        heard: set when the reader has read something that comes.
        reads: how the reader got its text, call by call: ``stream`` or ``whole``.
    """

    waits: bool = True
    fails: int = 0
    lies: bool = False
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    reads: list[str] = field(default_factory=list)

    def units(self) -> tuple[Unit, ...]:
        """Make the units."""
        story = Domain("story")
        quick = Retry(attempts=5, delay=timedelta(milliseconds=10))

        @story.command(idempotent=True, retry=quick)
        async def write(request: Nothing, ctx: Context) -> Text:
            """Write a story, word by word."""
            del request
            ctx.pieces(WORDS[0])
            if self.waits:
                async with asyncio.timeout(30):
                    await self.heard.wait()
            if self.fails:
                self.fails -= 1
                raise ExecutionFailed("the pen broke")
            for words in WORDS[1:]:
                ctx.pieces(words)
            return Text(text="Another story." if self.lies else "".join(WORDS))

        @story.command(idempotent=True, retry=quick)
        async def read(request: Told, ctx: Context) -> Text:
            """Read it."""
            if isinstance(request.text, str):
                self.reads.append("whole")
                return Text(text=request.text)
            self.reads.append("stream")
            text = ""
            async for words in ctx.incoming(request.text):
                text += words
                self.heard.set()
            return Text(text=text)

        return tuple(story.units.values())


@asynccontextmanager
async def on(stage: Stage, client: Client, folder: Path, *, hub: bool = True) -> AsyncIterator[Lab]:
    """Run a worker with these units, and a hub for what they show."""
    listener = listen()
    async with httpx2.AsyncClient() as http, serving(Hub(), listener):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        streams = HubClient(url, "t", http) if hub else Nowhere()
        with lab_on(client, folder, more=stage.units()) as lab:
            lab.around = replace(lab.around, streams=streams)
            async with lab.worker():
                yield lab


async def test_a_step_reads_along_while_another_writes(local: Client, tmp_path: Path) -> None:
    """The writer waits until its first words are read: one after the other would hang."""
    stage = Stage()
    async with on(stage, local, tmp_path) as lab:
        outcome = await lab.run(STORY)
    assert (outcome.state, outcome.output) == ("completed", WHOLE)
    assert stage.reads == ["stream"]


async def test_without_a_hub_the_steps_run_one_after_the_other(
    local: Client, tmp_path: Path
) -> None:
    """With the same result: a stream is never needed."""
    stage = Stage(waits=False)
    async with on(stage, local, tmp_path, hub=False) as lab:
        outcome = await lab.run(STORY)
    assert (outcome.state, outcome.output) == ("completed", WHOLE)
    assert stage.reads == ["stream", "whole"]


async def test_a_writer_that_begins_again_is_read_again(local: Client, tmp_path: Path) -> None:
    """Half of a lost answer is in nobody's result."""
    stage = Stage(fails=2)
    async with on(stage, local, tmp_path) as lab:
        outcome = await lab.run(STORY)
    assert (outcome.state, outcome.output) == ("completed", WHOLE)
    assert stage.reads[:2] == ["stream", "stream"]


async def test_what_the_writer_leaves_behind_is_the_truth(local: Client, tmp_path: Path) -> None:
    """A reader that heard something else runs again with that."""
    stage = Stage(lies=True)
    async with on(stage, local, tmp_path) as lab:
        outcome = await lab.run(STORY)
    assert outcome.output == {"read": "Another story.", "written": "Another story."}
    assert stage.reads == ["stream", "whole"]


async def test_a_writer_that_fails_for_good_ends_its_reader(local: Client, tmp_path: Path) -> None:
    """The failure is the writer's; the reader is cancelled."""
    stage = Stage(fails=99)
    async with on(stage, local, tmp_path) as lab:
        outcome = await lab.run(STORY)
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error["step"] == "write"


@pytest.mark.parametrize(
    "change",
    [
        ("stream: true, ", ""),
        ('text: "${steps.write.text}"', 'text: "${steps.write.text} "'),
        ("{id: read,", "{id: read, depends_on: [write],"),
        ("{id: write,", "{id: write, on_failure: continue,"),
        ("{id: read,", "{id: read, cache: {key: always},"),
    ],
)  # fmt: skip
async def test_other_steps_wait_for_the_whole(
    local: Client, tmp_path: Path, change: tuple[str, str]
) -> None:
    """Whatever says or needs that the other is done."""
    with lab_on(local, tmp_path, more=Stage().units()) as lab:
        assert "follows" in lab.plan(STORY).data["steps"][1]  # type: ignore[index, operator]
        plan = lab.plan(STORY.replace(*change))
    assert "follows" not in plan.data["steps"][1]  # type: ignore[index, operator]
