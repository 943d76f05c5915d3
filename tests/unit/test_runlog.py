"""The log of each run."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from aima.runlog import RunLogs


def test_lines_are_json_with_their_time(tmp_path: Path) -> None:
    """A program reads them, a person greps them."""
    logs = RunLogs(tmp_path / "logs")
    logs.write("r", {"step": "a", "message": "Löwe\n"})
    logs.write("r", {"path": tmp_path})
    first, second = map(json.loads, logs.file("r").read_text(encoding="utf-8").splitlines())
    assert {key: first[key] for key in ("step", "message")} == {"step": "a", "message": "Löwe\n"}
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert second["path"] == str(tmp_path)


@pytest.mark.parametrize("run", ["../../etc/passwd", "a/b", "..", "", "a\x00b", "Löwe"])
def test_the_file_of_a_run_is_always_in_the_folder(tmp_path: Path, run: str) -> None:
    """Ids come from outside."""
    logs = RunLogs(tmp_path)
    assert logs.file(run).resolve().parent == tmp_path.resolve()
    logs.write(run, {"a": 1})
    assert logs.file(run).is_file()


def test_runs_do_not_share_a_file(tmp_path: Path) -> None:
    """Also where their ids differ in a sign that no file name may have."""
    logs = RunLogs(tmp_path)
    assert len({logs.file(run) for run in ("a/b", "a%2Fb", "a_b", "a b")}) == 4


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """The work matters more than its diary."""
    place = tmp_path / "file"
    place.touch()
    RunLogs(place).write("r", {"a": 1})
    RunLogs(tmp_path).write("x" * 5000, {"a": 1})
