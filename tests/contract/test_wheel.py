"""The wheel holds what AIMA needs and nothing else."""

from __future__ import annotations

import zipfile
from email import message_from_bytes

import pytest

from tests.wheel import REPOSITORY, build_wheel

SHIPPED = {
    "aima": "aima",
    "activities": "activities",
    "workflows": "aima/_shipped/workflows",
    "dsl/schemas": "aima/_shipped/schemas",
    "templates": "aima/_shipped/templates",
    "docs/diagnostics": "aima/_shipped/diagnostics",
}
"""Each folder of the repository that ships, and where it lies in the wheel."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this work tree, built with no network."""
    return zipfile.ZipFile(build_wheel(tmp_path_factory.mktemp("dist")))


def test_the_wheel_holds_exactly_what_ships(wheel: zipfile.ZipFile) -> None:
    """One file too few breaks an installation, one too many is somebody's test or secret."""
    expected = {
        f"{there}/{file.relative_to(REPOSITORY / here)}"
        for here, there in SHIPPED.items()
        for file in (REPOSITORY / here).rglob("*")
        if file.is_file()
        and not {"__pycache__", "invalid"} & set(file.relative_to(REPOSITORY).parts)
        and file.name != ".gitkeep"
    }
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == expected


@pytest.mark.parametrize(
    "name",
    [
        "aima/py.typed",
        "aima/models/manifest.toml",
        "aima/store/migrations/versions/v0001_effects.py",
        "aima/_shipped/workflows/voice-assistant.yaml",
        "aima/_shipped/workflows/assets/question.wav",
        "aima/_shipped/schemas/workflow.schema.json",
        "activities/inference.py",
    ],
)
def test_what_is_easily_forgotten_is_in_the_wheel(wheel: zipfile.ZipFile, name: str) -> None:
    """Named one by one, so that a folder that moves is missed."""
    assert name in wheel.namelist()


def test_activities_stay_open_for_units_of_others(wheel: zipfile.ZipFile) -> None:
    """With an ``__init__.py`` the package would be closed, and no project's unit could join."""
    assert "activities/__init__.py" not in wheel.namelist()


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    """Licence and notices travel with the code, and the command is declared."""
    about = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    told = message_from_bytes(wheel.read(about))
    assert told["License-Expression"] == "Apache-2.0"
    assert told.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert "Apache License" in wheel.read(about.replace("METADATA", "licenses/LICENSE")).decode()
    points = wheel.read(about.replace("METADATA", "entry_points.txt")).decode()
    assert "aima = aima.gateway.cli.main:main" in points
