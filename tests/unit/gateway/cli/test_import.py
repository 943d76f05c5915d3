"""``aima import``: where the result goes, and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aima.errors import Conflict
from aima.gateway.cli.import_command import command
from aima.gateway.cli.stack_client import Refused

OLDER = "name: x\nsteps:\n  - id: a  # ü\n    type: made.up\n    on_failure: retry\n"
TODAY = "name: x\nsteps:\n  - id: a  # ü\n    type: made.up\n"


def run(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An older file."""
    made = tmp_path / "older.yaml"
    made.write_text(OLDER, "utf-8")
    return made


def test_the_result_goes_to_the_standard_output(file: Path) -> None:
    """What was changed is told beside it, with lines."""
    done = run(file)
    assert done.stdout == TODAY
    assert done.stderr.endswith("older.yaml:5: `on_failure: retry` is the default: removed\n")
    assert file.read_text("utf-8") == OLDER


def test_in_place_it_replaces_the_file_once(file: Path) -> None:
    """Importing twice changes nothing."""
    assert run(file, "--in-place").stdout == ""
    assert file.read_text("utf-8") == TODAY
    assert run(file, "--in-place").stderr.endswith("older.yaml: nothing to change\n")
    assert file.read_text("utf-8") == TODAY


def test_another_file_is_written_but_never_over_one(file: Path, tmp_path: Path) -> None:
    """A slip of a name must not cost a file."""
    out = tmp_path / "today.yaml"
    run(file, "-o", out)
    assert out.read_text("utf-8") == TODAY
    with pytest.raises(Conflict, match=r"today\.yaml"):
        run(file, "-o", out)


def test_two_places_are_one_too_many(file: Path) -> None:
    """Which was meant?"""
    assert run(file, "--in-place", "-o", file).exit_code == 2


def test_the_schema_is_named_only_when_asked(file: Path) -> None:
    """And once."""
    line = "# yaml-language-server: $schema=workflow.schema.json\n"
    assert run(file, "--schema", "workflow.schema.json").stdout == line + TODAY
    file.write_text(line + TODAY, "utf-8")
    assert run(file, "--schema", "other.json").stdout == line + TODAY


def test_line_breaks_of_windows_stay(file: Path) -> None:
    """Only what is older is changed."""
    file.write_bytes(OLDER.replace("\n", "\r\n").encode())
    run(file, "--in-place")
    assert file.read_bytes() == TODAY.replace("\n", "\r\n").encode()


@pytest.mark.parametrize("text", ["name: x\nname: y\n", "name: [\n", ""])
def test_a_file_that_cannot_be_read_is_refused(file: Path, text: str) -> None:
    """With the places of its mistakes."""
    file.write_text(text)
    with pytest.raises(Refused) as told:
        run(file, "--in-place")
    assert told.value.diagnostics
    assert file.read_text() == text
