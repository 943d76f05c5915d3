"""Who owns the stack, who uses it, and when it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from functools import partial
from pathlib import Path

import pytest

from aima.stack.lock import DataLock
from tests.acceptance.command import AIMA, Aima, Sink, wait_until
from tests.acceptance.running import living

HASTY = {"AIMA_WORKER_SHUTDOWN_SECONDS": "0.5"}
"""Steps of the test's unit do not end by themselves; nobody needs to wait for that."""


def begin(aima: Aima, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a command and do not wait for it."""
    return subprocess.Popen(
        [str(AIMA), *map(str, arguments)],
        cwd=aima.cwd,
        env=aima.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a command; give its exit code and what it said."""
    said, _ = process.communicate(timeout=90)
    return process.returncode, said


def test_two_runs_at_once_share_a_stack_that_ends_with_the_last(aima: Aima, tmp_path: Path) -> None:
    """Both find nothing running and both start it; one wins, and neither is cut off."""
    sinks = [Sink(tmp_path / f"{name}.db", tmp_path / f"{name}.gate") for name in "ab"]
    runs = [begin(aima, "run", "gated", *sink.inputs) for sink in sinks]
    for sink in sinks:
        wait_until(partial(sink.attempts, "held"), what="the held step")
    for sink, process in zip(sinks, runs, strict=True):
        assert process.poll() is None
        sink.gate.touch()
        code, said = ended(process)
        assert code == 0, said
        assert sink.attempts("held") == 1
    assert not living(aima)


def test_up_keeps_the_stack_of_a_run_and_up_again_changes_nothing(aima: Aima, sink: Sink) -> None:
    """The run's client leaves at its end, and does not wait for a stack that stays."""
    run = begin(aima, "run", "gated", *sink.inputs)
    wait_until(partial(sink.attempts, "held"), what="the held step")
    assert "it ends with the command that began it" in aima.call("ps").stdout
    pids = aima.up()
    sink.gate.touch()
    code, said = ended(run)
    assert code == 0, said
    again = aima.up()
    assert {name: again[name] for name in pids} == pids
    assert aima.ask("ps")["stays"]


def test_down_keeps_what_is_open_for_the_next_up(aima: Aima, sink: Sink) -> None:
    """An update of AIMA, or of the machine, is no reason to lose a run."""
    aima.settings = HASTY
    aima.up()
    run = aima.start("gated", *sink.inputs)
    wait_until(partial(sink.attempts, "held"), what="the held step")
    down = aima.call("down")
    assert down.returncode == 0
    assert down.stderr == "AIMA is down\n"
    assert not living(aima)
    assert aima.call("down").stderr == "nothing runs\n"

    for _ in range(2):  # to look at it takes up no work that would only be dropped again
        assert aima.ask("status", run)["state"] == "running"
    assert aima.ask("runs")["runs"][0]["id"] == run
    assert sink.attempts("held") == 1
    assert not living(aima)

    sink.gate.touch()
    aima.up()
    assert aima.ended(run)["state"] == "completed"
    assert [sink.deliveries(step) for step in ("before", "held", "after")] == [1, 1, 1]


def test_a_killed_client_takes_its_stack_along(aima: Aima, sink: Sink) -> None:
    """Nothing may eat the machine after a terminal was closed; the run itself waits."""
    aima.settings = HASTY
    run = begin(aima, "run", "gated", *sink.inputs, "--id", "orphan")
    wait_until(partial(sink.attempts, "held"), what="the held step")
    run.kill()
    run.communicate()
    wait_until(lambda: not living(aima), what="the end of everything")
    assert aima.ask("status", "orphan")["state"] == "running"


def test_a_client_says_where_its_run_is_when_the_stack_dies(aima: Aima, sink: Sink) -> None:
    """The run is not lost with the process that carried it, and its author must know."""
    run = begin(aima, "run", "gated", *sink.inputs, "--id", "carried")
    wait_until(partial(sink.attempts, "held"), what="the held step")
    os.kill(aima.pids()["stack"], signal.SIGKILL)
    code, said = ended(run)
    assert code == 1
    assert "run 'carried' was open; it goes on with the next `aima up`" in said
    assert "Traceback" not in said


def test_a_restart_of_temporal_is_not_noticed_by_who_follows(aima: Aima, sink: Sink) -> None:
    """The stream breaks off and is read again, each change told once."""
    run = begin(aima, "run", "gated", *sink.inputs, "--watch", "--json")
    wait_until(partial(sink.attempts, "held"), what="the held step")
    before = aima.pids()["temporal"]
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: aima.pids().get("temporal") not in (None, before), what="a new server")
    sink.gate.touch()
    code, said = ended(run)
    lines = [json.loads(line) for line in said.splitlines()]
    assert code == 0, said
    assert lines[-1]["state"] == "completed"
    steps = [line for line in lines if line.get("type") == "step"]
    done = [line["step"] for line in steps if line["state"] == "done"]
    assert done == ["before", "held", "after"]


