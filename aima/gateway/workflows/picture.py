"""Workflows drawn for whoever asks at the door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from starlette.responses import Response

from aima.dsl.diagnostic import Findings
from aima.dsl.document import read_document
from aima.dsl.load import load
from aima.graph.dot import dot
from aima.graph.mermaid import mermaid
from aima.graph.shape import shape_of
from aima.graph.svg import svg
from aima.mistakes import Mistakes
from aima.workflows.constructs import language

PICTURES = {"image/svg+xml": "svg", "text/vnd.mermaid": "mermaid", "text/vnd.graphviz": "dot"}
"""The kinds of pictures, by media type."""

_DRAWN = {"svg": svg, "mermaid": mermaid, "dot": dot}


def draw(text: str, file: str, kind: str, headers: Mapping[str, str]) -> Response:
    """Draw a workflow; mistakes in it do not matter here, as long as it can be read.

    Raises:
        ValidationFailed: it cannot; the findings tell why.
    """
    _, root, diagnostics = load(text, file)
    findings = Findings(file, list(diagnostics))
    document = read_document(root, language(), findings) if root is not None else None
    if document is None:
        found = [asdict(diagnostic) for diagnostic in findings.all]
        raise Mistakes(f"the workflow {file!r} cannot be read", diagnostics=found)
    media_type = next(name for name, one in PICTURES.items() if one == kind)
    # A picture may be opened by itself: it must not run what somebody wrote into a workflow.
    safe = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    drawn = _DRAWN[kind](shape_of(document, language()))
    return Response(drawn, headers={**headers, **safe}, media_type=media_type)
