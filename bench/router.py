"""What asking through the router costs beside asking an engine directly, and what faults do.

    python -m bench.router [CASE …]

Three fake engines (`aima.testing.engines`), each a process of its own, stand behind one router with
the clients and timeouts of a worker. Cases:

    overhead  one chat of five tokens at a time: an HTTP client alone, the engine's client of
              AIMA, the router; by turns
    load      200 chats at once, 50 tokens each, 20 ms a token: an HTTP client and the router, by
              turns; the processor's time is that of the asking process, where three engines of
              other processes write 10 000 pieces a second
    faults    200 chats, eight at a time, while one engine of three is ill; a chat that takes longer
              than a step of two seconds is given up and asked again, as Temporal does
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

from aima.adapters.engines.openai import OpenAIEngine
from aima.engines import engine_client, engines_of
from aima.errors import AimaError
from aima.ports.inference import ChatRequest, Message, ignored
from aima.routing.router import Router
from aima.settings import Settings
from aima.stores import artifacts_of
from aima.testing.engines import Faults
from bench._ratios import ratio_of_means, spread

ENGINES = 3
ROUNDS = 150
AT_ONCE = 200
LOAD_ROUNDS = 7
LOADED = {"tokens": 50, "token_seconds": 0.02}
CHATS = 200
SIDE_BY_SIDE = 8
STEP_SECONDS = 2.0
ATTEMPTS = 3
FAULTS: dict[str, dict[str, object]] = {
    "nothing": {},
    "500": {"fail_every": 1},
    "half of it 500": {"fail_every": 2},
    "429, Retry-After 1 s": {"fail_every": 1, "status": 429, "retry_after": 1},
    "400": {"fail_every": 1, "status": 400},
    "garbage": {"garbage": True},
    "hangs": {"hang": True},
    "a byte in 0.1 s": {"drip": 0.1},
    "0.5 s late": {"latency": 0.5},
    "cut after 3 tokens": {"die_after": 3},
    "an error after 3 tokens": {"error_after": 3},
}
MILLI = 1000

Ask = Callable[[], Awaitable[object]]


@dataclass
class Bench:
    """Engines that run, and the ways to ask them."""

    urls: list[str]
    processes: list[subprocess.Popen[str]]
    http: httpx2.AsyncClient
    plain: httpx2.AsyncClient
    folder: Path
    turn: int = 0
    asked_again: int = 0

    def router(self) -> Router:
        """Make a router that knows nothing yet."""
        engines = {
            f"engine{n}": {"url": f"{url}/v1", "type": "llm"} for n, url in enumerate(self.urls)
        }
        told = {"data": self.folder, "engines": engines, "embedded": {"enabled": False}}
        settings = Settings.model_validate(told)
        return engines_of(settings, self.http, artifacts_of(settings))

    def engine(self) -> OpenAIEngine:
        """Make AIMA's client of the first engine."""
        artifacts = artifacts_of(Settings.model_validate({"data": self.folder}))
        return OpenAIEngine("engine0", f"{self.urls[0]}/v1", self.http, artifacts)

    async def directly(self) -> str:
        """Ask an engine, each in its turn, with an HTTP client alone."""
        while True:
            try:
                return await self._posted()
            except httpx2.TransportError:  # the server closed a connection that was idle
                self.asked_again += 1

    async def _posted(self) -> str:
        self.turn += 1
        url = f"{self.urls[self.turn % len(self.urls)]}/v1/chat/completions"
        said = {"model": "fake", "stream": True, "messages": [{"role": "user", "content": "?"}]}
        text = ""
        async with self.plain.stream("POST", url, json=said) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    for choice in json.loads(line[6:])["choices"]:
                        text += choice["delta"].get("content") or ""
        return text

    async def set(self, number: int, knobs: dict[str, object]) -> dict[str, object]:
        """Change what goes wrong with an engine; give all of it."""
        answer = await self.plain.post(f"{self.urls[number]}/__faults", json=knobs)
        told: dict[str, object] = answer.json()
        return told

    async def heal(self) -> None:
        """Make all well, and forget what was asked."""
        for number in range(len(self.urls)):
            await self.set(number, Faults().model_dump())


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    """Start the engines; end them afterwards."""
    command = [sys.executable, "-m", "aima.testing.engines", "openai"]
    processes = [_start(command) for _ in range(ENGINES)]
    try:
        urls = [process.stdout.readline().strip() for process in processes if process.stdout]
        unbounded = httpx2.Limits(max_connections=None, keepalive_expiry=2)
        async with AsyncExitStack() as open_:
            http = await open_.enter_async_context(engine_client())
            plain = await open_.enter_async_context(
                httpx2.AsyncClient(limits=unbounded, timeout=60)
            )
            folder = Path(open_.enter_context(tempfile.TemporaryDirectory()))
            yield Bench(urls, processes, http, plain, folder)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def _start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,  # they tell of faults
    )


def chat() -> ChatRequest:
    """Say what is asked everywhere."""
    return ChatRequest(model="fake", messages=[Message(role="user", content="?")])


# -- one at a time ---------------------------------------------------------------------


