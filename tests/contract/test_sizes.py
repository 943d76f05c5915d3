"""No file and no function grows past what a reader holds in mind."""

from __future__ import annotations

import ast
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SOURCES = sorted([*REPOSITORY.glob("aima/**/*.py"), *REPOSITORY.glob("activities/*.py")])

MOST_LINES_OF_A_FILE = 600
MOST_LINES_OF_A_FUNCTION = 60
MIDDLE_LINES_OF_A_FILE = 150


def test_no_file_is_too_long() -> None:
    """The tail is what separates code bases: one module of a thousand lines ends the joy."""
    long = {f: n for f in SOURCES if (n := lines_of(f)) > MOST_LINES_OF_A_FILE}
    assert not long, long


def test_the_usual_file_is_short() -> None:
    """Half of all files fit on a few screens."""
    sizes = sorted(map(lines_of, SOURCES))
    assert sizes[len(sizes) // 2] <= MIDDLE_LINES_OF_A_FILE


def test_no_function_is_too_long() -> None:
    """A function that fills the screen does more than one thing."""
    long = [
        f"{file.relative_to(REPOSITORY)}:{node.lineno} {node.name}"
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert not long, long


def lines_of(file: Path) -> int:
    """Count the lines of a file."""
    return len(file.read_text(encoding="utf-8").splitlines())
