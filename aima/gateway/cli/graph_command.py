"""``aima graph``: a workflow as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from aima.gateway.cli.exits import FAILED


@click.command("graph")
@click.argument("workflow")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["mermaid", "dot", "svg"]),
    help="Of the picture; by the file's ending where it is absent, else mermaid.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write.")
def command(*, workflow: str, kind: str | None, output: Path | None) -> None:
    """Draw a workflow: what runs after what, side by side, again and again, or perhaps.

    WORKFLOW is a file, or the name of a workflow. Mistakes in it do not matter here.
    """
    from aima.disk import told
    from aima.dsl.diagnostic import Findings
    from aima.dsl.document import read_document
    from aima.dsl.load import load
    from aima.gateway.cli.diagnostics import show_found
    from aima.graph.shape import shape_of
    from aima.settings import load_settings
    from aima.shipped import find_workflow
    from aima.workflows.constructs import language

    file = find_workflow(workflow, load_settings().root)
    with told(file):
        source, root, diagnostics = load(file.read_bytes(), str(file))
    findings = Findings(str(file), list(diagnostics))
    document = read_document(root, language(), findings) if root is not None else None
    if document is None:
        show_found(findings.all, [source])
        raise SystemExit(FAILED)
    text = _draw(kind or _kind_of(output), shape_of(document, language()))
    if output is None:
        click.echo(text, nl=False)
        return
    with told(output):
        output.write_text(text, encoding="utf-8")


def _draw(kind: str, shape: object) -> str:
    from importlib import import_module
    from typing import cast

    draw = getattr(import_module(f"aima.graph.{kind}"), kind)
    return cast("str", draw(shape))


def _kind_of(output: Path | None) -> str:
    endings = {".svg": "svg", ".dot": "dot", ".gv": "dot"}
    return endings.get(output.suffix if output is not None else "", "mermaid")
