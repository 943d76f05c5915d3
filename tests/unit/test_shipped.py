"""Finding what AIMA ships, and workflows by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from aima.errors import NotFound
from aima.shipped import find_workflow, shipped, workflows_below

SHIPPED = shipped("workflows") / "voice-assistant.yaml"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that we are in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("folder", ["workflows", "schemas", "templates"])
def test_each_shipped_folder_is_there(folder: str) -> None:
    """In a checkout as in an install."""
    assert shipped(folder).is_dir()


@pytest.mark.parametrize("name", ["voice-assistant", "voice-assistant.yaml"])
def test_a_shipped_workflow_is_found_by_name_from_anywhere(here: Path, name: str) -> None:
    """The first thing to try must not depend on where one stands."""
    del here
    assert find_workflow(name, None) == SHIPPED


def test_the_nearest_folder_wins(here: Path) -> None:
    """Mine is meant before the project's, and the project's before the shipped one."""
    mine = here / "workflows" / "voice-assistant.yaml"
    project = here / "elsewhere" / "workflows" / "voice-assistant.yml"
    for file in (mine, project):
        file.parent.mkdir(parents=True)
        file.touch()
    assert find_workflow("voice-assistant", here / "elsewhere") == mine
    mine.unlink()
    assert find_workflow("voice-assistant", here / "elsewhere") == project
    assert find_workflow("voice-assistant", None) == SHIPPED


def test_a_file_is_found_by_its_path(here: Path) -> None:
    """With a folder in it or a suffix on it, it is a path; else a name."""
    for name in ("mine.yaml", "mine"):
        (here / name).touch()
    assert find_workflow("mine.yaml", None) == Path("mine.yaml")
    assert find_workflow("./mine", None) == Path("mine")
    with pytest.raises(NotFound, match="there is no workflow 'mine'"):
        find_workflow("mine", None)


def test_a_folder_is_searched_to_its_bottom(here: Path) -> None:
    """`aima check .` and `aima test .` look at the same workflows."""
    wanted = ["a.yaml", "b/c.yml", "b/d/e.yaml"]
    for name in [*wanted, "a.test.yaml", "b/invalid/wrong.yaml", ".venv/lib/x.yaml", "b/notes.md"]:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).touch()
    assert workflows_below(here) == [here / name for name in wanted]
    assert workflows_below(here / "b" / "invalid") == [here / "b" / "invalid" / "wrong.yaml"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("voice-asistant", "there is no workflow 'voice-asistant'; did you mean 'voice-assistant'"),
        ("voice-asistant.yml", "did you mean 'voice-assistant'"),
        ("zzz", "there is no workflow 'zzz'; there are "),
        ("./voice-assistant", "there is no file './voice-assistant'"),
        ("/dev/null", "there is no file '/dev/null'"),
        ("/", "there is no file '/'"),
        ("-", "there is no workflow '-'"),
        ("", "there is no workflow ''"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(here: Path, name: str, message: str) -> None:
    """A slip of the keyboard costs one more call, not a search."""
    del here
    with pytest.raises(NotFound) as caught:
        find_workflow(name, None)
    assert message in caught.value.message
