"""``aima plan``: what a workflow compiles to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from aima.gateway.cli.exits import FAILED

if TYPE_CHECKING:
    from aima.graph.shape import Box, Lane


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
    from aima.gateway.units.installed import units_of
    from aima.gateway.workflows.definitions import Definitions
    from aima.graph.shape import shape_of
    from aima.settings import load_settings
    from aima.shipped import find_workflow
    from aima.workflows.bodies.unit import reasons_for_tasks
    from aima.workflows.constructs import language
    from aima.workflows.outline import shape

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
    steps = {line.id: line.step for line in shape(plan.data)}
    for lane in shape_of(checked.document, language()).lanes:
        for line in _lines(lane, 1, steps, reasons):
            click.echo(line)


def _lines(
    lane: Lane,
    depth: int,
    steps: Mapping[str, Mapping[str, Any]],
    reasons: Mapping[str, str],
) -> Iterator[str]:
    """Tell of each step of a list what it does and after which; where and how units run."""
    if lane.title:
        yield f"{'  ' * depth}{lane.title}:"
        depth += 1
    for box in lane.boxes:
        step = steps[box.id]
        does = ", ".join(filter(None, (box.does, *_notes(box)))) or "block"
        yield f"{'  ' * depth}{box.id}  {does}{_order(step)}"
        if "unit" in step:
            yield f"{'  ' * (depth + 2)}{_where(step, reasons)}; {_policy(step)}"
        for inner in box.lanes:
            yield from _lines(inner, depth + 1, steps, reasons)


def _notes(box: Box) -> Iterator[str]:
    """Give what is particular to a step; a unit's bounds stand in a line of their own."""
    for note in box.notes:
        if not (box.unit and note.startswith(("attempts: ", "timeout: "))):
            yield note
    if box.undo:
        yield f"undone by {box.undo}"


def _order(step: Mapping[str, Any]) -> str:
    follows = step.get("follows", {}).get("step")
    before = [name for name in step["after"] if name != follows]
    after = f"  after {', '.join(before)}" if before else ""
    return after + (f"  reading along with {follows}" if follows else "")


def _where(step: Mapping[str, Any], reasons: Mapping[str, str]) -> str:
    if "local" in step:
        return f"beside the workflow: {step['local']}"
    queue = step.get("queue")
    where = f"a task of its own, on queue {_shown(queue)}" if queue else "a task of its own"
    return f"{where}: {reasons[step['id']]}"


def _policy(step: Mapping[str, Any]) -> str:
    retry = step["retry"]
    attempts = _shown(retry["max_attempts"])
    attempts += " attempt" if attempts == "1" else " attempts"
    bound = step["timeout"]
    most = f"{bound:g} s" if isinstance(bound, int | float) else _shown(bound)
    return f"at most {most}, {attempts}"


def _shown(value: Any) -> str:  # noqa: ANN401 - a compiled value
    if isinstance(value, dict) and "$" in value:
        return "${" + str(value["$"]["source"]) + "}"
    return str(value)
