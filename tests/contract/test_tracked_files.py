"""What is in the repository can be read and run anywhere."""

from __future__ import annotations

import re
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

# Written in pieces, or this file would find itself.
REGISTRIES = tuple(
    name + ending
    for name, ending in (
        ("pypi.", "org"),
        ("pythonhosted.", "org"),
        ("registry.npmjs.", "org"),
        ("deb.debian.", "org"),
        ("crates.", "io"),
        ("proxy.golang.", "org"),
        ("repo.maven.", "apache.org"),
    )
)

OF_ONE_MACHINE = re.compile(r"(?<![\w.$}])/(?:(?:home|Users|work)/[\w.]{2}|root/\.)")

LINK = re.compile(r"\]\((?!\w+:)([^)#\s]+)[^)]*\)")


@pytest.fixture(scope="module")
def tracked() -> dict[str, str]:
    """Every text in the repository, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone of the repository")
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        with suppress(FileNotFoundError, UnicodeDecodeError):  # removed just now, or no text
            texts[name] = (REPOSITORY / name).read_text(encoding="utf-8")
    return texts


def test_no_file_names_a_package_registry(tracked: dict[str, str]) -> None:
    """A company's mirror, a machine without a network: which registry serves is theirs to say."""
    found = [
        f"{name} names {host}"
        for name, text in tracked.items()
        for host in REGISTRIES
        if host in text
    ]
    assert not found, found


def test_no_file_knows_a_folder_of_one_machine(tracked: dict[str, str]) -> None:
    """What works only where it was written does not work."""
    found = [
        f"{name}: {match[0]}…"
        for name, text in tracked.items()
        for match in OF_ONE_MACHINE.finditer(text)
    ]
    assert not found, found


def test_every_link_between_pages_leads_somewhere(tracked: dict[str, str]) -> None:
    """A dead link is a promise not kept."""
    dead = [
        f"{name} → {target}"
        for name, text in tracked.items()
        if name.endswith(".md")
        for target in LINK.findall(text)
        if not (REPOSITORY / name).parent.joinpath(target).exists()
    ]
    assert not dead, dead
