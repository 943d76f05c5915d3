"""`aima apply`, `aima applied` and `aima unapply`: triggers take effect, and can be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.acceptance.command import Aima, wait_until
from tests.acceptance.running import running_aima

TRIGGERS = """\
name: {name}
triggers:
  - schedule: {{cron: "{cron}", timezone: Europe/Berlin}}
  - event: {{type: alert.triggered}}
steps:
  - {{id: a, type: inference.models}}
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aima]:
    """AIMA, up for the whole module."""
    with running_aima(tmp_path_factory.mktemp("applied")) as aima:
        yield aima


@pytest.fixture
def aima(running: Aima, tmp_path: Path) -> Iterator[Aima]:
    """The same in an empty folder, with nothing applied."""
    running.cwd = tmp_path
    yield running
    for workflow in running.ask("applied")["definitions"]:
        running.call("unapply", workflow["name"])


def write(aima: Aima, name: str, cron: str = "0 7 1 1 *") -> Path:
    """Write a workflow into the folder."""
    file = aima.cwd / f"{name}.yaml"
    file.write_text(TRIGGERS.format(name=name, cron=cron))
    return file


def applied(aima: Aima) -> list[str]:
    """Name what is applied."""
    return [workflow["name"] for workflow in aima.ask("applied")["definitions"]]


@pytest.mark.nightly
def test_a_schedule_starts_runs_all_by_itself(aima: Aima) -> None:
    """The point of it all: nobody is there, and it runs."""
    write(aima, "soon", cron="* * * * *")
    aima.ask("apply", "soon.yaml")
    run = wait_until(
        lambda: next((r for r in aima.ask("runs")["runs"] if r["workflow"] == "soon"), None),
        what="a run of its own accord",
    )
    assert run["id"].startswith("soon-0-")
    aima.ask("status", run["id"])
    assert aima.ended(run["id"])["state"] == "completed"


def test_what_is_applied_is_listed_with_its_next_start(aima: Aima) -> None:
    """For people, and for programs."""
    file = write(aima, "digest")
    done = aima.call("apply", "digest.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("digest  applied, new\n  schedule 0 7 1 1 * Europe/Berlin, next ")
    assert done.stdout.endswith("  event alert.triggered\n")
    [told] = aima.ask("applied")["definitions"]
    assert (told["name"], told["source"]) == ("digest", str(file.resolve()))
    [schedule, event] = told["triggers"]
    assert event == {"event": "alert.triggered"}
    assert schedule["active"]
    assert datetime.fromisoformat(schedule["next"]).hour == 6  # which is seven in Berlin
    listed = aima.call("applied").stdout
    assert "digest  applied " in listed
    assert "next " in listed


def test_applying_again_tells_whether_anything_changed(aima: Aima) -> None:
    """Somebody who applies a folder wants to see what that did."""
    write(aima, "digest")
    states = [aima.ask("apply", "digest.yaml")["applied"][0]["state"] for _ in range(2)]
    write(aima, "digest", cron="0 8 1 1 *")
    states.append(aima.ask("apply", "digest.yaml")["applied"][0]["state"])
    assert states == ["new", "same", "changed"]


def test_unapplying_ends_the_triggers(aima: Aima) -> None:
    """Twice is once too often, and is told so."""
    write(aima, "digest")
    aima.ask("apply", "digest.yaml")
    done = aima.call("unapply", "digest")
    assert (done.returncode, done.stdout) == (0, "digest  unapplied\n")
    assert applied(aima) == []
    again = aima.call("unapply", "digest")
    assert again.returncode == 3
    assert "no workflow 'digest' is applied; `aima applied` lists those" in again.stderr


def test_nothing_of_a_folder_is_applied_while_one_file_has_errors(aima: Aima) -> None:
    """Half a deployment is none."""
    write(aima, "good")
    write(aima, "wrong", cron="every morning")
    done = aima.call("apply", ".")
    assert done.returncode == 2
    assert "wrong.yaml:3:22: error[trigger/bad-schedule]" in done.stderr
    assert "nothing was applied: a workflow has errors" in done.stderr
    assert applied(aima) == []


def test_two_files_of_one_name_are_refused(aima: Aima) -> None:
    """Which of them would run would be a matter of luck."""
    write(aima, "digest").rename(aima.cwd / "other.yaml")
    write(aima, "digest")
    done = aima.call("apply", ".")
    assert done.returncode == 4
    assert "'digest.yaml' and 'other.yaml' are both named 'digest'; rename one" in done.stderr
    assert applied(aima) == []


def test_prune_unapplies_what_has_left_the_folder_and_nothing_else(aima: Aima) -> None:
    """The folder is the truth about itself, not about others."""
    write(aima, "elsewhere")
    aima.ask("apply", "elsewhere.yaml")
    aima.cwd /= "folder"
    aima.cwd.mkdir()
    gone = write(aima, "gone")
    write(aima, "kept")
    aima.ask("apply", ".")
    assert applied(aima) == ["elsewhere", "gone", "kept"]
    gone.unlink()
    assert aima.ask("apply", ".")["pruned"] == []
    assert aima.ask("apply", ".", "--prune")["pruned"] == ["gone"]
    assert applied(aima) == ["elsewhere", "kept"]


def test_prune_needs_folders(aima: Aima) -> None:
    """What has left a file cannot be told."""
    write(aima, "digest")
    done = aima.call("apply", "digest.yaml", "--prune")
    assert done.returncode == 2
    assert "--prune compares folders with what is applied; name folders only" in done.stderr


def test_a_workflow_without_triggers_says_that_nothing_starts_it(aima: Aima) -> None:
    """It is applied all the same, and does not pretend."""
    (aima.cwd / "idle.yaml").write_text("name: idle\nsteps:\n  - {id: a, type: inference.models}\n")
    assert aima.call("apply", "idle.yaml").stdout == (
        "idle  applied, new\n  no triggers: nothing starts it by itself\n"
    )


def test_what_is_applied_outlives_the_stack(aima: Aima) -> None:
    """A machine that is switched off and on again does what it did before."""
    write(aima, "digest")
    aima.ask("apply", "digest.yaml")
    aima.call("down")
    try:
        [told] = aima.ask("applied")["definitions"]
        assert told["triggers"][0]["active"]
    finally:
        aima.up()


def test_applying_keeps_the_stack_up(tmp_path: Path) -> None:
    """Who applies a schedule and goes home wants it to run."""
    with running_aima(tmp_path) as aima:
        aima.call("down")
        aima.cwd = tmp_path
        write(aima, "digest")
        aima.ask("apply", "digest.yaml")
        health = json.loads((aima.data / "stack.json").read_text())
        assert health["pid"] == aima.pids()["stack"]
        assert "worker" in aima.pids()
