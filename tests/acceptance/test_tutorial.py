"""The tutorial, done as a reader does it: each file written, each command pasted, in order."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.acceptance.command import AIMA, REPOSITORY, Aima

TUTORIAL = REPOSITORY / "docs" / "tutorial" / "approval-with-undo.md"
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIES = (
    ("…", ".*"),
    (r"approval\\-with\\-undo\\-01\w+", r"approval-with-undo-\\w+"),
    (r"\bann\b", r"\\S+"),
    (r"\d+", r"\\d+"),
    (r"(\\ )+", r" +"),
)
"""What differs from one machine to the next, in a line of the page with `re.escape`."""


def blocks() -> Iterator[tuple[str, str]]:
    """Give the blocks of the page: of which kind each is, and its text."""
    for found in BLOCK.finditer(TUTORIAL.read_text("utf-8")):
        yield found[1], found[2]


def pattern(expected: str) -> re.Pattern[str]:
    """Make a pattern of what the page shows: `…` is any text, alone on its line any lines."""
    parts = []
    for line in expected.splitlines():
        if line == "…":
            parts.append(r"(?:.*\n)*?")
            continue
        text = re.escape(line)
        for what, instead in VARIES:
            text = re.sub(what, instead, text)
        parts.append(text + r"\n")
    return re.compile("".join(parts))


def commands(block: str) -> Iterator[tuple[str, str]]:
    """Give each command of a block, and what the page shows below it."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected


def paste(block: str, aima: Aima) -> list[tuple[str, str, str]]:
    """Run a block in one shell; give each command, what is shown for it, and what came."""
    told = list(commands(block))
    mark = "---- next ----"
    script = "".join(f"{command}\necho '{mark}'\n" for command, _ in told)
    done = subprocess.run(
        ["bash"],
        input=script,
        cwd=aima.cwd,
        env={**aima.environ, "PATH": f"{AIMA.parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=True,
    )
    came = done.stdout.split(mark + "\n")
    return [(command, expected, out) for (command, expected), out in zip(told, came, strict=False)]


def test_the_tutorial_does_what_it_shows(aima: Aima, tmp_path: Path) -> None:
    """A reader who pastes it sees what the page shows, up to names, times and a model's words."""
    aima.cwd = tmp_path / "empty"
    aima.cwd.mkdir()
    for kind, block in blocks():
        if kind == "yaml":
            end = ".test.yaml" if block.startswith("cases:") else ".yaml"
            (aima.cwd / f"approval-with-undo{end}").write_text(block)
            continue
        for command, expected, came in paste(block, aima):
            assert pattern(expected).fullmatch(came), f"$ {command}\n{came}"
    for file in aima.cwd.glob("*.yaml"):
        assert file.read_text() == (TUTORIAL.parent / file.name).read_text()
    assert "<svg" in (aima.cwd / "picture.svg").read_text()
