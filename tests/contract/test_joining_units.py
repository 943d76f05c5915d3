"""Units of a project and of a package join the catalogue as the how-to page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HOW_TO = REPOSITORY / "docs" / "how-to" / "add-a-unit.md"
NAMED_BLOCK = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the how-to page."""
    for name, text in NAMED_BLOCK.findall(HOW_TO.read_text(encoding="utf-8")):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def aima(*arguments: str, cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command ``aima`` somewhere, with nothing set but perhaps a folder of packages."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("AIMA_", "PYTHON"))}
    if path is not None:
        environ["PYTHONPATH"] = str(path)
    return subprocess.run(
        [Path(sys.executable).with_name("aima"), *arguments],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def units(cwd: Path, path: Path | None = None) -> set[str]:
    """Ask for the names of all units."""
    told = aima("units", "--json", cwd=cwd, path=path)
    assert told.returncode == 0, told.stderr
    return {unit["name"] for unit in json.loads(told.stdout)}


def test_the_unit_of_the_how_to_page_joins_the_catalogue(project: Path) -> None:
    """Whoever follows the page to the letter must get what it promises."""
    assert {"acme.count_words", "inference.chat"} <= units(project)


def test_a_project_is_found_from_a_folder_inside_it(project: Path) -> None:
    """People work in `workflows/` as much as beside it."""
    assert "acme.count_words" in units(project / "workflows")


def test_the_workflow_of_the_how_to_page_is_clean(project: Path) -> None:
    """The checker sees the project's unit, its input and its output."""
    checked = aima("check", "--strict", "workflows", cwd=project)
    assert checked.returncode == 0, checked.stderr


def test_the_checker_knows_the_types_of_a_project_s_unit(project: Path) -> None:
    """A unit of one's own is no second-class unit."""
    file = project / "workflows" / "count.yaml"
    file.write_text(file.read_text().replace("count.words}", "count.wrods}"))
    checked = aima("check", "workflows", cwd=project)
    assert checked.returncode == 1
    assert "words" in checked.stderr
    assert "count.yaml:10:" in checked.stderr


@pytest.mark.parametrize("toml", ["", "[project]\nactivities = false\n"], ids=["silent", "off"])
def test_without_the_switch_no_code_of_a_project_runs(project: Path, toml: str) -> None:
    """Looking into a folder somebody sent must not run what is in it."""
    (project / "aima.toml").write_text(toml)
    module = project / "activities" / "acme.py"
    module.write_text(f"open({str(project / 'ran')!r}, 'w')\n{module.read_text()}")
    assert "acme.count_words" not in units(project)
    assert not (project / "ran").exists()


def test_without_a_project_file_no_code_of_a_folder_runs(project: Path) -> None:
    """The same for a folder that never said it is a project."""
    (project / "aima.toml").unlink()
    assert "acme.count_words" not in units(project)


def test_an_installed_package_joins_by_its_entry_point(project: Path, tmp_path: Path) -> None:
    """Units that several projects share are installed once."""
    packages = tmp_path / "packages"
    about = packages / "acme_units-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.4\nName: acme-units\nVersion: 1.0\n")
    block = re.search(r'entry-points\."(.+)"\]\n(.+)\n', HOW_TO.read_text(encoding="utf-8"))
    assert block is not None
    entry = block[2].replace('"', "")
    (about / "entry_points.txt").write_text(f"[{block[1]}]\n{entry}\n")
    (project / "activities" / "acme.py").rename(packages / "acme_units.py")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "acme.count_words" in units(elsewhere, packages)
    assert "acme.count_words" not in units(elsewhere)


def test_two_units_of_one_name_are_refused(project: Path) -> None:
    """Which of two ran must never depend on the order of folders."""
    twin = project / "activities" / "emca.py"
    twin.write_text((project / "activities" / "acme.py").read_text(encoding="utf-8"))
    told = aima("units", cwd=project)
    assert told.returncode == 4
    assert "'acme.count_words' is declared by 'activities.acme' and by" in told.stderr
