"""Printing what the checker found."""

from __future__ import annotations

import sys
from typing import Any

import click


def show(found: list[dict[str, Any]], *, text: str | bytes, file: str) -> None:
    """Print each finding with its line and a caret, then how many there are."""
    from aima.dsl.diagnostic import Diagnostic, Severity
    from aima.dsl.load import load
    from aima.dsl.render import render_text
    from aima.workflows.constructs import language

    language()  # declares the codes of the constructs
    source, _, _ = load(text, file)
    diagnostics = [Diagnostic(**{**d, "severity": Severity(d["severity"])}) for d in found]
    click.echo(render_text(diagnostics, [source], colour=sys.stderr.isatty()), err=True)
    errors = sum(d.severity is Severity.error for d in diagnostics)
    warnings = len(diagnostics) - errors
    said = [
        f"{n} {what}{'s' * (n != 1)}" for n, what in ((errors, "error"), (warnings, "warning")) if n
    ]
    click.echo("\n" + " and ".join(said), err=True)
