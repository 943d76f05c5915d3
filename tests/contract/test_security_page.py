"""The page on security promises only what is tested."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "explanation" / "security.md").read_text("utf-8")
ROWS = [line for line in PAGE.partition("## Threats")[2].splitlines() if line.startswith("| ")]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)))


@cache
def functions_of(file: str) -> frozenset[str]:
    """List the tests of a file."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, functions))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[f"{f}::{n}" for f, n in NAMED])
def test_each_named_test_exists(file: str, name: str) -> None:
    """A test that was renamed or dropped takes its row with it."""
    assert (TESTS / file).is_file()
    assert name in functions_of(file)


def test_each_threat_names_its_test() -> None:
    """A promise that nothing checks is a hope."""
    threats = [row for row in ROWS if not row.startswith("| threat |")]
    assert len(threats) > 40
    assert [row for row in threats if not re.search(r"`[\w/]+\.py::test_\w+` ?[|,]", row)] == []
