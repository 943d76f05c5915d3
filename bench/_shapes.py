"""Shapes of workflows: each once in YAML and once written by hand, with the same promises."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from aima.unit import Context, Domain

DEPTH = 10
ITEMS = 20
PARALLEL = 10
STEPS_BEFORE = 10
STEPS_AFTER = 10


class Anything(BaseModel):
    """Whatever a stand-in is given, it gives back."""

    model_config = ConfigDict(extra="allow")

    text: str = ""


bench = Domain("bench")


@bench.query()
async def echo(request: Anything, ctx: Context) -> Anything:
    """Give back what is given, at once; it might take a minute, so it is a task of its own."""
    del ctx
    return request


@bench.query(timeout=timedelta(seconds=5))
async def quick(request: Anything, ctx: Context) -> Anything:
    """Give back what is given, at once; it says so, so it runs beside the workflow."""
    del ctx
    return request


# -- in YAML ---------------------------------------------------------------------------


def _step(name: str, text: str, unit: str = "echo", more: str = "") -> str:
    return f'{{id: {name}, type: bench.{unit}, input: {{text: "{text}"}}{more}}}'


def chain(length: int, *, unit: str = "echo", more: str = "") -> str:
    """Write a workflow in which each step reads the one before."""
    lines = ["steps:"]
    for n in range(length):
        text = "${input.text}" if n == 0 else f"${{steps.s{n - 1}.text}}"
        lines.append(f"  - {_step(f's{n}', text, unit, more)}")
    return "\n".join([*lines, f'output: {{text: "${{steps.s{length - 1}.text}}"}}'])


def fan(width: int) -> str:
    """Write a workflow whose steps all run at once."""
    steps = [f"  - {_step(f's{n}', '${input.text}')}" for n in range(width)]
    return "\n".join(["steps:", *steps, f'output: {{text: "${{steps.s{width - 1}.text}}"}}'])


def nested(depth: int, items: int) -> str:
    """Write blocks in blocks, and a loop over three steps in the innermost."""
    lines = ["steps:"]
    for n in range(depth):
        lines.append(f"{'  ' * (2 * n + 1)}- id: block{n}")
        lines.append(f"{'  ' * (2 * n + 2)}steps:")
    pad = "  " * (2 * depth + 1)
    lines += [
        f"{pad}- id: each",
        f'{pad}  for_each: {{in: "${{range({items})}}", max_parallel: {PARALLEL}}}',
        f"{pad}  steps:",
        f"{pad}    - {_step('a', '${item}: ${input.text}')}",
        f"{pad}    - {_step('b', '${steps.a.text}')}",
        f"{pad}    - {_step('c', '${steps.b.text}')}",
    ]
    output = 'output: {texts: "${steps.each.items.map(one, one.c.text)}"}'
    return "\n".join([*lines, output])


def waiting(before: int, after: int) -> str:
    """Write a chain that waits for a signal halfway."""
    lines = ["steps:"]
    lines += [f"  - {_step(f's{n}', '${input.text}', more=_after(n))}" for n in range(before)]
    lines.append(f"  - {{id: go, wait_for: {{signal: go}}, depends_on: [s{before - 1}]}}")
    lines += [
        f"  - {_step(f't{n}', '${input.text}', more=', depends_on: [go]')}" for n in range(after)
    ]
    return "\n".join([*lines, f'output: {{text: "${{steps.t{after - 1}.text}}"}}'])


def _after(n: int) -> str:
    return f", depends_on: [s{n - 1}]" if n else ""


# -- by hand ---------------------------------------------------------------------------

_RETRY = RetryPolicy(
    maximum_attempts=3,
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
    non_retryable_error_types=["PayloadsTooLarge"],
)


async def step(name: str, text: str) -> str:
    """Run an activity as a careful author would: named, bounded, retried, cancelled cleanly."""
    info = workflow.info()
    output: dict[str, str] = await workflow.execute_activity(
        "bench.echo",
        args=[
            {"text": text},
            {"effect": f"{info.workflow_id}/{info.first_execution_run_id}/{name}"},
        ],
        activity_id=name,
        summary=name,
        start_to_close_timeout=timedelta(minutes=1),
        schedule_to_close_timeout=timedelta(days=1),
        heartbeat_timeout=timedelta(seconds=10),
        retry_policy=_RETRY,
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
    return output["text"]


@workflow.defn(name="chain")
class HandWrittenChain:
    """Steps in a row."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Run them."""
        text = given["text"]
        for n in range(given["size"]):
            text = await step(f"s{n}", text)
        return {"text": text}


@workflow.defn(name="fan")
class HandWrittenFan:
    """Steps at once."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Run them."""
        steps = [step(f"s{n}", given["text"]) for n in range(given["size"])]
        return {"text": (await asyncio.gather(*steps))[-1]}


@workflow.defn(name="nested")
class HandWrittenNested:
    """Functions in functions, and in the innermost a loop, so many items at a time."""

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Run them."""
        self._turns = asyncio.Semaphore(PARALLEL)
        return {"texts": await self._block(given, given["depth"])}

    async def _block(self, given: dict[str, Any], depth: int) -> list[str]:
        if depth:
            return await self._block(given, depth - 1)
        items = (self._item(n, given["text"]) for n in range(given["size"]))
        return await asyncio.gather(*items)

    async def _item(self, number: int, text: str) -> str:
        async with self._turns:
            text = await step(f"each[{number}].a", f"{number}: {text}")
            text = await step(f"each[{number}].b", text)
            return await step(f"each[{number}].c", text)


@workflow.defn(name="waiting")
class HandWrittenWaiting:
    """Some steps, a signal, some more steps."""

    def __init__(self) -> None:
        """Wait for nothing yet."""
        self._gone = False

    @workflow.run
    async def run(self, given: dict[str, Any]) -> dict[str, Any]:
        """Run them."""
        for n in range(STEPS_BEFORE):
            await step(f"s{n}", given["text"])
        await workflow.wait_condition(lambda: self._gone)
        texts = (step(f"t{n}", given["text"]) for n in range(STEPS_AFTER))
        return {"text": (await asyncio.gather(*texts))[-1]}

    @workflow.signal
    def go(self) -> None:
        """Go on."""
        self._gone = True


HAND_WRITTEN = (HandWrittenChain, HandWrittenFan, HandWrittenNested, HandWrittenWaiting)

Json: TypeAlias = Any
Run: TypeAlias = Callable[[], Awaitable[Json]]


@dataclass(frozen=True)
class Shape:
    """One workflow in both ways.

    Attributes:
        kind: the name of the one written by hand.
        size: what it is told of its size.
        text: the YAML, without its name.
        output: what both must give.
    """

    name: str
    kind: str
    size: int
    text: str
    output: Json
    depth: int = 0


def shape(name: str) -> Shape:
    """Make a shape by its name and size: ``chain-3``, ``fan-1000``, ``nested-20``.

    Raises:
        ValueError: there is none of this name.
    """
    kind, _, number = name.partition("-")
    size, said = int(number), {"text": "hello"}
    match kind:
        case "chain":
            return Shape(name, kind, size, chain(size), said)
        case "fan":
            return Shape(name, kind, size, fan(size), said)
        case "nested":
            texts = [f"{n}: hello" for n in range(size)]
            return Shape(name, kind, size, nested(DEPTH, size), {"texts": texts}, DEPTH)
    raise ValueError(f"no shape is called {name!r}")
