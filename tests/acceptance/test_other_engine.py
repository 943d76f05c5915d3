"""Another engine takes over by configuration alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.acceptance.command import AIMA, Aima, wait_until


@pytest.fixture
def engine_url(aima: Aima) -> Iterator[str]:
    """Run an OpenAI-compatible server that AIMA did not start."""
    log = aima.data / "other-engine.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(AIMA), "engine", "serve", "embedded", "--port", "0"],
            env=aima.environ,
            stdout=output,
            stderr=output,
        )
    try:
        found = wait_until(
            lambda: re.search(r"http://\S+", log.read_text()), what="the other engine"
        )
        yield found[0].rstrip("/") + "/v1"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_configured_engine_serves_every_step(aima: Aima, engine_url: str) -> None:
    """Ollama or vLLM replace the embedded engine without touching a workflow."""
    aima.settings = {
        "AIMA_EMBEDDED_ENABLED": "false",
        "AIMA_ENGINES": f'{{other = {{url = "{engine_url}"}}}}',
    }
    aima.up()
    done = aima.ask("run", "voice-assistant", "--example")
    assert done["state"] == "completed"
    assert "capital of france" in done["output"]["text"].lower()
    served = aima.ask("exec", "inference.models")["output"]["models"]
    assert {model["engine"] for model in served} == {"other"}
    assert "engine" not in aima.pids()


@pytest.fixture
def ollama_url() -> Iterator[str]:
    """Run the public fake of an Ollama."""
    command = [sys.executable, "-m", "aima.testing.engines", "ollama"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_an_engine_of_a_known_kind_is_looked_at(aima: Aima, ollama_url: str) -> None:
    """By its own protocol, from the settings to the reply; the probe asks each of its models."""
    aima.settings = {
        "AIMA_EMBEDDED_ENABLED": "false",
        "AIMA_ENGINES": f'{{there = {{url = "{ollama_url}", kind = "ollama"}}}}',
    }
    told = aima.ask("exec", "engine.get", "-i", "name=there", "-i", "probe=true")["output"]
    assert (told["type"], told["status"], told["version"]) == ("ollama", "running", "0.12.0")
    assert {one["model"]: one["ready"] for one in told["readiness"]} == {
        "fake": True,
        "fake-embed": True,
    }


def test_an_engine_that_is_down_is_named(aima: Aima) -> None:
    """A wrong address must not look like a fault of the workflow."""
    aima.settings = {
        "AIMA_EMBEDDED_ENABLED": "false",
        "AIMA_ENGINES": '{other = {url = "http://127.0.0.1:1/v1"}}',
    }
    done = aima.call("exec", "inference.models", "--json")
    assert done.returncode == os.EX_OK + 1
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "ENGINE_NOT_RUNNING"
    assert "'other'" in error["message"]
