"""`aima run` as people and programs use it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.command import AIMA, PROJECT, REPOSITORY, Aima, Sink, wait_until
from tests.acceptance.running import running_aima
from tests.acceptance.terminal import Terminal

COLOUR = re.compile(r"\x1b\[[0-9;]+m")

ECHO = """\
name: echo
inputs:
  type: object
  properties:
    word: {type: string, default: hello}
config: {mark: "!", times: 1}
steps:
  - id: models
    type: inference.models
    input: {type: asr}
output:
  said: "${input.word}${config.mark}"
  times: "${config.times}"
  known: "${steps.models.models}"
  hostile: "\\e]0;stolen title\\a\\u009b31m"
"""

BROKEN = """\
name: broken
steps:
  - id: speak
    type: inference.synthesize
    input: {text: hello, voice: nobody}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """AIMA, up for the whole module, called from a folder that has nothing to do with it."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "echo.yaml").write_text(ECHO)
    (folder / "broken.yaml").write_text(BROKEN)
    with running_aima(folder) as aima:
        aima.cwd = folder
        yield aima


def test_the_result_is_on_stdout_and_all_else_on_stderr(running: Aima) -> None:
    """`aima run … > file` keeps the answer, and nothing but the answer."""
    done = running.call("run", "echo.yaml", "-i", "word=good morning")
    assert done.returncode == 0, done.stderr
    assert "  said         good morning!\n" in done.stdout
    assert "inference.models" not in done.stdout
    assert re.search(r"✓ models  inference\.models +done +\d", done.stderr)
    page = r"\nrun echo-\w+: http://127\.0\.0\.1:\d+/namespaces/default/workflows/echo-\w+\n"
    assert re.search(page, done.stderr)


def test_what_a_terminal_would_obey_is_shown_escaped(running: Aima) -> None:
    """An answer of a model, or a file from a stranger, must not drive the terminal."""
    done = running.call("run", "echo.yaml")
    assert "\\x1b]0;stolen title\\x07\\x9b31m" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "\x9b" not in done.stdout + done.stderr


def test_json_is_one_object_and_nothing_else(running: Aima) -> None:
    """A program reads it with one call of its JSON parser."""
    done = running.call("run", "echo.yaml", "--json")
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert set(told) == {"id", "state", "output"}
    assert told["state"] == "completed"
    assert told["output"]["said"] == "hello!"
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_run_that_fails_says_where_and_why(running: Aima) -> None:
    """The exit code for scripts, the line of the file for people, the code for programs."""
    done = running.call("run", "broken.yaml")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "line 3, step 'speak' (inference.synthesize)" in done.stderr
    assert "no voice is called 'nobody'" in done.stderr
    assert "[VALIDATION_ERROR]" in done.stderr

    told = running.call("run", "broken.yaml", "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["error"]["code"] == "VALIDATION_ERROR"
    assert told.stderr == ""


def test_watch_with_json_prints_every_change_as_a_line(running: Aima) -> None:
    """A program follows a run as it goes; the last line is the outcome."""
    done = running.call("run", "echo.yaml", "--watch", "--json")
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    states = [line["state"] for line in lines if line.get("step") == "models"]
    assert states[0] == "waiting"
    assert states[-1] == "done"
    assert len(states) == len(set(states)), "a change is told once"
    assert lines[-1]["state"] == "completed"
    assert lines[-1]["output"]["said"] == "hello!"


def test_an_id_that_is_taken_is_a_conflict(running: Aima) -> None:
    """An id makes a start repeatable: the second one changes nothing and says so."""
    assert running.call("run", "echo.yaml", "--id", "mine").returncode == 0
    again = running.call("run", "echo.yaml", "--id", "mine")
    assert again.returncode == 4
    assert "there is a run 'mine' already" in again.stderr


@pytest.mark.parametrize("run_id", ["../mine", "a b", "x" * 201, "-x"])
def test_an_id_that_could_be_something_else_is_refused(running: Aima, run_id: str) -> None:
    """An id becomes part of addresses and file names."""
    done = running.call("run", "echo.yaml", f"--id={run_id}")
    assert done.returncode == 2
    assert "is no id of a run" in done.stderr


def test_a_detached_run_goes_on_without_its_client(running: Aima, sink: Sink) -> None:
    """Only the id is printed, so that a script can keep it."""
    project = Aima(running.data, PROJECT)
    done = project.call("run", "gated", *sink.inputs, "--detach")
    assert done.returncode == 0, done.stderr
    run_id = done.stdout.strip()
    assert re.fullmatch(r"gated-\w+", run_id)
    assert f"`aima status {run_id}`" in done.stderr
    sink.gate.touch()
    assert running.ended(run_id)["state"] == "completed"


def test_two_options_that_contradict_each_other_are_refused(running: Aima) -> None:
    """`--detach` waits for nothing, so nothing could be written."""
    done = running.call("run", "echo.yaml", "--detach", "-o", "said=x.txt")
    assert done.returncode == 2
    assert "`aima status ID` has both" in done.stderr


def test_config_is_overridden_and_a_misspelt_key_is_told(running: Aima) -> None:
    """`--set` reads a value as its default is: text stays text, a number is a number."""
    told = running.ask("run", "echo.yaml", "--set", "mark=7", "--set", "times=7")
    assert told["output"]["said"] == "hello7"
    assert told["output"]["times"] == 7
    wrong = running.call("run", "echo.yaml", "--set", "tmies=2")
    assert wrong.returncode == 2
    assert "did you mean 'times'?" in wrong.stderr


def test_outputs_are_written_to_files(running: Aima, tmp_path: Path) -> None:
    """Text as it is, anything else as JSON; what is written is said."""
    said, known = tmp_path / "said.txt", tmp_path / "known.json"
    done = running.call("run", "echo.yaml", "-o", f"said={said}", "-o", f"known={known}")
    assert done.returncode == 0, done.stderr
    assert said.read_text() == "hello!\n"
    assert json.loads(known.read_text())[0]["name"] == "whisper-tiny.en"


def test_a_result_that_cannot_be_written_is_not_lost(running: Aima, tmp_path: Path) -> None:
    """The disk was full or the folder vanished: the work is done and can be had again."""
    target = tmp_path / "folder" / "said.txt"
    target.parent.mkdir()
    with Terminal(running, "run", "echo.yaml", "--id", "unwritten", "-o", f"said={target}") as run:
        run.wait_for("unwritten")
        target.parent.rmdir()
        assert run.end() == 3
        assert "hello!" in run.said
        assert "nothing is lost: `aima status unwritten -o KEY=FILE`" in run.said
    target.parent.mkdir()
    assert running.call("status", "unwritten", "-o", f"said={target}").returncode == 0
    assert target.read_text() == "hello!\n"


def test_on_a_terminal_steps_are_drawn_in_place_and_coloured(running: Aima) -> None:
    """Live progress: a step is one row that changes, and rows are never wrapped."""
    with Terminal(running, "run", "echo.yaml", columns=40) as terminal:
        assert terminal.end() == 0
    assert COLOUR.search(terminal.said)
    assert "\x1b[1A\r" in terminal.said
    drawn = "".join(re.findall(r"\x1b\[\?2026h(.*?)\x1b\[\?2026l", terminal.said, re.DOTALL))
    rows = [re.sub(r"\x1b\[[\d;]*\w", "", row).strip("\r") for row in drawn.split("\n")]
    assert 0 < max(map(len, rows)) < 40


def test_no_color_is_respected(running: Aima) -> None:
    """Some people cannot read colours; they say so once for all programs."""
    with Terminal(running, "run", "broken.yaml", environ={"NO_COLOR": "1"}) as terminal:
        assert terminal.end() == 1
    assert not COLOUR.search(terminal.said)
    assert "failed: line 3" in terminal.said


def test_a_dumb_terminal_gets_plain_lines(running: Aima) -> None:
    """Where nothing can be drawn over, each change is a line."""
    with Terminal(running, "run", "echo.yaml", environ={"TERM": "dumb"}) as terminal:
        assert terminal.end() == 0
    assert "\x1b[J" not in terminal.said
    assert "✓" in terminal.said


def test_workflows_are_found_by_name_and_near_misses_are_named(aima: Aima, tmp_path: Path) -> None:
    """From any folder, and before anything is started."""
    aima.cwd = tmp_path
    for name, message in (
        ("voice-asistant", "did you mean 'voice-assistant'?"),
        ("nothing-like-it", "there are "),
        ("./voice-assistant.yaml", "there is no file './voice-assistant.yaml'"),
        ("/dev/null", "there is no file '/dev/null'"),
        ("-", "there is no workflow '-'"),
        (str(tmp_path), "give a workflow's path or its name"),
    ):
        done = aima.call("run", name)
        assert done.returncode == 3, done.stderr
        assert message in done.stderr
    assert not (aima.data / "lock").exists()


def test_the_shipped_example_runs_from_any_folder(aima: Aima, tmp_path: Path) -> None:
    """The first thing that anybody types, without a stack: it hears, answers and speaks."""
    aima.cwd = tmp_path
    done = aima.call("run", "voice-assistant", "--example", "-o", "audio=answer.wav")
    assert done.returncode == 0, done.stderr
    assert "capital of France" in done.stdout
    assert "  audio        answer.wav (audio/wav, " in done.stdout
    assert (tmp_path / "answer.wav").read_bytes()[:4] == b"RIFF"
    question = (REPOSITORY / "workflows" / "assets" / "question.wav").stat().st_size
    assert (tmp_path / "answer.wav").stat().st_size > question // 4
    assert "`aima status " in done.stderr, "without a stable port no address is promised"


def test_a_closed_pipe_is_no_traceback(running: Aima) -> None:
    """`aima run … | head -1` is an ordinary thing to do."""
    process = subprocess.Popen(
        [str(AIMA), "run", "echo.yaml"],
        cwd=running.cwd,
        env=running.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(60) != 0
    assert "Traceback" not in said
    wait_until(lambda: not running.ask("ps")["clients"], what="the client to be forgotten")


def test_a_log_is_followed_to_the_end_of_its_run(running: Aima) -> None:
    """Whoever follows sees all lines, and gets the terminal back."""
    assert running.call("run", "echo.yaml", "--id", "followed").returncode == 0
    told = running.call("logs", "followed", "-f")
    assert told.returncode == 0
    assert told.stdout == running.call("logs", "followed").stdout != ""
