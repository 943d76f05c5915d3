"""The embedded server's command line."""

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from aima.temporal.server import server_command, server_program


def test_the_program_beside_this_python_is_taken() -> None:
    """The one that was installed with AIMA, not whatever is on the path."""
    assert server_program().is_file()
    told = subprocess.run([server_program(), "--version"], capture_output=True, check=True)
    assert b"Server" in told.stdout


def test_the_server_listens_on_loopback_and_keeps_its_data_in_the_file() -> None:
    """Never on an address that others reach."""
    command = server_command(Path("/data/temporal.db"), port=1, ui_port=2)
    assert command[1:3] == ["server", "start-dev"]
    said = dict(pairwise(command))
    assert said["--ip"] == "127.0.0.1"
    assert (said["--port"], said["--ui-port"]) == ("1", "2")
    assert said["--db-filename"] == "/data/temporal.db"


def test_every_option_is_one_that_the_program_has() -> None:
    """A new version may rename them; with `--help` it still refuses what it does not know."""
    command = server_command(Path("x"), port=1, ui_port=2)
    subprocess.run([*command, "--help"], capture_output=True, check=True)
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([*command, "--nonsense", "--help"], capture_output=True, check=True)


def test_the_search_attributes_are_defined_from_the_start() -> None:
    """A run may be started before the first worker has connected."""
    command = server_command(Path("x"), port=1, ui_port=2)
    assert "AimaPlan=Keyword" in command
    assert "AimaLabels=KeywordList" in command
