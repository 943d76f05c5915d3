"""``aima plan``: what a workflow compiles to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from aima.gateway.cli.exits import FAILED


@click.command("plan")
@click.argument("workflow")
@click.option("--json", "as_json", is_flag=True, help="Print the plan itself.")
def command(*, workflow: str, as_json: bool) -> None:
    """Show the plan of a workflow: its hash, its steps in order, and what runs where and why.

    WORKFLOW is a file, or the name of a workflow.
    """
    from aima.disk import told
    from aima.gateway.cli.diagnostics import show_found
    from aima.gateway.cli.terminal import give_json
    from aima.gateway.definitions import Definitions
    from aima.gateway.units import units_of
    from aima.settings import load_settings
    from aima.shipped import find_workflow
    from aima.workflows.bodies.unit import reasons_for_tasks

    settings = load_settings()
    file = find_workflow(workflow, settings.root)
    definitions = Definitions(units_of(settings), settings.root)
    with told(file):
        checked = definitions.check(file.read_bytes(), str(file))
    if not checked.ok or checked.document is None:
        show_found(checked.diagnostics, [checked.source])
        raise SystemExit(FAILED)
    plan = definitions.plan(checked)
    if as_json:
        give_json({"hash": plan.hash, "plan": plan.data})
        return
    click.echo(f"{plan.name}  {plan.hash}")
    reasons = reasons_for_tasks(checked.document, definitions.signatures)
    for line in _lines(plan.data["steps"], 1, reasons):
        click.echo(line)
    for key in ("on_failure", "finally"):
        if key in plan.data:
            click.echo(f"{key}:")
            for line in _lines(plan.data[key], 1, reasons):
                click.echo(line)


def _lines(
    steps: Any,  # noqa: ANN401 - a part of a plan
    depth: int,
    reasons: Mapping[str, str],
) -> Iterator[str]:
    for step in steps:
        does = step.get("unit") or step["body"]
        follows = step.get("follows", {}).get("step")
        before = [name for name in step["after"] if name != follows]
        after = f"  after {', '.join(before)}" if before else ""
        after += f"  reading along with {follows}" if follows else ""
        yield f"{'  ' * depth}{step['id']}  {does}{after}"
        if "unit" in step:
            yield f"{'  ' * (depth + 2)}{_where(step, reasons)}; {_policy(step)}"
        for inner in _lists(step):
            yield from _lines(inner, depth + 1, reasons)


def _where(step: dict[str, Any], reasons: Mapping[str, str]) -> str:
    if "local" in step:
        return f"beside the workflow: {step['local']}"
    queue = step.get("queue")
    where = f"a task of its own, on queue {_shown(queue)}" if queue else "a task of its own"
    return f"{where}: {reasons[step['id']]}"


def _policy(step: dict[str, Any]) -> str:
    retry = step["retry"]
    attempts = _shown(retry["max_attempts"])
    bound = step["timeout"]
    most = f"{bound:g} s" if isinstance(bound, int | float) else _shown(bound)
    return f"at most {most}, {attempts} attempts"


def _shown(value: Any) -> str:  # noqa: ANN401 - a compiled value
    if isinstance(value, dict) and "$" in value:
        return "${" + str(value["$"]["source"]) + "}"
    return str(value)


def _lists(step: dict[str, Any]) -> Iterator[Any]:
    for key in ("steps", "finally"):
        if isinstance(step.get(key), list):
            yield step[key]
    for key in ("switch", "race", "catch"):
        for branch in step.get(key, ()):
            yield branch["steps"]
