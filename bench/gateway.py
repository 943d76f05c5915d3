"""What the door costs: a chat beside one of the engine itself, answers beside a bare route.

    python bench/gateway.py [samples]

The engine is a fake of OpenAI's protocol in a process of its own, the door is that of `aima up`,
and the two are asked by turns over loopback. The bare route is the fake's list of models: the
same server and framework, with nothing before it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from bench._ratios import ratio_of_means, spread

AIMA = str(Path(sys.executable).with_name("aima"))
SAMPLES = 100
STREAMS = 64
ROUNDS = 5
TOKENS = 50
TOKEN_SECONDS = (0.05, 0.02)
"""Between two tokens of a stream: what engines do, and as much as two processors can carry."""
CHAT = {"model": "fake", "messages": [{"role": "user", "content": "Why?"}], "stream": True}
QUERY = {"text": "Hello {{ name }}.", "values": {"name": "you"}}


@dataclass(frozen=True)
class Side:
    """One of the two that are compared."""

    url: str
    key: str = ""
    pid: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """The headers of each request."""
        return {"authorization": f"Bearer {self.key}"} if self.key else {}


@contextmanager
def fake_engine() -> Iterator[str]:
    """Run a fake engine; give its address."""
    command = [sys.executable, "-m", "aima.testing.engines", "openai"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


@contextmanager
def door(folder: Path, engine: str) -> Iterator[Side]:
    """Run AIMA in front of an engine; give its door."""
    free = {"AIMA_PORT": "0", "AIMA_TEMPORAL_PORT": "0", "AIMA_TEMPORAL_UI_PORT": "0"}
    engines = {"AIMA_ENGINES": f'{{fake = {{url = "{engine}/v1"}}}}'}
    off = {"AIMA_EMBEDDED_ENABLED": "false", "AIMA_DATA": str(folder / "data")}
    environ = {**os.environ, **free, **engines, **off}
    subprocess.run([AIMA, "up"], env=environ, check=True, capture_output=True)
    try:
        state = json.loads((folder / "data" / "stack.json").read_text())
        key = (folder / "data" / "admin.key").read_text().strip()
        yield Side(f"http://127.0.0.1:{state['port']}", key, state["pid"])
    finally:
        subprocess.run([AIMA, "down"], env=environ, check=True, capture_output=True)


async def first_token_ms(http: httpx2.AsyncClient, side: Side) -> float:
    """Ask for a chat and time its first bytes; read it to its end."""
    begun, first = time.perf_counter(), 0.0
    url = f"{side.url}/v1/chat/completions"
    async with http.stream("POST", url, json=CHAT, headers=side.headers) as answer:
        answer.raise_for_status()
        async for _ in answer.aiter_raw():
            first = first or time.perf_counter()
    return (first - begun) * 1000


async def many_seconds(http: httpx2.AsyncClient, side: Side, streams: int) -> float:
    """Time so many chats at once, from the first request to the last byte."""
    begun = time.perf_counter()
    await asyncio.gather(*(first_token_ms(http, side) for _ in range(streams)))
    return time.perf_counter() - begun


async def answer_ms(http: httpx2.AsyncClient, side: Side, path: str, body: object = None) -> float:
    """Time one whole answer."""
    begun = time.perf_counter()
    method = "POST" if body else "GET"
    answer = await http.request(method, f"{side.url}{path}", json=body, headers=side.headers)
    answer.raise_for_status()
    return (time.perf_counter() - begun) * 1000


def cpu_ms(side: Side) -> float:
    """Tell the processor time that a side's process has used; other work does not stretch it."""
    times = psutil.Process(side.pid).cpu_times()
    return (times.user + times.system) * 1000


async def measure_streams(
    http: httpx2.AsyncClient, direct: Side, through: Side, streams: int, rounds: int
) -> None:
    """Read many streams at once from both by turns and print what was seen."""
    before = cpu_ms(through)
    alls: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, times in zip((direct, through), alls, strict=True):
            times.append(await many_seconds(http, side, streams))
    print(f"{streams} streams at once, direct   s   {spread(alls[0])}")
    print(f"{streams} streams at once, door     s   {spread(alls[1])}")
    print(f"throughput, door : direct         {ratio_of_means(alls[1], alls[0])}")
    events = rounds * streams * TOKENS
    print(f"door's CPU for each token     ms  {(cpu_ms(through) - before) / events:.3f}")


async def measure(direct: Side, through: Side, samples: int, streams: int, rounds: int) -> None:
    """Ask both by turns and print what was seen."""
    limits = httpx2.Limits(max_connections=None, keepalive_expiry=2)
    async with httpx2.AsyncClient(limits=limits, timeout=60) as http:
        await first_token_ms(http, through)  # connections and imports are not what is measured
        await answer_ms(http, through, "/api/v2/query/template.render", QUERY)
        firsts: tuple[list[float], list[float]] = ([], [])
        for _ in range(samples):
            for side, times in zip((direct, through), firsts, strict=True):
                times.append(await first_token_ms(http, side))
        print(f"first token, engine itself    ms  {spread(firsts[0])}")
        print(f"first token, through the door ms  {spread(firsts[1])}")
        for pause in TOKEN_SECONDS:
            knobs = {"token_seconds": pause, "tokens": TOKENS}
            await http.post(f"{direct.url}/__faults", json=knobs)
            await measure_streams(http, direct, through, streams, rounds)
        before = cpu_ms(through)
        routes: tuple[list[float], list[float], list[float]] = ([], [], [])
        for _ in range(samples):
            routes[0].append(await answer_ms(http, direct, "/v1/models"))
            routes[1].append(await answer_ms(http, through, "/v1/models/fake"))
        print(f"door's CPU for each answer    ms  {(cpu_ms(through) - before) / samples:.2f}")
        for _ in range(samples):
            path = "/api/v2/query/template.render"
            routes[2].append(await answer_ms(http, through, path, QUERY))
        print(f"bare route                    ms  {spread(routes[0])}")
        print(f"the door's /v1/models/fake    ms  {spread(routes[1])}")
        print(f"query template.render         ms  {spread(routes[2])}")


def main(samples: int, streams: int = STREAMS, rounds: int = ROUNDS) -> None:
    """Measure on a data folder of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        fake_engine() as engine,
        door(Path(folder), engine) as through,
    ):
        asyncio.run(measure(Side(engine), through, samples, streams, rounds))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES)
