"""Ctrl-C: ask first, then do what was asked, and leave nothing half done."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.acceptance.command import AIMA, Aima, Sink, wait_until
from tests.acceptance.running import living, running_aima
from tests.acceptance.terminal import CTRL_C, Terminal

QUESTION = "Detach and let it run, or cancel it?"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """AIMA, up for the whole module."""
    with running_aima(tmp_path_factory.mktemp("interrupt")) as aima:
        yield aima


def hold(aima: Aima, sink: Sink, run_id: str, *options: str) -> Terminal:
    """Run the gated workflow in a terminal, up to its gate."""
    terminal = Terminal(aima, "run", "gated", *sink.inputs, "--id", run_id, *options)
    terminal.wait_for("waiting at the gate")
    return terminal


def test_detach_leaves_the_run_alone(running: Aima, sink: Sink) -> None:
    """Somebody who closes the laptop did not mean to lose an hour's work."""
    with hold(running, sink, "detached") as terminal:
        terminal.press(CTRL_C)
        terminal.wait_for(QUESTION)
        terminal.press("d\n")
        assert terminal.end() == 0
        assert "aima status detached" in terminal.said
    assert running.ask("status", "detached")["state"] == "running"
    sink.gate.touch()
    assert running.ended("detached")["state"] == "completed"


def test_cancel_ends_the_run(running: Aima, sink: Sink) -> None:
    """The other answer; the exit code is that of an interrupted program."""
    with hold(running, sink, "cancelled") as terminal:
        terminal.press(CTRL_C)
        terminal.wait_for(QUESTION)
        terminal.press("what?\n")
        terminal.press("c\n")
        assert terminal.end() == 130
        assert terminal.said.count(QUESTION) == 2, "any other answer is asked again"
    assert running.ask("status", "cancelled")["state"] == "canceled"


def test_a_second_ctrl_c_cancels(running: Aima, sink: Sink) -> None:
    """Who presses it twice does not want to read a question."""
    with hold(running, sink, "twice") as terminal:
        terminal.press(CTRL_C)
        terminal.wait_for(QUESTION)
        terminal.press(CTRL_C)
        assert terminal.end() == 130
    assert running.ask("status", "twice")["state"] == "canceled"


def test_a_run_that_ends_at_the_question_is_told_as_it_ended(running: Aima, sink: Sink) -> None:
    """The work is done before the answer comes; that is no conflict."""
    with hold(running, sink, "meanwhile") as terminal:
        terminal.press(CTRL_C)
        terminal.wait_for(QUESTION)
        sink.gate.touch()
        running.ended("meanwhile")
        terminal.press("c\n")
        assert terminal.end() == 0
        assert "run meanwhile" in terminal.said
        assert "error" not in terminal.said


def test_without_a_terminal_it_cancels(running: Aima, sink: Sink) -> None:
    """A script that is told to stop has nobody to ask, and prints its one object all the same."""
    process = subprocess.Popen(
        [str(AIMA), "run", "gated", *sink.inputs, "--id", "script", "--json"],
        cwd=running.cwd,
        env=running.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: sink.attempts("held"), what="the held step")
    process.send_signal(signal.SIGINT)
    told, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    assert '"state": "canceled"' in told
    assert told.count("\n") == 1
    assert not complaints


def test_a_stack_that_is_only_starting_is_taken_down_again(aima: Aima) -> None:
    """Ctrl-C before anything began leaves nothing: no process, no lock, no question."""
    with Terminal(aima, "run", "voice-assistant", "--example") as terminal:
        wait_until((aima.data / "lock").exists, what="the stack's beginning")
        terminal.press(CTRL_C)
        assert terminal.end() == 130
        assert QUESTION not in terminal.said
    assert not living(aima)
    assert not (aima.data / "stack.json").exists()


def test_detach_keeps_a_stack_that_was_begun_for_the_run(aima: Aima, sink: Sink) -> None:
    """Else the run would stand still the moment its author turns away."""
    with hold(aima, sink, "kept") as terminal:
        terminal.press(CTRL_C)
        terminal.wait_for(QUESTION)
        terminal.press("d\n")
        assert terminal.end() == 0
    sink.gate.touch()
    assert aima.ended("kept")["state"] == "completed"
    assert aima.ask("ps")["stays"]
