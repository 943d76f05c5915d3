"""Schemas and reference pages are what the code says today."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from aima.gateway.reference.write import PAGES, SCHEMAS
from aima.settings import fields, variable

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make reference` writes, in a process that no other test has told anything."""
    folder = tmp_path_factory.mktemp("derived")
    gone = folder / PAGES / "units" / "inference.divine.md"
    gone.parent.mkdir(parents=True)
    gone.touch()
    command = [sys.executable, "-m", "aima.gateway.reference"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    return folder


@pytest.mark.parametrize("folder", [SCHEMAS, PAGES], ids=str)
def test_what_is_derived_is_up_to_date(folder: Path, derived: Path) -> None:
    """A page that lags behind the code misleads whoever trusts it."""
    assert texts(REPOSITORY / folder) == texts(derived / folder), "run `make reference`"


def test_writing_removes_what_nothing_derives_any_more(derived: Path) -> None:
    """The page of a unit that is gone must go as well."""
    assert not (derived / PAGES / "units" / "inference.divine.md").exists()


def test_every_schema_is_one() -> None:
    """An editor that is given a broken schema stays silent."""
    for file in (REPOSITORY / SCHEMAS).rglob("*.json"):
        told = json.loads(file.read_text(encoding="utf-8"))
        for schema in [told[key] for key in ("input", "output") if key in told] or [told]:
            Draft202012Validator.check_schema(schema)


def test_every_setting_is_on_the_page() -> None:
    """A setting nobody can find is not one."""
    page = (REPOSITORY / PAGES / "settings.md").read_text(encoding="utf-8")
    missing = [variable(path) for path, _ in fields() if f"`{variable(path)}`" not in page]
    assert not missing


def test_every_setting_says_what_it_does() -> None:
    """A name alone makes people guess units and edge values."""
    mute = [".".join(path) for path, field in fields() if not field.description]
    assert not mute


def texts(folder: Path) -> dict[str, str]:
    """Read all files below a folder."""
    return {
        str(file.relative_to(folder)): file.read_text(encoding="utf-8")
        for file in folder.rglob("*")
        if file.is_file()
    }
