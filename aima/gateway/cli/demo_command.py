"""``aima demo``: every shipped workflow with its own example, and what came out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aima.gateway.cli.exits import FAILED
from aima.gateway.cli.terminal import give_json, say

if TYPE_CHECKING:
    from aima.gateway.cli.stack_client import StackClient
    from aima.settings import Settings

_ROW = "{:<21}  {:<9}  {:>7}  {}"
_MOST_SAID = 68
"""Characters of one value; `aima status` has the whole."""


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(*, as_json: bool) -> None:
    """Run every shipped workflow with its own example, and show what came out of each.

    They run one after the other. Models that are not here yet are fetched first.
    """
    from aima.gateway.cli.stack import stack
    from aima.settings import load_settings
    from aima.shipped import shipped, workflows_in

    settings = load_settings()
    requests = [_request(file, settings) for file in workflows_in(shipped("workflows"))]
    outcomes = []
    with stack(settings, works=True) as client:
        if not as_json:
            click.echo(_ROW.format("WORKFLOW", "STATE", "SECONDS", "WHAT CAME OUT"))
        for request in requests:
            outcome = _outcome(client, request, settings)
            outcomes.append(outcome)
            if not as_json:
                click.echo("\n".join(_rows(outcome)))
    if as_json:
        give_json(outcomes)
    else:
        say("`aima status RUN` tells more of each; `aima runs` has their ids")
    raise SystemExit(0 if all(o["state"] == "completed" for o in outcomes) else FAILED)


def _request(file: Path, settings: Settings) -> dict[str, Any]:
    """Make the request that starts a workflow with its own example."""
    from aima.gateway.cli.declared import declared
    from aima.gateway.cli.inputs import example_of
    from aima.gateway.cli.models_command import fetch_for
    from aima.gateway.cli.workflow_files import read_workflow, shown

    text = read_workflow(file)
    fetch_for(text, settings)
    return {
        "text": text,
        "file": shown(file),
        "place": str(file.resolve()),
        "input": example_of(declared(text, str(file)).inputs, file, settings),
    }


def _outcome(client: StackClient, request: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Run a workflow to its end."""
    from aima.gateway.cli.follow import Follower

    started = client.post("/api/v2/runs", request)
    ended = Follower(client, settings, as_json=True).outcome(started["id"])
    told = client.get(f"/api/v2/runs/{started['id']}")
    return {
        "workflow": started["workflow"],
        "id": started["id"],
        "state": ended["state"],
        "seconds": told["seconds"],
        "output": ended["output"],
        "error": ended.get("error"),
    }


def _rows(outcome: dict[str, Any]) -> Iterator[str]:
    """Give a line for each output, beside the run in the first of them."""
    said = outcome["output"] if outcome["state"] == "completed" else outcome["error"]
    head = (outcome["workflow"], outcome["state"], f"{outcome['seconds']:.1f}")
    for key, value in (said or {"": ""}).items():
        yield _ROW.format(*head, f"{key}: {_short(value)}").rstrip()
        head = ("", "", "")


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON
    from aima.dsl.render import escaped
    from aima.gateway.cli.outputs import is_artifact

    if is_artifact(value):
        return f"{value['media_type']}, {value['bytes'] / 1000:,.0f} KB"
    if isinstance(value, list) and value and all(map(is_artifact, value)):
        return f"{len(value)} x {_short(value[0])}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = escaped(" ".join(text.split()))
    return text if len(text) <= _MOST_SAID else f"{text[: _MOST_SAID - 1]}…"
