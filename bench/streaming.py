"""How long the first word takes from the start of its step, beside the engine asked directly.

    python bench/streaming.py [samples]

A watcher reads a run's stream at the door, as `aima run` does. Its clock stops with the first
words; it began when Temporal says that the attempt was started. In turn with it the same question
goes to the same engine with one HTTP client. Two engines: one that answers at once and thinks
nothing, so that only what AIMA adds is seen, and the embedded one.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from temporalio.client import Client

from aima.gateway.cli.stack_client import StackClient, run_path
from aima.settings import load_settings
from aima.stack.lock import running_stack
from aima.stack.ports import free_port
from aima.testing.engines import fake
from bench._ratios import spread

AIMA = str(Path(sys.executable).with_name("aima"))
SAMPLES = 30
WARM = 2
SETTLE_SECONDS = 0.3
"""What was measured before has then come to rest: a run's end is written after its last words."""
OWN = "smollm2-135m-instruct"
WORKFLOW = """
name: streamed
inputs: {type: object, properties: {text: {type: string, default: hello}}}
config: {model: default}
steps:
  - id: chat
    type: inference.chat
    stream: true
    input:
      model: "${config.model}"
      messages: [{role: user, content: "${input.text}"}]
      max_tokens: 8
output: {text: "${steps.chat.content}"}
"""


@dataclass(frozen=True)
class Bench:
    """A stack that is up, and an engine that it uses.

    Attributes:
        model: what the engine's model is called by AIMA, and by itself.
    """

    stack: StackClient
    temporal: Client
    http: httpx2.AsyncClient
    url: str
    model: tuple[str, str]

    async def direct_ms(self, question: str) -> float:
        """Ask the engine; give the time to its first words."""
        body = {
            "model": self.model[1],
            "messages": [{"role": "user", "content": question}],
            "max_tokens": 8,
            "stream": True,
        }
        await asyncio.sleep(SETTLE_SECONDS)
        begun, first = time.perf_counter(), 0.0
        async with self.http.stream("POST", f"{self.url}/chat/completions", json=body) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                said = line.startswith("data: {") and _has_words(json.loads(line[6:]))
                if said and not first:
                    first = time.perf_counter()
        return (first - begun) * 1000

    async def step_ms(self, question: str) -> float:
        """Ask through a run; give the time from the start of the attempt to the first words."""
        await asyncio.sleep(SETTLE_SECONDS)
        run_id, first = await asyncio.to_thread(self._watch, question)
        handle = self.temporal.get_workflow_handle(run_id)
        async for event in handle.fetch_history_events():
            if event.HasField("activity_task_started_event_attributes"):
                return (first - event.event_time.ToMicroseconds() / 1e6) * 1000
        raise RuntimeError("no step was started")

    def _watch(self, question: str) -> tuple[str, float]:
        body = {"text": WORKFLOW, "file": "bench.yaml", "input": {"text": question}}
        started = self.stack.post("/api/v2/runs", {**body, "config": {"model": self.model[0]}})
        first = 0.0
        for line in self.stack.lines(run_path(started["id"], "events?pieces=true")):
            if line["type"] == "piece" and line["text"] and not first:
                first = time.time()
            if line["type"] == "run" and line["state"] != "completed":
                raise RuntimeError(str(line["error"]))
        return started["id"], first


def _has_words(chunk: dict[str, Any]) -> bool:
    return any(choice["delta"].get("content") for choice in chunk.get("choices", ()))


async def measure(name: str, bench: Bench, samples: int) -> None:
    """Ask in turn; print what each took."""
    direct, step = [], []
    for number in range(-WARM, samples):
        # Other words each time: an engine remembers beginnings that it has read before.
        own, ours = (f"{secrets.token_hex(4)} is a name. Greet it." for _ in range(2))
        if number % 2:
            pair = await bench.direct_ms(own), await bench.step_ms(ours)
        else:
            pair = (await bench.step_ms(ours), await bench.direct_ms(own))[::-1]
        if number >= 0:
            direct.append(pair[0])
            step.append(pair[1])
    added = [ours - own for own, ours in zip(direct, step, strict=True)]
    print(f"{name}: first words, engine   ms  {spread(direct)}")
    print(f"{name}: first words, step     ms  {spread(step)}")
    print(f"{name}: AIMA adds             ms  {spread(added)}  most {max(added):.0f}", flush=True)


@asynccontextmanager
async def embedded(environ: dict[str, str]) -> AsyncIterator[str]:
    """Run the embedded engine; give its address."""
    port = free_port(0, what="the embedded engine", setting="")
    command = [AIMA, "engine", "serve", "embedded", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        if process.stderr is not None:
            await process.stderr.readline()
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        await process.wait()


async def main(samples: int) -> None:
    """Measure with a stack of its own and the machine's models."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        (data / "models").symlink_to(load_settings().data / "models")
        ports = dict.fromkeys(("AIMA_PORT", "AIMA_TEMPORAL_PORT", "AIMA_TEMPORAL_UI_PORT"), "0")
        environ = {**os.environ, **ports, "AIMA_DATA": str(data)}
        async with fake("openai") as quick, embedded(environ) as own, httpx2.AsyncClient() as http:
            (Path(folder) / "aima.toml").write_text(f'[engines.quick]\nurl = "{quick.url}/v1"\n')
            environ["AIMA_EMBEDDED_URL"] = own

            def call(*arguments: str) -> None:
                subprocess.run([AIMA, *arguments], env=environ, cwd=folder, check=True)

            call("up")
            try:
                state = running_stack(data)
                if state is None:
                    raise RuntimeError("no stack is up")
                stack, temporal = StackClient(state), await Client.connect(state.temporal)
                for name, url, model in (
                    ("quick engine", f"{quick.url}/v1", ("fake", "fake")),
                    ("embedded", own, (OWN, OWN)),
                ):
                    await measure(name, Bench(stack, temporal, http, url, model), samples)
            finally:
                call("down")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES))
