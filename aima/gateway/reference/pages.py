"""Parts that pages of the reference are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Give the lines of a table in Markdown."""
    yield f"| {' | '.join(head)} |\n|{'--|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(cell, row))} |"


def cell(text: str) -> str:
    """Fit a text into one cell of a table."""
    return " ".join(text.split()).replace("|", r"\|")


def code_link(code: str, up: str) -> str:
    """Link a code of the checker to its page, from ``up`` below the reference."""
    return f"[`{code}`]({up}/../diagnostics/{code}.md)"
