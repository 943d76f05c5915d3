"""``aima check`` and ``aima explain``: formats and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aima.errors import NotFound
from aima.gateway.cli.check_command import command as check
from aima.gateway.cli.explain_command import command as explain

GOOD = "name: good\nsteps: [{id: a, set: {x: 1}}]\n"
WARNED = "name: warned\nconfig: {x: 1}\nsteps: [{id: a, set: {x: 1}}]\n"
WRONG = "name: wrong\nsteps: [{id: a, sett: {x: 1}}]\n"


def run(*arguments: str | Path) -> Result:
    """Check."""
    return CliRunner().invoke(check, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three workflows, one of each kind."""
    for name, text in (("good", GOOD), ("warned", WARNED), ("wrong", WRONG)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["good.yaml"], 0),
        (["warned.yaml"], 0),
        (["warned.yaml", "--strict"], 1),
        (["wrong.yaml"], 1),
        ([], 2),
        (["good.yaml", "--format", "xml"], 2),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
def test_the_exit_code_is_the_same_in_every_format(
    arguments: list[str], code: int, form: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0: nothing wrong, 1: findings, 2: asked in a wrong way."""
    monkeypatch.chdir(folder)
    assert run("--format", form, *arguments).exit_code == code


def test_people_are_told_the_way_to_more(folder: Path) -> None:
    """A code alone is no help."""
    done = run(folder / "wrong.yaml")
    assert "error[document/unknown-key]: a step has no key `sett`" in done.stderr
    assert "hint: did you mean `set`?" in done.stderr
    assert "`aima explain document/unknown-key`" in done.stderr
    assert done.stdout == ""
    assert "\x1b[" not in done.stderr


def test_programs_are_told_the_page(folder: Path) -> None:
    """As a path in the repository: no host is AIMA's to name."""
    found = json.loads(run(folder / "warned.yaml", "--json").stdout)
    assert [(one["code"], one["line"], one["page"]) for one in found] == [
        ("config/unused", 2, "docs/diagnostics/config/unused.md")
    ]


def test_reports_are_on_the_standard_output(folder: Path) -> None:
    """There a runner reads them, and a file is made of them."""
    assert run(folder, "--format", "github").stdout.count("::error ") == 2
    assert json.loads(run(folder, "--format", "sarif").stdout)["version"] == "2.1.0"
    assert json.loads(run(folder / "good.yaml", "--format", "json").stdout) == []


def test_a_code_is_explained_with_both_examples() -> None:
    """The page, readable on a terminal."""
    done = CliRunner().invoke(explain, ["step/cycle"])
    assert done.stdout.startswith("step/cycle\n\nSteps wait for each other in a circle.\n")
    assert done.stdout.index("Wrong") < done.stdout.index("Right")


def test_all_codes_are_listed() -> None:
    """To see what there is."""
    listed = CliRunner().invoke(explain, []).stdout
    assert "yaml/tab" in listed
    assert json.loads(CliRunner().invoke(explain, ["--json"]).stdout)["yaml/tab"]


@pytest.mark.parametrize("code", ["step/cycel", "../README", "yaml"])
def test_an_unknown_code_is_not_there(code: str) -> None:
    """The nearest one is named, and no file elsewhere is read."""
    with pytest.raises(NotFound, match=r"did you mean|lists them"):
        CliRunner().invoke(explain, [code], catch_exceptions=False)
