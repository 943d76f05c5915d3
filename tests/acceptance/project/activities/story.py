"""A unit that tells its answer word by word, and waits in the middle of it."""

import asyncio
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, Field

from aima.errors import ExecutionFailed
from aima.ports.inference import Request
from aima.ports.inference.request import SHOWN
from aima.unit import Context, Domain, Example, Retry

story = Domain("story")

BEGIN = "Once upon a time,\n"
END = "there was an end.\n"


class Tell(Request):
    """Where the gates are: files that must be there before the story goes on."""

    gate: str
    fails: str = Field("", description="An empty file: the first attempt fails when it is there.")


class Told(BaseModel):
    """The whole story."""

    text: str = Field(json_schema_extra=SHOWN)


@story.command(
    idempotent=True,
    retry=Retry(attempts=2, delay=timedelta(milliseconds=10)),
    examples=(Example("A story", {"gate": "/dev/null"}, {"text": BEGIN + END}),),
)
async def tell(request: Tell, ctx: Context) -> Told:
    """Tell a story, the second half when the gate is there."""
    ctx.pieces(BEGIN)
    if request.fails:
        await _pass(Path(request.fails), ctx)
        if await asyncio.to_thread(_is_first, Path(request.fails)):
            raise ExecutionFailed("lost the thread")
    await _pass(Path(request.gate), ctx)
    ctx.pieces(END)
    return Told(text=BEGIN + END)


async def _pass(gate: Path, ctx: Context) -> None:
    while not await asyncio.to_thread(gate.exists):
        ctx.progress("waiting at the gate")
        await asyncio.sleep(0.02)


def _is_first(file: Path) -> bool:
    seen = bool(file.read_text())
    file.write_text("seen")
    return not seen
