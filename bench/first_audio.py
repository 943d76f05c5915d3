"""How long until the voice assistant can be heard, with its steps reading along and without.

    python bench/first_audio.py [pairs]

The shipped workflow on the embedded engine, asked aloud for an answer of several sentences. As it
is shipped, the voice says the first sentence while the next one is written, and a listener at the
door hears it; without its `stream` keys there is nothing to hear before the run has ended. By
turns, from the request that starts the run to the first sound that can be played.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from aima.gateway.cli.stack_client import StackClient, run_path
from aima.settings import load_settings
from aima.shipped import shipped
from aima.stack.lock import running_stack
from bench._ratios import ratio_of_means, spread

AIMA = str(Path(sys.executable).with_name("aima"))
PAIRS = 8
QUESTION = "Why does it rain, and why do plants need water?"
MOST_TOKENS = 72
LEAST_SECONDS = 0.3
"""Of sound, for it to be worth playing."""
RECORD = """
name: record
steps:
  - {id: say, type: inference.synthesize, input: {model: default, text: "TEXT"}}
output: {audio: "${steps.say.audio}"}
"""


@dataclass(frozen=True)
class Heard:
    """What a run took, in seconds from the request for it."""

    first: float
    all: float
    sentences: int
    speech: float


def workflow(*, stream: bool) -> str:
    """Give the shipped workflow with an answer of a given length, the same in each run."""
    text = (shipped("workflows") / "voice-assistant.yaml").read_text("utf-8")
    model = "      model: ${config.llm_model}\n"
    text = text.replace(model, f"{model}      max_tokens: {MOST_TOKENS}\n      temperature: 0\n")
    text += "  speech_seconds: ${steps.synthesize.duration}\n"
    return text if stream else re.sub(r"^ +stream: true\n", "", text, flags=re.MULTILINE)


def seconds_of(sound: bytes) -> float:
    """Tell how long a recording plays that may go on; 0: there is none yet."""
    if len(sound) < 44:  # noqa: PLR2004 - the header of a WAV file
        return 0.0
    with wave.open(BytesIO(sound)) as file:
        frame: int = file.getsampwidth() * file.getnchannels() * file.getframerate()
    return (len(sound) - 44) / frame


def run(
    stack: StackClient,
    text: str,
    given: dict[str, Any],
    hear: Callable[[dict[str, Any]], None],
) -> dict[str, Any]:
    """Run a workflow, hear its pieces, and give its output."""
    started = stack.post("/api/v2/runs", {"text": text, "file": "bench.yaml", "input": given})
    for line in stack.lines(run_path(started["id"], "events?pieces=true")):
        if line["type"] == "piece":
            hear(line)
        if line["type"] == "run":
            if line["state"] != "completed":
                raise RuntimeError(str(line["error"]))
            return dict(line["output"])
    raise RuntimeError("the run's changes broke off")


def heard(stack: StackClient, question: object, *, stream: bool) -> Heard:
    """Ask the assistant, and tell when it was to be heard."""
    sound, first = bytearray(), 0.0
    begun = time.perf_counter()

    def hear(piece: dict[str, Any]) -> None:
        nonlocal first
        if piece["step"] == "synthesize":
            sound.extend(base64.b64decode(piece.get("base64", "")))
            if not first and seconds_of(bytes(sound)) >= LEAST_SECONDS:
                first = time.perf_counter() - begun

    output = run(stack, workflow(stream=stream), {"audio": question}, hear)
    all_ = time.perf_counter() - begun
    if stream != bool(first):
        raise RuntimeError("the speech was heard too late" if stream else "and too early")
    sentences = len(re.findall(r"[.!?](\s|$)", output["response"]))
    return Heard(first or all_, all_, sentences, output["speech_seconds"])


def measure(stack: StackClient, pairs: int) -> None:
    """Ask by turns; print what was heard when."""
    question = run(stack, RECORD.replace("TEXT", QUESTION), {}, lambda _: None)["audio"]
    seen: dict[bool, list[Heard]] = {True: [], False: []}
    for turn in range(-1, pairs):
        for stream in (True, False) if turn % 2 else (False, True):
            found = heard(stack, question, stream=stream)
            if turn >= 0:  # the first pair warms up
                seen[stream].append(found)
    for stream, runs in seen.items():
        print(
            f"{'with' if stream else 'without'} stream: first sound s  "
            f"{spread([one.first for one in runs])}, all of it {spread([one.all for one in runs])}"
        )
    one = seen[True][0]
    print(f"answers of {one.sentences} sentences, {one.speech:.0f} s of speech, {pairs} pairs")
    first = [[one.first for one in seen[stream]] for stream in (False, True)]
    all_of_it = [[one.all for one in seen[stream]] for stream in (False, True)]
    print(f"first sound, with / without: {ratio_of_means(*first)}")
    print(f"all of it, with / without: {ratio_of_means(*all_of_it)}")


def main(pairs: int) -> None:
    """Measure with a stack of its own and the machine's models."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir(mode=0o700)
        (data / "models").symlink_to(load_settings().data / "models")
        ports = dict.fromkeys(("AIMA_PORT", "AIMA_TEMPORAL_PORT", "AIMA_TEMPORAL_UI_PORT"), "0")
        environ = {**os.environ, **ports, "AIMA_DATA": str(data)}
        subprocess.run([AIMA, "up"], env=environ, cwd=folder, check=True)
        try:
            state = running_stack(data)
            if state is None:
                raise RuntimeError("no stack is up")
            measure(StackClient(state), pairs)
        finally:
            subprocess.run([AIMA, "down"], env=environ, cwd=folder, check=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PAIRS)
