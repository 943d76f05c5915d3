"""Printing what the checker found."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aima.gateway.cli.terminal import say

if TYPE_CHECKING:
    from aima.dsl.diagnostic import Diagnostic
    from aima.dsl.load import Source


_MOST_NAMED = 3


def show(found: Iterable[dict[str, Any]]) -> None:
    """Print each finding with its line of the file and a caret."""
    from aima.dsl.diagnostic import Diagnostic, Severity
    from aima.dsl.load import load
    from aima.workflows.constructs import language

    language()  # declares the codes of the constructs
    diagnostics = [Diagnostic(**{**told, "severity": Severity(told["severity"])}) for told in found]
    sources: list[Source] = []
    for file in dict.fromkeys(diagnostic.file for diagnostic in diagnostics):
        with suppress(OSError):  # gone meanwhile: told without its line
            sources.append(load(Path(file).read_bytes(), file)[0])
    show_found(diagnostics, sources)


def show_found(diagnostics: Iterable[Diagnostic], sources: Iterable[Source]) -> None:
    """Print findings with the lines of their files, and the way to more about them."""
    from aima.dsl.render import render_text

    diagnostics = list(diagnostics)
    colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    say(render_text(diagnostics, sources, colour=colour))
    codes = list(dict.fromkeys(diagnostic.code for diagnostic in diagnostics))
    commands = [f"`aima explain {code}`" for code in codes[:_MOST_NAMED]]
    if codes:
        say(f"More, with examples: {', '.join(commands)}{', …' * (len(codes) > _MOST_NAMED)}")


def counted(found: Iterable[dict[str, Any]]) -> str:
    """Say how many errors and warnings there are, such as `2 errors and 1 warning`."""
    severities = [told["severity"] for told in found]
    counts = [(severities.count(kind), kind) for kind in ("error", "warning")]
    said = [f"{count} {kind}{'s' * (count != 1)}" for count, kind in counts if count]
    return " and ".join(said) or "no mistakes"