def test_a_second_owner_is_refused(aima: Aima) -> None:
    """Two servers on one file would be the end of it."""
    pids = aima.up()
    second = aima.call("up", "--foreground")
    assert second.returncode == 4
    assert f"is in use by another AIMA (process {pids['stack']})" in second.stderr
    assert aima.pids()["stack"] == pids["stack"]


def test_a_folder_that_any_other_process_owns_is_refused(aima: Aima) -> None:
    """The lock is the kernel's: it does not matter which program holds it."""
    lock = DataLock(aima.data)
    try:
        refused = aima.call("up", "--foreground", "--json")
        assert refused.returncode == 4
        error = json.loads(refused.stdout)["error"]
        assert error["code"] == "CONFLICT"
        assert f"(process {os.getpid()})" in error["message"]
        assert "set AIMA_DATA" in error["message"]
    finally:
        lock.release()


@pytest.mark.parametrize("setting", ["AIMA_PORT", "AIMA_TEMPORAL_PORT", "AIMA_TEMPORAL_UI_PORT"])
def test_a_port_that_is_taken_is_named_with_its_setting(aima: Aima, setting: str) -> None:
    """Some other program is older on this machine; nothing half started stays behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        aima.settings = {setting: str(port)}
        refused = aima.call("up")
        assert refused.returncode == 4
        assert f"port {port}, meant for " in refused.stderr
        assert f"set {setting} to another port" in refused.stderr
        assert not living(aima)
        assert f"set {setting} to another port" in aima.call("doctor").stdout


@pytest.mark.nightly
def test_runs_one_after_another_leave_nothing_behind(aima: Aima, sink: Sink) -> None:
    """No process, no temporary file, no lock that grows."""
    sink.gate.touch()
    seen = []
    for _ in range(3):
        done = aima.call("run", "gated", *sink.inputs)
        assert done.returncode == 0, done.stderr
        assert not living(aima)
        assert not list((aima.data / "artifacts" / "tmp").iterdir())
        assert (aima.data / "lock").stat().st_size < 20
        seen.append(sorted(path.name for path in aima.data.iterdir()))
    assert seen == seen[:1] * 3


def test_units_of_another_project_than_the_stack_knows_are_explained(
    aima: Aima, sink: Sink, tmp_path: Path
) -> None:
    """The stack was started elsewhere: the unit is there, and yet it is not."""
    project, aima.cwd = aima.cwd, tmp_path
    aima.up()
    aima.cwd = project
    done = aima.call("run", "gated", *sink.inputs)
    assert done.returncode == 2
    assert "no unit is called `sink.write`" in done.stderr
    assert (
        f"does not know the units of {str(project)!r}: `aima down`, then `aima up`" in done.stderr
    )


def test_up_in_the_foreground_ends_with_ctrl_c(aima: Aima) -> None:
    """For a service manager, or a look at it: one process that cleans up behind itself."""
    process = begin(aima, "up", "--foreground")
    wait_until((aima.data / "stack.json").exists, what="the stack")
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 0
    assert "AIMA is up: Temporal at 127.0.0.1:" in said
    assert not living(aima)
    assert not (aima.data / "stack.json").exists()
