"""From the bytes of a workflow file to nodes with marks, or to what is wrong with them."""

from __future__ import annotations

import yaml

from aima.dsl.diagnostic import Diagnostic, Findings
from aima.dsl.node import Node
from aima.dsl.yaml_compose import PARSER, Composer, Limits, Parser
from aima.dsl.yaml_source import Source, read
from aima.dsl.yaml_syntax import explain, explain_bad_escape

__all__ = ["DEFAULT_LIMITS", "Limits", "Source", "load"]

DEFAULT_LIMITS = Limits()


def load(
    data: bytes | str, file: str, limits: Limits = DEFAULT_LIMITS
) -> tuple[Source, Node | None, list[Diagnostic]]:
    """Read a YAML file in the 1.2 core schema; never raises, whatever the bytes are.

    Args:
        data: The file's content; bytes must be UTF-8.
        file: Its name, for the diagnostics.
        limits: How much it may hold.

    Returns:
        The text; the root, None where the file cannot be read to its end; what is wrong, by
        place. A root beside errors is for finding more of them, never for running.
    """
    return _load(data, file, limits, parser=PARSER)


def _load(
    data: bytes | str, file: str, limits: Limits, *, parser: Parser
) -> tuple[Source, Node | None, list[Diagnostic]]:
    findings = Findings(file)
    source = read(data, findings, most_bytes=limits.bytes)
    root = None
    if not findings.all:
        composer = Composer(source, findings, limits=limits, parser=parser)
        try:
            root = composer.compose()
        except yaml.MarkedYAMLError as error:
            explain(error, source, findings)
        except (ValueError, OverflowError):  # only from PyYAML's own parser, without a mark
            explain_bad_escape(source, findings)
    return source, root, sorted(findings.all)
