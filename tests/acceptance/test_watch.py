"""What a step says reaches whoever watches, while it is said, early or late."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.command import AIMA, Aima
from tests.acceptance.running import running_aima
from tests.acceptance.terminal import Terminal

STORY = "Once upon a time,\nthere was an end.\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """AIMA, up for the whole module."""
    with running_aima(tmp_path_factory.mktemp("watch")) as aima:
        yield aima


@dataclass
class Gates:
    """The files that let a story go on."""

    folder: Path

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the workflow is started with."""
        return "-i", f"gate={self.folder / 'gate'}"

    def open(self, name: str = "gate") -> None:
        """Let it go on."""
        (self.folder / name).touch()


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    """Closed gates."""
    return Gates(tmp_path)


def start(aima: Aima, *arguments: str) -> subprocess.Popen[str]:
    """Start a command whose output is read as it comes."""
    return subprocess.Popen(
        [str(AIMA), *arguments],
        cwd=aima.cwd,
        env=aima.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """Read whole lines until one has a text."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    pytest.fail(f"waited in vain for {text!r} in {said!r}")


def test_a_late_watcher_gets_the_whole_and_it_is_what_the_run_returns(
    running: Aima, gates: Gates
) -> None:
    """The first one sees the words before the step is over; the second one missed the beginning."""
    with start(running, "run", "story", *gates.inputs, "--id", "heard") as first:
        read_until(first, "tell │ Once upon a time,")
        with start(running, "watch", "heard", "tell") as late:
            begun = read_until(late, "Once upon a time,")
            gates.open()
            assert late.stdout is not None
            assert begun + late.stdout.read() == STORY
        assert late.returncode == 0
        assert "tell │ there was an end." in read_until(first, "text ")
    told = running.ask("status", "heard")
    assert told["output"]["text"] == STORY
    assert running.call("watch", "heard").stdout == STORY, "what was said is kept for a while"


def test_a_retry_begins_its_words_again_on_every_screen(running: Aima, gates: Gates) -> None:
    """Nobody takes the words of the attempt that failed for the answer."""
    fails = gates.folder / "fails"
    inputs = (*gates.inputs, "-i", f"fails={fails}", "--id", "again")
    with Terminal(running, "run", "story", *inputs) as terminal:
        terminal.wait_for("│ Once upon a time,")
        with start(running, "watch", "again") as late:
            read_until(late, "Once upon a time,")
            fails.touch()
            read_until(late, "tell begins again")
            terminal.wait_for("attempt 2 of 2")
            gates.open()
            assert late.stdout is not None
            assert late.stdout.read() == STORY
        assert terminal.end() == 0
    pieces = [
        json.loads(line)
        for line in running.call("watch", "again", "--json").stdout.split("\n")[:-1]
    ]
    assert "".join(piece["text"] for piece in pieces) == STORY


def test_a_unit_alone_is_heard_as_well(running: Aima, gates: Gates) -> None:
    """`aima exec` shows the words without being asked to; its result is alone on stdout."""
    gates.open()
    done = running.call("exec", "story.tell", *gates.inputs)
    assert "unit │ there was an end." in done.stderr
    assert "│" not in done.stdout
