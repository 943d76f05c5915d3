"""``aima run``: run a workflow and show what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aima.gateway.cli.terminal import give_json, say

if TYPE_CHECKING:
    from aima.gateway.cli.stack_client import StackClient
    from aima.settings import Settings


@dataclass(frozen=True)
class Asked:
    """What the command line asked for."""

    workflow: str
    inputs: tuple[str, ...]
    input_file: Path | None
    example: bool
    sets: tuple[str, ...]
    outputs: tuple[str, ...]
    run_id: str
    detach: bool
    watch: bool
    as_json: bool


@click.command("run")
@click.argument("workflow")
@click.option(
    "-i",
    "inputs",
    multiple=True,
    metavar="KEY=VALUE",
    help="An input; @FILE reads a file, for a list also @FOLDER or @*.jpg.",
)
@click.option("--input-file", type=click.Path(path_type=Path), help="All inputs, JSON or YAML.")
@click.option("--example", is_flag=True, help="Use the workflow's own example input.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a config value.")
@click.option("-o", "outputs", multiple=True, metavar="KEY=FILE", help="Write an output to a file.")
@click.option("--id", "run_id", default="", help="Id of the run; made up unless given.")
@click.option("--detach", is_flag=True, help="Start it and return at once.")
@click.option("--watch", is_flag=True, help="Print every change, also with --json.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(**asked: Any) -> None:  # noqa: ANN401 - click's values, typed by Asked
    """Run WORKFLOW, a file or the name of one.

    \b
    aima run voice-assistant --example -o audio=answer.wav
    aima run ./mine.yaml -i audio=@question.wav --set voice=af_heart
    """  # noqa: D301 - the mark for lines that click must not wrap is a backspace
    from aima.settings import load_settings

    if asked["detach"] and (asked["outputs"] or asked["watch"]):
        raise click.UsageError(
            "--detach waits for nothing: leave out -o and --watch; `aima status ID` has both"
        )
    raise SystemExit(run(Asked(**asked), load_settings()))


def run(asked: Asked, settings: Settings) -> int:
    """Run a workflow; give the exit code."""
    from aima.gateway.cli.declared import declared
    from aima.gateway.cli.follow import Follower
    from aima.gateway.cli.models_command import fetch_for
    from aima.gateway.cli.outputs import check_targets
    from aima.gateway.cli.stack import stack
    from aima.gateway.cli.workflow_files import read_workflow, shown
    from aima.shipped import find_workflow

    file = find_workflow(asked.workflow, settings.root)
    text = read_workflow(file)
    said = declared(text, str(file))
    targets = check_targets(asked.outputs, said.outputs)
    request = {
        "text": text,
        "file": shown(file),
        "place": str(file.resolve()),
        "input": _input(asked, settings, file=file, schema=said.inputs),
        "config": _config(asked.sets, said.config),
        "id": asked.run_id,
    }
    fetch_for(text, settings)
    stays = asked.detach and not settings.temporal.address
    with stack(settings, works=True, stays=stays) as client:
        started = _start(client, request, settings)
        if asked.detach:
            _tell_detached(started, as_json=asked.as_json)
            return 0
        follower = Follower(client, settings, as_json=asked.as_json, watch=asked.watch)
        return follower.follow(started, targets)


def _start(client: StackClient, request: dict[str, Any], settings: Settings) -> Any:  # noqa: ANN401 - JSON
    from aima.gateway.cli.stack import other_project
    from aima.gateway.cli.stack_client import Refused

    try:
        return client.post("/api/v2/runs", request)
    except Refused as refused:
        hint = other_project(client, settings)
        raise Refused(refused.message + hint, refused.diagnostics) from refused


def _input(
    asked: Asked, settings: Settings, *, file: Path, schema: Mapping[str, Any]
) -> dict[str, Any]:
    from aima.gateway.cli.inputs import example_of, read_input_file, read_pairs

    values: dict[str, Any] = {}
    if asked.example:
        values |= example_of(schema, file, settings)
    if asked.input_file is not None:
        values |= read_input_file(asked.input_file, settings, schema=schema)
    return values | read_pairs(asked.inputs, settings, schema=schema)


def _config(sets: tuple[str, ...], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Read `--set key=value`; where the default is text, so is the value."""
    from aima.gateway.cli.inputs import read_json_or_text, split_pair

    return {
        key: text if isinstance(defaults.get(key), str) else read_json_or_text(text)
        for key, text in map(split_pair, sets)
    }


def _tell_detached(started: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        give_json(started)
        return
    click.echo(started["id"])
    say(f"Running on its own. `aima status {started['id']}` tells how far it is.")
