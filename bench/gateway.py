"""What the door costs: a chat beside one of the engine itself, answers beside a bare route.

    python -m bench.gateway [samples]

The engine is a fake of OpenAI's protocol in a process of its own, the door is that of `aima up`,
and the two are asked by turns over loopback. The bare route is the fake's list of models: the
same server and framework, with nothing before it. Last come the goals, and whether they are met.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from bench._doors import Side, cpu_ms, door, fake_engine
from bench._first_steps import FirstSteps
from bench._ratios import ratio_of_means, spread

TOKENS = 50
TOKEN_SECONDS = (0.05, 0.02)
"""Between two tokens of a stream: what engines do, and as much as two processors can carry."""
SETTLE_SECONDS = 0.1
"""What a run leaves to be done after its end is done then."""
CHAT = {"model": "fake", "messages": [{"role": "user", "content": "Why?"}], "stream": True}
QUERY = {"text": "Hello {{ name }}.", "values": {"name": "you"}}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    samples: int = 100
    streams: int = 64
    rounds: int = 5
    idle_seconds: float = 20


@dataclass
class Goals:
    """What was aimed at, and what was seen."""

    _lines: list[str] = field(default_factory=list)

    def most(self, what: str, seen: float, goal: float, unit: str = " ms") -> None:
        """Note something that should be small."""
        self._note(what, f"{seen:.1f}{unit}", f"at most {goal:g}{unit}", met=seen <= goal)

    def least(self, what: str, seen: float, goal: float) -> None:
        """Note something that should be large."""
        self._note(what, f"{seen:.3f}", f"at least {goal:g}", met=seen >= goal)

    def _note(self, what: str, seen: str, goal: str, *, met: bool) -> None:
        self._lines.append(f"{'met ' if met else 'MISSED'}  {what}: {seen}, {goal}")

    def __str__(self) -> str:
        """List them."""
        return "\n".join(self._lines)


@dataclass(frozen=True)
class Bench:
    """Both sides, and whoever asks them.

    Attributes:
        direct: the engine.
        through: the door.
    """

    http: httpx2.AsyncClient
    direct: Side
    through: Side
    goals: Goals = field(default_factory=Goals)

    async def first_token_ms(self, side: Side) -> float:
        """Ask for a chat and time its first bytes; read it to its end."""
        begun, first = time.perf_counter(), 0.0
        url = f"{side.url}/v1/chat/completions"
        async with self.http.stream("POST", url, json=CHAT, headers=side.headers) as answer:
            answer.raise_for_status()
            async for _ in answer.aiter_raw():
                first = first or time.perf_counter()
        return (first - begun) * 1000

    async def many_seconds(self, side: Side, streams: int) -> float:
        """Time so many chats at once, from the first request to the last byte."""
        begun = time.perf_counter()
        await asyncio.gather(*(self.first_token_ms(side) for _ in range(streams)))
        return time.perf_counter() - begun

    async def answer_ms(self, side: Side, path: str, body: object = None) -> float:
        """Time one whole answer."""
        begun = time.perf_counter()
        method = "POST" if body else "GET"
        url = f"{side.url}{path}"
        answer = await self.http.request(method, url, json=body, headers=side.headers)
        answer.raise_for_status()
        return (time.perf_counter() - begun) * 1000

    async def first_tokens(self, samples: int) -> None:
        """Compare one chat at a time."""
        direct, through = await by_turns(
            samples,
            lambda: self.first_token_ms(self.direct),
            lambda: self.first_token_ms(self.through),
        )
        print(f"first token, engine itself    ms  {spread(direct)}")
        print(f"first token, through the door ms  {spread(through)}", flush=True)
        self.goals.most("first token above the engine's", above(direct, through), 5)

    async def streams(self, pause: float, streams: int, rounds: int) -> None:
        """Compare many chats at once."""
        knobs = {"token_seconds": pause, "tokens": TOKENS}
        (await self.http.post(f"{self.direct.url}/__faults", json=knobs)).raise_for_status()
        before = self.through.cpu_ms()
        direct, through = await by_turns(
            rounds,
            lambda: self.many_seconds(self.direct, streams),
            lambda: self.many_seconds(self.through, streams),
        )
        used = (self.through.cpu_ms() - before) / (rounds * streams * TOKENS)
        throughput = ratio_of_means(through, direct)
        each = f"{streams} streams at once, {1 / pause:.0f} tokens/s each"
        print(f"{each}, direct  s   {spread(direct)}")
        print(f"{each}, door    s   {spread(through)}, throughput {throughput}")
        print(f"{each}, door's CPU for a token ms {used:.3f}", flush=True)
        self.goals.least(f"{each}, throughput", throughput.value, 0.9)

    async def answers(self, samples: int) -> None:
        """Compare small answers."""
        before = self.through.cpu_ms()
        bare, models, query = await by_turns(
            samples,
            lambda: self.answer_ms(self.direct, "/v1/models"),
            lambda: self.answer_ms(self.through, "/v1/models/fake"),
            lambda: self.answer_ms(self.through, "/api/v2/query/template.render", QUERY),
        )
        used = (self.through.cpu_ms() - before) / (2 * samples)
        print(f"bare route                    ms  {spread(bare)}")
        print(f"the door's /v1/models/fake    ms  {spread(models)}")
        print(f"query template.render         ms  {spread(query)}")
        print(f"door's CPU for each answer    ms  {used:.2f}", flush=True)
        self.goals.most("a query above a bare route", above(bare, query), 3)

    async def first_steps(self, samples: int) -> None:
        """Time starts of runs."""
        started = await FirstSteps.of(self.http, self.through)
        named, hooked = await by_turns(
            samples, started.by_name_ms, started.by_hook_ms, rest=SETTLE_SECONDS
        )
        for what, times in (("run by name", named), ("webhook", hooked)):
            print(f"{what + ' to first step':29} ms  {spread(times)}, p95 {p95(times):.0f}")
            self.goals.most(f"{what} to first step", statistics.median(times), 60)
        print(end="", flush=True)

    async def idle(self, seconds: float) -> None:
        """Tell what a stack uses that nobody asks for anything."""
        processes = self.through.processes()
        before = {name: cpu_ms(process) for name, process in processes.items()}
        await asyncio.sleep(seconds)
        for name, process in processes.items():
            used = (cpu_ms(process) - before[name]) / seconds / 10
            print(f"{name + ', idle':29} %   {used:.2f} of one processor")


async def by_turns(
    rounds: int, *measures: Callable[[], Coroutine[None, None, float]], rest: float = 0
) -> list[list[float]]:
    """Measure by turns, after one round that does not count: connections and imports are there."""
    seen: list[list[float]] = [[] for _ in measures]
    for number in range(rounds + 1):
        for measure, times in zip(measures, seen, strict=True):
            took = await measure()
            if number:
                times.append(took)
            await asyncio.sleep(rest)
    return seen


def above(bare: list[float], whole: list[float]) -> float:
    """Tell how far one median is above the other."""
    return statistics.median(whole) - statistics.median(bare)


def p95(times: list[float]) -> float:
    """Give the time that one in twenty takes longer than."""
    return sorted(times)[min(len(times) - 1, len(times) * 95 // 100)]


async def measure(direct: Side, through: Side, size: Size) -> None:
    """Ask both by turns and print what was seen."""
    limits = httpx2.Limits(max_connections=None, keepalive_expiry=2)
    async with httpx2.AsyncClient(limits=limits, timeout=60) as http:
        bench = Bench(http, direct, through)
        await bench.first_tokens(size.samples)
        await bench.answers(size.samples)
        await bench.first_steps(size.samples // 2)
        for pause in TOKEN_SECONDS:
            await bench.streams(pause, size.streams, size.rounds)
        await bench.idle(size.idle_seconds)
        print(bench.goals)


def main(size: Size) -> None:
    """Measure on a data folder of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fake_engine() as engine,
        door(Path(folder), engine) as through,
    ):
        asyncio.run(measure(engine, through, size))


if __name__ == "__main__":
    main(Size(int(sys.argv[1])) if len(sys.argv) > 1 else Size())
