"""``aima fmt``: which files it writes, and which it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aima.gateway.cli.fmt_command import command

UGLY = "name: x\nsteps:\n- {id: a}\n"
NEAT = "name: x\n\nsteps:\n  - {id: a}\n"


def fmt(*arguments: str | Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is laid out in an unusual way."""
    made = tmp_path / "ugly.yaml"
    made.write_text(UGLY)
    return made


def test_a_file_is_laid_out_and_named(file: Path) -> None:
    """Silence would leave one wondering."""
    file.chmod(0o640)
    done = fmt(file)
    assert (done.exit_code, done.stdout.strip()) == (0, str(file))
    assert file.read_text() == NEAT
    assert file.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in file.parent.iterdir()] == ["ugly.yaml"]


def test_a_neat_file_is_not_even_written(file: Path) -> None:
    """Its time of change would make programs build anew."""
    file.write_text(NEAT)
    before = file.stat().st_mtime_ns
    done = fmt(file)
    assert (done.exit_code, done.stdout) == (0, "")
    assert file.stat().st_mtime_ns == before


def test_check_changes_nothing_and_fails(file: Path) -> None:
    """For the machine that guards a repository."""
    done = fmt("--check", file)
    assert (done.exit_code, done.stdout.strip()) == (1, str(file))
    assert file.read_text() == UGLY
    file.write_text(NEAT)
    assert fmt("--check", file).exit_code == 0


def test_a_file_with_mistakes_is_told_and_left_alone(file: Path, tmp_path: Path) -> None:
    """The others are laid out all the same."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: x\nname: y\n")
    done = fmt(tmp_path)
    assert done.exit_code == 1
    assert "broken.yaml:2:1: error[yaml/duplicate-key]" in done.stderr
    assert broken.read_text() == "name: x\nname: y\n"
    assert file.read_text() == NEAT


def test_line_breaks_of_windows_and_a_byte_order_mark_stay(file: Path) -> None:
    """They are the author's editor's."""
    file.write_bytes(("\ufeff" + UGLY.replace("\n", "\r\n")).encode())
    assert fmt(file).exit_code == 0
    assert file.read_bytes() == ("\ufeff" + NEAT.replace("\n", "\r\n")).encode()


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    """What it leads to is written."""
    link = tmp_path / "link.yml"
    link.symlink_to(file)
    fmt(link)
    assert link.is_symlink()
    assert file.read_text() == NEAT
