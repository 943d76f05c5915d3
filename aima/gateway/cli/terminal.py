"""What is printed and how: results on stdout, all else on stderr, colour where it is wanted."""

from __future__ import annotations

import json
import os
import sys

import click


def tint(text: str, colour: str | None = None, *, bold: bool = False) -> str:
    """Colour a text; `NO_COLOR` forbids it, and `click.echo` takes it out where nobody sees it."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=colour, bold=bold or None)


def say(text: str) -> None:
    """Tell people something that is no result."""
    click.echo(text, err=True)


def give_json(value: object) -> None:
    """Print a result for programs, on one line; on a terminal nothing in it is obeyed."""
    click.echo(json.dumps(value, ensure_ascii=sys.stdout.isatty()))


def is_live() -> bool:
    """Tell whether what was drawn on stderr can be drawn over."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def can_ask() -> bool:
    """Tell whether somebody is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def wants_json() -> bool:
    """Tell whether errors, too, are to be told to a program."""
    return "--json" in sys.argv
