"""``aima new``: what it writes is right, and it overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from aima.catalog import discover
from aima.errors import Conflict, ValidationFailed
from aima.gateway.cli.new_command import KINDS, command, scaffold
from aima.gateway.workflows.definitions import Definitions
from aima.shipped import shipped

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_a_new_workflow_has_no_mistakes_and_no_warnings(kind: str) -> None:
    """The first thing that `aima check` says to a newcomer must not be a complaint."""
    workflow = scaffold("my-first", kind)[Path("my-first.yaml")]
    checked = Definitions(discover()).check(workflow, "my-first.yaml")
    assert not checked.diagnostics
    assert yaml.safe_load(workflow)["name"] == "my-first"


@every_kind
def test_a_new_test_speaks_of_the_workflow_s_own_steps(kind: str) -> None:
    """A test of steps that do not exist tests nothing."""
    files = scaffold("my-first", kind)
    workflow = yaml.safe_load(files[Path("my-first.yaml")])
    ids = {step["id"] for step in workflow["steps"]}
    cases = yaml.safe_load(files[Path("my-first.test.yaml")])["cases"]
    assert cases
    for case in cases:
        assert case["expect"]["output"].keys() == workflow["output"].keys()
        assert set(case["input"]) == set(workflow["inputs"]["required"])
        named = [case.get("stand_ins", {}), case["expect"].get("calls", {})]
        named.append(dict.fromkeys(case["expect"].get("order", ())))
        assert all(ids >= set(steps) for steps in named)


def test_every_scaffold_can_be_asked_for() -> None:
    """A template nobody can reach is dead."""
    files = (shipped("templates") / "scaffold").iterdir()
    assert {file.name.partition(".")[0] for file in files} == set(KINDS)


def test_both_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test stands beside its workflow, where `aima test` looks."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, ["hello", "--from", "blank"], catch_exceptions=False)
    assert done.stdout.split() == ["hello.yaml", "hello.test.yaml"]
    assert all((tmp_path / name).read_text().strip() for name in done.stdout.split())


@pytest.mark.parametrize("there", ["hello.yaml", "hello.test.yaml"])
def test_a_file_that_is_there_is_left_alone(
    there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And then nothing at all is written."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / there).write_text("mine")
    with pytest.raises(Conflict, match=there):
        CliRunner().invoke(command, ["hello"], catch_exceptions=False)
    assert [file.name for file in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize("name", ["Hello", "1st", "a b", "../a", "a.yaml", "", "ä", "a\n"])
def test_a_name_the_language_refuses_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It becomes a file's name, a workflow's name and part of run ids."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValidationFailed, match="no name for a workflow"):
        CliRunner().invoke(command, ["--", name], catch_exceptions=False)
    assert not list(tmp_path.iterdir())
