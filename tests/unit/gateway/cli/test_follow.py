"""Following a run to its end, through whatever happens on the way."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from aima.errors import Conflict, EngineNotRunning, TemporalUnreachable
from aima.gateway.cli.follow import Follower
from aima.gateway.cli.stack_client import StackClient
from aima.settings import Settings
from aima.stack.lock import StackState

Line = dict[str, Any]


def step(name: str, state: str, **more: object) -> Line:
    """Make a line that tells where a step is."""
    told = {"unit": "sink.write", "seconds": None, "attempt": 1, "message": "", **more}
    return {"type": "step", "step": name, "state": state, **told}


def piece(text: str, *, at: int = 0, attempt: int = 1, ended: bool = False) -> Line:
    """Make a line that tells what the step `a` says."""
    where = {"type": "piece", "run": "r", "step": "a", "media_type": "text/plain"}
    return {**where, "attempt": attempt, "offset": at, "text": text, "ended": ended}


def sound(data: bytes, *, at: int = 0, ended: bool = False) -> Line:
    """Make a line with a piece of what the step `b` says aloud."""
    told = {**piece("", at=at, ended=ended), "step": "b", "media_type": "audio/wav"}
    del told["text"]
    return {**told, "base64": b64encode(data).decode()}


def end(state: str, **more: object) -> Line:
    """Make the line that tells how a run ended."""
    return {"type": "run", "id": "r", "state": state, "output": None, "error": None, **more}


@dataclass(frozen=True)
class ScriptedStack(StackClient):
    """A stack that tells what it was given; an exception in a stream is raised there."""

    streams: list[list[Line | BaseException]] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)
    alive: bool = True
    refusal: Exception | None = None

    def get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """Answer `/health`, the only thing that is asked."""
        assert path == "/health"
        if not self.alive:
            raise EngineNotRunning("gone")
        return {"stays": True, "ui": "http://127.0.0.1:1"}

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Remember what was posted."""
        assert body is None
        self.posted.append(path)
        if self.refusal:
            raise self.refusal

    def lines(self, path: str) -> Iterator[Line]:
        """Tell the next stream."""
        assert path.partition("?")[0] == "/api/v2/runs/r/events"
        for line in self.streams.pop(0):
            if isinstance(line, BaseException):
                raise line
            yield line


STATE = StackState(1, 1, "", temporal="", ui="", project="")
STARTED = {"id": "r", "workflow": "gated", "steps": [{"step": "a", "unit": "sink.write"}]}


def follow(
    stack: ScriptedStack,
    tmp_path: Path,
    *,
    as_json: bool = False,
    watch: bool = False,
    **targets: Path,
) -> int:
    """Follow the run `r`; nobody is at the keyboard, also under `pytest -s`."""
    follower = Follower(
        stack, Settings(data=tmp_path), as_json=as_json, watch=watch, asks=lambda: False
    )
    return follower.follow(STARTED, targets)


