"""Cancel ends a run at once, in whatever step it is, and the engine stops working for it."""

from __future__ import annotations

import json
import time
import wave
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.acceptance.command import PROJECT, REPOSITORY, Aima, wait_until
from tests.acceptance.running import running_aima

QUESTION = REPOSITORY / "workflows" / "assets" / "question.wav"
MOST_SECONDS = 8.0
"""Two on a quiet machine; the tests share theirs. The seconds that it took are printed."""

IDLE_PERCENT = 15.0
LOOK_SECONDS = 0.4

SPEAK = """\
name: long-speech
steps:
  - id: speak
    type: inference.synthesize
    input: {text: "TEXT"}
"""

LISTEN = """\
name: long-listening
inputs:
  type: object
  required: [audio]
  properties: {audio: {type: string, format: artifact}}
steps:
  - id: listen
    type: inference.transcribe
    input: {audio: "${input.audio}"}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """AIMA, up for the whole module, with work for minutes."""
    folder = tmp_path_factory.mktemp("cancel")
    sentence = "The river goes down to the sea, and nobody knows when it will come back. "
    (folder / "speak.yaml").write_text(SPEAK.replace("TEXT", sentence * 60))
    (folder / "listen.yaml").write_text(LISTEN)
    repeat(QUESTION, folder / "long.wav", times=120)
    with running_aima(folder) as aima:
        aima.cwd = folder
        yield aima


def repeat(source: Path, target: Path, *, times: int) -> None:
    """Write a recording that says the same again and again."""
    with wave.open(str(source)) as once, wave.open(str(target), "wb") as long:
        long.setparams(once.getparams())
        long.writeframes(once.readframes(once.getnframes()) * times)


def by_command(aima: Aima, run_id: str) -> None:
    """Cancel as people do; the command waits for the run's end."""
    told = aima.ask("cancel", run_id)
    assert told == {"id": run_id, "state": "canceled"}


def by_door(aima: Aima, run_id: str) -> None:
    """Cancel as programs do; the door only takes the order."""
    state = json.loads((aima.data / "stack.json").read_text())
    connection = HTTPConnection("127.0.0.1", state["port"], timeout=30)
    connection.request(
        "POST",
        f"/api/v2/runs/{run_id}/cancel",
        headers={"authorization": f"Bearer {state['token']}"},
    )
    assert connection.getresponse().status == 202
    connection.close()


@pytest.mark.parametrize(
    ("step", "arguments", "cancel"),
    [
        ("listen", ("listen.yaml", "-i", "audio=@long.wav"), by_command),
        ("chat", (str(PROJECT / "workflows" / "long-chat.yaml"),), by_door),
        ("speak", ("speak.yaml",), by_command),
    ],
    ids=["transcribe", "chat", "synthesize"],
)
def test_a_cancelled_step_stops_the_engine(
    running: Aima, step: str, arguments: tuple[str, ...], cancel: Callable[[Aima, str], None]
) -> None:
    """What nobody waits for any more must not keep others waiting."""
    run_id = running.start(*arguments)
    wait_until(lambda: running.step(run_id, step).get("state") == "running", what="the step")
    engine = psutil.Process(wait_until(lambda: running.pids().get("engine"), what="the engine"))
    wait_until(lambda: is_busy(engine), what="the engine at work")

    began = time.monotonic()
    cancel(running, run_id)
    told = running.ended(run_id)
    took = time.monotonic() - began
    print(f"cancel during {step}: {took:.2f} s")  # noqa: T201 - `pytest -rP` shows the figure
    assert told["state"] == "canceled"
    assert [s["state"] for s in told["steps"]] == ["cancelled"]
    assert took < MOST_SECONDS

    wait_until(lambda: not is_busy(engine), what="an idle engine")
    assert time.monotonic() - began < MOST_SECONDS + 2 * LOOK_SECONDS
    hello = '[{"role": "user", "content": "Say hello."}]'
    answer = running.ask("exec", "inference.chat", "-i", f"messages={hello}", "-i", "max_tokens=4")
    assert answer["state"] == "completed"
    assert engine.is_running(), "the engine that stopped its work is the one that goes on"


def is_busy(engine: psutil.Process) -> bool:
    """Tell whether the engine computes right now."""
    return engine.cpu_percent(LOOK_SECONDS) > IDLE_PERCENT


def test_a_run_that_waits_for_its_next_attempt_is_cancelled_too(running: Aima) -> None:
    """Nothing runs at that moment that could feel it."""
    (running.cwd / "retry.yaml").write_text(
        "name: retry\nsteps:\n  - id: chat\n    type: inference.chat\n"
        "    input: {model: default, messages: [{role: user, content: hi}]}\n"
        "    retry: {max_attempts: 9, delay: 60s}\n    timeout: 1ms\n"
    )
    run_id = running.start("retry.yaml")
    wait_until(
        lambda: running.step(run_id, "chat").get("state") == "retrying", what="a failed attempt"
    )
    began = time.monotonic()
    by_command(running, run_id)
    assert time.monotonic() - began < MOST_SECONDS


def test_a_run_that_has_ended_cannot_be_cancelled(running: Aima) -> None:
    """It is a conflict and not a success: whoever asked believed something else."""
    done = running.ask("exec", "inference.models")
    refused = running.call("cancel", done["id"])
    assert refused.returncode == 4
    assert "has ended already: it is completed" in refused.stderr