async def overhead(on: Bench, rounds: int = ROUNDS) -> None:
    """Ask in three ways by turns."""
    engine, router = on.engine(), on.router()
    ways: dict[str, Ask] = {
        "an HTTP client": on.directly,
        "AIMA's client of an engine": lambda: engine.chat(chat(), pieces=ignored),
        "the router": lambda: router.chat(chat(), pieces=ignored),
    }
    for way in ways.values():
        await way()  # warm
    took: dict[str, list[float]] = {name: [] for name in ways}
    used: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun, cpu = time.perf_counter(), time.process_time()
            await way()
            took[name].append((time.perf_counter() - begun) * MILLI)
            used[name].append((time.process_time() - cpu) * MILLI)
    first = took["an HTTP client"]
    for name in ways:
        ratio = ratio_of_means(first, took[name])
        print(f"overhead, {name}: {spread(took[name])} ms, CPU {spread(used[name])} ms, {ratio}")


# -- many at once ----------------------------------------------------------------------


async def load(on: Bench, at_once: int = AT_ONCE, rounds: int = LOAD_ROUNDS) -> None:
    """Ask many at once in two ways by turns."""
    router = on.router()
    for number in range(ENGINES):
        await on.set(number, dict(LOADED))
    answer = " ".join(f"w{n}" for n in range(int(LOADED["tokens"])))

    async def routed() -> str:
        return (await router.chat(chat(), pieces=ignored)).content

    seconds: dict[str, list[float]] = {"directly": [], "routed": []}
    cpu: dict[str, list[float]] = {"directly": [], "routed": []}
    grown: list[int] = []
    for turn in range(rounds):
        ways: list[tuple[str, Callable[[], Awaitable[str]]]]
        ways = [("directly", on.directly), ("routed", routed)]
        for name, way in ways if turn % 2 else reversed(ways):
            begun, used = time.perf_counter(), time.process_time()
            answers = await asyncio.gather(*(way() for _ in range(at_once)))
            seconds[name].append(time.perf_counter() - begun)
            cpu[name].append(time.process_time() - used)
            lost = sum(one != answer for one in answers)
            if lost:
                raise RuntimeError(f"{lost} of {at_once} answers are wrong")
        grown.append(psutil.Process().memory_info().rss >> 20)
    for name, took in seconds.items():
        rate = statistics.median(at_once * int(LOADED["tokens"]) / s for s in took)
        print(
            f"load, {name}: {spread([s * MILLI for s in took])} ms, {rate:.0f} tokens/s, "
            f"CPU {spread([c * MILLI for c in cpu[name]])} ms"
        )
    print(f"load, time routed / directly: {ratio_of_means(seconds['directly'], seconds['routed'])}")
    print(f"load, {at_once * rounds} of each, none lost; memory {grown[0]} to {grown[-1]} MiB")
    print(f"load, asked again by the HTTP client: {on.asked_again}")


# -- one of three is ill ---------------------------------------------------------------


@dataclass
class Seen:
    """What became of chats."""

    ms: list[float] = field(default_factory=list)
    attempts: int = 0
    lost: dict[str, int] = field(default_factory=dict)


async def faults(on: Bench, chats: int = CHATS, ill: Sequence[str] = (*FAULTS, "dies")) -> None:
    """Ask while the first engine has one fault after the other, and at last none at all."""
    print("| the first of three | answered | attempts | p50 ms | p95 ms | asked of it | calls |")
    print("|--|--|--|--|--|--|--|")
    for name in ill:
        await on.heal()
        router = on.router()
        await router.chat(chat(), pieces=ignored)  # so that it knows all three
        await on.set(0, FAULTS.get(name, {}))
        if name == "dies":
            asyncio.get_running_loop().call_later(0.05, on.processes[0].kill)
        seen = Seen()
        turns = iter(range(chats))
        await asyncio.gather(*(_asks(router, turns, seen) for _ in range(SIDE_BY_SIDE)))
        asked = [int(str((await on.set(n, {}))["asked"])) for n in _alive(on)]
        of_it = str(asked[0]) if len(asked) == ENGINES else ""
        calls = f"{(sum(asked) - 1) / chats:.2f}" if len(asked) == ENGINES else ""
        answered = f"{len(seen.ms)}" + "".join(f", {n} {c}" for c, n in seen.lost.items())
        slow = statistics.quantiles(seen.ms, n=20)
        print(
            f"| {name} | {answered} | {seen.attempts} | {slow[9]:.0f} | {slow[18]:.0f} "
            f"| {of_it} | {calls} |",
            flush=True,
        )


def _alive(on: Bench) -> list[int]:
    return [n for n, process in enumerate(on.processes) if process.poll() is None]


async def _asks(router: Router, turns: Iterator[int], seen: Seen) -> None:
    for _ in turns:
        begun = time.perf_counter()
        lost = await _asked(router, seen)
        if lost:
            seen.lost[lost] = seen.lost.get(lost, 0) + 1
        else:
            seen.ms.append((time.perf_counter() - begun) * MILLI)


async def _asked(router: Router, seen: Seen) -> str:
    """Ask as a step does; give the code of the last failure, or nothing."""
    told = ""
    for _ in range(ATTEMPTS):
        seen.attempts += 1
        try:
            async with asyncio.timeout(STEP_SECONDS):
                await router.chat(chat(), pieces=ignored)
        except TimeoutError:
            told = "TIMEOUT"
        except AimaError as error:
            told = error.code
            if not error.retryable:
                break
        else:
            return ""
    return told


CASES: dict[str, Callable[[Bench], Awaitable[None]]] = {
    "overhead": overhead,
    "load": load,
    "faults": faults,
}


async def main(cases: Sequence[str]) -> None:
    """Measure."""
    async with bench() as on:
        for case in cases:
            await on.heal()
            await CASES[case](on)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or list(CASES)))
