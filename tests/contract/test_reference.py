"""Schemas and reference pages are what the code says today."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from aima.catalog import discover
from aima.gateway.reference import PAGES, SCHEMAS, write
from aima.settings import fields, variable

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", [SCHEMAS, PAGES], ids=str)
def test_what_is_derived_is_up_to_date(folder: Path, tmp_path: Path) -> None:
    """A page that lags behind the code misleads whoever trusts it."""
    write(tmp_path, discover())
    assert texts(REPOSITORY / folder) == texts(tmp_path / folder), "run `make reference`"


def test_writing_removes_what_nothing_derives_any_more(tmp_path: Path) -> None:
    """The page of a unit that is gone must go as well."""
    gone = tmp_path / PAGES / "units" / "inference.divine.md"
    gone.parent.mkdir(parents=True)
    gone.touch()
    write(tmp_path, discover())
    assert not gone.exists()


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
