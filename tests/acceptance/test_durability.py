"""The promise: an acknowledged run is never lost, and each effect happens once."""

from __future__ import annotations

import os
import signal
from functools import partial

import psutil
import pytest

from tests.acceptance.command import Aima, Sink, wait_until


def test_a_worker_killed_in_the_middle_of_a_step_loses_nothing(aima: Aima, sink: Sink) -> None:
    """Machines die; the step is taken over, and steps that were done are not done again."""
    pids = aima.up()
    run = aima.start("gated", *sink.inputs)
    wait_until(lambda: sink.attempts("held"), what="the held step")
    os.kill(pids["worker"], signal.SIGKILL)
    sink.gate.touch()
    told = aima.ended(run)
    assert told["state"] == "completed", told
    assert sink.attempts("held") == 2
    assert [sink.deliveries(step) for step in ("before", "held", "after")] == [1, 1, 1]
    assert sink.attempts("before") == 1


def test_a_killed_temporal_server_comes_back_on_its_file(aima: Aima, sink: Sink) -> None:
    """The server's file is the truth about every run; the process is not."""
    pids = aima.up()
    run = aima.start("gated", *sink.inputs)
    wait_until(lambda: sink.attempts("held"), what="the held step")
    os.kill(pids["temporal"], signal.SIGKILL)
    wait_until(lambda: aima.pids().get("temporal") != pids["temporal"], what="a new server")
    sink.gate.touch()
    told = aima.ended(run)
    assert told["state"] == "completed", told
    assert [sink.deliveries(step) for step in ("before", "held", "after")] == [1, 1, 1]


@pytest.mark.parametrize("victim", ["stack", "temporal", "worker"])
def test_after_a_kill_of_anything_the_next_up_works(aima: Aima, sink: Sink, victim: str) -> None:
    """A crash leaves a lock, a state file and maybe children; none may stand in the way."""
    pids = aima.up()
    run = aima.start("gated", *sink.inputs)
    wait_until(lambda: sink.attempts("held"), what="the held step")
    os.kill(pids["stack"], signal.SIGKILL)
    if victim != "stack":
        os.kill(pids[victim], signal.SIGKILL) if psutil.pid_exists(pids[victim]) else None
    for name, pid in pids.items():
        wait_until(partial(_gone, pid), what=f"the end of the orphaned {name}")
    aima.up()
    sink.gate.touch()
    told = aima.ended(run)
    assert told["state"] == "completed", told
    assert [sink.deliveries(step) for step in ("before", "held", "after")] == [1, 1, 1]


def test_an_engine_killed_in_the_middle_of_a_chat_is_started_again(aima: Aima) -> None:
    """Native code crashes; the step is tried again on a new engine behind the same address."""
    aima.up()
    chat = aima.start(aima.cwd / "workflows" / "long-chat.yaml")
    wait_until(lambda: "tokens" in aima.step(chat, "chat").get("message", ""), what="tokens")
    os.kill(aima.pids()["engine"], signal.SIGKILL)
    told = aima.ended(chat)
    assert told["state"] == "completed", told
    lines = aima.call("logs", chat, "--json").stdout
    assert '"attempt": 2' in lines


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