def test_changes_go_to_stderr_and_the_result_to_stdout(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where nobody can draw, each change that matters is a line of its own."""
    stack = ScriptedStack(
        STATE,
        [
            [
                step("a", "waiting"),
                step("a", "running"),
                step("a", "running", message="1 token"),
                step("a", "done", seconds=1.0),
                end("completed", output={"said": "hello"}),
            ]
        ],
    )
    assert follow(stack, tmp_path) == 0
    told = capsys.readouterr()
    assert told.out == "  said         hello\n"
    assert [line.split()[:4] for line in told.err.splitlines()[1:3]] == [
        ["▶", "a", "sink.write", "running"],
        ["✓", "a", "sink.write", "done"],
    ]
    assert told.err.endswith("run r: http://127.0.0.1:1/namespaces/default/workflows/r\n")


def test_programs_are_told_every_piece_once_also_what_is_no_text(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Speech comes as bytes; after a stream that broke off it comes from the beginning."""
    first, both = sound(b"RIFF"), sound(b"RIFFdata", ended=True)
    ends: list[Line | BaseException] = [
        piece("Hi"),
        both,
        sound(b"", at=8, ended=True),
        end("completed"),
    ]
    stack = ScriptedStack(STATE, [[piece("Hi"), first, TemporalUnreachable("away")], ends])
    assert follow(stack, tmp_path, as_json=True, watch=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[:-1] == [piece("Hi"), first, both]


def test_a_stream_that_broke_off_is_read_again_and_nothing_is_told_twice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Temporal restarts; the history is told from its beginning and is old news."""
    whole = [
        step("a", "waiting"),
        step("a", "running"),
        piece("said"),
        step("a", "done", seconds=1.0),
        step("b", "waiting"),
    ]
    stack = ScriptedStack(
        STATE,
        [
            [*whole, EngineNotRunning("broke off")],
            [*whole, step("a", "running"), step("b", "done", seconds=2.0), end("completed")],
        ],
    )
    assert follow(stack, tmp_path, as_json=True, watch=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line.get("step"), line.get("state") or line["text"]) for line in lines] == [
        ("a", "waiting"),
        ("a", "running"),
        ("a", "said"),
        ("a", "done"),
        ("b", "waiting"),
        ("b", "done"),
        (None, "completed"),
    ]


def test_a_stack_that_died_is_told_with_the_way_on(tmp_path: Path) -> None:
    """The run waits in Temporal's file; its author must learn how to go on."""
    stack = ScriptedStack(STATE, [[step("a", "running"), EngineNotRunning("reset")]], alive=False)
    with pytest.raises(EngineNotRunning, match=r"goes on with the next `aima up`.*`aima status r`"):
        follow(stack, tmp_path)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (end("failed", error={"code": "TIMEOUT", "message": "late"}), 5),
        (end("failed", error={"code": "MODEL_NOT_FOUND", "message": "none"}), 1),
        (end("canceled", error={"code": "CANCELLED", "message": "stopped"}), 1),
        (end("terminated", error={"code": "CANCELLED", "message": "killed"}), 1),
    ],
)
def test_each_end_has_its_exit_code(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, outcome: Line, code: int
) -> None:
    """A script tells a timeout from a failure; what somebody else cancelled is a failure."""
    assert follow(ScriptedStack(STATE, [[outcome]]), tmp_path) == code
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{outcome['state']}: {outcome['error']['message']} [" in told.err


def test_an_interrupt_without_a_terminal_cancels_and_waits_for_the_end(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The exit code says that it was interrupted, the object how the run ended."""
    canceled = end("canceled", error={"code": "CANCELLED", "message": "stopped"})
    stack = ScriptedStack(STATE, [[KeyboardInterrupt()], [canceled]])
    assert follow(stack, tmp_path, as_json=True) == 130
    assert stack.posted == ["/api/v2/runs/r/cancel"]
    assert json.loads(capsys.readouterr().out)["state"] == "canceled"


def test_a_run_that_ended_before_the_cancel_came_is_told_as_it_ended(tmp_path: Path) -> None:
    """Its work is done; there is nothing to complain about."""
    stack = ScriptedStack(
        STATE, [[KeyboardInterrupt()], [end("completed")]], refusal=Conflict("has ended")
    )
    assert follow(stack, tmp_path) == 0


def test_who_does_not_want_to_wait_for_the_cancel_may_leave(tmp_path: Path) -> None:
    """One more Ctrl-C; the run is being cancelled without anybody looking on."""
    stack = ScriptedStack(STATE, [[KeyboardInterrupt()], [KeyboardInterrupt()]])
    with pytest.raises(KeyboardInterrupt):
        follow(stack, tmp_path)
    assert stack.posted == ["/api/v2/runs/r/cancel"]


def test_an_output_that_cannot_be_written_is_told_with_the_result(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The work is done: the answer is shown, and how to have it again."""
    stack = ScriptedStack(STATE, [[end("completed", output={"said": "hello"})]] * 2)
    target = tmp_path / "none" / "said.txt"
    assert follow(stack, tmp_path, said=target) == 3
    told = capsys.readouterr()
    assert "hello" in told.out
    assert "`aima status r -o KEY=FILE`" in told.err
    assert follow(stack, tmp_path, as_json=True, said=target) == 3
    told_json = json.loads(capsys.readouterr().out)
    assert told_json["output"] == {"said": "hello"}
    assert told_json["error"]["code"] == "RESOURCE_NOT_FOUND"


def test_what_a_step_says_is_told_line_by_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Where nobody can draw: whole lines with the step's name; a step that begins again says so."""
    said = [
        piece("Roses are red,\nvio"),
        piece("", attempt=2),
        piece("Roses are ", attempt=2),
        piece("blue", at=10, attempt=2, ended=True),
    ]
    assert follow(ScriptedStack(STATE, [[*said, end("completed")]]), tmp_path) == 0
    assert capsys.readouterr().err.splitlines()[1:-1] == [
        "  a │ Roses are red,",
        "  a │ vio",
        "  a ↻ begins again",
        "  a │ Roses are blue",
    ]
