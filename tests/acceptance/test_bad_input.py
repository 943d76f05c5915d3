"""Bad input gets one clear message, the right exit code, and loses nothing."""

from __future__ import annotations

import json
import os
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from tests.acceptance.command import Aima
from tests.acceptance.running import running_aima

STEP = "  - {id: a, type: inference.models}\n"
CHAT = """\
name: talk
steps:
  - id: chat
    type: inference.chat
    input: {model: gpt-9, messages: [{role: user, content: hi}]}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """AIMA, up for the whole module; after all that it still answers."""
    folder = tmp_path_factory.mktemp("bad")
    with running_aima(folder) as aima:
        aima.cwd = folder
        yield aima
        (folder / "good.yaml").write_text(f"name: good\nsteps:\n{STEP}")
        assert aima.ask("run", "good.yaml")["state"] == "completed"
        log = (aima.data / "logs" / "stack.log").read_text()
        assert "Traceback" not in log, log


WORKFLOWS: dict[str, tuple[str | bytes, tuple[str, ...]]] = {
    "unknown unit": (
        "name: x\nsteps:\n  - {id: a, type: inference.chatt}\n",
        ("w.yaml:3:19: error[unit/unknown]", "hint: did you mean `inference.chat`?"),
    ),
    "misspelt key": (
        f"name: x\nstepz:\n{STEP}",
        ("w.yaml:2:1: error[document/unknown-key]", "hint: did you mean `steps`?"),
    ),
    "missing step": (
        'name: x\nsteps:\n  - {id: a, type: inference.models, input: {type: "${steps.b.x}"}}\n',
        ("w.yaml:3:", "there is no step `b`", "hint: there is `a`"),
    ),
    "cycle": (
        (
            "name: x\nsteps:\n"
            "  - {id: a, type: inference.models, depends_on: [b]}\n"
            "  - {id: b, type: inference.models, depends_on: [a]}\n"
        ),
        ("error[step/cycle]", "a → b → a", "hint: remove one of these dependencies"),
    ),
    "alias bomb": (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        ("error[yaml/too-many-nodes]",),
    ),
    "duplicate key": (
        f"name: x\nname: y\nsteps:\n{STEP}",
        ("w.yaml:2:1: error[yaml/duplicate-key]", "given on line 1"),
    ),
    "wrong types": (
        "name: 5\nsteps: {a: 1}\n",
        ("w.yaml:1:7: error[document/wrong-type]", "hint: put it in quotes"),
    ),
    "tab": (f"name: x\nsteps:\n\t{STEP}", ("w.yaml:3:1: error[yaml/tab]",)),
    "not UTF-8": (b"name: caf\xe9\n", ("w.yaml:1:10: error[yaml/encoding]", "save it as UTF-8")),
    "binary": (bytes(range(256)) * 20, ("error[yaml/encoding]",)),
    "empty": ("", ("w.yaml:1:1: error[yaml/empty]",)),
    "five megabytes": (f"name: x\nsteps:\n{STEP * 150_000}", ("error[yaml/too-large]",)),
    "eleven megabytes": ("#" * 11_000_000, ("'w.yaml' is too large for a workflow",)),
    "hostile": (
        'name: "\\e[31mred"\nsteps:\n  - {id: "\\e]0;title\\a", type: inference.models}\n',
        ("'\\x1b[31mred' is no name", "'\\x1b]0;title\\x07' is no id"),
    ),
    "wrong input of a unit": (
        "name: x\nsteps:\n  - {id: a, type: inference.models, input: {typ: asr}}\n",
        ("w.yaml:3:", "`typ`", "hint: did you mean `type`?"),
    ),
}


@pytest.mark.parametrize("mistake", WORKFLOWS)
def test_a_mistake_in_a_workflow_is_shown_where_it_is(running: Aima, mistake: str) -> None:
    """File, line, column, the line itself with a caret, and a hint; nothing is begun."""
    text, expected = WORKFLOWS[mistake]
    (running.cwd / "w.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = running.call("run", "w.yaml")
    assert done.returncode == 2
    for part in expected:
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stdout == ""


def test_mistakes_are_json_for_programs(running: Aima) -> None:
    """An editor or an agent gets the places as numbers."""
    (running.cwd / "w.yaml").write_text("name: x\nsteps:\n  - {id: a, type: inference.chatt}\n")
    done = running.call("run", "w.yaml", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert told["error"]["code"] == "VALIDATION_ERROR"
    assert [(d["code"], d["line"], d["column"]) for d in told["diagnostics"]] == [
        ("unit/unknown", 3, 19)
    ]


def recording(folder: Path, name: str) -> Path:
    """Make a file that is no recording, or one of nothing."""
    file = folder / name
    if name == "silent.wav":
        with wave.open(str(file), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(16000)
    elif name == "picture.wav":
        jpeg = folder / "picture.jpg"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), dtype=np.uint8), format="rgb24")
        with av.open(str(jpeg), "w", format="image2") as container:
            stream = container.add_stream("mjpeg", rate=1)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuvj420p"
            container.mux([*stream.encode(frame), *stream.encode()])
        assert jpeg.read_bytes()[:2] == b"\xff\xd8"
        jpeg.rename(file)
    elif name == "pipe.wav":
        os.mkfifo(file)
    elif name == "empty.wav":
        file.touch()
    elif name == "folder.wav":
        file.mkdir()
    return file


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("missing.wav", 3, "does not exist"),
        ("folder.wav", 2, "is a folder; give an ordinary file"),
        ("pipe.wav", 2, "is a pipe or a device; give an ordinary file"),
        ("empty.wav", 2, "is empty; give a file with content"),
        ("silent.wav", 1, "the recording is empty: it holds no samples [VALIDATION_ERROR]"),
        ("picture.wav", 1, "[UNSUPPORTED_MEDIA_TYPE]"),
    ],
)
def test_what_is_no_recording_is_refused(
    running: Aima, tmp_path: Path, name: str, code: int, message: str
) -> None:
    """What can be seen at the door is; what only a decoder sees names the step and the line."""
    file = recording(tmp_path, name)
    done = running.call("run", "voice-assistant", "-i", f"audio=@{file}")
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_name_tells_which_names_there_are(running: Aima) -> None:
    """Nobody knows the names of models by heart."""
    (running.cwd / "w.yaml").write_text(CHAT)
    done = running.call("run", "w.yaml")
    assert done.returncode == 1
    assert "no engine serves the llm model 'gpt-9'; there are 'smollm2-135m" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("inference.chatt",), 3, "did you mean 'inference.chat'?"),
        (("inference.chat",), 2, "the input of inference.chat: 'messages': Field required"),
        (("inference.models", "-i", "typ=asr"), 2, "'typ': Extra inputs are not permitted"),
        (("inference.transcribe", "-i", "audio=x.wav"), 2, "give it as audio=@FILE"),
        (("inference.models", "-o", "model=x"), 2, "did you mean 'models'?"),
    ],
)
def test_a_wrong_call_of_a_unit_begins_no_run(
    running: Aima, arguments: tuple[str, ...], code: int, message: str
) -> None:
    """A unit says what it takes; what does not fit is usage, not failure."""
    done = running.call("exec", *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert running.ask("runs", "--query", "WorkflowType='exec'") == {"runs": []}


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        ("models={}/none/x", 3, "there is no folder"),
        ("models={}", 4, "is a folder; name a file"),
        ("models=", 4, "name a file"),
        ("a={}/x", 2, "the run has no output 'a'; there is models"),
    ],
)
def test_an_output_that_cannot_be_written_is_told_before_the_work(
    running: Aima, tmp_path: Path, target: str, code: int, message: str
) -> None:
    """Not after ten minutes of somebody's GPU."""
    (running.cwd / "w.yaml").write_text(
        f'name: x\nsteps:\n{STEP}output: {{models: "${{steps.a.models}}"}}\n'
    )
    done = running.call("run", "w.yaml", "-o", target.format(tmp_path))
    assert done.returncode == code
    assert message in done.stderr


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("status", "../../x"),
        ("status", "../runs"),
        ("status", "x?y#z"),
        ("status", "%2e%2e"),
        ("logs", "../stack"),
        ("cancel", "../../../stack/stop?"),
    ],
)
def test_an_id_is_only_ever_an_id(running: Aima, command: str, name: str) -> None:
    """No id reaches another address or another file."""
    done = running.call(command, name)
    assert done.returncode == 3, done.stderr
    assert repr(name) in done.stderr


def test_a_name_that_is_too_long_for_a_file_is_not_found(running: Aima) -> None:
    """The file system's limits are no traceback."""
    done = running.call("logs", "x" * 5000)
    assert done.returncode == 3
    assert "there is no log of a run" in done.stderr


def test_a_query_that_temporal_refuses_is_usage(running: Aima) -> None:
    """The visibility query is the user's own."""
    done = running.call("runs", "--query", "foo bar")
    assert done.returncode == 2
    assert "'foo bar'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("rn",), "Did you mean 'run'?"),
        (("run",), "Missing argument 'WORKFLOW'"),
        (("run", "x", "--nope"), "No such option '--nope'"),
        (("runs", "--limit", "0"), "is not in the range"),
    ],
)
def test_a_wrong_call_shows_the_usage_or_is_json(
    running: Aima, arguments: tuple[str, ...], message: str
) -> None:
    """People read the usage; a program that asked for JSON gets JSON."""
    done = running.call(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "--help" in done.stderr
    told = running.call(*arguments, "--json")
    assert told.returncode == 2
    error = json.loads(told.stdout)["error"]
    assert error["code"] == "INVALID_REQUEST"
    assert message in error["message"]
    assert told.stderr == ""
