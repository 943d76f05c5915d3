"""``aima applied``: the workflows whose triggers are active."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from aima.gateway.cli.terminal import give_json, say


@click.command("applied")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """List the workflows whose triggers are active, and when they start next."""
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.stack_client import STORED
    from aima.settings import load_settings

    with stack(load_settings()) as client:
        workflows = list(client.items(STORED))
    if as_json:
        give_json({"definitions": workflows})
        return
    for workflow in workflows:
        show(workflow, said=f"applied {_local(workflow['applied_at'])} from {workflow['source']}")
    if not workflows:
        say("nothing is applied; `aima apply FILE` lets a workflow's triggers take effect")


def show(workflow: dict[str, Any], *, said: str) -> None:
    """Print an applied workflow, a line for each trigger."""
    from aima.dsl.render import escaped

    click.echo(escaped(f"{workflow['name']}  {said}"))
    for trigger in workflow["triggers"]:
        click.echo(escaped(f"  {_line(trigger)}"))
    if not workflow["triggers"]:
        click.echo("  no triggers: nothing starts it by itself")


def _line(trigger: dict[str, Any]) -> str:
    if "event" in trigger:
        return f"event {trigger['event']}"
    if "webhook" in trigger:
        return f"webhook {trigger['webhook']}"
    schedule = trigger["schedule"]
    line = f"schedule {schedule['cron']} {schedule.get('timezone', 'UTC')}"
    if not trigger["active"]:
        return f"{line}, not active: paused or deleted in Temporal"
    return f"{line}, next {_local(trigger['next'])}" if trigger["next"] else f"{line}, never again"


def _local(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
