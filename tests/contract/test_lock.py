"""The lock file pins everything, trusts no address, and is new enough."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

REPOSITORY = Path(__file__).parents[2]
LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))

LOCKED = [
    (Requirement(line.partition(" \\")[0]), re.findall(r"--hash=(\S+)", line))
    for line in LOCK.replace(" \\\n", " \\").splitlines()
    if not line.startswith("#")
]

ASKED = [
    Requirement(text)
    for text in [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
]

SAFE_SINCE = {
    "starlette": "1.3.0",
    "python-multipart": "0.0.27",
    "mcp": "2.2.0",
    "jinja2": "3.1.6",
    "simpleeval": "1.0.5",
}
"""The first release without a known hole, for each library that had one in what AIMA uses."""

TEMPORAL_SAFE_SINCE = "1.32.0"


@pytest.mark.parametrize(("pin", "hashes"), LOCKED, ids=[str(pin.name) for pin, _ in LOCKED])
def test_every_package_is_pinned_with_its_hashes(pin: Requirement, hashes: list[str]) -> None:
    """A version can be uploaded anew by a thief; its bytes cannot."""
    assert re.fullmatch(r"==[\w.]+", str(pin.specifier))
    assert pin.url is None
    assert hashes
    assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


def test_the_lock_names_no_place() -> None:
    """Where packages come from is the installer's business, and hashes make any place good."""
    assert "://" not in LOCK
    assert not re.findall(r"^ *-(?!-hash).*", LOCK, re.MULTILINE)


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_the_lock_gives_what_the_project_asks_for(asked: Requirement) -> None:
    """A dependency added to the project alone would be missing in every `make install`."""
    pins = [pin for pin, _ in LOCKED if normal(pin.name) == normal(asked.name)]
    assert pins, "run `make lock`"
    assert all(asked.specifier.contains(version(pin)) for pin in pins), "run `make lock`"


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: asked.name)
def test_every_dependency_has_a_floor(asked: Requirement) -> None:
    """Without one, an old installation is taken for a good one."""
    assert ">=" in {spec.operator for spec in asked.specifier}


@pytest.mark.parametrize("name", SAFE_SINCE)
def test_no_release_with_a_known_hole_is_accepted(name: str) -> None:
    """Where AIMA is installed beside other packages, the floor is all that protects."""
    safe = Version(SAFE_SINCE[name])
    assert all(version(pin) >= safe for pin, _ in LOCKED if normal(pin.name) == name)
    for asked in PROJECT["project"]["dependencies"]:
        requirement = Requirement(asked)
        if normal(requirement.name) == name:
            floors = [s.version for s in requirement.specifier if s.operator == ">="]
            assert all(Version(floor) >= safe for floor in floors)


def test_the_temporal_server_is_new_enough() -> None:
    """Earlier servers have holes that a namespace does not stop."""
    program = Path(sys.executable).with_name("temporal")
    told = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True, timeout=30
    )
    found = re.search(r"Server ([\d.]+)", told.stdout)
    assert found is not None, told.stdout
    assert Version(found[1]) >= Version(TEMPORAL_SAFE_SINCE)


def normal(name: str) -> str:
    """Write a package's name in its normal form."""
    return re.sub(r"[-_.]+", "-", name).lower()


def version(pin: Requirement) -> Version:
    """Give the version of a pin."""
    return Version(str(pin.specifier).removeprefix("=="))
